"""Ends the tasks of a loop that is about to be closed, within a time."""

import asyncio
from typing import Any, Final

LOOK_S: Final = 0.05


async def end_tasks(grace_s: float) -> list[asyncio.Task[Any]]:
    """Cancels all tasks of the running loop but the calling one, once each, those too that are
    started meanwhile, and waits for them. Returns those that run on after `grace_s`.

    They are left behind without asyncio's complaint about it, which every hanging call of a plugin
    would cause; the caller says how many they are.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + grace_s
    cancelled: set[asyncio.Task[Any]] = set()
    while (left := asyncio.all_tasks() - {asyncio.current_task()}) and loop.time() < until:
        for task in left - cancelled:
            task.cancel()
        cancelled |= left
        # Not for all: one that ends may have started another.
        await asyncio.wait(left, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    return list(left)
