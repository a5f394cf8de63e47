"""How long to wait before trying again: clients, feeds, and feeds' connections to exchanges.

Pure: the random source is handed in.
"""

import random
from collections.abc import Callable
from typing import Final

BACKOFF_S_FIRST: Final = 0.25
BACKOFF_S_MAX: Final = 20.0
TOLD_S_MAX: Final = 60.0
"""The longest wait that a server can ask for."""
STEADY_S: Final = 5.0
"""After a client's connection that held this long, the backoff begins again."""


class Backoff:
    """Delays that double from attempt to attempt. Jitter takes up to half of each away, so that
    clients that were cut off together do not come back together."""

    def __init__(
        self,
        first_s: float = BACKOFF_S_FIRST,
        chance: Callable[[], float] = random.random,
        *,
        most_s: float = BACKOFF_S_MAX,
        steady_s: float = STEADY_S,
    ) -> None:
        """chance: a source of numbers from 0 to 1; ``lambda: 1.0`` gives no jitter. steady_s: after
        something that held this long, the next delay is `first_s` again."""
        self._first_s = first_s
        self._chance = chance
        self._most_s = most_s
        self._steady_s = steady_s
        self._attempt = 0

    def next_s(self, held_s: float, told_ms: int | None = None) -> float:
        """Returns the seconds to wait after something that held for `held_s`. told_ms: the
        server's own wish, which is added."""
        if held_s >= self._steady_s:
            self._attempt = 0
        whole = min(self._first_s * 2.0 ** min(self._attempt, 30), self._most_s)
        self._attempt += 1
        return told_s(told_ms) + whole * (0.5 + self._chance() / 2)


def told_s(told_ms: int | None) -> float:
    """Returns the seconds that a server asked to wait, of which there is a limit."""
    return min((told_ms or 0) / 1000, TOLD_S_MAX)
