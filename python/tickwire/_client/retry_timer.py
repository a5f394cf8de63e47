"""When what the server could not give is asked for again. On the thread of the event loop."""

import asyncio
from collections.abc import Callable

from tickwire._backoff import Backoff, told_s


class RetryTimer:
    """Calls `due` once after each `start`. The pauses grow until `begin_anew`."""

    def __init__(self, backoff_s: float, due: Callable[[], None]) -> None:
        self._backoff_s = backoff_s
        self._due = due
        self._handle: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        """The time of the loop from which on the server wishes to be asked."""
        self.begin_anew()

    def begin_anew(self) -> None:
        self._backoff = Backoff(self._backoff_s)

    def start(self, told_ms: int) -> None:
        """told_ms: what the server asked to wait; a timer that runs already becomes no shorter."""
        now = asyncio.get_running_loop().time()
        wish = now + told_s(told_ms)
        if self._handle is None:
            self._not_before = wish
            self._call_at(now + self._backoff.next_s(0, told_ms))
        else:
            self._not_before = max(self._not_before, wish)
            self._call_at(max(self._handle.when(), wish))

    def hasten(self) -> None:
        """Ends the pause, except for what the server asked to wait."""
        if self._handle is not None:
            self._call_at(self._not_before)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _call_at(self, when: float) -> None:
        self.stop()
        self._handle = asyncio.get_running_loop().call_at(when, self._end)

    def _end(self) -> None:
        self._handle = None
        self._due()
