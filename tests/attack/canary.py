"""Clients that must not notice anything: they publish and read a few topics.

They live in a process of their own. Each canary checks that it gets every update, once and in
order, and how long it takes. A connection that ends counts as a gap.
"""

import asyncio
import json
import multiprocessing
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

CANARIES = 4
TOPICS = 4
TICK_S = 0.01


@dataclass
class Report:
    received: int = 0
    gaps: int = 0
    p50_ms: float = 0
    p99_ms: float = 0
    faults: list[str] = field(default_factory=list)


class Nest:
    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.faults: list[str] = []

    def report(self) -> Report:
        late, self.late_ms = sorted(self.late_ms), []
        faults, self.faults = self.faults, []
        if not late:
            return Report(gaps=len(faults), faults=faults[:5])
        p99 = late[min(len(late) - 1, len(late) * 99 // 100)]
        return Report(len(late), len(faults), late[len(late) // 2], p99, faults[:5])

    async def listen(self, connection: ClientConnection) -> None:
        seqs: dict[str, int] = {}
        try:
            async for text in connection:
                message = json.loads(text)
                if message["type"] not in ("snapshot", "update"):
                    continue
                topic, seq = message["topic"], message["seq"]
                if message["type"] == "update" and "t" in message["data"]:
                    self.late_ms.append((time.monotonic() - message["data"]["t"]) * 1000)
                if topic in seqs and (message["type"] != "update" or seq != seqs[topic] + 1):
                    self.faults.append(f"{topic}: {seqs[topic]}, then {message['type']} {seq}")
                seqs[topic] = seq
        except ConnectionClosed as end:
            self.faults.append(f"a canary's connection ended: {end}")

    async def sing(self, connection: ClientConnection) -> None:
        number = 0
        try:
            while True:
                number += 1
                topic = f"canary.{number % TOPICS}"
                data = {"t": time.monotonic(), "n": number}
                await connection.send(json.dumps({"type": "publish", "topic": topic, "data": data}))
                await asyncio.sleep(TICK_S)
        except ConnectionClosed as end:
            self.faults.append(f"the singer's connection ended: {end}")


async def live(host: str, port: int, pipe: Connection) -> None:
    nest = Nest()
    url = f"ws://{host}:{port}/ws"
    singer = await connect(url, compression=None)
    tasks = [asyncio.create_task(nest.sing(singer))]

    async def drain() -> None:
        async for _ in singer:
            pass

    tasks.append(asyncio.create_task(drain()))
    for number in range(CANARIES):
        canary = await connect(url, compression="deflate" if number % 2 else None)
        await canary.send(json.dumps({"type": "subscribe", "topics": ["canary.>"]}))
        tasks.append(asyncio.create_task(nest.listen(canary)))
    pipe.send("ready")
    while await asyncio.to_thread(pipe.recv) != "end":
        pipe.send(nest.report())


def hatch(host: str, port: int, pipe: Connection) -> None:
    asyncio.run(live(host, port, pipe))


class Canaries:
    """The process, seen from the attacker's."""

    def __init__(self, host: str, port: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=hatch, args=(host, port, theirs), daemon=True)
        self._process.start()
        assert self._pipe.poll(30), "the canaries do not start"
        assert self._pipe.recv() == "ready"

    def report(self) -> Report:
        """What they saw since the last call."""
        self._pipe.send("report")
        assert self._pipe.poll(30), "the canaries are gone"
        told = self._pipe.recv()
        assert isinstance(told, Report)
        return told

    def end(self) -> None:
        self._pipe.send("end")
        self._process.join(10)
        self._process.kill()
