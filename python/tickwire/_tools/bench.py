"""A load client: many connections from one process, and what arrives on them.

It is Python and reads every message, so that one process takes some ten thousand messages a second
before it is the limit itself; `Report.client_load` says when. For more run several, side by side.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tickwire._client.dial import close_error, dial
from tickwire._pattern import is_pattern
from tickwire.client import connect
from tickwire.errors import ConnectionLostError, UnknownTopicError, error_for
from tickwire.update import Update, parse_message

OPENING_MAX: Final = 50
"""The number of connections that may be opening at the same time."""
TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class BenchPlan:
    url: str
    topics: tuple[str, ...]
    """Topics and patterns."""
    connections: int = 10
    each: int | None = None
    """The number of random existing topics for each connection; None: all that were named."""
    duration_s: float = 10.0
    """The time in seconds after every connection has subscribed."""
    max_rate: float | None = None
    deflate: bool = True
    token: str | None = None


@dataclass(slots=True)
class Arrivals:
    """What arrived on all connections since the measurement began."""

    messages: int = 0
    holes: int = 0
    """Updates that did not follow the message before: there must be none."""
    gaps: int = 0
    """Messages of event topics that the server declared gone."""
    conflated: int = 0
    """Updates that a snapshot made up for."""
    ages_ms: Counter[int] = field(default_factory=Counter)
    """From the server's `ts` to the arrival here, so the two clocks must agree."""

    def take(self, update: Update, seqs: dict[str, int]) -> None:
        """Counts a message. seqs: topic -> the last seq that its connection has seen."""
        last = seqs.get(update.topic)
        self.messages += 1
        if update.missed is not None:
            self.gaps += update.missed
        elif update.kind == "update":
            self.holes += last is not None and update.seq != last + 1
        elif update.kind == "snapshot" and last is not None:
            self.conflated += max(update.seq - last - 1, 0)
        if update.ts and last is not None and update.kind != "status":
            self.ages_ms[max(int(time.time() * 1000) - update.ts, 0)] += 1
        seqs[update.topic] = update.seq


class _Counted(ClientConnection):
    """Counts the bytes that came in, before inflating."""

    bytes_in = 0

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        super().data_received(data)


@dataclass(frozen=True, slots=True)
class Report:
    seconds: float
    connections: int
    """The number of connections, with those that were lost."""
    lost: int
    deflate: bool
    """Whether the server agreed to permessage-deflate."""
    messages: int
    bytes: int
    holes: int
    gaps: int
    conflated: int
    age_ms: dict[str, int]
    client_load: float
    """The share of one core that this client used. Near 1, the client is the bottleneck."""

    def as_json(self, kind: str) -> str:
        per_s = {
            "messages_per_s": round(self.messages / self.seconds),
            "bytes_per_message": round(self.bytes / max(self.messages, 1), 1),
        }
        fields = {name: getattr(self, name) for name in self.__slots__}
        rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in fields.items()}
        return json.dumps({"type": kind} | rounded | per_s, separators=(",", ":"))


def percentiles(ages_ms: Counter[int]) -> dict[str, int]:
    """Returns p50, p90, p99 and max; empty if nothing was counted."""
    found: dict[str, int] = {}
    wanted = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)]
    total, seen = ages_ms.total(), 0
    for age in sorted(ages_ms):
        seen += ages_ms[age]
        while wanted and seen >= wanted[0][1] * total:
            found[wanted.pop(0)[0]] = age
    return found


async def run(plan: BenchPlan, each_second: Callable[[Report], None]) -> Report:
    """Runs the whole measurement. Raises the error that keeps any connection from being subscribed.

    If it is cancelled while it measures, it ends early and returns what it has measured.
    """
    return await _Load(plan, await resolve(plan)).run(each_second)


async def resolve(plan: BenchPlan) -> list[str]:
    """Returns the topics to choose from."""
    if plan.each is None or not any(map(is_pattern, plan.topics)):
        return [*plan.topics]
    async with connect(plan.url, token=plan.token, reconnect=False) as c:
        names = {t for t in plan.topics if not is_pattern(t)}
        for pattern in filter(is_pattern, plan.topics):
            names.update(await c.list(pattern))
    if not names:
        raise UnknownTopicError(f"{' '.join(plan.topics)}: no topic of the server matches")
    return sorted(names)


class _Load:
    def __init__(self, plan: BenchPlan, topics: Sequence[str]) -> None:
        self._plan = plan
        self._topics = topics
        self._connections: list[_Counted] = []
        self._readers: list[asyncio.Task[None]] = []
        self._opening = asyncio.Semaphore(OPENING_MAX)
        self._arrivals = Arrivals()
        self._lost = 0
        self._bytes_before = 0
        self._cpu_before = 0.0
        self._start = 0.0

    async def run(self, each_second: Callable[[Report], None]) -> Report:
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._plan.connections):
                    group.create_task(self._open(number))
            return await self._watch(each_second)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several  # they fail alike
        finally:
            for reader in self._readers:
                reader.cancel()
            ends = [*self._readers, *(c.close() for c in self._connections)]
            await asyncio.gather(*ends, return_exceptions=True)

    async def _watch(self, each_second: Callable[[Report], None]) -> Report:
        self._arrivals = Arrivals()
        self._bytes_before = sum(c.bytes_in for c in self._connections)
        self._cpu_before = time.process_time()
        self._start = time.monotonic()
        end = self._start + self._plan.duration_s
        while (left := end - time.monotonic()) > 0:
            if self._lost == len(self._connections):
                raise ConnectionLostError("the server closed every connection")
            try:
                await asyncio.sleep(min(left, 1.0))
            except asyncio.CancelledError:  # the total is what was measured until then
                end = 0
            each_second(self._report())
        return self._report()

    def _report(self) -> Report:
        seconds = time.monotonic() - self._start
        arrivals = self._arrivals
        return Report(
            seconds=seconds,
            connections=len(self._connections),
            lost=self._lost,
            deflate=any(c.protocol.extensions for c in self._connections),
            messages=arrivals.messages,
            bytes=sum(c.bytes_in for c in self._connections) - self._bytes_before,
            holes=arrivals.holes,
            gaps=arrivals.gaps,
            conflated=arrivals.conflated,
            age_ms=percentiles(arrivals.ages_ms),
            client_load=(time.process_time() - self._cpu_before) / seconds,
        )

    async def _open(self, number: int) -> None:
        """Opens a connection: connects, subscribes, waits for the ack, and begins to read."""
        async with self._opening:
            ws = await dial(
                self._plan.url,
                TIMEOUT_S,
                create_connection=_Counted,
                compression="deflate" if self._plan.deflate else None,
            )
            assert isinstance(ws, _Counted)
            self._connections.append(ws)
            if self._plan.token is not None:
                await _ask(ws, {"type": "auth", "id": 1, "token": self._plan.token})
            await _ask(ws, self._subscribe(number))
            self._readers.append(asyncio.create_task(self._read(ws)))

    def _subscribe(self, number: int) -> dict[str, Any]:
        topics = [*self._topics]
        if self._plan.each is not None and self._plan.each < len(topics):
            topics = random.Random(number).sample(topics, self._plan.each)
        command: dict[str, Any] = {"type": "subscribe", "id": 2, "topics": topics}
        if self._plan.max_rate is not None:
            command["max_rate"] = self._plan.max_rate
        return command

    async def _read(self, ws: _Counted) -> None:
        seqs: dict[str, int] = {}
        with suppress(ConnectionClosed):
            while True:
                message = parse_message(str(await ws.recv()))
                if isinstance(message, Update):
                    self._arrivals.take(message, seqs)
        self._lost += 1


async def _ask(ws: ClientConnection, command: dict[str, Any]) -> None:
    """Sends a command and waits for its answer. Any refusal is an error, because a measurement
    needs every topic."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await ws.send(json.dumps(command))
            answer = await _answer(ws, command["id"])
    except ConnectionClosed as closed:
        raise close_error(closed) from closed
    except TimeoutError as e:
        raise ConnectionLostError(f"no answer within {TIMEOUT_S:g} s") from e
    for told in [answer, *(result.get("error", {}) for result in answer.get("results", ()))]:
        if "code" in told:
            raise error_for(told["code"], told["message"], retryable=told.get("retryable"))


async def _answer(ws: ClientConnection, number: int) -> dict[str, Any]:
    while True:
        message = parse_message(str(await ws.recv()))
        if not isinstance(message, Update) and message.get("id") == number:
            return message
