"""Logs the faults of one plugin, so that a plugin that fails at every call cannot fill the disk."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

BURST: Final = 5
"""Faults of one kind that are logged within `PERIOD_S`; the others are counted."""
PERIOD_S: Final = 10.0
KINDS_MAX: Final = 64
"""Kinds of one plugin that are told apart; further ones share one budget."""


class _Kind:
    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.logged = 0
        self.left_out = 0


class FaultLog:
    """One for each plugin; its feeds, its authorizers and its authenticator share it. Any thread.

        faults = FaultLog(log)
        faults.error("premium raised ValueError", "%s raised", "premium", exc_info=error)

    The first `BURST` faults of a kind within `PERIOD_S` are logged, the rest are counted. The count
    is logged with the next fault of that kind, or by `report`, which the host calls once in
    `PERIOD_S` and when it stops. A kind is a short text from the program, such as the function's
    name with the exception's type; never put a client's bytes into it.
    """

    def __init__(self, log: logging.Logger, now_s: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._now_s = now_s
        self._lock = threading.Lock()
        self._kinds: dict[str, _Kind] = {}

    def error(self, kind: str, text: str, *args: object, exc_info: Any = None) -> None:
        """Logs ``text % args`` at ERROR, unless too many of `kind` came before it."""
        with self._lock:
            state = self._state(kind)
            if state.logged >= BURST:
                state.left_out += 1
                return
            state.logged += 1
        self._log.error(text, *args, exc_info=exc_info)

    def report(self) -> None:
        """Logs how many were left out in the periods that have ended."""
        with self._lock:
            for kind in list(self._kinds):
                self._state(kind)
            now = self._now_s()
            self._kinds = {
                name: kind for name, kind in self._kinds.items() if now - kind.begun < PERIOD_S
            }

    def end(self) -> None:
        """Logs how many were left out until now."""
        with self._lock:
            for name, kind in self._kinds.items():
                self._tell(name, kind)
            self._kinds.clear()

    def _state(self, name: str) -> _Kind:
        now = self._now_s()
        if name not in self._kinds and len(self._kinds) >= KINDS_MAX:
            name = "other faults"
        kind = self._kinds.setdefault(name, _Kind(now))
        if now - kind.begun >= PERIOD_S:
            self._tell(name, kind)
            kind.begun, kind.logged, kind.left_out = now, 0, 0
        return kind

    def _tell(self, name: str, kind: _Kind) -> None:
        if kind.left_out:
            self._log.error("%s: %d more of this kind were left out", name, kind.left_out)
