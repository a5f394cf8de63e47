"""The client's protocol without I/O: what it asks for, and how it takes the answers."""

import math
from typing import TYPE_CHECKING

import pytest

from tickwire._client.ask import COMMAND_BYTES_MAX, COMMAND_TOPICS_MAX
from tickwire._client.events import Answer, Data, Drain, Ended, Welcome
from tickwire.errors import DeniedError, LimitError, NotSubscribedError, ProtocolError

if TYPE_CHECKING:
    from conftest import Wire


# --- commands -------------------------------------------------------------------------------------


def test_commands_are_spelled_as_the_document_says(wire: "Wire") -> None:
    protocol = wire.protocol
    protocol.want("ticker.*", True, 5.0, True)
    protocol.want("trade.a", False, math.inf, True)
    texts = [command.text for command in protocol.reconcile()]
    texts += [protocol.publish("chat.lobby", '{"text":1.00}').text]
    texts += [protocol.list_topics(">", "a").text, protocol.auth("t").text, protocol.ping().text]
    protocol.unwant(["trade.a"])
    texts += [command.text for command in protocol.reconcile()]
    assert texts == [
        '{"type":"subscribe","id":1,"topics":["ticker.*"],"max_rate":5.0}',
        '{"type":"subscribe","id":2,"topics":["trade.a"],"snapshot":false}',
        '{"type":"publish","id":3,"topic":"chat.lobby","data":{"text":1.00}}',
        '{"type":"list","id":4,"pattern":">","after":"a"}',
        '{"type":"auth","id":5,"token":"t"}',
        '{"type":"ping","id":6}',
        '{"type":"unsubscribe","id":7,"topics":["trade.a"]}',
    ]


def test_alike_topics_share_a_command_up_to_its_limits(wire: "Wire") -> None:
    for i in range(COMMAND_TOPICS_MAX + 1):
        wire.protocol.want(f"a{i}", True, math.inf, True)
    for _ in range(3):
        wire.protocol.want("b" * (COMMAND_BYTES_MAX // 2), False, math.inf, True)
    wire.protocol.want("c" * (COMMAND_BYTES_MAX // 2), False, math.inf, True)
    commands = wire.protocol.reconcile()
    assert [len(command.topics) for command in commands] == [COMMAND_TOPICS_MAX, 1, 1, 1]
    assert wire.protocol.reconcile() == []


def test_wanting_again_asks_again_only_for_something_new(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.protocol.want("a", True, math.inf, False)
    assert wire.protocol.reconcile() == []
    wire.protocol.want("a", True, 5.0, False)
    (command,) = wire.protocol.reconcile()
    assert '"max_rate":5.0' in command.text
    wire.protocol.want("a", True, 5.0, True)
    assert len(wire.protocol.reconcile()) == 1


def test_only_what_was_asked_for_is_unsubscribed(wire: "Wire") -> None:
    wire.protocol.want("a", True, math.inf, True)
    wire.protocol.unwant(["a", "never.wanted"])
    assert wire.protocol.reconcile() == []
    wire.subscribe("a")
    wire.protocol.unwant(["a"])
    wire.protocol.unwant(["a"])
    assert wire.asked() == [("unsubscribe", ["a"])]
    assert wire.asked() == []


def test_as_many_commands_are_made_as_may_be_sent(wire: "Wire") -> None:
    for i in range(3 * COMMAND_TOPICS_MAX):
        wire.protocol.want(f"a{i}", True, math.inf, True)
    (first,) = wire.protocol.reconcile(1)
    wire.protocol.unwant(["a0", f"a{COMMAND_TOPICS_MAX}"])
    leave, *others = wire.protocol.reconcile(1)
    assert (leave.kind, leave.topics) == ("unsubscribe", ("a0",))
    assert [command.topics[0] for command in others] == [f"a{COMMAND_TOPICS_MAX + 1}"]
    assert not wire.protocol.reconciled
    others += wire.protocol.reconcile()
    for command in (first, leave, *others):
        wire.ack(command)
    assert wire.protocol.reconciled
    asked = [topic for command in (first, *others) for topic in command.topics]
    assert len(asked) == len(set(asked)) == 3 * COMMAND_TOPICS_MAX - 1


# --- answers --------------------------------------------------------------------------------------


def test_a_welcome_tells_who_the_server_is(wire: "Wire") -> None:
    welcome = wire.send(
        type="welcome", session="s", epoch="e", heartbeat_s=15, server="tickwire/1", ts=1
    )
    assert welcome == Welcome("s", "e", 15.0, "tickwire/1")


def test_an_answer_belongs_to_its_command_once(wire: "Wire") -> None:
    command = wire.protocol.ping()
    assert wire.send(type="pong", id=command.id, ts=1) == Answer(command)
    assert wire.send(type="pong", id=command.id, ts=1) is None
    assert wire.send(type="error", id=99, code="denied", message="no", retryable=False) is None


def test_an_ack_holds_a_result_per_topic(wire: "Wire") -> None:
    wire.protocol.want("a", True, math.inf, True)
    wire.protocol.want("b.*", True, math.inf, True)
    (command,) = wire.protocol.reconcile()
    answer = wire.ack(command, refused="a")
    assert answer.seqs == {"b.*": 1}
    assert isinstance(answer.refused["a"], DeniedError)
    assert answer.refused["a"].topic == "a"
    assert wire.snapshot("a", 1) is None
    assert isinstance(wire.snapshot("b.x", 1), Data)


def test_a_refusal_of_what_was_unsubscribed_meanwhile_is_no_news(wire: "Wire") -> None:
    wire.protocol.want("a", True, math.inf, True)
    wire.protocol.want("b", True, math.inf, True)
    (command,) = wire.protocol.reconcile()
    wire.protocol.unwant(["a", "b"])
    wire.ack(command, refused="a")
    assert wire.snapshot("a", 1) is None
    assert wire.snapshot("b", 1) is None


def test_a_list_comes_in_pages(wire: "Wire") -> None:
    command = wire.protocol.list_topics(">", "")
    answer = wire.send(type="ack", id=command.id, topics=["a", "b"], next="b")
    assert answer == Answer(command, names=["a", "b"], next="b")


def test_an_error_with_an_id_refuses_the_command(wire: "Wire") -> None:
    command = wire.protocol.ping()
    answer = wire.send(
        type="error", id=command.id, code="too_many", message="m", field="f", retryable=True
    )
    assert isinstance(answer, Answer)
    assert isinstance(answer.error, LimitError)
    assert (answer.error.code, answer.error.field, answer.error.retryable) == (
        "too_many",
        "f",
        True,
    )


def test_an_error_with_a_topic_ends_its_subscription(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1)
    ended = wire.send(type="error", code="denied", topic="a", message="over", retryable=False)
    assert isinstance(ended, Ended)
    assert ended.error.topic == "a"
    assert wire.update("a", 2) is None
    assert wire.images == {}


def test_a_topic_that_ended_under_a_pattern_is_not_live(wire: "Wire") -> None:
    wire.subscribe("*")
    wire.snapshot("a", 1)
    wire.send(type="error", code="denied", topic="a", message="over", retryable=False)
    assert wire.statuses == {"a": "stale"}


def test_a_subscription_that_ended_before_its_first_message_leaves_nothing(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.send(type="error", code="denied", topic="a", message="over", retryable=False)
    assert wire.statuses == {}
    wire.protocol.unwant(["a"])
    assert wire.asked() == []


def test_an_error_about_nothing_in_particular_is_passed_on(wire: "Wire") -> None:
    ended = wire.send(type="error", code="bad_message", message="what?", retryable=False)
    assert isinstance(ended, Ended)
    assert ended.error.topic is None


def test_what_is_held_goes_on_in_an_epoch_that_begins(wire: "Wire") -> None:
    wire.welcome("e1")
    wire.subscribe("a")
    wire.snapshot("a", 1)
    assert wire.send(type="epoch", epoch="e2", ts=2) is None
    assert isinstance(wire.update("a", 2), Data)
    (command,) = wire.reconnect("e2")
    assert (command["since"], command["epoch"]) == ({"a": 2}, "e2")


def test_drain_tells_when_to_come_back(wire: "Wire") -> None:
    assert wire.send(type="drain", reconnect_after_ms=1200) == Drain(1200)


def test_heartbeats_and_messages_of_later_servers_are_nothing(wire: "Wire") -> None:
    assert wire.send(type="heartbeat", ts=1) is None
    assert wire.send(type="from the future", topic=[]) is None


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"type":"ack","id":[]}',
        '{"type":"ack","id":1,"results":[7]}',
        '{"type":"ack","id":1,"results":7}',
        '{"type":"ack","id":1,"results":[{"topic":"a","seq":"x"}]}',
        '{"type":"ack","id":1,"results":[{"topic":"a","error":{}}]}',
        '{"type":"error"}',
        '{"type":"welcome"}',
        '{"type":"welcome","session":"s","epoch":"e","server":"x","heartbeat_s":0}',
        '{"type":"drain","reconnect_after_ms":"soon"}',
        f'{{"type":"welcome","session":"s","epoch":"e","server":"x","heartbeat_s":1{"0" * 400}}}',
        '{"type":"drain","reconnect_after_ms":-1}',
        '{"type":"drain","reconnect_after_ms":1e999}',
        '{"type":"ack","id":1,"results":[{"topic":"a","seq":1e999}]}',
        '{"type":"ack","id":1,"results":[{"topic":"a","seq":-1}]}',
        '{"type":"ack","id":1,"results":[{"topic":"a","seq":18446744073709551616}]}',
        '{"type":"ack","id":1,"results":[{"topic":"a","recovered":true,"missed":1.5}]}',
    ],
)
def test_a_message_with_a_wrong_field_is_a_protocol_error(wire: "Wire", text: str) -> None:
    assert wire.protocol.ping().id == 1
    with pytest.raises(ProtocolError, match="wrong field"):
        wire.protocol.receive(text)


def test_unsubscribing_what_the_server_does_not_know_is_its_answer(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.protocol.unwant(["a"])
    (command,) = wire.protocol.reconcile()
    error = {"code": "not_subscribed", "message": "no", "retryable": False}
    answer = wire.send(type="ack", id=command.id, results=[{"topic": "a", "error": error}])
    assert isinstance(answer, Answer)
    assert isinstance(answer.refused["a"], NotSubscribedError)
