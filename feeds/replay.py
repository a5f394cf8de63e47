"""Plays a recording: of an exchange's session, or what ``tickwire sub --json`` wrote.

    [plugins.replay]
    file = "COINBASE.ws.xz"                   # plain or .xz
    speed = 10.0                              # 10 times as fast as recorded; 0: at once
    topic = "replay.{type}.{product_id}"      # fields of the message; of a session only
    loop = false
    on_damage = "end"                         # or "skip": go on after what cannot be read

Each line is one message, in one of two forms; the first line in one of them settles which form the
file has. A byte order mark is skipped. What ``tickwire sub --json`` wrote is played to the topics
it was recorded from, and they are what they were: updates update, snapshots replace, events stay
events, statuses are set. A line ``TIME: TEXT``, TIME in Unix seconds, is what an exchange sent;
lines of other forms in a session (what the client sent) are left out, and so are messages that are
no JSON object or lack a field of `topic`. Bytes are published as they were recorded.

A line that cannot be read is named by its number in the log. The replay then ends there, or goes
on after it; where the rest of a compressed file cannot be read, it ends in any case.
"""

import asyncio
import json
import lzma
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast

from tickwire import feed
from tickwire._fault_log import FaultLog
from tickwire._reason import what_is_there
from tickwire.errors import ConfigError, TickwireError
from tickwire.pub import Pub
from tickwire.update import Update, parse_message

DEFAULT_TOPIC = "replay.{type}.{product_id}"
LINE_BYTES_MAX = 16 << 20
_LINE = re.compile(r"([0-9]+(?:\.[0-9]+)?): (.*)")
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")
_NOT_IN_A_TOKEN = re.compile(r"[^A-Za-z0-9_:.-]")
_YIELD_EVERY = 256
"""The number of messages without a pause, after which other tasks get their turn."""


class DamageError(Exception):
    """A part of a recording that cannot be read."""

    def __init__(self, line: int, what: str, is_last: bool = False) -> None:
        super().__init__(f"line {line} is damaged: {what}")
        self.is_last = is_last
        """Whether nothing after it can be read."""


@dataclass(frozen=True, slots=True)
class Settings:
    path: Path
    speed: float
    topic: str
    loop: bool
    skip: bool


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    at: float | None
    """Unix seconds; None: at once, since the times of snapshots and statuses may be long ago."""
    text: str
    """What an exchange sent, or the text of an update's data."""
    update: Update | None = None


def recorded(path: Path) -> Iterator[RecordedMessage | DamageError]:
    """Yields the messages of the file in its order, and the places where it is damaged."""
    form = None
    with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as lines:
        for number, line in _numbered(cast(IO[bytes], lines)):
            try:
                if isinstance(line, DamageError):
                    raise line
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                form = form or _form_of(text)
                found = (form or _of_session)(text)
            except DamageError as e:
                yield e
            except (ValueError, RecursionError, TickwireError) as e:
                yield DamageError(number, str(e))
            else:
                if found is not None:
                    yield found


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes | DamageError]]:
    number = 0
    while True:
        number += 1
        try:
            line = lines.readline(LINE_BYTES_MAX + 1)
        except (EOFError, lzma.LZMAError, OSError) as e:
            yield number, DamageError(number, str(e), is_last=True)
            return
        if not line:
            return
        if len(line) > LINE_BYTES_MAX:
            while not line.endswith(b"\n") and (line := lines.readline(LINE_BYTES_MAX)):
                pass
            yield number, DamageError(number, f"it is longer than {LINE_BYTES_MAX} bytes")
        else:
            yield number, line


def _form_of(text: str) -> Callable[[str], RecordedMessage | None] | None:
    """Returns the function that reads this line and all that follow. None: the line does not decide
    the form."""
    if text.startswith("{"):
        return _of_json
    return _of_session if _LINE.fullmatch(text) else None


def _of_json(text: str) -> RecordedMessage | None:
    """Reads a line of ``tickwire sub --json``. None: it is empty, or a message about no topic."""
    if not text:
        return None
    if not text.startswith("{"):
        raise ValueError(f"it is no JSON object: {text[:20]!a}")
    message = parse_message(text)
    if isinstance(message, Update):
        at = message.ts / 1000 if message.kind == "update" else None
        return RecordedMessage(at, message.raw, message)
    if not isinstance(message.get("type"), str):
        raise ValueError(f"it is no message of tickwire: {text[:20]!a}")
    return None


def _of_session(text: str) -> RecordedMessage | None:
    """Reads a line of an exchange's session. None: the exchange did not send it."""
    if found := _LINE.fullmatch(text):
        if found[2].startswith("{"):
            json.loads(found[2])
        return RecordedMessage(float(found[1]), found[2])
    if text.startswith("{") or _NO_TEXT.search(text):
        raise ValueError(f"it is no line of a session: {text[:20]!a}")
    return None


def topic_of(template: str, text: str) -> str | None:
    """The topic of a message, None where it is no object or lacks a field."""
    try:
        message: Any = json.loads(text)
        fields = {name: _NOT_IN_A_TOKEN.sub("_", str(value)) for name, value in message.items()}
        return template.format_map(fields)
    except (ValueError, KeyError, AttributeError, IndexError):
        return None


@feed(">")
async def replay(pub: Pub) -> None:
    settings, faults = _settings(pub), FaultLog(pub.log)
    while True:
        play = _Play(pub, settings, faults)
        whole = await play.run()
        pub.log.info(
            "%s: %d messages published, %d left out", settings.path, play.published, play.left_out
        )
        if not play.published:
            pub.log.warning("%s: nothing to play", settings.path)
        if not play.published or not settings.loop or not (whole or settings.skip):
            return


@dataclass(slots=True)
class _Play:
    """One pass through the file."""

    pub: Pub
    settings: Settings
    faults: FaultLog
    published: int = 0
    left_out: int = 0
    seqs: dict[str, int] = field(default_factory=dict)
    """Event topic -> the last seq that was played: after a lost connection the recording may repeat
    some."""
    names: dict[str, set[str]] = field(default_factory=dict)
    """The fields of each value topic's image."""

    async def run(self) -> bool:
        """Plays the file. Returns False if it was damaged and the replay ended there."""
        loop = asyncio.get_running_loop()
        start, first, speed = loop.time(), None, self.settings.speed
        for message in recorded(self.settings.path):
            if isinstance(message, DamageError):
                self.pub.log.error("%s: %s", self.settings.path, message)
                if message.is_last or not self.settings.skip:
                    return False
                self.left_out += 1
                continue
            due = start
            if message.at is not None and speed:
                first = message.at if first is None else first
                due += (message.at - first) / speed
            if due > loop.time() or (self.published + self.left_out) % _YIELD_EVERY == 0:
                await asyncio.sleep(max(0.0, due - loop.time()))
            if self._play(message):
                self.published += 1
            else:
                self.left_out += 1
        return True

    def _play(self, message: RecordedMessage) -> bool:
        try:
            if message.update is not None:
                return self._play_update(message.update)
            topic = topic_of(self.settings.topic, message.text)
            if topic is None:
                return False
            self.pub.publish(topic, message.text)
        except TickwireError as e:
            self.faults.error("messages were left out", "left out: %s", e)
            return False
        return True

    def _play_update(self, update: Update) -> bool:
        if update.kind == "status":
            self.pub.status(update.topic, update.status or "live")
            return True
        if update.kind not in ("snapshot", "update"):
            return False  # it says what the recording lacks
        if update.delivery == "event":
            return self._play_event(update)
        known = self.names.setdefault(update.topic, set())
        gone = known - update.data.keys() if update.kind == "snapshot" else set()
        text: Any = update.raw if not gone else {**update.data, **dict.fromkeys(gone)}
        self.pub.publish(update.topic, text)
        known.difference_update(gone)
        known.update(name for name, value in update.data.items() if value is not None)
        self._set_status(update)
        return True

    def _play_event(self, update: Update) -> bool:
        if update.topic not in self.seqs:
            self.pub.declare(update.topic, "event")
        if update.seq <= self.seqs.get(update.topic, 0):
            return False
        self.seqs[update.topic] = update.seq
        self.pub.publish(update.topic, update.raw)
        self._set_status(update)
        return True

    def _set_status(self, update: Update) -> None:
        if update.kind == "snapshot" and update.status:
            self.pub.status(update.topic, update.status)


def _settings(pub: Pub) -> Settings:
    path = Path(pub.config.get("file", ""))
    speed = pub.config.get("speed", 1.0)
    on_damage: Literal["end", "skip"] = pub.config.get("on_damage", "end")
    if path == Path():
        raise ConfigError("plugins.replay.file: is not set", field="plugins.replay.file")
    if not path.is_file():
        raise ConfigError(
            f"plugins.replay.file: {path}: {what_is_there(path)}", field="plugins.replay.file"
        )
    if not isinstance(speed, (int, float)) or not 0 <= speed < float("inf"):
        raise ConfigError(
            f"plugins.replay.speed: {speed!r} is not a number of at least 0",
            field="plugins.replay.speed",
        )
    if on_damage not in ("end", "skip"):
        raise ConfigError(
            f"plugins.replay.on_damage: {on_damage!r} is neither end nor skip",
            field="plugins.replay.on_damage",
        )
    topic = pub.config.get("topic", DEFAULT_TOPIC)
    return Settings(path, float(speed), topic, bool(pub.config.get("loop")), on_damage == "skip")
