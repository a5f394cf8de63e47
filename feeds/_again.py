"""Keeps a connection to another service: again and again, with pauses that double."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from tickwire._backoff import Backoff
from tickwire.pub import Pub

BACKOFF_S_FIRST = 0.5
BACKOFF_S_MAX = 30.0
HEALTHY_S = 60.0
"""After a connection that held this long, the pauses begin at the first one again."""


async def keep(
    pub: Pub,
    what: str,
    work: Callable[[], Awaitable[None]],
    faults: tuple[type[Exception], ...],
) -> NoReturn:
    """Runs `work` for ever. `work` connects, and raises one of `faults` (also in a group) when the
    connection is lost. Until the next one the topics of the feed are stale. Other exceptions
    pass."""
    loop = asyncio.get_running_loop()
    backoff = Backoff(BACKOFF_S_FIRST, most_s=BACKOFF_S_MAX, steady_s=HEALTHY_S)
    while True:
        began_s = loop.time()
        fault = "it ended"
        try:
            await work()
        except* faults as group:
            error = _first_of(group)
            fault = str(error).strip() or type(error).__name__
        pub.stale()
        delay_s = backoff.next_s(loop.time() - began_s)
        pub.log.warning("%s: %s; connecting again in %.1f s", what, fault, delay_s)
        await asyncio.sleep(delay_s)


def _first_of(group: BaseExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first_of(error) if isinstance(error, BaseExceptionGroup) else error
