"""What a feed leaves on the plugins' loop: its tasks and callbacks know the run that began them."""

import asyncio
import contextvars
import logging
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from tickwire._host.feed_runner import FeedRunner

_log: Final = logging.getLogger("tickwire.plugins")

UNTAKEN_S: Final = 1.0
"""If nobody has asked for a task's exception this long after the task ended, nobody will."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of one feed. A task that an earlier run left behind does not fail a later run."""

    feed: "FeedRunner"

    def enter(self, context: contextvars.Context) -> None:
        """Makes everything that starts in `context` belong to this run."""
        context.run(_run.set, self)

    def fail(self, error: BaseException) -> bool:
        """Fails the feed because a task or callback of this run failed. Returns False if the run is
        over."""
        return self.feed.fail(self, error)


_run: contextvars.ContextVar[Run | None] = contextvars.ContextVar("run", default=None)


class FeedTask(asyncio.Task[Any]):
    """A task that knows its run, and fails it if nobody takes the exception that ended the task.

    asyncio itself tells of such an exception only when the task is collected, which is never while
    the feed keeps a reference to it.
    """

    run: Run | None = None
    _is_taken = False
    _waiting = 0  # callbacks of asyncio.wait, gather and others, which take the exception later

    @classmethod
    def make(cls, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Self:
        """The loop's task factory."""
        task = cls(work, loop=loop, **options)
        context = options.get("context")
        task.run = context.get(_run) if context else _run.get()
        if task.run is not None:
            task.add_done_callback(_look_later)
        return task

    def __await__(self) -> Generator[Any, None, Any]:
        self._is_taken = self.done()  # otherwise whoever waits is woken, and takes the result
        return super().__await__()

    def result(self) -> Any:
        self._is_taken = self.done()
        return super().result()

    def exception(self) -> BaseException | None:
        self._is_taken = self.done()
        return super().exception()

    def add_done_callback(
        self, function: Callable[..., object], /, *, context: contextvars.Context | None = None
    ) -> None:
        self._waiting += _is_of_asyncio(function)
        super().add_done_callback(function, context=context)

    def remove_done_callback(self, function: Callable[..., object], /) -> int:
        count = super().remove_done_callback(function)
        self._waiting -= count * _is_of_asyncio(function)
        return count

    def look(self) -> None:
        """Fails the run if nobody has taken the exception."""
        error = _peek(self)
        if error is None or self._is_taken or self._waiting or self.run is None:
            return
        if self.run.fail(error):
            self.exception()  # asyncio need not report it any more


class PluginLoop(asyncio.SelectorEventLoop):
    """The loop of all plugins: none of them takes away what tells of their failures.

    `take_fault` gets the context of each fault (see ``call_exception_handler``), and says whether
    that was all there is to do; else a plugin's exception handler is called, or asyncio's own.
    """

    def __init__(self, take_fault: Callable[[dict[str, Any]], bool]) -> None:
        super().__init__()
        self._take_fault = take_fault
        super().set_task_factory(FeedTask.make)

    def set_task_factory(self, factory: object) -> None:
        _log.warning("a plugin sets the task factory of the plugins' loop, which keeps its own")

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._take_fault(context):
            super().call_exception_handler(context)


def run_of_fault(context: dict[str, Any]) -> Run | None:
    """Returns the run that an asyncio exception handler's `context` is about, if it can be
    found."""
    future = context.get("task") or context.get("future")
    if future is not None:  # the garbage collector may report it in any context
        return future.run if isinstance(future, FeedTask) else None
    handle = context.get("handle")
    return _run_of_handle(handle) if isinstance(handle, asyncio.Handle) else _run.get()


def run_of_raised(error: BaseException) -> Run | None:
    """Returns the run whose task or callback raised `error` out of the loop."""
    trace = error.__traceback__
    while trace is not None:
        handle = trace.tb_frame.f_locals.get("self")
        if isinstance(handle, asyncio.Handle):
            return _run_of_handle(handle)
        trace = trace.tb_next
    return None


def _run_of_handle(handle: asyncio.Handle) -> Run | None:
    # Handle.get_context() came with Python 3.12.
    get_context = getattr(handle, "get_context", lambda: getattr(handle, "_context"))  # noqa: B009
    context: contextvars.Context = get_context()
    return context.get(_run)


def _is_of_asyncio(function: Callable[..., object]) -> bool:
    return str(getattr(function, "__module__", None)).partition(".")[0] == "asyncio"


def _peek(task: asyncio.Task[Any]) -> BaseException | None:
    error: BaseException | None = getattr(task, "_exception", None)  # exception() would take it
    return error


def _look_later(task: asyncio.Task[Any]) -> None:
    if _peek(task) is not None:
        task.get_loop().call_later(UNTAKEN_S, _look, weakref.ref(task))


def _look(reference: "weakref.ref[asyncio.Task[Any]]") -> None:
    if isinstance(task := reference(), FeedTask):
        task.look()
