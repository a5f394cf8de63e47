"""The blocking client: in threads, in a cell whose loop runs already, with time-outs that hold."""

import asyncio
import gc
import threading
import time
from typing import TYPE_CHECKING

import pytest

import tickwire
from tickwire import errors

if TYPE_CHECKING:
    from conftest import Peer, Scripted


def clients() -> int:
    return sum(thread.name == "tickwire-client" for thread in threading.enumerate())


async def test_it_does_what_the_other_client_does_while_a_loop_runs(demo: str) -> None:
    """As in a notebook's cell: this coroutine's loop runs, and the calls block."""
    with tickwire.sync.connect(demo) as c:
        assert c.connected
        assert "ticker.AAPL" in c.list("ticker.*")
        assert c.snapshot("ticker.AAPL").kind == "snapshot"
        assert c.ping() > 0
        with c.subscribe("ticker.*") as updates:
            first = updates.get(timeout_s=10)
            assert first is not None
            assert [u.topic for u, _ in zip(updates, range(3), strict=False)]
            assert next(updates.batches())
            assert c.value(first.topic, "last") is not None
            assert c.status[first.topic] == "live"
        with pytest.raises(errors.DeniedError):
            c.publish("chat.x", {})
        with pytest.raises(errors.NotConnectedError, match="ended"):
            [updates.get(timeout_s=1) for _ in range(10_000)]
    assert clients() == 0


async def test_a_time_out_holds_and_loses_nothing(demo: str) -> None:
    with tickwire.sync.connect(demo) as c:
        quiet = c.subscribe("nothing.at.all")
        assert quiet.get(timeout_s=0.05) is None
        assert quiet.get(timeout_s=0) is None
        busy = c.subscribe("ticker.*")
        seqs: dict[str, int] = {}
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline or not seqs:
            update = busy.get(timeout_s=0.001)
            if update is not None:
                if update.kind == "update":
                    assert update.seq == seqs.get(update.topic, 0) + 1
                seqs[update.topic] = update.seq
        assert seqs
        with pytest.raises(errors.ConfigError, match="timeout_s"):
            busy.get(timeout_s=-1)


async def test_a_server_that_breaks_each_connection_does_not_hold_up_a_subscribe(
    server: "Scripted",
) -> None:
    async def breaks(peer: "Peer") -> None:
        await peer.welcome()
        await peer.expect("subscribe")
        peer.ws.transport.abort()

    def use() -> None:
        with tickwire.sync.connect(server.url, timeout_s=2, backoff_s=0.01) as c:
            with pytest.raises(errors.ConnectionLostError, match="subscribe: no answer within 4 s"):
                c.subscribe("a")
            assert not c._inner._readers

    server.play(breaks)
    await asyncio.to_thread(use)


async def test_many_threads_may_read_and_each_message_reaches_one(demo: str) -> None:
    with tickwire.sync.connect(demo) as c:
        updates = c.subscribe("ticker.*")
        got: list[tuple[str, int]] = []

        def read() -> None:
            for _ in range(20):
                update = updates.get(timeout_s=10)
                if update is not None:
                    got.append((update.topic, update.seq))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(got) == len(set(got)) == 80


async def test_it_leaves_no_thread_behind(demo: str) -> None:
    with pytest.raises(errors.ConnectionFailedError):
        tickwire.sync.connect("127.0.0.1:1", timeout_s=2)
    assert clients() == 0
    c = tickwire.sync.connect(demo)
    c.close()
    c.close()
    assert clients() == 0
    with pytest.raises(errors.NotConnectedError):
        c.ping()
    forgotten = tickwire.sync.connect(demo)
    del forgotten
    gc.collect()
    assert clients() == 0
