"""After a lost connection each topic goes on where it was, without I/O."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tickwire._client.ask import SEQ_BYTES_MAX, SINCE_BYTES_MAX, Start
from tickwire._client.events import Answer, Data, Resumption

if TYPE_CHECKING:
    from conftest import Wire


@pytest.fixture
def followed(wire: "Wire") -> "Wire":
    """Three topics in epoch e1: `a` at 5, and `x.y` at 7 and `x.z` at 3 by a pattern."""
    wire.welcome()
    wire.subscribe("a", "x.*")
    wire.snapshot("a", 5)
    wire.snapshot("x.y", 7)
    wire.snapshot("x.z", 3)
    return wire


def test_it_says_since_when_also_of_topics_that_patterns_brought(followed: "Wire") -> None:
    followed.update("a", 6)
    (command,) = followed.reconnect()
    assert command["topics"] == ["a", "x.*"]
    assert (command["since"], command["epoch"]) == ({"a": 6, "x.y": 7, "x.z": 3}, "e1")


def test_what_was_missed_is_merged_into_what_is_held(followed: "Wire") -> None:
    (command,) = followed.reconnect()
    answer = followed.resumed(command, (True, 2), (True, 0))
    assert answer.resumed == {"a": Resumption(True, 2), "x.*": Resumption(True, 0)}
    assert followed.images["a"] == {"last": 5}
    assert isinstance(followed.update("a", 6, {"more": 1}), Data)
    assert isinstance(followed.update("a", 7), Data)
    assert followed.images["a"] == {"last": 7, "more": 1}
    assert followed.protocol.reconcile() == []


@pytest.mark.parametrize(("status", "news"), [("live", False), ("halted", True)])
def test_the_status_at_the_end_is_news_only_if_it_is(
    followed: "Wire", status: str, news: bool
) -> None:
    (command,) = followed.reconnect()
    assert followed.statuses["a"] == "stale"
    followed.resumed(command, (True, 0), (True, 0))
    told = followed.status("a", 5, status)
    assert isinstance(told, Data)
    assert told.news is news
    assert followed.statuses["a"] == status


def test_what_the_ring_has_lost_begins_anew(followed: "Wire") -> None:
    (command,) = followed.reconnect()
    followed.resumed(command, (False, 900), (True, 0))
    assert isinstance(followed.snapshot("a", 905), Data)
    assert isinstance(followed.update("a", 906), Data)


def test_of_events_it_goes_on_with_the_gap(wire: "Wire") -> None:
    wire.welcome()
    wire.subscribe("e")
    wire.send(type="snapshot", topic="e", seq=2, ts=1, status="live", delivery="event", data={})
    (command,) = wire.reconnect()
    wire.resumed(command, (False, 7))
    gap = wire.gap("e", 3, 5)
    assert isinstance(gap, Data)
    assert gap.update.missed == 3
    assert isinstance(wire.update("e", 6), Data)
    assert wire.protocol.holes == 0


def test_a_replay_that_leaves_something_out_is_a_hole(followed: "Wire") -> None:
    (command,) = followed.reconnect()
    followed.resumed(command, (True, 2), (True, 0))
    assert followed.update("a", 7) is None
    assert followed.protocol.holes == 1
    assert followed.asked() == [("subscribe", ["a"])]


def test_another_epoch_begins_anew_and_nothing_old_is_kept(followed: "Wire") -> None:
    (command,) = followed.reconnect(epoch="e2")
    assert "since" not in command
    assert (followed.images, followed.statuses) == ({}, {})
    answer = followed.send(
        type="ack",
        id=command["id"],
        results=[{"topic": "a", "seq": 1}, {"topic": "x.*"}],
    )
    assert isinstance(answer, Answer)
    assert set(answer.resumed.values()) == {Resumption(False, None)}
    assert followed.update("a", 6) is None, "it is of another history"
    assert isinstance(followed.snapshot("a", 1), Data)
    (command,) = followed.reconnect(epoch="e2")
    assert (command["since"], command["epoch"]) == ({"a": 1}, "e2")


def test_a_server_that_does_not_know_the_seq_is_believed(followed: "Wire") -> None:
    (command,) = followed.reconnect()
    followed.resumed(command, (False, None), (True, 0))
    assert "a" not in followed.images
    assert isinstance(followed.update("a", 1), Data)


def test_a_connection_that_ends_before_the_answer_forgets_nothing(followed: "Wire") -> None:
    first, again = followed.reconnect(), followed.reconnect()
    assert [c["since"] for c in again] == [c["since"] for c in first]
    followed.reconnect(epoch="e2")
    (command,) = followed.reconnect(epoch="e2")
    answer = followed.send(type="ack", id=command["id"], results=[{"topic": "a", "seq": 0}])
    assert isinstance(answer, Answer)
    assert answer.resumed == {"a": Resumption(False, None)}, "it was not said yet"


def test_a_topic_that_stood_empty_goes_on_from_its_beginning(wire: "Wire") -> None:
    wire.welcome()
    wire.subscribe("a", seq=0)
    (command,) = wire.reconnect()
    assert command["since"] == {"a": 0}
    wire.resumed(command, (True, 2))
    assert isinstance(wire.update("a", 1), Data)


def test_without_snapshots_it_goes_on_where_it_stood(wire: "Wire") -> None:
    wire.welcome()
    wire.subscribe("a", snapshot=False, seq=4)
    (command,) = wire.reconnect()
    assert (command["since"], command["snapshot"]) == ({"a": 4}, False)


def test_a_hole_is_filled_by_the_next_connection(followed: "Wire") -> None:
    assert followed.update("a", 9) is None
    (command,) = followed.reconnect()
    assert command["since"]["a"] == 5
    assert isinstance(followed.update("a", 6), Data)


def test_each_topic_goes_on_in_one_command_and_new_ones_come_after(followed: "Wire") -> None:
    followed.subscribe("x.y", max_rate=5.0)
    followed.protocol.connection_lost()
    followed.welcome()
    for new in ("x.z", ">"):
        followed.protocol.want(new, True, 9.0, True)
    before = [json.loads(c.text) for c in followed.protocol.reconcile()]
    assert [(c["topics"], c.get("since")) for c in before] == [
        (["a"], {"a": 5}),
        (["x.y"], {"x.y": 7}),
        (["x.*"], {"x.z": 3}),
    ]
    after = [json.loads(c.text) for c in followed.protocol.reconcile()]
    assert [(c["topics"], c.get("since")) for c in after] == [(["x.z", ">"], None)]


def test_a_pattern_goes_on_as_those_do_that_its_topics_went_with(followed: "Wire") -> None:
    """However many, and in whatever order: its own result speaks only of the rest."""
    followed.subscribe("x.y", "x.z", max_rate=5.0)
    followed.subscribe("*.y", max_rate=5.0)
    exact, more, pattern, other = followed.reconnect()
    assert [c["topics"] for c in (exact, more)] == [["a"], ["x.y", "x.z"]]
    followed.resumed(exact, (True, 4))
    followed.resumed(more, (True, 2), (True, 3))
    for command in (pattern, other):
        assert "since" not in command
        answer = followed.send(
            type="ack", id=command["id"], results=[{"topic": command["topics"][0]}]
        )
        assert isinstance(answer, Answer)
        missed = {"x.*": 5, "*.y": 2}
        assert answer.resumed == {t: Resumption(True, missed[t]) for t in command["topics"]}


@pytest.mark.parametrize(
    ("of_exact", "of_pattern", "expected"),
    [
        ((True, 2), (True, 1), Resumption(True, 3)),
        ((False, 90), (True, 1), Resumption(False, 91)),
        ((True, 2), (False, 80), Resumption(False, 82)),
        (None, (True, 1), Resumption(False, None)),
    ],
    ids=["recovered", "exact is not", "rest is not", "exact is refused"],
)
def test_a_pattern_is_recovered_when_all_its_topics_are(
    followed: "Wire",
    of_exact: tuple[bool, int] | None,
    of_pattern: tuple[bool, int],
    expected: Resumption,
) -> None:
    followed.subscribe("x.y", max_rate=5.0)
    _, exact, pattern = followed.reconnect()
    if of_exact is None:
        error = {"code": "denied", "message": "no", "retryable": False}
        results = [{"topic": "x.y", "error": error}]
        followed.send(type="ack", id=exact["id"], results=results)
    else:
        followed.resumed(exact, of_exact)
    assert followed.resumed(pattern, of_pattern).resumed == {"x.*": expected}


def test_a_topic_that_goes_on_with_one_pattern_counts_for_all(followed: "Wire") -> None:
    followed.subscribe("*.y", max_rate=5.0)
    _, first, other = followed.reconnect()
    assert (first["topics"], first["since"]) == (["x.*"], {"x.y": 7, "x.z": 3})
    followed.resumed(first, (True, 4))
    answer = followed.send(type="ack", id=other["id"], results=[{"topic": "*.y"}])
    assert isinstance(answer, Answer)
    assert answer.resumed == {"*.y": Resumption(True, None)}


def test_what_nothing_goes_on_with_begins_for_those_that_are_new(followed: "Wire") -> None:
    """Its former subscription is gone, and one that came meanwhile matches, too."""
    followed.protocol.connection_lost()
    followed.protocol.want("*.y", True, 9.0, True, Start(last=2))
    followed.protocol.unwant(["x.*"])
    followed.welcome()
    (resumed,) = followed.protocol.reconcile()
    assert json.loads(resumed.text)["since"] == {"a": 5}
    followed.ack(resumed)
    (new,) = followed.protocol.reconcile()
    followed.ack(new)
    for seq in (7, 8):
        told = followed.send(type="update", topic="x.y", seq=seq, ts=1, delivery="event", data={})
        assert isinstance(told, Data)
    assert followed.protocol.holes == 0


def test_what_no_command_can_hold_begins_anew(wire: "Wire") -> None:
    wire.welcome()
    wire.subscribe("*")
    room = SINCE_BYTES_MAX // (200 + SEQ_BYTES_MAX)
    names = [f"{i:0200}" for i in range(room + 1)]
    for name in names:
        wire.snapshot(name, 1)
    (command,) = wire.reconnect()
    assert len(command["since"]) == room
    assert len(json.dumps(command)) < 2_097_152
    assert wire.resumed(command, (True, 0)).resumed == {"*": Resumption(False, None)}
    (dropped,) = set(names).difference(command["since"])
    assert set(names).difference(wire.images) == {dropped}
    assert isinstance(wire.snapshot(dropped, 7), Data)


# --- going on for somebody else -------------------------------------------------------------------


def ask_since(wire: "Wire", since: dict[str, int], epoch: str, *topics: str) -> dict[str, Any]:
    for topic in topics:
        wire.protocol.want(topic, True, 9.0, True, Start(since=since, epoch=epoch))
    (command,) = wire.protocol.reconcile()
    found: dict[str, Any] = json.loads(command.text)
    return found


def test_it_goes_on_where_somebody_else_was(wire: "Wire") -> None:
    wire.welcome()
    command = ask_since(wire, {"a": 5, "x.y": 7, "unasked": 1}, "e1", "a", "x.*")
    assert (command["since"], command["epoch"]) == ({"a": 5, "x.y": 7}, "e1")
    assert wire.resumed(command, (True, 1), (True, 0)).resumed["a"] == Resumption(True, 1)
    assert isinstance(wire.update("a", 6, {"new": 1}), Data)
    assert wire.images["a"] == {"new": 1}
    (again,) = wire.reconnect()
    assert again["since"] == {"a": 6, "x.y": 7}


def test_seqs_of_another_epoch_are_of_no_use(wire: "Wire") -> None:
    wire.welcome("e2")
    command = ask_since(wire, {"a": 5}, "e1", "a")
    assert "since" not in command
    answer = wire.send(type="ack", id=command["id"], results=[{"topic": "a", "seq": 9}])
    assert isinstance(answer, Answer)
    assert answer.resumed == {"a": Resumption(False, None)}


def test_what_is_followed_already_is_not_gone_back_to(followed: "Wire") -> None:
    assert "since" not in ask_since(followed, {"a": 2}, "e1", "a")
    assert isinstance(followed.update("a", 6), Data)


# --- the last messages ----------------------------------------------------------------------------


def event(wire: "Wire", seq: int) -> object:
    return wire.send(type="update", topic="e", seq=seq, ts=1, delivery="event", data={"n": seq})


def test_events_may_begin_with_the_last_of_them(wire: "Wire") -> None:
    wire.welcome()
    command = wire.subscribe("e", seq=9, start=Start(last=2))
    assert '"last":2' in command.text
    first = event(wire, 8)
    assert isinstance(first, Data)
    assert (first.news, first.begins) == (True, True)
    assert isinstance(event(wire, 9), Data)
    assert event(wire, 11) is None, "from there on they follow each other"


def test_a_value_topic_begins_with_its_snapshot_all_the_same(wire: "Wire") -> None:
    wire.welcome()
    wire.subscribe("a", seq=9, start=Start(last=2))
    assert wire.update("a", 8) is None


def test_the_last_come_again_for_one_who_asks_later(wire: "Wire") -> None:
    wire.welcome()
    wire.subscribe("e", seq=7, start=Start(last=1))
    for seq in (7, 8, 9):
        event(wire, seq)
    wire.subscribe("e", seq=9, start=Start(last=2))
    for seq in (8, 9):
        again = event(wire, seq)
        assert isinstance(again, Data)
        assert (again.news, again.begins) == (False, True)
    assert wire.images["e"] == {"n": 9}
    new = event(wire, 10)
    assert isinstance(new, Data)
    assert new.news
    assert event(wire, 10) is None, "the last were asked for once"
