"""A slow consumer costs bounded memory, holds up nobody, and is told what it missed."""

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

import tickwire
from tickwire._client.reader import DROP_FACTOR
from tickwire.errors import ConnectionLostError
from tickwire.update import Update

if TYPE_CHECKING:
    from conftest import Eventually, Peer, Scripted

PADDING = "x" * 10_000


async def test_a_slow_consumer_stops_the_server_from_sending(
    server: "Scripted", eventually: "Eventually"
) -> None:
    sent = 0

    async def play(peer: "Peer") -> None:
        nonlocal sent
        await peer.welcome(heartbeat_s=0.2)
        await peer.accept()
        await peer.snapshot("a", 1)
        for seq in range(2, 5000):
            await peer.update("a", seq, padding=PADDING)
            sent = seq
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        subscription = c.subscribe("a", queue_max=10)
        assert (await anext(subscription)).seq == 1
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.3)
        assert sent < 4000, "50 MB cannot lie between two sockets"
        assert c.connected, "not reading is no silence of the server's"
        async with asyncio.timeout(60):
            for seq in range(2, 4999):
                assert (await anext(subscription)).seq == seq
        await eventually(lambda: sent == 4999)
    assert server.connections == 1


async def test_in_its_loop_a_full_consumer_still_gets_answers(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        for seq in range(2, 30):
            await peer.update("a", seq)
        for _ in range(20):
            command = await peer.expect("ping")
            await peer.send(type="pong", id=command["id"], ts=1)
        await peer.idle()

    server.play(play)
    seen: list[int] = []
    async with tickwire.connect(server.url, timeout_s=10) as c, asyncio.timeout(60):
        async for u in c.subscribe("a", queue_max=8):
            await c.ping()
            seen.append(u.seq)
            if len(seen) == 20:
                break
    assert seen == list(range(1, 21))


async def test_a_full_consumer_keeps_the_client_from_no_new_connection(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def first(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.expect("ping")
        await peer.snapshot("a", 1)
        for seq in range(2, 8):
            await peer.update("a", seq)
        await peer.ws.close(1001)

    async def second(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        told = {"topic": "a", "seq": 8, "recovered": True, "missed": 1}
        await peer.send(type="ack", id=command["id"], results=[told])
        await peer.update("a", 8)
        await peer.idle()

    server.play(first, second)
    async with (
        tickwire.connect(server.url, backoff_s=0.01) as c,
        c.subscribe("a", queue_max=4) as slow,
        asyncio.timeout(60),
    ):
        with pytest.raises(ConnectionLostError):
            await c.ping()  # while it waits all is read, so the end is seen
        await eventually(lambda: c.connected)
        got = [await anext(slow) for _ in range(9)]
        assert [u.seq for u in got if u.kind != "resumed"] == list(range(1, 9))


async def test_one_that_is_full_before_its_subscribe_is_answered_waits_for_no_room(
    server: "Scripted",
) -> None:
    """It takes no message before the answer, and the answer comes on the next connection."""

    async def first(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.expect("subscribe")
        await peer.snapshot("a", 1)
        await peer.update("a", 2)
        await peer.ws.close(1001)

    async def second(peer: "Peer") -> None:
        await peer.welcome()
        for _ in range(2):
            for topic in await peer.accept(2):
                assert topic in ("a", "*")
        await peer.snapshot("a", 2)
        await peer.update("a", 3)
        await peer.idle()

    server.play(first, second)
    async with (
        tickwire.connect(server.url, backoff_s=0.01) as c,
        c.subscribe("a"),
        asyncio.timeout(60),
    ):
        seen = 0
        async for u in c.subscribe("*", queue_max=1):
            seen = u.seq
            if seen == 3:
                break
        assert seen == 3


async def test_one_that_waits_is_not_held_up_by_one_that_is_full(server: "Scripted") -> None:
    """The slow one loses, is told so, and gets the present state instead."""
    last = 400

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.accept()
        await peer.snapshot("a", 1)
        for seq in range(2, last + 1):
            await peer.update("a", seq, price=seq)
        assert await peer.accept() == ["a"]
        await peer.snapshot("a", last, price=last)
        await peer.update("a", last + 1, price=last + 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, asyncio.timeout(60):
        slow = c.subscribe("a", queue_max=8)
        assert (await anext(slow)).seq == 1
        fast = c.subscribe("a", queue_max=8)
        assert [(await anext(fast)).seq for _ in range(last)] == list(range(1, last + 1))
        got = [await anext(slow)]
        while got[-1].seq <= last:
            got.append(await anext(slow))
        assert len(got) <= 8 * DROP_FACTOR + 3
        gap, snapshot, live = got[-3:]
        assert gap.kind == "gap"
        first = gap.first_seq
        assert (gap.seq, gap.missed) == (last - 1, last - first)
        assert gap.text == f'{{"type":"gap","topic":"a","from":{first},"to":{last - 1}}}'
        assert (snapshot.kind, snapshot.seq, snapshot.data) == ("snapshot", last, {"price": last})
        assert (live.kind, live.seq) == ("update", last + 1)
        assert (await anext(fast)).seq == last + 1


@pytest.mark.parametrize("asks", ["before", "while away", "after"])
async def test_one_that_fell_behind_catches_up_over_a_lost_connection(
    server: "Scripted", eventually: "Eventually", asks: str
) -> None:
    """Whenever it ran dry: what it then asked of the lost connection, or of none, never comes."""

    async def first(peer: "Peer") -> None:
        await peer.welcome()
        for topic in ("a", "b"):
            assert await peer.accept() == [topic]
            await peer.snapshot(topic, 1)
        for seq in range(2, 40):
            await peer.update("a", seq)
        await peer.update("b", 2)
        if asks == "before":
            assert (await peer.expect("subscribe"))["topics"] == ["a"]
        await peer.ws.close(1001)

    async def second(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        assert command["since"] == {"a": 39, "b": 2}
        told = [{"topic": t, "seq": 40, "recovered": True, "missed": 1} for t in ("a", "b")]
        await peer.send(type="ack", id=command["id"], results=told)
        await peer.update("a", 40)
        assert await peer.accept(40) == ["a"]
        await peer.snapshot("a", 40)
        await peer.update("a", 41)
        await peer.idle()

    async def read() -> list[Update]:
        got = [await anext(slow)]
        while got[-1].seq < 41:
            got.append(await anext(slow))
        return got

    server.play(first, second)
    async with (
        tickwire.connect(server.url, backoff_s=0.3) as c,
        c.subscribe("a", queue_max=4) as slow,
        c.subscribe("b") as other,
        asyncio.timeout(60),
    ):
        assert [(await anext(other)).seq, (await anext(other)).seq] == [1, 2]
        if asks == "before":
            reading = asyncio.create_task(read())
        await eventually(lambda: not c.connected)
        if asks == "while away":
            reading = asyncio.create_task(read())
        await eventually(lambda: c.connected)
        if asks == "after":
            reading = asyncio.create_task(read())
        got = [u for u in await reading if u.kind != "resumed"]
        for before, after in itertools.pairwise(got):
            assert after.first_seq == before.seq + 1, "each is given, or told to be gone"
        assert [(u.kind, u.seq) for u in got[-3:]] == [
            ("gap", 39),
            ("snapshot", 40),
            ("update", 41),
        ]
