"""A plugin that fails is restarted and shown; it takes nothing else down."""

import asyncio
import logging
import selectors
import sys
import threading
import time
from unittest.mock import Mock

import pytest

from tickwire import feed
from tickwire._fault_log import FaultLog
from tickwire._host.feed_runner import RESTART_S_FIRST, FeedRunner
from tickwire.errors import DeniedError
from tickwire.plugins import FeedMark
from tickwire.pub import Pub


def plugin_health(server, name):
    return server.health["plugins"][name]


@pytest.mark.parametrize("how", ["async", "thread", "every"])
def test_a_feed_that_raises_is_stale_at_once_then_restarted(how, start_server, eventually, caplog):
    fail = threading.Event()
    runs: list[float] = []

    def begin(pub: Pub) -> None:
        runs.append(time.monotonic())
        pub.publish("ticker.A", {"run": len(runs)})

    @feed("ticker.*")
    async def in_loop(pub: Pub) -> None:
        begin(pub)
        await asyncio.to_thread(fail.wait)
        fail.clear()
        raise LookupError("lost the exchange")

    @feed("ticker.*")
    def in_thread(pub: Pub) -> None:
        begin(pub)
        fail.wait()
        fail.clear()
        raise LookupError("lost the exchange")

    @feed("ticker.*", every=0.02)
    async def in_steps(pub: Pub) -> None:
        if fail.is_set():
            fail.clear()
            raise LookupError("lost the exchange")
        if len(runs) < 1 or plugin_health(server, "in_steps")["restarts"] == len(runs):
            begin(pub)

    plugin = {"async": in_loop, "thread": in_thread, "every": in_steps}[how]
    server = start_server(plugin)
    name = plugin.__name__
    subscription = server.subscribe("ticker.A")
    eventually(lambda: server.snapshot("ticker.A"))
    failed = time.monotonic()
    fail.set()
    while (update := subscription.get(5)) and update.kind != "status":
        pass
    assert update.status == "stale"
    assert plugin_health(server, name)["errors"] == 1
    eventually(lambda: len(runs) == 2)
    assert runs[1] - failed >= RESTART_S_FIRST
    eventually(lambda: plugin_health(server, name)["state"] == "running")
    assert plugin_health(server, name) == {"state": "running", "restarts": 1, "errors": 1}
    assert server.snapshot("ticker.A").status == "live"
    (record,) = [r for r in caplog.records if r.exc_info]
    assert record.name == f"tickwire.plugins.{name}"
    assert "LookupError: lost the exchange" in caplog.text
    assert "Traceback" in caplog.text
    fail.set()


def test_a_feed_that_returns_has_finished_and_its_topics_are_stale(
    start_server, eventually, caplog
):
    @feed("ticker.*")
    async def brief(pub: Pub) -> None:
        pub.publish("ticker.A", {})

    server = start_server(brief)
    eventually(lambda: plugin_health(server, "brief")["state"] == "finished")
    eventually(lambda: server.snapshot("ticker.A").status == "stale")
    assert plugin_health(server, "brief") == {"state": "finished", "restarts": 0, "errors": 0}


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its time passes only while it waits, and then at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(JumpingSelector(self))

    def time(self) -> float:
        return self.now


class JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        self._loop.now += timeout or 0.0
        return super().select(0)


def test_every_calls_on_a_grid_and_skips_the_steps_it_missed():
    calls: list[float] = []
    loop = JumpingLoop()

    async def steady(pub: Pub) -> None:
        calls.append(loop.time())
        if len(calls) == 2:
            await asyncio.sleep(0.25)
        if len(calls) == 5:
            loop.stop()

    log = logging.getLogger("tickwire.plugins.steady")
    mark = FeedMark("t.*", 0.2, None, "steady", None)
    runner = FeedRunner(mark, steady, Mock(log=log), FaultLog(log), lambda: None)
    loop.call_soon(runner.start)
    loop.run_forever()
    runner.stop()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert [round((at - calls[0]) / 0.2, 3) for at in calls] == [0, 1, 3, 4, 5]


def test_a_feed_that_blocks_for_ever_disturbs_nobody_and_not_the_exit(start_server, eventually):
    release = threading.Event()
    count = 0

    @feed("stuck.*")
    def stuck(pub: Pub) -> None:
        release.wait()

    @feed("ticker.*", every=0.01)
    async def lively(pub: Pub) -> None:
        nonlocal count
        count += 1
        pub.publish("ticker.A", {"count": count})

    server = start_server(stuck, lively)
    with server.subscribe("ticker.A") as subscription:
        seen = [subscription.get(5) for _ in range(10)]
    assert all(seen)
    server.stop()
    assert not release.is_set(), "stop() came back while it blocks"
    release.set()


def test_a_coroutine_that_blocks_the_loop_does_not_hold_up_clients_or_the_exit(
    start_server, eventually
):
    entered, release = threading.Event(), threading.Event()

    @feed("ticker.*")
    async def blocks(pub: Pub) -> None:
        entered.set()
        release.wait()

    server = start_server(blocks)
    assert entered.wait(5)
    with server.subscribe("ticker.A") as subscription:
        server.publish("ticker.A", {"a": 1})
        assert subscription.get(5).data == {"a": 1}
    server.stop()
    assert not release.is_set(), "stop() came back while it blocks"
    release.set()


def test_feeds_that_a_blocked_loop_holds_up_are_stale_and_shown_until_it_goes_on(
    start_server, eventually, caplog
):
    block, release = threading.Event(), threading.Event()

    @feed("ticker.*", every=0.02)
    async def quotes(pub: Pub) -> None:
        pub.publish("ticker.A", {})

    @feed("other.*", every=0.02)
    def beside(pub: Pub) -> None:
        pub.publish("other.A", {})

    @feed("own.*")
    def in_its_own_thread(pub: Pub) -> None:
        while not pub.wait(0.02):
            pub.publish("own.A", {})

    @feed("blocks.*")
    async def blocks(pub: Pub) -> None:
        await asyncio.to_thread(block.wait)
        release.wait()
        await asyncio.sleep(60)

    server = start_server(quotes, beside, in_its_own_thread, blocks)
    plugins = ("quotes", "beside", "in_its_own_thread", "blocks")
    eventually(lambda: all(server.snapshot(f"{name}.A") for name in ("ticker", "other", "own")))
    block.set()
    eventually(lambda: server.snapshot("ticker.A").status == "stale")
    eventually(lambda: server.snapshot("other.A").status == "stale")
    assert server.snapshot("own.A").status == "live"
    states = [plugin_health(server, name)["state"] for name in plugins]
    assert states == ["blocked", "blocked", "running", "blocked"]
    assert "plugin blocks blocks their loop" in caplog.text
    assert "release.wait()" in caplog.text, "the line where it stands"
    release.set()
    eventually(lambda: server.snapshot("ticker.A").status == "live")
    eventually(lambda: server.snapshot("other.A").status == "live")
    assert {plugin_health(server, name)["state"] for name in plugins} == {"running"}


def test_a_stopped_feed_can_publish_no_more(start_server, eventually):
    faults: list[str] = []

    @feed("ticker.*")
    def late(pub: Pub) -> None:
        assert pub.wait(30), "wait() must wake up when the server stops"
        try:
            pub.publish("ticker.A", {})
        except DeniedError as e:
            faults.append(str(e))

    server = start_server(late)
    server.stop()
    eventually(lambda: faults == ["feed 1 has ended"])


def test_tasks_that_a_feed_left_behind_end_with_the_server(start_server, eventually):
    left: list[asyncio.Task[None]] = []
    ended: list[str] = []

    async def tick() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("in order")

    @feed("clock.*")
    async def clocks(pub: Pub) -> None:
        left.append(asyncio.create_task(tick()))
        await asyncio.sleep(60)

    server = start_server(clocks)
    eventually(lambda: left)
    server.stop()
    assert left[0].cancelled()
    assert ended == ["in order"]


def test_one_of_two_feeds_of_a_plugin_fails_and_the_plugin_shows_it(
    start_server, eventually, caplog
):
    class Pair:
        @feed("good.*")
        async def good(self, pub: Pub) -> None:
            pub.publish("good.A", {})
            await asyncio.sleep(60)

        @feed("bad.*")
        async def bad(self, pub: Pub) -> None:
            raise LookupError

    server = start_server(Pair())
    eventually(lambda: plugin_health(server, "Pair")["errors"] == 1)
    assert plugin_health(server, "Pair")["state"] == "backoff"
    assert server.snapshot("good.A").status == "live"


def test_stopping_twice_and_before_starting_is_harmless(start_server):
    server = start_server()
    server.stop()
    server.stop()
    assert not [t for t in threading.enumerate() if t.name == "plugins"]
    assert "tickwire.server" in sys.modules
