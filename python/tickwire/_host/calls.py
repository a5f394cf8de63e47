"""Calls of the functions that answer questions: each has a deadline, each client only its share.

A call that is late is given up, whatever it does: its thread, or its task when it ignores being
cancelled, is left behind as *stuck* until it ends. A plugin has so many threads at once, and so
many stuck ones beside them; one client has only its share of both. So a client whose questions hang
leaves room for the others, and a plugin that hangs altogether is `blocked`: its questions are
answered at once, until one of its stuck calls ends. Plugins share no thread.
"""

import asyncio
import inspect
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from tickwire._host.workers import Worker

THREADS_MAX: Final = 16
"""The number of simultaneous calls of a plugin's plain ``def`` functions; further calls wait until
their deadline."""
STUCK_MAX: Final = 48
"""The number of a plugin's calls past their deadline from which on it is `blocked`."""
SESSION_CALLS_MAX: Final = 4
ADDRESS_CALLS_MAX: Final = 8
"""The number of calls, running and stuck, that one session or one address may have. This machine's
own address has no limit."""
CANCEL_GRACE_S: Final = 0.1
"""A task that has not ended this long after it was cancelled is stuck."""


class LateError(Exception):
    """The call did not end by its deadline."""


class FullError(Exception):
    """There was no room to make the call; its text says why."""


class RaisedError(Exception):
    """The function raised `error`, whatever kind of exception that is."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class Caller:
    """The session and address whose question a call answers."""

    session: str
    address: int
    """A number for the peer's address. 0 is this machine's own address, which has no limit."""


class Calls:
    """Makes the calls of one plugin, on the plugins' loop. `changed` is called when `blocked`
    changes."""

    def __init__(self, name: str, changed: Callable[[], None]) -> None:
        self._name = name
        self._changed = changed
        self._held: Counter[str | int] = Counter()  # by session and by address
        self._running = 0  # threads that are not late
        self._stuck = 0
        self._idle: list[Worker] = []
        self._waiting: OrderedDict[str, deque[tuple[Caller, asyncio.Future[None]]]] = OrderedDict()

    @property
    def blocked(self) -> bool:
        return self._stuck >= STUCK_MAX

    async def call(
        self, function: Callable[..., Any], caller: Caller, *args: Any, until: float
    ) -> Any:
        """Calls the function and returns its result. Raises `LateError`, `FullError` or
        `RaisedError`.

        until: the deadline on the loop's clock.
        """
        if inspect.iscoroutinefunction(function):
            if self.blocked or not self._has_room(caller):
                raise FullError(self._why_full())
            return await self._await(_contained(function, *args), caller, until)
        result = await self._call_in_thread(function, caller, args, until)
        if _is_awaitable(result):  # an async function behind a plain decorator returned it
            return await self._await(_contained(lambda: result), caller, until)
        return result

    def end(self) -> None:
        for worker in self._idle:
            worker.end()

    # --- async def --------------------------------------------------------------------------------

    async def _await(self, call: Coroutine[Any, Any, Any], caller: Caller, until: float) -> Any:
        loop = asyncio.get_running_loop()
        task = loop.create_task(call)
        try:
            await _wait(task, until)
        finally:
            if not task.done():
                task.cancel()
                loop.call_later(CANCEL_GRACE_S, self._leave_task, task, caller)
        if not task.done() or task.cancelled():
            raise LateError
        result = task.result()
        if type(result) is RaisedError:  # isinstance() may run code of the plugin's object
            raise result
        return result

    def _leave_task(self, task: asyncio.Task[Any], caller: Caller) -> None:
        """Counts a task as stuck that ignored being cancelled. Beyond its client's share it is not
        counted: many tasks of that client may have run when the first was late, and they must not
        make the plugin `blocked` for others."""
        if not task.done() and self._has_room(caller):
            self._hold(caller, 1)
            self._set_stuck(1)
            task.add_done_callback(lambda _: self._end_stuck(caller))

    # --- def --------------------------------------------------------------------------------------

    async def _call_in_thread(
        self, function: Callable[..., Any], caller: Caller, args: tuple[Any, ...], until: float
    ) -> Any:
        await self._enter(caller, until)
        worker = self._idle.pop() if self._idle else Worker(f"{self._name}-authorizer")
        try:
            future = worker.call(function, *args)
        except BaseException:
            worker.end()
            self._leave(caller)
            raise
        try:
            await _wait(future, until)
        finally:
            late = not future.done()
            if late:  # its slot goes to another thread, its client's share does not
                self._running -= 1
                self._set_stuck(1)
                self._admit_next()
            future.add_done_callback(lambda f: self._end_thread(worker, caller, f, late))
        if late:
            raise LateError
        error = future.exception()
        if error is not None:
            raise RaisedError(error)
        return future.result()

    def _end_thread(
        self, worker: Worker, caller: Caller, future: asyncio.Future[Any], late: bool
    ) -> None:
        future.exception()  # seen, also when nobody waits for it any more
        if len(self._idle) < THREADS_MAX:
            self._idle.append(worker)
        else:
            worker.end()
        if late:
            self._end_stuck(caller)
        else:
            self._leave(caller)

    async def _enter(self, caller: Caller, until: float) -> None:
        """Waits for a free thread. Sessions take turns."""
        if self.blocked:
            raise FullError(self._why_full())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller.session, deque()).append((caller, turn))
        self._admit_next()
        try:
            await _wait(turn, until)
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._leave(caller)
            raise
        finally:
            if not turn.done():
                turn.cancel()
        if turn.cancelled():
            raise FullError(self._why_full())

    def _admit_next(self) -> None:
        for session in list(self._waiting):
            if self._running >= THREADS_MAX:
                return
            line = self._waiting[session]
            while line and line[0][1].done():  # whoever waited has given up
                line.popleft()
            if line and self._has_room(line[0][0]):
                caller, turn = line.popleft()
                self._hold(caller, 1)
                self._running += 1
                turn.set_result(None)
                self._waiting.move_to_end(session)
            if not line:
                del self._waiting[session]

    def _leave(self, caller: Caller) -> None:
        self._running -= 1
        self._hold(caller, -1)
        self._admit_next()

    # --- shares -----------------------------------------------------------------------------------

    def _has_room(self, caller: Caller) -> bool:
        if self._held[caller.session] >= SESSION_CALLS_MAX:
            return False
        return not caller.address or self._held[caller.address] < ADDRESS_CALLS_MAX

    def _hold(self, caller: Caller, more: int) -> None:
        for holder in (caller.session, caller.address):
            self._held[holder] += more
            if not self._held[holder]:
                del self._held[holder]

    def _end_stuck(self, caller: Caller) -> None:
        self._hold(caller, -1)
        self._set_stuck(-1)
        self._admit_next()

    def _set_stuck(self, more: int) -> None:
        was_blocked = self.blocked
        self._stuck += more
        if self.blocked != was_blocked:
            self._changed()

    def _why_full(self) -> str:
        if self.blocked:
            return f"{self._stuck} calls hang"
        return "calls of this client hang or are under way"


def _is_awaitable(result: object) -> bool:
    """Whether the object can be awaited. Raises `RaisedError` if the object itself raises when
    asked."""
    try:
        return inspect.isawaitable(result)
    except BaseException as e:
        raise RaisedError(e) from e


async def _wait(future: asyncio.Future[Any], until: float) -> None:
    """Waits for the end of a future or for the deadline, and never cancels it."""
    left_s = until - asyncio.get_running_loop().time()
    if left_s > 0:
        await asyncio.wait({future}, timeout=left_s)


async def _contained(function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """Returns the result or, as a value, the exception: no exception of a plugin may reach the
    loop."""
    try:
        return await function(*args)
    except BaseException as e:
        return RaisedError(e)
