"""Runs one feed: calls its function as its decorator says, and starts it again when it fails."""

import asyncio
import contextvars
import inspect
import math
import threading
from collections.abc import Callable
from typing import Any, Final, Literal

from tickwire._backoff import Backoff
from tickwire._callables import is_async
from tickwire._fault_log import FaultLog
from tickwire._host.feed_task import Run
from tickwire._host.workers import Worker
from tickwire.plugins import FeedMark
from tickwire.pub import Pub

RESTART_S_FIRST: Final = 0.5
RESTART_S_MAX: Final = 30.0
HEALTHY_S: Final = 60.0
"""After a run of this length without a fault, the backoff begins again."""

State = Literal["running", "blocked", "backoff", "finished", "stopped"]


class FeedRunner:
    """On the plugins' loop. `changed` is called after every change of state and count.

        running --raises--> backoff --delay--> running
        running --the loop stands still--> blocked --it goes on--> running
        running --returns--> finished
        any but stopped --restart()--> running
        any ------stop()--> stopped

    No task of the runner's own watches the feed's task, since a plugin may cancel all tasks that it
    finds; the next step is always a callback of the loop.
    """

    def __init__(
        self,
        mark: FeedMark,
        function: Callable[..., Any],
        pub: Pub,
        faults: FaultLog,
        changed: Callable[[], None],
    ) -> None:
        self.mark = mark
        self.pub = pub
        self.state: State = "running"
        self.restarts = 0
        self.errors = 0
        self._function = function
        self._faults = faults
        self._changed = changed
        self._worker = None if is_async(function) else Worker(f"feed-{mark.name}")
        self._is_on_loop = self._worker is None or mark.every is not None
        self._backoff = Backoff(
            RESTART_S_FIRST, lambda: 1.0, most_s=RESTART_S_MAX, steady_s=HEALTHY_S
        )
        self._task: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None
        self._started = 0.0
        self._fault: BaseException | None = None
        self._is_restarting = False
        self._now: Run | None = None
        self._is_over = threading.Event()

    def start(self) -> None:
        """Starts a run. After a fault, further runs start by themselves."""
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        self._now = Run(self)
        self._now.enter(context)
        self._started = loop.time()
        self._fault = None
        self._enter("running")
        self._task = loop.create_task(self._run(), context=context)
        self._task.add_done_callback(self._ended)

    def fail(self, run: Run, error: BaseException) -> bool:
        """Fails the feed because something that `run` left on the loop has failed. Returns False if
        that run has ended or is failing already."""
        if self._task is None or self._task.done() or run is not self._now:
            return False
        if self._fault is not None or self.state == "stopped":
            return False
        self._fault = error
        self.pub.stale()
        self._task.cancel()
        return True

    def restart(self) -> None:
        """Ends the run that is under way, as an admin wants, and starts the next one.

        A plain function that does not return cannot be ended: the next run waits for it.
        """
        if self.state == "stopped":
            return
        self.pub.log.info("feed %s: is restarted", self.mark.name)
        if self._worker is not None and self.mark.every is None and self.state == "running":
            self.pub.log.warning(
                "feed %s is a plain function: its next run begins when this one returns, which"
                " pub.wait() lets it do",
                self.mark.name,
            )
        if self._task is not None and not self._task.done():
            self._is_restarting = True
            self._task.cancel()
            return
        if self._again is not None:
            self._again.cancel()
        self._restart()

    def set_blocked(self, blocked: bool) -> None:
        """Notes that the plugins' loop stands still, or goes on; a feed with its own thread is not
        affected. Any thread."""
        if blocked and self.state == "running" and self._is_on_loop:
            self._enter("blocked")
            self.pub.stale()
        elif not blocked and self.state == "blocked":
            self._enter("running")

    def stop(self) -> None:
        self.pub._stop()
        if self._worker is not None:
            self._worker.end()
        if self._again is not None:
            self._again.cancel()
        if self.state != "finished":
            self._enter("stopped")
        if self._task is not None and not self._task.done():
            self._task.cancel()
        else:
            self._is_over.set()

    def wait_over(self, timeout_s: float) -> None:
        """Waits until a stopped feed has left the loop, so that it can still finish what it began.
        Any thread but the loop's."""
        self._is_over.wait(max(0.0, timeout_s))

    def join(self, timeout_s: float) -> None:
        """Waits for the feed's thread to end, if it has one. Any thread."""
        if self._worker is not None:
            self._worker.join(timeout_s)

    # --- one run ----------------------------------------------------------------------------------

    async def _run(self) -> None:
        if self.mark.every is None:
            await self._call()
        else:
            await self._periodically(self.mark.every)

    async def _periodically(self, every_s: float) -> None:
        """Calls the function at multiples of `every_s`. A call that takes longer skips the missed
        ones."""
        loop = asyncio.get_running_loop()
        start, step = loop.time(), 0
        while True:
            await self._call()
            # Rounding may put a call just before its time; it must not be repeated.
            step = max(step, math.floor((loop.time() - start) / every_s)) + 1
            await asyncio.sleep(start + step * every_s - loop.time())

    async def _call(self) -> None:
        """Calls the function once. Awaits its result, too, if only that shows that it is
        asynchronous."""
        if self._worker is None:
            result = self._function(self.pub)
        else:
            result = await self._worker.call(self._function, self.pub)
        while inspect.isawaitable(result):
            self._is_on_loop = True
            result = await result
        if inspect.isasyncgen(result) or inspect.isgenerator(result):
            raise TypeError(f"feed {self.mark.name} returned a generator, which publishes nothing")

    # --- what comes after it ----------------------------------------------------------------------

    def _ended(self, task: asyncio.Task[None]) -> None:
        fault = self._fault
        if task.cancelled():
            fault = fault or asyncio.CancelledError("the task of the feed was cancelled")
        else:
            fault = fault or task.exception()
        if self.state == "stopped":
            self._is_over.set()
            return
        if self._is_restarting:
            self._is_restarting = False
            self._down("backoff")
            self._restart()
        elif fault is None:
            self.pub.log.info("feed %s: finished", self.mark.name)
            self._down("finished")
        else:
            self._fail(fault)

    def _fail(self, fault: BaseException) -> None:
        """Handles any exception of the feed: a plugin's sys.exit() is a fault of that plugin,
        too."""
        loop = asyncio.get_running_loop()
        delay_s = self._backoff.next_s(loop.time() - self._started)
        kind = f"feed {self.mark.name} raised {type(fault).__name__}"
        self._faults.error(
            kind, "feed %s raised; again in %g s", self.mark.name, delay_s, exc_info=fault
        )
        self.errors += 1
        self._down("backoff")
        self._again = loop.call_later(delay_s, self._restart)

    def _restart(self) -> None:
        self.restarts += 1
        self.start()

    def _down(self, state: State) -> None:
        """Makes the topics stale, because nobody vouches for them now. The state comes first, so
        that who is told that they are stale finds the reason there."""
        self._enter(state)
        self.pub._end_reading()
        self.pub.stale()

    def _enter(self, state: State) -> None:
        self.state = state
        self._changed()
