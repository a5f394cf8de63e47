"""Plays a recorded exchange session: each JSON object that the exchange sent becomes an update.

    [plugins.replay]
    file = "COINBASE.ws.xz"                   # plain or .xz
    speed = 10.0                              # 10 times as fast as recorded; 0: at once
    topic = "replay.{type}.{product_id}"      # fields of the message
    loop = false

A line of the file is ``TIME: TEXT``, TIME in Unix seconds; lines of other forms (what the client
sent) are left out, and so are messages that are no JSON object or lack a field of the topic. Bytes
are published as they were recorded.
"""

import asyncio
import json
import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tickwire import feed
from tickwire.errors import ConfigError, TickwireError
from tickwire.pub import Pub

DEFAULT_TOPIC = "replay.{type}.{product_id}"
_LINE = re.compile(r"([0-9]+(?:\.[0-9]+)?): (.*)")
_NOT_IN_A_TOKEN = re.compile(r"[^A-Za-z0-9_:.-]")
_YIELD_EVERY = 256
"""Messages without a pause in between before others get their turn."""


def recorded(path: Path) -> Iterator[tuple[float, str]]:
    """(Unix seconds, text) of each message that the exchange sent."""
    with lzma.open(path, "rt") if path.suffix == ".xz" else path.open() as lines:
        for line in lines:
            if found := _LINE.fullmatch(line.rstrip("\n")):
                yield float(found[1]), found[2]


def topic_of(template: str, text: str) -> str | None:
    """The topic of a message, None where it is no object or lacks a field."""
    try:
        message: Any = json.loads(text)
        fields = {name: _NOT_IN_A_TOKEN.sub("_", str(value)) for name, value in message.items()}
        return template.format_map(fields)
    except (ValueError, KeyError, AttributeError):
        return None


@feed("replay.>")
async def replay(pub: Pub) -> None:
    path, speed, template = _settings(pub)
    while True:
        published = skipped = 0
        loop = asyncio.get_running_loop()
        start, first = loop.time(), None
        for at, text in recorded(path):
            first = at if first is None else first
            due = start + (at - first) / speed if speed else start
            if due > loop.time() or (published + skipped) % _YIELD_EVERY == 0:
                await asyncio.sleep(max(0.0, due - loop.time()))
            topic = topic_of(template, text)
            if topic is not None and _publish(pub, topic, text):
                published += 1
            else:
                skipped += 1
        pub.log.info("%s: %d messages published, %d left out", path, published, skipped)
        if not published:
            pub.log.warning("%s: nothing to play", path)
        if not published or not pub.config.get("loop", False):
            return


def _publish(pub: Pub, topic: str, text: str) -> bool:
    try:
        pub.publish(topic, text)
    except TickwireError as e:
        pub.log.warning("left out: %s", e)
        return False
    return True


def _settings(pub: Pub) -> tuple[Path, float, str]:
    path = Path(pub.config.get("file", ""))
    speed = pub.config.get("speed", 1.0)
    if path == Path():
        raise ConfigError("plugins.replay.file: is not set", field="plugins.replay.file")
    if not path.is_file():
        raise ConfigError(f"plugins.replay.file: {path}: no such file", field="plugins.replay.file")
    if not isinstance(speed, (int, float)) or speed < 0:
        raise ConfigError(
            f"plugins.replay.speed: {speed!r} is not a number of at least 0",
            field="plugins.replay.speed",
        )
    return path, float(speed), pub.config.get("topic", DEFAULT_TOPIC)
