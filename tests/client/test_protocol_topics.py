"""The client's protocol without I/O: what it believes of a topic, and what it notices."""

import math
from typing import TYPE_CHECKING

import pytest

from tickwire._client.events import Data
from tickwire.errors import ProtocolError

if TYPE_CHECKING:
    from conftest import Wire


def test_a_snapshot_replaces_and_updates_merge_at_the_top_level(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 7, {"old": 1, "deep": {"x": 1, "y": 2}, "gone": 1})
    wire.update("a", 8, {"old": 2, "deep": {"x": 3}, "gone": None, "never": None, "new": "0.10"})
    assert wire.images == {"a": {"old": 2, "deep": {"x": 3}, "new": "0.10"}}
    wire.snapshot("a", 12, {"only": 1})
    assert wire.images == {"a": {"only": 1}}


def test_an_image_is_not_the_message_it_began_with(wire: "Wire") -> None:
    wire.subscribe("a")
    first = wire.snapshot("a", 1, {"last": 1})
    wire.update("a", 2, {"last": 2})
    assert isinstance(first, Data)
    assert first.update.data == {"last": 1}


def test_a_topic_without_history_begins_with_update_1(wire: "Wire") -> None:
    wire.subscribe("a")
    assert isinstance(wire.update("a", 1), Data)
    assert wire.images == {"a": {"last": 1}}
    assert wire.statuses == {"a": "live"}


@pytest.mark.parametrize("seq", [0, 1, 4, 9])
def test_an_update_that_does_not_follow_is_held_back_and_the_snapshot_asked_for(
    wire: "Wire", seq: int
) -> None:
    wire.subscribe("a")
    wire.snapshot("a", 2, {"last": 2})
    assert wire.update("a", seq, {"last": "wrong"}) is None
    assert wire.asked() == [("subscribe", ["a"])]
    assert wire.images == {"a": {"last": 2}}
    assert wire.update("a", seq + 1) is None, "it is believed no more than the first"
    assert (wire.asked(), wire.protocol.holes) == ([], 1)
    assert isinstance(wire.snapshot("a", 11), Data)
    assert isinstance(wire.update("a", 12), Data)
    assert wire.asked() == []


def test_the_first_message_of_a_topic_must_be_its_beginning(wire: "Wire") -> None:
    wire.subscribe("a")
    assert wire.update("a", 5) is None
    assert wire.asked() == [("subscribe", ["a"])]


def test_without_snapshot_the_first_message_may_be_any(wire: "Wire") -> None:
    wire.subscribe("*", snapshot=False)
    assert isinstance(wire.update("a", 5), Data)
    assert wire.images == {"a": {"last": 5}}
    assert wire.update("a", 7) is None, "from there on they must follow each other"


def test_without_snapshot_a_topic_goes_on_where_the_ack_says_that_it_stands(wire: "Wire") -> None:
    wire.subscribe("a", "b", snapshot=False, seq=4)
    assert isinstance(wire.update("a", 5), Data)
    assert wire.update("b", 6) is None
    assert wire.asked() == [("subscribe", ["b"])]


def test_a_refresh_keeps_the_pace_of_what_is_subscribed(wire: "Wire") -> None:
    wire.subscribe("a", max_rate=5.0)
    wire.protocol.refresh(["a", "b"])
    texts = [command.text for command in wire.protocol.reconcile()]
    assert len(texts) == 2
    assert '["a"],"max_rate":5.0' in texts[0]
    assert '"max_rate"' not in texts[1]


def test_a_refreshed_topic_of_a_pattern_is_given_back(wire: "Wire") -> None:
    wire.subscribe("*")
    wire.snapshot("a", 1)
    wire.update("a", 3)
    assert wire.asked() == [("subscribe", ["a"])]
    wire.snapshot("a", 3)
    assert wire.asked() == [("unsubscribe", ["a"])]
    assert isinstance(wire.update("a", 4), Data)


def test_a_refreshed_topic_that_was_unsubscribed_meanwhile_is_given_back(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.update("a", 3)
    assert wire.asked() == [("subscribe", ["a"])]
    wire.protocol.unwant(["a"])
    assert wire.asked() == [], "else the refresh would be undone before it is done"
    assert wire.snapshot("a", 3) is None
    assert wire.asked() == [("unsubscribe", ["a"])]


def test_refreshing_for_one_reader_holds_nothing_back_from_the_others(wire: "Wire") -> None:
    wire.subscribe("*")
    wire.snapshot("a", 1)
    wire.protocol.refresh(["a", "a"])
    assert wire.asked() == [("subscribe", ["a"])]
    assert isinstance(wire.update("a", 2), Data)
    known = wire.snapshot("a", 2, {"last": 2})
    assert isinstance(known, Data)
    assert not known.news


def test_a_refused_refresh_can_be_tried_again(wire: "Wire") -> None:
    wire.subscribe("*")
    wire.update("a", 3)
    (command,) = wire.protocol.reconcile()
    wire.ack(command, refused="a")
    wire.update("a", 4)
    assert wire.asked() == [("subscribe", ["a"])]


def test_a_server_that_refuses_to_repeat_a_snapshot_is_left(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.update("a", 3)
    (command,) = wire.protocol.reconcile()
    with pytest.raises(ProtocolError, match="did not repeat"):
        wire.send(type="error", id=command.id, code="too_large", message="m", retryable=False)


def test_a_repeated_snapshot_is_news_only_if_it_says_something_new(wire: "Wire") -> None:
    wire.subscribe("a")
    news = [wire.snapshot("a", 1), wire.snapshot("a", 1), wire.snapshot("a", 1, status="stale")]
    news += [wire.snapshot("a", 2)]
    assert [isinstance(data, Data) and data.news for data in news] == [True, False, True, True]


# --- status, gaps, events -------------------------------------------------------------------------


def test_a_stale_topic_is_live_again_with_its_next_update(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1)
    assert isinstance(wire.status("a", 1, "stale"), Data)
    assert wire.statuses == {"a": "stale"}
    wire.update("a", 2)
    assert wire.statuses == {"a": "live"}


def test_a_halted_topic_stays_halted_until_it_is_told_otherwise(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1, status="halted")
    wire.update("a", 2)
    assert wire.statuses == {"a": "halted"}
    wire.status("a", 2, "live")
    assert wire.statuses == {"a": "live"}


def test_another_reason_or_end_of_a_halt_is_news_and_the_same_is_not(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1)
    halted = {"type": "status", "topic": "a", "seq": 1, "ts": 1, "status": "halted"}
    told = [{"reason": "x"}, {"reason": "x"}, {"reason": "y"}, {"reason": "y", "until": 5}, {}, {}]
    news = [wire.send(**halted, **more) for more in told]
    assert [isinstance(data, Data) and data.news for data in news] == [
        True,
        False,
        True,
        True,
        True,
        False,
    ]


def test_a_status_of_a_later_update_tells_of_a_hole(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1)
    assert wire.status("a", 2, "stale") is None
    assert wire.asked() == [("subscribe", ["a"])]


def test_a_topic_without_history_can_have_a_status(wire: "Wire") -> None:
    wire.subscribe("a")
    assert isinstance(wire.status("a", 0, "stale"), Data)
    assert (wire.images, wire.statuses) == ({"a": {}}, {"a": "stale"})
    assert isinstance(wire.update("a", 1), Data)


def test_a_gap_is_told_and_what_follows_continues_after_it(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 3, {"price": 3, "side": "buy"})
    gap = wire.gap("a", 4, 9)
    assert isinstance(gap, Data)
    assert (gap.update.first_seq, gap.update.seq, gap.update.missed) == (4, 9, 6)
    assert isinstance(wire.update("a", 10, {"price": 10}), Data)
    assert wire.images == {"a": {"price": 10}}, "each message of an event topic stands for itself"


def test_a_gap_that_leaves_something_out_is_a_hole(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 3)
    assert wire.gap("a", 5, 9) is None
    assert wire.asked() == [("subscribe", ["a"])]


@pytest.mark.parametrize("kind", ["snapshot", "update"])
def test_the_image_of_an_event_topic_is_its_last_message(wire: "Wire", kind: str) -> None:
    wire.subscribe("a")
    more = {"status": "live"} if kind == "snapshot" else {}
    wire.send(type=kind, topic="a", seq=1, ts=1, delivery="event", data={"x": 1}, **more)
    wire.update("a", 2, {"y": 2})
    assert wire.images == {"a": {"y": 2}}


# --- several subscriptions, several connections ---------------------------------------------------


def test_what_nobody_wants_is_forgotten(wire: "Wire") -> None:
    wire.subscribe("a", "b", "x.*")
    for topic in ("a", "b", "x.y"):
        wire.snapshot(topic, 1)
    wire.protocol.unwant(["a", "x.*"])
    assert list(wire.images) == ["b"]
    assert wire.update("a", 2) is None, "it was on its way"
    assert wire.asked() == [("unsubscribe", ["a", "x.*"])]


def test_what_another_pattern_covers_is_kept(wire: "Wire") -> None:
    wire.subscribe("x.*", "x.y", ">")
    wire.snapshot("x.y", 1)
    wire.protocol.unwant(["x.*"])
    wire.protocol.unwant(["x.y"])
    assert isinstance(wire.update("x.y", 2), Data)


def test_subscribed_again_nothing_is_believed_before_the_ack(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1)
    wire.protocol.unwant(["a"])
    wire.protocol.want("a", True, math.inf, True)
    (command,) = wire.protocol.reconcile()
    assert wire.update("a", 2) is None, "it still belongs to the first subscription"
    assert wire.asked() == []
    wire.ack(command)
    assert isinstance(wire.snapshot("a", 2), Data)


def test_while_a_subscription_is_repeated_its_messages_count(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1)
    wire.protocol.want("a", True, math.inf, True)
    wire.protocol.reconcile()
    assert isinstance(wire.update("a", 2), Data)


def test_without_a_connection_nothing_is_live_and_all_is_asked_for_again(wire: "Wire") -> None:
    wire.subscribe("a", "b", "c")
    wire.snapshot("a", 1)
    wire.snapshot("b", 1, status="halted")
    wire.update("c", 3)
    wire.protocol.connection_lost()
    assert wire.statuses == {"a": "stale", "b": "halted"}
    assert wire.images == {"a": {"last": 1}, "b": {"last": 1}}
    (command,) = wire.protocol.reconcile()
    assert command.topics == ("a", "b", "c")
    wire.ack(command)
    assert isinstance(wire.snapshot("a", 1), Data)
    assert wire.statuses["a"] == "live"
