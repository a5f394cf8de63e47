"""How long to wait before connecting again. Pure: the random source is handed in."""

import random
from collections.abc import Callable
from typing import Final

BACKOFF_S_FIRST: Final = 0.25
BACKOFF_S_MAX: Final = 20.0
DRAIN_S_MAX: Final = 60.0
STEADY_S: Final = 5.0
"""A connection that held this long starts the backoff anew."""


class Backoff:
    """Doubling, between half and all of it, so that a crowd of clients spreads out."""

    def __init__(
        self, first_s: float = BACKOFF_S_FIRST, chance: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._chance = chance
        self._attempt = 0

    def next_s(self, held_s: float, drain_ms: int | None) -> float:
        """After a connection that held for `held_s` and may have been told when to come back."""
        if held_s >= STEADY_S:
            self._attempt = 0
        told_s = min((drain_ms or 0) / 1000, DRAIN_S_MAX)
        whole = min(self._first_s * 2.0 ** min(self._attempt, 30), BACKOFF_S_MAX)
        self._attempt += 1
        return told_s + whole * (0.5 + self._chance() / 2)
