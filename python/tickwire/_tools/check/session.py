"""One client of a check: it follows topics, changes its mind, stalls, is cut off, comes back."""

import random
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tickwire._tools.check.messages import Messages
from tickwire._tools.check.model import Model, Offsets
from tickwire._tools.check.tally import Tally
from tickwire._tools.check.wire import TEXT, Frames, dial, frame, linger_zero, receive
from tickwire.codes import should_reconnect

SMALL_BUFFER_BYTES: Final = 8_192
"""The receive buffer of a client that stalls: a large one would hide the stall from the server."""
PATTERNS: Final = ("check.value.*", "check.event.*", "check.*.0", "check.*.1", "check.>")
PATTERN_CHANCE: Final = 0.3
NAMES_MAX: Final = 10
PACED_SHARE: Final = 8
"""One session of this number asks for a max_rate."""
MAX_RATE: Final = 5.0


M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class World:
    """What all sessions of a process share."""

    urls: Sequence[str]
    """Servers that are one; several of a cluster."""
    topics: Sequence[str]
    tally: Tally
    messages: Messages
    offsets: Offsets


class Session(Generic[M]):
    """What is the same by every road."""

    def __init__(self, number: int, world: World, stalls: bool, model: type[M]) -> None:
        self.sock: socket.socket | None = None
        self.stalls = stalls
        self.lost = ""
        """Says why the connection ended."""
        self.renews = False
        """Whether its next step is another connection, at once."""
        self.model = model(f"client {number}", world.tally, world.messages, world.offsets)
        self._world = world
        self._buffer = SMALL_BUFFER_BYTES if stalls else None
        self._max_rate = MAX_RATE if number % PACED_SHARE == PACED_SHARE - 1 else 0.0
        self._chance = random.Random(number)
        self._names = self._some(self._chance.randint(1, NAMES_MAX))

    def open(self) -> None:
        """Connects, and resumes where it was. Raises `ConnectionFailedError`."""
        raise NotImplementedError

    def change(self) -> None:
        """Unsubscribes some topics, or subscribes others."""
        raise NotImplementedError

    def _take(self, data: bytes) -> None:
        """Takes what came; nothing once the server has ended the connection. Raises `OSError`."""
        raise NotImplementedError

    def read(self) -> None:
        """Reads what the socket holds, which is readable."""
        assert self.sock is not None
        try:
            data = receive(self.sock)
            if data is None:
                return
            self._world.tally.bytes += len(data)
            self._take(data)
        except OSError as e:
            self.lost = str(e) or repr(e)
            return
        if not data and not self.lost:
            self.lost = "the connection ended without a close"

    def cut(self) -> None:
        """Ends the connection, half of the time without a close, as a failing network does."""
        if self.sock is not None and self._chance.random() < 0.5:
            with suppress(OSError):
                linger_zero(self.sock)
        self.close()

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None
            self.model.connection_lost()

    def missing(self, seqs: dict[str, int]) -> list[str]:
        """Returns the topics that have not reached these seqs; all of them while it reconnects."""
        if self.sock is None:
            return list(seqs)
        return self.model.missing(seqs)

    def _some(self, count: int) -> list[str]:
        if self._chance.random() < PATTERN_CHANCE:
            return [self._chance.choice(PATTERNS)]
        return self._chance.sample(self._world.topics, min(count, len(self._world.topics)))

    def _send(self, data: bytes) -> None:
        assert self.sock is not None
        try:
            self.sock.sendall(data)
        except OSError as e:
            self.lost = str(e) or repr(e)


class WebSocketSession(Session[Model]):
    def __init__(self, number: int, world: World, stalls: bool) -> None:
        super().__init__(number, world, stalls, Model)
        self._deflate = number % 2 == 1
        self._next = number
        self._frames = Frames(False)

    def open(self) -> None:
        urls = self._world.urls
        self._next += 1
        self.sock, self._frames = dial(urls[self._next % len(urls)], self._deflate, self._buffer)
        self.lost = ""
        self._say(self.model.resume(self._names, self._max_rate))
        self._judge()

    def change(self) -> None:
        if len(self._names) > 1 and self._chance.random() < 0.5:
            gone = self._names.pop(self._chance.randrange(len(self._names)))
            self._say(self.model.unsubscribe([gone]))
        elif more := [name for name in self._some(1) if name not in self._names]:
            self._names += more
            self._say(self.model.subscribe(more, self._max_rate))

    def _say(self, command: str) -> None:
        self._send(frame(TEXT, command.encode()))

    def _take(self, data: bytes) -> None:
        assert self.sock is not None
        self._frames.feed(data)
        if self._frames.replies:
            self.sock.sendall(self._frames.replies)
            self._frames.replies = b""
        self._judge()

    def _judge(self) -> None:
        frames = self._frames
        self._world.tally.messages += len(frames.texts)
        self.model.take(frames.texts)
        frames.texts.clear()
        code = frames.close_code
        if code is not None:
            self.lost = f"closed with {code}"
        if frames.fault or (code is not None and not should_reconnect(code)):
            self._world.tally.fault("broken", frames.fault or self.lost)
            self.lost = frames.fault or self.lost
