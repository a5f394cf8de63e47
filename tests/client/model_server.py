"""A server that keeps to docs/PROTOCOL.md on subscriptions, for tests that look into it."""

import json
from typing import Any

from websockets.asyncio.server import ServerConnection

from tickwire._pattern import is_pattern, matches


class ModelServer:
    """Value topics alone; every resume begins anew with a snapshot."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        self.seqs = dict.fromkeys(topics, 1)
        self.kept: dict[str, None] = {}
        """What the one session is subscribed to, in its order."""
        self._ws: ServerConnection | None = None

    def decider(self, topic: str) -> str | None:
        """The subscription that the topic reaches the session by."""
        if topic in self.kept:
            return topic
        return next((name for name in self.kept if is_pattern(name) and matches(name, topic)), None)

    async def publish(self, topic: str) -> None:
        self.seqs[topic] += 1
        if self.decider(topic) is not None:
            await self._tell("update", topic)

    async def cut(self) -> None:
        if self._ws is not None:
            await self._ws.close(1001)

    async def handle(self, ws: ServerConnection) -> None:
        self._ws = ws
        self.kept = {}
        told = {"session": "s", "epoch": "e", "heartbeat_s": 15, "server": "model/1", "ts": 1}
        await self._send(type="welcome", **told)
        async for text in ws:
            command = json.loads(text)
            if command["type"] == "subscribe":
                await self._subscribe(command)
            elif command["type"] == "unsubscribe":
                await self._unsubscribe(command)
        self._ws = None

    async def _subscribe(self, command: dict[str, Any]) -> None:
        since = command.get("since", {})
        results: list[dict[str, Any]] = []
        for name in command["topics"]:
            self.kept.setdefault(name)
            resumes = any(matches(name, topic) for topic in since)
            seq = {} if is_pattern(name) else {"seq": self.seqs.get(name, 0)}
            results.append({"topic": name, **seq} | ({"recovered": False} if resumes else {}))
        await self._send(type="ack", id=command["id"], results=results)
        for name in command["topics"]:
            for topic in self.seqs:
                if self.decider(topic) == name:
                    await self._tell("snapshot", topic)

    async def _unsubscribe(self, command: dict[str, Any]) -> None:
        for name in command["topics"]:
            self.kept.pop(name, None)
        results = [{"topic": name} for name in command["topics"]]
        await self._send(type="ack", id=command["id"], results=results)

    async def _tell(self, kind: str, topic: str) -> None:
        seq = self.seqs[topic]
        more = {"status": "live"} if kind == "snapshot" else {}
        await self._send(type=kind, topic=topic, seq=seq, ts=1, **more, data={"n": seq})

    async def _send(self, **message: Any) -> None:
        if self._ws is not None:
            await self._ws.send(json.dumps(message, separators=(",", ":")))
