"""An answer is about its own command, whatever was wanted since that was sent, without I/O."""

import math
from typing import TYPE_CHECKING

import pytest

from tickwire._events import Command, Data
from tickwire._wants import SNAPSHOT, Start

if TYPE_CHECKING:
    from conftest import Wire

LAST = Start(last=2)


def send(wire: "Wire", topic: str, start: Start = SNAPSHOT, snapshot: bool = True) -> Command:
    """A subscribe that the server has not answered yet."""
    wire.protocol.want(topic, snapshot, math.inf, True, start)
    (command,) = wire.protocol.subscribe_commands()
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
    wire.ack(command, seq=6)
    assert [isinstance(event(wire, seq), Data) for seq in (5, 6)] == [True, True]
    assert (wire.protocol.holes, wire.asked()) == (0, [])


def test_what_comes_before_the_last_were_answered_must_follow(wire: "Wire") -> None:
    wire.subscribe("x.e", seq=6)
    first, _ = send(wire, "x.e"), send(wire, "x.e", LAST)
    wire.ack(first, seq=6)
    assert event(wire, 6) is None
    assert wire.asked() == [("subscribe", ["x.e"])]


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


def test_a_command_leaves_out_what_was_unsubscribed_before_its_turn(wire: "Wire") -> None:
    for topic in ("a", "b"):
        wire.protocol.want(topic, True, math.inf, True)
    commands = wire.protocol.subscribe_commands()
    wire.protocol.unwant(["a"])
    (command,) = commands
    assert command.topics == ("b",)
    wire.ack(command, seq=6)
    assert isinstance(wire.snapshot("b", 6), Data)
