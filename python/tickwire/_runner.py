"""Runs one feed: calls its function as its decorator says, and starts it again when it fails."""

import asyncio
import inspect
import math
from collections.abc import Callable
from typing import Any, Final, Literal

from tickwire._workers import Worker
from tickwire.plugins import FeedMark
from tickwire.pub import Pub

BACKOFF_S_FIRST: Final = 0.5
BACKOFF_S_MAX: Final = 30.0
HEALTHY_S: Final = 60.0
"""A feed that ran this long without a fault starts its backoff anew."""

State = Literal["running", "blocked", "backoff", "finished", "stopped"]


class Backoff:
    """Doubles from first to most; starts anew after a run that was healthy."""

    def __init__(self) -> None:
        self._next_s = BACKOFF_S_FIRST

    def after(self, ran_s: float) -> float:
        if ran_s >= HEALTHY_S:
            self._next_s = BACKOFF_S_FIRST
        delay_s, self._next_s = self._next_s, min(self._next_s * 2, BACKOFF_S_MAX)
        return delay_s


class FeedRunner:
    """On the plugins' loop. `changed` is called after every change of state and count."""

    def __init__(
        self, mark: FeedMark, function: Callable[..., Any], pub: Pub, changed: Callable[[], None]
    ) -> None:
        self.mark = mark
        self.pub = pub
        self.state: State = "running"
        self.restarts = 0
        self.errors = 0
        self._function = function
        self._changed = changed
        self._is_async = inspect.iscoroutinefunction(function)
        self._worker = None if self._is_async else Worker(f"feed-{mark.name}")

    async def run(self) -> None:
        """Until the function returns for good, or cancelled."""
        loop = asyncio.get_running_loop()
        backoff = Backoff()
        while True:
            started = loop.time()
            self._enter("running")
            fault = await self._run_once()
            if fault is None:
                break
            delay_s = backoff.after(loop.time() - started)
            self.pub.log.error(
                "feed %s raised; again in %g s", self.mark.name, delay_s, exc_info=fault
            )
            self.errors += 1
            self._down("backoff")
            await asyncio.sleep(delay_s)
            self.restarts += 1
        self.pub.log.info("feed %s: finished", self.mark.name)
        self._down("finished")

    async def _run_once(self) -> BaseException | None:
        """What it raised. Whatever that is: a plugin's sys.exit() is a fault of that plugin."""
        try:
            if self.mark.every is None:
                await self._call()
            else:
                await self._periodically(self.mark.every)
        except asyncio.CancelledError as e:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # by us
            return e
        except (Exception, SystemExit, KeyboardInterrupt) as e:
            return e
        return None

    def set_blocked(self, blocked: bool) -> None:
        """The plugins' loop stands still, and with it all but a thread of one's own. Any thread."""
        if blocked and self.state == "running" and (self._is_async or self.mark.every is not None):
            self._enter("blocked")
            self.pub.stale()
        elif not blocked and self.state == "blocked":
            self._enter("running")

    def stop(self) -> None:
        self.pub._stop()
        if self._worker is not None:
            self._worker.end()
        if self.state != "finished":
            self._enter("stopped")

    def join(self, timeout_s: float) -> None:
        """For its thread to end, if it has one. Any thread."""
        if self._worker is not None:
            self._worker.join(timeout_s)

    def _down(self, state: State) -> None:
        """Nobody vouches for its topics now."""
        self._enter(state)
        self.pub._end_demand()
        self.pub.stale()

    def _enter(self, state: State) -> None:
        self.state = state
        self._changed()

    async def _periodically(self, every_s: float) -> None:
        """On a grid: a call that takes longer than its step skips the steps it missed."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await self._call()
            steps = math.floor((loop.time() - start) / every_s) + 1
            await asyncio.sleep(start + steps * every_s - loop.time())

    async def _call(self) -> None:
        if self._worker is None:
            await self._function(self.pub)
        else:
            await self._worker.call(self._function, self.pub)
