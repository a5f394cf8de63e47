"""A Coinbase exchange on this machine: plays a session to whoever subscribes.

PYTHONPATH=tests python tests/plugins/coinbase_player.py --port 0 --speed 10

The session is the one that tests/exchange_sessions.py makes; --capture plays a recorded one.

Every product of a channel plays from its first message, in the recorded rhythm, from the moment it
is subscribed to; at the end it falls silent, but for the heartbeat.
"""

import argparse
import asyncio
import json
import lzma
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

import exchange_sessions

HEARTBEAT = "heartbeat"
HEARTBEAT_S = 1.0
CHANNEL_OF = {
    "ticker": "ticker",
    "match": "matches",
    "last_match": "matches",
    "snapshot": "level2",
    "l2update": "level2",
}

Stream = tuple[str, str]
"""Channel and product."""
Recording = dict[Stream, list[tuple[float, str]]]
"""Seconds from the first message of all, and the text."""


def read_recording(capture: Path | None = None) -> Recording:
    session = (
        lzma.decompress(capture.read_bytes()).decode()
        if capture
        else exchange_sessions.recording("coinbase")
    )
    recording: Recording = defaultdict(list)
    first: float | None = None
    for line in session.splitlines():
        time, separator, text = line.partition(": ")
        if not separator or not text.startswith("{") or "<-" in time:
            continue
        message = json.loads(text)
        first = float(time) if first is None else first
        if channel := CHANNEL_OF.get(message["type"]):
            recording[channel, message["product_id"]].append((float(time) - first, text))
    return recording


class Player:
    """An exchange that plays a session, on an asyncio loop. It has a `url` once `start` has
    returned."""

    def __init__(self, recording: Recording, speed: float) -> None:
        self.recording = recording
        self.products = {product for _, product in recording}
        self.speed = speed
        self.subscribed: set[Stream] = set()
        """The streams that anybody is subscribed to now."""
        self.connections: set[ServerConnection] = set()
        self.url = ""

    async def start(self, port: int = 0) -> None:
        self._server = await serve(self._serve, "127.0.0.1", port)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def hang_up(self) -> None:
        for connection in list(self.connections):
            await connection.close(1001, "maintenance")

    async def _serve(self, client: ServerConnection) -> None:
        plays: dict[Stream, asyncio.Task[None]] = {}
        self.connections.add(client)
        try:
            async for text in client:
                await self._obey(client, json.loads(text), plays)
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(client)
            self.subscribed -= plays.keys()
            for play in plays.values():
                play.cancel()

    async def _obey(
        self, client: ServerConnection, command: Any, plays: dict[Stream, asyncio.Task[None]]
    ) -> None:
        for product in command["product_ids"]:
            if product not in self.products:
                reason = f"{product} is not a valid product"
                await client.send(json.dumps({"type": "error", "reason": reason}))
                continue
            for channel in command["channels"]:
                stream = (channel, product)
                if command["type"] == "unsubscribe" and stream in plays:
                    plays.pop(stream).cancel()
                    self.subscribed.discard(stream)
                elif command["type"] == "subscribe" and stream not in plays:
                    if channel == HEARTBEAT:
                        plays[stream] = asyncio.create_task(self._beat(client, product))
                    else:
                        plays[stream] = asyncio.create_task(self._play(client, stream))
                        self.subscribed.add(stream)
        channels: dict[str, list[str]] = defaultdict(list)
        for channel, product in plays:
            channels[channel].append(product)
        told = [{"name": name, "product_ids": ids} for name, ids in channels.items()]
        await client.send(json.dumps({"type": "subscriptions", "channels": told}))

    async def _beat(self, client: ServerConnection, product: str) -> None:
        with suppress(ConnectionClosed):
            while True:
                await client.send(json.dumps({"type": HEARTBEAT, "product_id": product}))
                await asyncio.sleep(HEARTBEAT_S)

    async def _play(self, client: ServerConnection, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            for at, text in self.recording.get(stream, []):
                await asyncio.sleep(start + at / self.speed - loop.time())
                await client.send(text)
        except ConnectionClosed:
            pass


class PlayerThread:
    """A player for tests that know no asyncio."""

    def __init__(self, speed: float, port: int = 0) -> None:
        self.player = Player(read_recording(), speed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self.player.start(port))

    @property
    def url(self) -> str:
        return self.player.url

    def texts(self, topic: str) -> list[str]:
        """What was recorded of a topic of feeds/coinbase.py."""
        kind, _, product = topic.split(".")
        stream = ("ticker" if kind == "ticker" else "matches", product)
        return [text for _, text in self.player.recording[stream]]

    def hang_up(self) -> None:
        self._call(self.player.hang_up())

    def stop(self) -> None:
        self._call(self.player.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def playing(speed: float, port: int = 0) -> Iterator[PlayerThread]:
    player = PlayerThread(speed, port)
    try:
        yield player
    finally:
        player.stop()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0, help="10: ten times as fast")
    parser.add_argument("--capture", type=Path, help="a recorded session, .xz")
    options = parser.parse_args()
    player = Player(read_recording(options.capture), options.speed)
    await player.start(options.port)
    print(player.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
