"""Notices that the plugins' loop stands still, which nobody on that loop can."""

import asyncio
import threading
import traceback
from collections.abc import Callable
from sys import _current_frames
from types import FrameType
from typing import Final

LOOK_S: Final = 0.5
LOOKS: Final = 2
"""A loop that answers none of so many looks stands still. More than one, for after a pause of the
whole process (SIGSTOP, a laptop asleep) the first look finds every loop late."""


class Watchdog:
    """`changed(where, frame)` is called from its own thread: with the loop's stack and its
    innermost frame when it stands still, with "" and None when it goes on."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        loop_thread: threading.Thread,
        changed: Callable[[str, FrameType | None], None],
    ) -> None:
        self._loop = loop
        self._loop_thread = loop_thread
        self._changed = changed
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plugins-watchdog", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ends the watchdog. Nothing is called afterwards. Must not be called in its own thread."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(LOOK_S):
            answered = threading.Event()
            try:
                self._loop.call_soon_threadsafe(answered.set)
            except RuntimeError:  # the loop is gone
                return
            if any(self._waits(answered) for _ in range(LOOKS)):
                continue
            frame = _current_frames().get(self._loop_thread.ident or 0)
            self._changed("".join(traceback.format_stack(frame)), frame)
            del frame  # it keeps alive what the plugin holds
            while not self._waits(answered):
                pass
            if not self._ending.is_set():
                self._changed("", None)

    def _waits(self, answered: threading.Event) -> bool:
        """Waits for an answer. Returns True if there is nothing more to wait for."""
        return answered.wait(LOOK_S) or self._ending.is_set()
