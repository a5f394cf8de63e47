"""Subscriptions within the server's process: loops that end early, and times that hold."""

import asyncio
import time
from collections.abc import Iterator

import pytest

import tickwire
from tickwire.errors import ConfigError


@pytest.fixture
def plant() -> Iterator[tickwire.Server]:
    with tickwire.Server({"server": {"listen": "127.0.0.1:0", "heartbeat_s": 1}}) as server:
        yield server


def test_a_time_limit_holds_though_heartbeats_come(plant: tickwire.Server) -> None:
    with plant.subscribe("t.a") as updates:
        before = time.monotonic()
        assert updates.get(2.5) is None
        assert time.monotonic() - before >= 2.5
        before = time.monotonic()
        assert updates.get(-1) is None
        assert updates.get(0) is None
        plant.publish("t.a", {"n": 1})
        for endless in (float("inf"), None, 1e300):
            got = updates.get(endless)
            assert got is not None
            plant.publish("t.a", {"n": got.seq})
        with pytest.raises(ConfigError, match="timeout_s: NaN"):
            updates.get(float("nan"))


def test_a_second_loop_goes_on_after_the_first(plant: tickwire.Server) -> None:
    with plant.subscribe("t.a") as updates:
        seen: list[int] = []
        for n in range(1, 5):
            plant.publish("t.a", {"n": n})
            for update in updates:
                seen.append(update.seq)
                break
        assert seen == [1, 2, 3, 4]


async def test_a_second_loop_is_woken_though_the_first_was_left_early(
    plant: tickwire.Server,
) -> None:
    """Whenever what is left of the first is cleared away, it takes nothing from the second."""
    with plant.subscribe("t.a") as updates:
        plant.publish("t.a", {"n": 1})
        first = aiter(updates)
        async for update in first:
            assert update.seq == 1
            break
        second = aiter(updates)
        waiting = asyncio.ensure_future(anext(second))
        await asyncio.sleep(0)
        if hasattr(first, "aclose"):
            await first.aclose()
        del first
        plant.publish("t.a", {"n": 2})
        assert (await asyncio.wait_for(waiting, 10)).seq == 2


async def test_two_loops_at_once_share_and_lose_nothing(plant: tickwire.Server) -> None:
    seen: list[int] = []

    async def read() -> None:
        async for update in updates:
            seen.append(update.seq)  # noqa: PERF401 - the loop is what is tested

    with plant.subscribe("t.a") as updates:
        plant.publish("t.a", {"n": 1})
        readers = [asyncio.create_task(read()) for _ in range(2)]
        for n in range(2, 50):
            plant.publish("t.a", {"n": n})
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            while seen[-1:] != [49]:  # noqa: ASYNC110 - of the server's threads
                await asyncio.sleep(0.01)
        readers[0].cancel()
        await asyncio.wait(readers[:1])
        plant.publish("t.a", {"n": 50})
        async with asyncio.timeout(60):
            while seen[-1:] != [50]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert seen == sorted(seen)
    await asyncio.wait_for(readers[1], 10)
