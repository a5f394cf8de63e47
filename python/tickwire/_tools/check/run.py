"""All sessions of a check: one loop over their sockets, in one process or several.

At the end every topic must have come as far as the server says that it stands.
"""

import heapq
import multiprocessing
import random
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from tickwire._http import get
from tickwire._tools.check.messages import Messages
from tickwire._tools.check.patience import Patience
from tickwire._tools.check.road_session import EventSession, PollSession
from tickwire._tools.check.session import WebSocketSession, World
from tickwire._tools.check.tally import Tally
from tickwire._tools.check.wire import open_files_wanted
from tickwire.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    ServerError,
    TickwireError,
    UnknownTopicError,
    error_for,
)

PATTERN: Final = "check.>"
CHANGE_S: Final = 2.0
CUT_S: Final = 5.0
STALL_S: Final = 5.0
"""The average time between two changes of a session."""
AWAY_S_MAX: Final = 1.0
STALLED_S_MAX: Final = 3.0
RETRY_S: Final = 0.5
LOOK_S: Final = 0.1
FILES_BESIDES: Final = 64

AnySession = WebSocketSession | EventSession | PollSession
ROADS: Final[dict[str, type[AnySession]]] = {
    "websocket": WebSocketSession,
    "sse": EventSession,
    "poll": PollSession,
}


@dataclass(frozen=True, slots=True)
class CheckPlan:
    url: str
    seconds: float
    connections: int = 20
    reconnects: bool = False
    stalls: bool = False
    processes: int = 1
    first: int = 0
    """The number of the first connection."""
    settle_s: float = 10.0
    """The time in seconds after which what is missing is given up, if nothing of it arrives."""
    transport: str = "websocket"
    """One of `ROADS`."""
    others: tuple[str, ...] = ()
    """More servers of the same cluster: each connection is to the next one. WebSocket alone."""


Progress = Callable[[Tally, float], None]
Stopped = Callable[[], bool]


def run(plan: CheckPlan, each_second: Progress, stopped: Stopped) -> tuple[Tally, float]:
    """What was found, and in how many seconds. Raises what keeps it from checking.

    In the main thread. Once `stopped` says so, its time is over and it settles.
    """
    start = time.monotonic()
    if plan.processes == 1:
        tally = Checker(plan, stopped).run(each_second)
    else:
        tally = _run_processes(plan, each_second, stopped)
    return tally, time.monotonic() - start


def pause_s(average_s: float, check_s: float) -> float:
    """A random time of this average, but half of the check at most: a short one is not spared."""
    return min(random.expovariate(1 / average_s), check_s / 2)


def topics_of(url: str, *others: str) -> dict[str, int]:
    """Returns topic -> seq, as the server says it, or the next one if it cannot be reached."""
    try:
        return _topics_of(url)
    except ConnectionFailedError:
        if not others:
            raise
    return topics_of(*others)


def _topics_of(url: str) -> dict[str, int]:
    found: dict[str, int] = {}
    after = ""
    while True:
        answer = get(url, "v1", "topics", pattern=PATTERN, after=after).object
        found |= {topic["topic"]: topic["seq"] for topic in answer["topics"]}
        if not answer.get("next"):
            return found
        after = answer["next"]


class Checker:
    """The sessions of one process."""

    def __init__(self, plan: CheckPlan, stopped: Stopped) -> None:
        topics = sorted(topics_of(plan.url, *plan.others))
        if not topics:
            raise UnknownTopicError(f"{PATTERN}: the server has none; feeds/checked.py makes them")
        self.tally = Tally()
        self._plan = plan
        self._stopped = stopped
        world = World((plan.url, *plan.others), topics, self.tally, Messages(), {})
        numbers = range(plan.first, plan.first + plan.connections)
        # A session that never stalls has the kernel's usual buffers, so its reads are larger.
        road = ROADS[plan.transport]
        self._sessions = [road(n, world, plan.stalls and n % 4 < 2) for n in numbers]
        self._selector = selectors.DefaultSelector()
        self._order = count()
        self._due: list[tuple[float, int, Callable[[AnySession], None], AnySession]] = []
        self._stalled: set[AnySession] = set()
        self._ending = False

    def run(self, each_second: Progress) -> Tally:
        open_files_wanted(len(self._sessions) + FILES_BESIDES)
        try:
            for session in self._sessions:
                session.open()
                self._selector.register(session.sock, selectors.EVENT_READ, session)  # type: ignore[arg-type]
                self._plan_for(session)
            start = time.monotonic()
            self._run_until(start, start + self._plan.seconds, each_second)
            self._settle(start, each_second)
        finally:
            for session in self._sessions:
                session.cut()
            self._selector.close()
        return self.tally

    # --- the loop ---------------------------------------------------------------------------------

    def _run_until(self, start: float, end: float, each_second: Progress) -> None:
        told = time.monotonic()
        while (now := time.monotonic()) < end and (self._ending or not self._stopped()):
            while self._due and self._due[0][0] <= now:
                _, _, step, session = heapq.heappop(self._due)
                step(session)
            for key, _ in self._selector.select(min(LOOK_S, max(end - now, 0))):
                session = key.data
                session.read()
                if session.lost:
                    self._part(session, session.model.drain_ms)
                elif session.renews:
                    self._renew(session)
            if now - told >= 1:
                told = now
                each_second(self.tally, now - start)

    def _settle(self, start: float, each_second: Progress) -> None:
        """Changes nothing more, and waits until everything has arrived."""
        self._ending = True
        for session in list(self._stalled):
            self._wake(session)
        seqs = topics_of(self._plan.url, *self._plan.others)
        patience = Patience(round(self._plan.settle_s / LOOK_S))
        while patience.waits(sum(len(names) for _, names in self._missing(seqs))):
            self._run_until(start, time.monotonic() + LOOK_S, each_second)
        if all(session.sock is None for session in self._sessions):
            raise ConnectionLostError(f"no connection is left: {self._sessions[0].lost}")
        for session, names in self._missing(seqs):
            for name in names:
                self.tally.fault(
                    "missing", f"{session.model.label}: {name}: not up to {seqs[name]}"
                )

    def _missing(self, seqs: dict[str, int]) -> Iterator[tuple[AnySession, list[str]]]:
        for session in self._sessions:
            if names := session.missing(seqs):
                yield session, names

    # --- what happens to a session ----------------------------------------------------------------

    def _later(
        self, seconds: float, step: Callable[[AnySession], None], session: AnySession
    ) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), step, session))

    def _plan_for(self, session: AnySession) -> None:
        self._later(random.expovariate(1 / CHANGE_S), self._change, session)
        if self._plan.reconnects:
            self._later(pause_s(CUT_S, self._plan.seconds), self._cut, session)
        if session.stalls:
            self._later(pause_s(STALL_S, self._plan.seconds), self._stall, session)

    def _change(self, session: AnySession) -> None:
        if self._ending:
            return
        if session.sock is not None:
            session.change()
            if session.renews:
                self._renew(session)
        self._later(random.expovariate(1 / CHANGE_S), self._change, session)

    def _cut(self, session: AnySession) -> None:
        if self._ending:
            return
        if session.sock is not None:
            self._part(session, None)
        self._later(pause_s(CUT_S, self._plan.seconds), self._cut, session)

    def _stall(self, session: AnySession) -> None:
        if self._ending:
            return
        if session.sock is not None and session not in self._stalled:
            self.tally.stalls += 1
            self._stalled.add(session)
            self._selector.unregister(session.sock)
            self._later(random.uniform(0.1, STALLED_S_MAX), self._wake, session)
        self._later(pause_s(STALL_S, self._plan.seconds), self._stall, session)

    def _wake(self, session: AnySession) -> None:
        if session in self._stalled and session.sock is not None:
            self._selector.register(session.sock, selectors.EVENT_READ, session)
        self._stalled.discard(session)

    def _renew(self, session: AnySession) -> None:
        self._forget(session)
        session.close()
        self._connect(session)

    def _part(self, session: AnySession, drain_ms: int | None) -> None:
        self._forget(session)
        session.cut()
        wait_s = random.uniform(0, AWAY_S_MAX) + (drain_ms or 0) / 1000
        self._later(wait_s, self._open, session)

    def _forget(self, session: AnySession) -> None:
        if session.sock is not None and session not in self._stalled:
            self._selector.unregister(session.sock)
        self._stalled.discard(session)

    def _open(self, session: AnySession) -> None:
        if self._connect(session):
            self.tally.reconnects += 1

    def _connect(self, session: AnySession) -> bool:
        try:
            session.open()
        except ConnectionFailedError as e:
            session.lost = str(e)
            self._later(RETRY_S, self._open, session)
            return False
        assert session.sock is not None
        self._selector.register(session.sock, selectors.EVENT_READ, session)
        return True


# --- several processes ----------------------------------------------------------------------------


def _run_processes(plan: CheckPlan, each_second: Progress, stopped: Stopped) -> Tally:
    context = multiprocessing.get_context("spawn")
    shares: list[tuple[Any, Connection]] = []
    tallies: dict[Connection, Tally] = {}
    start = told = time.monotonic()
    told_to_end = False
    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # only this process handles it
    try:
        for number in range(plan.processes):
            ours, theirs = context.Pipe()
            share = _share(plan, number)
            process = context.Process(target=_run_share, args=(share, theirs), daemon=True)
            process.start()
            theirs.close()
            shares.append((process, ours))
        signal.signal(signal.SIGINT, on_interrupt)
        waiting = [pipe for _, pipe in shares]
        while waiting:
            if stopped() and not told_to_end:
                told_to_end = True
                for _, ours in shares:
                    with suppress(OSError):  # from a process that has ended
                        ours.send(None)
            for pipe in wait(waiting, timeout=LOOK_S):
                assert isinstance(pipe, Connection)
                if (found := _receive(pipe)) is None:
                    waiting.remove(pipe)
                else:
                    tallies[pipe] = found
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                each_second(_sum(tallies), told - start)
        return _sum(tallies)
    finally:
        signal.signal(signal.SIGINT, on_interrupt)
        for process, _ in shares:
            process.terminate()
            process.join()


def _share(plan: CheckPlan, number: int) -> CheckPlan:
    firsts = [plan.connections * n // plan.processes for n in (number, number + 1)]
    return replace(plan, first=firsts[0], connections=firsts[1] - firsts[0], processes=1)


def _run_share(plan: CheckPlan, pipe: Connection) -> None:
    """Whether it must end, because it was told so or because the check itself was killed."""
    with suppress(BrokenPipeError):
        try:
            pipe.send(Checker(plan, pipe.poll).run(lambda tally, _: pipe.send(tally)))
            pipe.send(None)
        except TickwireError as e:
            pipe.send((e.code, e.message))


def _receive(pipe: Connection) -> Tally | None:
    try:
        found = pipe.recv()
    except EOFError as e:
        raise ServerError("a process of the check died") from e
    if isinstance(found, tuple):
        raise error_for(*found)
    assert found is None or isinstance(found, Tally)
    return found


def _sum(tallies: dict[Connection, Tally]) -> Tally:
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    return total
