"""A thread for a plain ``def`` function of a plugin. If it never returns it holds up nobody, not
even the exit of the process."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Call = tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any], asyncio.AbstractEventLoop]


class Worker:
    """One thread, started at the first call, that makes one call after the other."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def call(self, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Returns a future of the result. Cancelling the future does not end the call."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._calls.put((function, args, future, loop))
        if not self._thread.ident:
            self._thread.start()
        return future

    def end(self) -> None:
        """Ends the thread after the calls that wait."""
        self._calls.put(None)

    def join(self, timeout_s: float) -> None:
        if self._thread.ident:
            self._thread.join(max(0.0, timeout_s))

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            function, args, future, loop = call
            try:
                result, error = function(*args), None
            except BaseException as e:
                result, error = None, e
            try:
                loop.call_soon_threadsafe(_settle, future, result, error)
            except RuntimeError:  # the loop is gone, and nobody waits
                return


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if isinstance(error, StopIteration | asyncio.CancelledError | KeyboardInterrupt | SystemExit):
        fault = RuntimeError(f"raised {type(error).__name__}")
        fault.__cause__ = error
        error = fault  # in a plugin each of these is only a fault
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
