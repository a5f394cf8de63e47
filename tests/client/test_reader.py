"""What lies between the connection and who iterates: full, behind, and where it begins."""

import asyncio
import itertools

import pytest

import tickwire
from tickwire._client.reader import DROP_FACTOR, Gate, Reader
from tickwire.update import Update


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


# --- the reader -----------------------------------------------------------------------------------


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
    await asyncio.wait_for(passing, 30)


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
    got = await asyncio.wait_for(waiting, 30)
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
