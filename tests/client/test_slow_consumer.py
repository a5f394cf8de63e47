"""A slow consumer costs bounded memory, holds up nobody, and is told what it missed."""

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

import tickwire
from tickwire._client.reader import DROP_FACTOR, Gate, Reader
from tickwire.errors import ConnectionLostError
from tickwire.update import Update

if TYPE_CHECKING:
    from conftest import Eventually, Peer, Scripted

PADDING = "x" * 10_000


def update(topic: str, seq: int, kind: str = "update") -> Update:
    return Update(kind, topic, seq, status=None if kind == "update" else "live")  # type: ignore[arg-type]


class Slow:
    """A feed that nobody reads from, with room for `room` messages."""

    def __init__(self, *topics: str, room: int = 2) -> None:
        self.asked: list[list[str]] = []
        self.gate = Gate()
        self.reader = Reader(topics, self.gate, room, lambda names: self.asked.append(list(names)))

    async def rest(self) -> list[tuple[str, int]]:
        """Kind and seq of all that can be had without waiting."""
        return [(told.kind, told.seq) for told in await self.updates()]

    async def updates(self) -> list[Update]:
        found: list[Update] = []
        while True:
            try:
                async with asyncio.timeout(0.01):
                    got = await self.reader.next()
            except TimeoutError:
                return found
            assert got is not None
            found.append(got)


# --- the socket -----------------------------------------------------------------------------------


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
        async with asyncio.timeout(20):
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
    async with tickwire.connect(server.url, timeout_s=2) as c, asyncio.timeout(10):
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
        asyncio.timeout(8),
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
        asyncio.timeout(8),
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
    async with tickwire.connect(server.url) as c, asyncio.timeout(10):
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
        asyncio.timeout(10),
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


# --- the feed -------------------------------------------------------------------------------------


async def test_the_gate_closes_when_full_and_opens_half_empty() -> None:
    slow = Slow("a", room=4)
    for seq in range(1, 5):
        assert slow.gate.open
        slow.reader.put(update("a", seq), True)
    assert not slow.gate.open
    passing = asyncio.create_task(slow.gate.passed())
    await slow.reader.next()
    await asyncio.sleep(0)
    assert not passing.done()
    await slow.reader.next()
    await asyncio.wait_for(passing, 1)


async def test_an_ended_feed_closes_no_gate_and_takes_nothing() -> None:
    slow = Slow("a", room=1)
    slow.reader.put(update("a", 1), True)
    assert not slow.gate.open
    slow.reader.end()
    assert slow.gate.open
    slow.reader.put(update("a", 2), True)
    assert await slow.reader.next() == update("a", 1)
    assert await slow.reader.next() is None


async def test_past_its_limit_a_feed_drops_and_asks_once_it_is_dry() -> None:
    slow = Slow("a", "b", room=2)
    for seq in range(1, 5):
        slow.reader.put(update("a", seq), True)
        slow.reader.put(update("b", seq), True)
    slow.reader.put(update("a", 5), True)
    assert slow.asked == []
    assert await slow.rest() == []
    assert slow.asked == [["a", "b"]]
    slow.reader.put(update("b", 5), True)
    slow.reader.put(update("a", 6, "snapshot"), False)
    slow.reader.put(update("a", 7), True)
    assert await slow.rest() == [("gap", 5), ("snapshot", 6), ("update", 7)]
    slow.reader.put(update("b", 5, "snapshot"), False)
    assert await slow.rest() == [("gap", 4), ("snapshot", 5)]
    assert slow.asked == [["a", "b"]]


@pytest.mark.parametrize("held", range(2 * DROP_FACTOR))
@pytest.mark.parametrize("again", range(2 * DROP_FACTOR))
async def test_a_gap_that_is_dropped_again_is_told_later(held: int, again: int) -> None:
    """However full the reader is when a snapshot of what it dropped comes, and comes once more."""
    slow = Slow("a", "other.*", room=2)
    numbers = itertools.count(1)

    def others(count: int) -> None:
        for number in itertools.islice(numbers, count):
            slow.reader.put(update(f"other.{number}", 1), True)

    slow.reader.put(update("a", 1, "snapshot"), True)
    others(2 * DROP_FACTOR - 1)  # which drops it
    for seq, count in ((5, held), (9, again)):
        others(count)
        slow.reader.put(update("a", seq, "snapshot"), True, seq_before=seq - 3)
    got = [told for told in await slow.updates() if told.topic == "a"]
    slow.reader.put(update("a", 9, "snapshot"), False)
    got += [told for told in await slow.updates() if told.topic == "a"]
    place = 0
    for told in got:
        assert told.kind == "snapshot" or told.first_seq == place + 1, got
        place = told.seq
    assert place == 9
    assert got[0].kind == "gap"


async def test_it_asks_for_as_much_as_it_can_hold() -> None:
    slow = Slow("x.*", room=2)
    for seq in range(1, 9):
        slow.reader.put(update(f"x.{seq}", 1), True)
    assert await slow.rest() == []
    for expected in (["x.1", "x.2"], ["x.3", "x.4"]):
        assert slow.asked[-1] == expected
        for name in expected:
            slow.reader.put(update(name, 1, "snapshot"), False)
        assert await slow.rest() == [("snapshot", 1)] * 2, "nothing of them was missed"


async def test_what_it_dropped_of_gaps_and_statuses_counts_from_their_place() -> None:
    slow = Slow("a", "b", room=1)
    slow.reader.put(update("a", 4, "snapshot"), True)
    slow.reader.put(update("b", 3, "snapshot"), True)
    assert await slow.rest() == [("snapshot", 4), ("snapshot", 3)]
    slow.reader.put(Update("gap", "a", 9, missed=5), True)
    slow.reader.put(update("b", 3, "status"), True)
    slow.reader.put(update("a", 10), True)
    slow.reader.put(update("a", 11), True)
    assert await slow.rest() == []
    slow.reader.put(update("a", 12, "snapshot"), True)
    slow.reader.put(update("b", 3, "snapshot"), True)
    got = [await slow.reader.next() for _ in range(3)]
    assert [(u.topic, u.kind, u.missed) for u in got if u] == [
        ("a", "gap", 7),
        ("a", "snapshot", None),
        ("b", "snapshot", None),
    ]


async def test_what_a_dropped_snapshot_would_have_skipped_is_missing_too() -> None:
    slow = Slow("a", room=1)
    slow.reader.put(update("a", 3, "snapshot"), True)
    assert await slow.rest() == [("snapshot", 3)]
    slow.reader.put(update("a", 6, "snapshot"), True, seq_before=3)
    for seq in range(7, 10):
        slow.reader.put(update("a", seq), True)
    assert await slow.rest() == []
    slow.reader.put(update("a", 20, "snapshot"), True)
    gap = await slow.reader.next()
    assert gap is not None
    assert (gap.kind, gap.first_seq, gap.seq) == ("gap", 4, 19)


async def test_on_a_new_connection_it_asks_again_though_it_waits_already() -> None:
    slow = Slow("a", room=1)
    for seq in range(1, 5):
        slow.reader.put(update("a", seq), True)
    waiting = asyncio.create_task(slow.reader.next())
    await asyncio.sleep(0)
    assert slow.asked == [["a"]]
    slow.reader.ask_again()
    await asyncio.sleep(0)
    assert slow.asked == [["a"], ["a"]]
    slow.reader.put(update("a", 5, "snapshot"), True)
    got = await asyncio.wait_for(waiting, 1)
    assert got is not None
    assert (got.kind, got.first_seq, got.seq) == ("gap", 1, 4)


async def test_what_it_wants_no_more_it_does_not_ask_for() -> None:
    slow = Slow("a", "x.*", room=1)
    for name in ("a", "x.1", "x.2", "x.3"):
        slow.reader.put(update(name, 1), True)
    slow.reader.drop(["a"])
    assert await slow.rest() == []
    assert slow.asked == [["x.1"]]
    slow.reader.refuse("x.1", tickwire.TickwireError("no"))
    assert await slow.rest() == []
    assert slow.asked == [["x.1"], ["x.2"]]


# --- where a subscription begins ------------------------------------------------------------------


async def test_it_begins_with_its_snapshot_though_others_are_further() -> None:
    slow = Slow("a")
    slow.reader.put(update("a", 7), True)
    slow.reader.put(update("a", 7, "status"), True)
    slow.reader.put(Update("gap", "a", 9, missed=2), True)
    slow.reader.put(update("a", 9, "snapshot"), False)
    slow.reader.put(update("a", 9, "snapshot"), False)
    slow.reader.put(update("a", 10), True)
    assert await slow.rest() == [("snapshot", 9), ("update", 10)]


async def test_a_topic_without_history_begins_with_its_first_message() -> None:
    for first in (update("a", 1), update("a", 0, "status"), Update("gap", "a", 3, missed=3)):
        slow = Slow("a")
        slow.reader.put(first, True)
        assert await slow.rest() == [(first.kind, first.seq)]


async def test_without_snapshot_it_begins_with_what_comes() -> None:
    slow = Slow("a")
    slow.reader.snapshot = False
    slow.reader.put(update("a", 9, "snapshot"), False)
    slow.reader.put(update("a", 10), True)
    assert await slow.rest() == [("update", 10)]
