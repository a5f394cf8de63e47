"""One reader of a stream of tickers, and the CPU that its process spends on a message.

    python client_reader.py KIND PORT TOPICS MESSAGES

Prints JSON: CPU microseconds a message, messages a read of the loop's selector, seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

WARM = 0.1  # of the messages, before the measuring begins


class Meter:
    def __init__(self, topics: int, messages: int) -> None:
        self.first = topics + int(messages * WARM)
        self.last = topics + messages
        self.begun = (0.0, 0.0)
        self.count = 0
        self.begun_at = 0

    def took(self, count: int) -> bool:
        """True once all came."""
        self.count += count
        if not self.begun_at and self.count >= self.first:
            self.begun_at = self.count
            self.begun = (time.process_time(), time.monotonic())
        return self.count >= self.last

    def result(self) -> dict[str, float]:
        messages = self.count - self.begun_at
        return {
            "cpu_us": (time.process_time() - self.begun[0]) / messages * 1e6,
            "per_s": messages / (time.monotonic() - self.begun[1]),
            "messages": messages,
        }


async def read_websockets(
    url: str, names: list[str], meter: Meter, loads: Callable[[Any], Any]
) -> None:
    from websockets.asyncio.client import connect

    images: dict[str, dict[str, Any]] = {}
    async with connect(url, subprotocols=["tickwire.v1.json"], max_queue=64) as ws:  # type: ignore[list-item]
        await ws.recv()
        await ws.send(json.dumps({"type": "subscribe", "id": 1, "topics": names}))
        await ws.recv()
        async for text in ws:
            message = loads(text)
            images.setdefault(message["topic"], {}).update(message["data"])
            if meter.took(1):
                return


async def read_tickwire(url: str, names: list[str], meter: Meter, kind: str) -> None:
    import tickwire

    async with tickwire.connect(url) as c:
        if kind == "values":
            async with c.subscribe(*names, queue_max=0):
                c.changed()
                states = c._protocol.topics.states
                while not meter.took(0):
                    await asyncio.sleep(0.05)
                    meter.count = sum(states.find(name)[0] for name in names)  # type: ignore[index]
            return
        updates = c.subscribe(*names)
        if kind == "batches":
            async for batch in updates.batches():
                if meter.took(len(batch)):
                    return
        elif kind == "decoded":
            async for update in updates:
                update.data["last"]
                if meter.took(1):
                    return
        else:
            async for _ in updates:
                if meter.took(1):
                    return


def main() -> None:
    kind, port, topics, messages = sys.argv[1], *map(int, sys.argv[2:5])
    url = f"ws://127.0.0.1:{port}/ws"
    names = [f"ticker.SYM{i:05d}-USD" for i in range(topics)]
    meter = Meter(topics, messages)
    if kind == "json":
        asyncio.run(read_websockets(url, names, meter, json.loads))
    elif kind == "orjson":
        import orjson

        asyncio.run(read_websockets(url, names, meter, orjson.loads))
    else:
        asyncio.run(read_tickwire(url, names, meter, kind))
    print(json.dumps(meter.result()))


if __name__ == "__main__":
    main()
