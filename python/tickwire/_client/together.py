"""Running the steps of a connection side by side."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_failure(*steps: Coroutine[Any, Any, None]) -> None:
    """Runs them together until one raises; then ends the others and raises that."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
