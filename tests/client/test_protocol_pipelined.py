"""An answer is about its own command, whatever was wanted since that was sent, without I/O."""

import json
import math
from typing import TYPE_CHECKING

import pytest

from tickwire._client.ask import SNAPSHOT, Start
from tickwire._client.events import Command, Data, Doubted

if TYPE_CHECKING:
    from conftest import Wire

LAST = Start(last=2)


def send(wire: "Wire", topic: str, start: Start = SNAPSHOT, snapshot: bool = True) -> Command:
    """A subscribe that the server has not answered yet."""
    wire.protocol.want(topic, snapshot, math.inf, True, start)
    (command,) = wire.protocol.reconcile()
    return command


def event(wire: "Wire", seq: int) -> object:
    told = {"topic": "x.e", "seq": seq, "ts": 1, "delivery": "event"}
    return wire.send(type="update", **told, data={"n": seq})


@pytest.mark.parametrize("topic", ["x.e", "x.*"])
def test_the_last_begin_though_the_snapshot_was_asked_for_since(wire: "Wire", topic: str) -> None:
    first, second = send(wire, topic, LAST), send(wire, topic)
    wire.ack(first, seq=6)
    assert [isinstance(event(wire, seq), Data) for seq in (5, 6)] == [True, True]
    wire.ack(second, seq=6)
    assert isinstance(wire.snapshot("x.e", 6), Data)
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_the_last_come_again_though_the_snapshot_was_asked_for_since(wire: "Wire") -> None:
    wire.subscribe("x.e", seq=6)
    wire.snapshot("x.e", 6)
    first, second = send(wire, "x.e", LAST), send(wire, "x.e")
    wire.ack(first, seq=6)
    again = event(wire, 5)
    assert isinstance(again, Data)
    assert (again.news, again.begins) == (False, True)
    event(wire, 6)
    wire.ack(second, seq=6)
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_the_last_come_again_though_who_asked_is_gone(wire: "Wire") -> None:
    wire.subscribe("x.*")
    wire.snapshot("x.e", 6)
    command = send(wire, "x.e", LAST)
    wire.protocol.unwant(["x.e"])
    assert wire.asked() == [("unsubscribe", ["x.e"])]
    wire.ack(command, seq=6)
    assert [isinstance(event(wire, seq), Data) for seq in (5, 6)] == [True, True]
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_what_comes_before_the_last_were_answered_must_follow(wire: "Wire") -> None:
    wire.subscribe("x.e", seq=6)
    first, _ = send(wire, "x.e"), send(wire, "x.e", LAST)
    wire.ack(first, seq=6)
    assert event(wire, 6) is None
    assert wire.asked() == [("subscribe", ["x.e"])]


@pytest.mark.parametrize("topic", ["x.e", "x.*"])
@pytest.mark.parametrize("known", [False, True])
def test_a_snapshot_that_was_owed_comes_before_the_last(
    wire: "Wire", topic: str, known: bool
) -> None:
    if known:
        wire.subscribe("x.>")
        wire.snapshot("x.e", 4)
    first, second = send(wire, topic), send(wire, topic, LAST)
    wire.ack(first, seq=6)
    wire.ack(second, seq=6)
    assert isinstance(wire.snapshot("x.e", 6), Data)
    told = [event(wire, seq) for seq in (5, 6, 7)]
    assert [isinstance(data, Data) and data.news for data in told] == [False, False, True]
    assert None not in told
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_a_snapshot_for_who_left_is_also_for_who_has_no_answer_yet(wire: "Wire") -> None:
    """The server shows a topic once, however many of the subscriptions match it."""
    first, second = send(wire, "x.>"), send(wire, "x.*")
    wire.protocol.unwant(["x.>"])
    assert wire.asked() == [("unsubscribe", ["x.>"])]
    wire.ack(first)
    assert isinstance(wire.snapshot("x.e", 6), Data)
    wire.ack(second)
    assert isinstance(event(wire, 7), Data)
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_without_snapshot_it_goes_on_though_that_was_asked_for_since(wire: "Wire") -> None:
    first, second = send(wire, "a", snapshot=False), send(wire, "a")
    wire.ack(first, seq=6)
    assert isinstance(wire.update("a", 7), Data)
    wire.ack(second, seq=7)
    assert isinstance(wire.snapshot("a", 7), Data)
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_subscribed_anew_it_is_believed_from_its_own_answer_on(wire: "Wire") -> None:
    first = send(wire, "a")
    wire.protocol.unwant(["a"])
    second = send(wire, "a", snapshot=False)
    wire.ack(first, seq=6)
    assert wire.snapshot("a", 6) is None, "it still belongs to the first subscription"
    wire.ack(second, seq=8)
    assert isinstance(wire.update("a", 9), Data)
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_subscribed_anew_it_outlives_the_refusal_of_the_first(wire: "Wire") -> None:
    first = send(wire, "a")
    wire.protocol.unwant(["a"])
    second = send(wire, "a")
    wire.ack(first, refused="a")
    wire.ack(second, seq=6)
    assert isinstance(wire.snapshot("a", 6), Data)


# --- what the server cannot give now -----------------------------------------------------------


def refuse(wire: "Wire", command: Command, topic: str, code: str = "unavailable") -> None:
    error = {"code": code, "message": "later", "retryable": True}
    told = [
        {"topic": t, "error": error} if t == topic else {"topic": t, "seq": 1}
        for t in command.topics
    ]
    wire.send(type="ack", id=command.id, results=told)


def test_what_is_refused_for_now_is_asked_for_again_when_it_is_released(wire: "Wire") -> None:
    for topic in ("a", "b"):
        wire.protocol.want(topic, True, math.inf, True)
    (command,) = wire.protocol.reconcile()
    refuse(wire, command, "a")
    assert wire.asked() == [], "not at once"
    assert wire.protocol.reconciled
    assert wire.protocol.wants.holding
    wire.protocol.wants.release()
    assert wire.asked() == [("subscribe", ["a"])]
    assert not wire.protocol.wants.holding


def test_a_whole_command_refused_for_now_is_asked_for_again(wire: "Wire") -> None:
    wire.subscribe("kept")
    wire.protocol.want("a", True, 5.0, True)
    (ask,) = wire.protocol.reconcile()
    wire.protocol.unwant(["kept"])
    (leave,) = wire.protocol.reconcile()
    for command in (ask, leave):
        wire.send(type="error", id=command.id, code="too_many", message="m", retryable=True)
    assert wire.asked() == []
    wire.protocol.wants.release()
    assert wire.asked() == [("unsubscribe", ["kept"]), ("subscribe", ["a"])]


def test_what_is_wanted_no_more_is_not_asked_for_again(wire: "Wire") -> None:
    wire.protocol.want("a", True, math.inf, True)
    (command,) = wire.protocol.reconcile()
    wire.protocol.unwant(["a"])
    assert wire.asked() == [("unsubscribe", ["a"])]
    refuse(wire, command, "a")
    wire.protocol.wants.release()
    assert wire.asked() == []


def test_a_repair_that_is_refused_for_now_is_asked_for_again(wire: "Wire") -> None:
    wire.subscribe("*")
    wire.snapshot("a", 1)
    wire.update("a", 3)
    (command,) = wire.protocol.reconcile()
    wire.send(type="error", id=command.id, code="internal", message="m", retryable=True)
    wire.protocol.wants.release()
    assert wire.asked() == [("subscribe", ["a"])]
    wire.snapshot("a", 3)
    assert wire.asked() == [("unsubscribe", ["a"])]


def test_a_topic_that_nobody_can_vouch_for_is_stale_until_its_snapshot(wire: "Wire") -> None:
    wire.subscribe("a", "x.*")
    for topic in ("a", "x.y"):
        wire.snapshot(topic, 1)
    told = {"code": "unavailable", "message": "later", "retryable": True}
    assert isinstance(wire.send(type="error", topic="a", **told), Doubted)
    doubted = wire.send(type="error", topic="x.*", **told)
    assert isinstance(doubted, Doubted)
    assert doubted.topics == ["x.y"]
    assert wire.statuses == {"a": "stale", "x.y": "stale"}
    assert wire.asked() == [], "the server goes on by itself"
    again = wire.snapshot("a", 1)
    assert isinstance(again, Data)
    assert again.news
    assert wire.statuses["a"] == "live"


def test_a_topic_held_over_a_resume_goes_on_where_it_was(wire: "Wire") -> None:
    wire.welcome()
    wire.subscribe("a", "b")
    for topic in ("a", "b"):
        wire.snapshot(topic, 5)
    wire.protocol.connection_lost()
    wire.welcome()
    (command,) = wire.protocol.reconcile()
    refuse(wire, command, "a")
    wire.protocol.want("c", True, math.inf, True)
    (new,) = wire.protocol.reconcile()
    assert new.topics == ("c",)
    wire.protocol.wants.release()
    (again,) = wire.protocol.reconcile()
    assert json.loads(again.text)["since"] == {"a": 5}
