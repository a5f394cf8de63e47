"""The tasks of a feed: who takes their exceptions, and which run of the feed they belong to."""

import asyncio
from contextlib import suppress

import pytest

from tickwire import feed
from tickwire._host.feed_task import UNTAKEN_S
from tickwire.pub import Pub

HOUR_S = 3600


async def raises() -> None:
    raise LookupError("expected")


async def awaits_late(task: asyncio.Task[None]) -> None:
    await asyncio.sleep(UNTAKEN_S / 5)
    with suppress(LookupError):
        await task


async def gathers_all(task: asyncio.Task[None]) -> None:
    await asyncio.gather(task, asyncio.sleep(2 * UNTAKEN_S), return_exceptions=True)


async def waits_for_all(task: asyncio.Task[None]) -> None:
    await asyncio.wait({task, asyncio.create_task(asyncio.sleep(2 * UNTAKEN_S))})
    task.exception()


async def goes_on(pub: Pub) -> None:
    """Publishes once a failure that nobody took would have been found."""
    await asyncio.sleep(2 * UNTAKEN_S)
    pub.publish("t.x", {"last": "1"})
    await asyncio.sleep(HOUR_S)


@pytest.mark.parametrize("take", [awaits_late, gathers_all, waits_for_all])
def test_a_feed_that_takes_the_exception_of_its_task_goes_on(take, start_server, eventually):
    @feed("t.*")
    async def careful(pub: Pub) -> None:
        await take(asyncio.create_task(raises()))
        await goes_on(pub)

    server = start_server(careful)
    eventually(lambda: server.snapshot("t.x"))
    assert server.health["plugins"]["careful"] == {"state": "running", "restarts": 0, "errors": 0}


def test_what_an_earlier_run_left_behind_does_not_fail_a_later_one(start_server, eventually):
    left: list[asyncio.Task[None]] = []
    go = asyncio.Event()

    async def fails_late() -> None:
        await go.wait()
        raise LookupError("late")

    @feed("t.*")
    async def again(pub: Pub) -> None:
        if not left:
            left.append(asyncio.create_task(fails_late()))
            raise ValueError("the first run")
        go.set()
        await goes_on(pub)

    server = start_server(again)
    eventually(lambda: server.snapshot("t.x"))
    assert server.health["plugins"]["again"] == {"state": "running", "restarts": 1, "errors": 1}
    left.clear()
