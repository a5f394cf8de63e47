"""What `tickwire check` believes over SSE and the long poll: it goes on from its last cursor."""

import json
from typing import Any

import pytest

from tickwire._tools.check.messages import Messages, message_of
from tickwire._tools.check.road_model import RoadModel
from tickwire._tools.check.tally import Tally

VALUE, EVENT = "check.value.0", "check.event.0"
NAMES = [VALUE, "check.event.*"]
SEQS = {VALUE: 5, EVENT: 7}


def image(seq: int, **more: int) -> dict[str, int]:
    return {"run": 1, "n": seq, "sum": -1 - seq, **more}


def message(kind: str, topic: str, seq: int, **fields: Any) -> dict[str, Any]:
    event = {"delivery": "event"} if topic == EVENT else {}
    data = {} if kind == "status" else {"data": image(seq)}
    return {"type": kind, "topic": topic, "seq": seq, "ts": 1, **event, **data, **fields}


class Client:
    def __init__(self, *, polls: bool) -> None:
        self.polls = polls
        self.tally = Tally()
        self.model = RoadModel("client 0", self.tally, Messages(), {})
        self.cursor = ""

    def ask(
        self,
        *messages: dict[str, Any],
        results: list[dict[str, Any]] | None = None,
        cursor: str | None = None,
        names: list[str] = NAMES,
        epoch: str = "e1",
    ) -> None:
        """One request, and its whole answer."""
        self.cursor = self.model.request(names)
        told = results or [{"topic": names[0], "seq": 5}, *({"topic": n} for n in names[1:])]
        if self.polls:
            decoded = [message_of(m) for m in messages]
            self.model.take_poll({"results": told, "cursor": cursor}, decoded)
            return
        welcome = {"type": "welcome", "epoch": epoch}
        texts = [welcome, {"type": "ack", "results": told}, *messages]
        self.model.take(json.dumps(text).encode() for text in texts)
        if cursor is not None:
            self.model.take_cursor(cursor)

    def begin(self, cursor: str = f"e1,{VALUE}=5,{EVENT}=7s") -> None:
        self.ask(message("snapshot", VALUE, 5), message("snapshot", EVENT, 7), cursor=cursor)

    def found(self) -> dict[str, int]:
        names = ("silent_gaps", "duplicates", "wrong_images", "unwanted", "broken")
        return {n: c for n in names if (c := getattr(self.tally, n))}


@pytest.fixture(params=[True, False], ids=["poll", "sse"])
def client(request: pytest.FixtureRequest) -> Client:
    return Client(polls=request.param)


def recovered(value: bool, pattern: bool, missed: int = 1) -> list[dict[str, Any]]:
    return [
        {"topic": VALUE, "seq": 5 + missed, "recovered": value, "missed": missed},
        {"topic": "check.event.*", "recovered": pattern},
    ]


def test_it_goes_on_from_its_cursor(client: Client) -> None:
    client.begin()
    client.ask(
        message("update", VALUE, 6),
        message("update", EVENT, 8),
        results=recovered(True, True),
        cursor=f"e1,{VALUE}=6,{EVENT}=8",
    )
    assert client.cursor == f"e1,{VALUE}=5,{EVENT}=7s"
    assert client.found() == {}
    assert (client.tally.recovered, client.tally.not_recovered) == (2, 0)
    assert client.model.missing({VALUE: 6, EVENT: 8}) == []


def test_what_came_behind_the_cursor_comes_again(client: Client) -> None:
    client.begin()
    client.ask(message("update", VALUE, 6), results=recovered(True, True), cursor=None)
    again = [message("update", VALUE, 6), message("update", VALUE, 7)]
    if client.polls:  # without a cursor it begins anew
        client.ask(message("snapshot", VALUE, 7), cursor=f"e1,{VALUE}=7")
        assert client.cursor == ""
    else:
        client.ask(*again, results=recovered(True, True, 2))
    assert client.found() == {}
    assert client.model.missing({VALUE: 7}) == []


@pytest.mark.parametrize(
    ("messages", "counter"),
    [
        ([message("update", VALUE, 7)], "silent_gaps"),
        ([message("update", VALUE, 5)], "duplicates"),
        ([message("update", EVENT, 9)], "silent_gaps"),
        ([message("snapshot", EVENT, 9)], "silent_gaps"),
        ([message("snapshot", VALUE, 4)], "wrong_images"),
        ([message("update", "check.value.1", 1)], "unwanted"),
    ],
)
def test_after_the_cursor_nothing_may_be_missing_or_repeated(
    client: Client, messages: list[dict[str, Any]], counter: str
) -> None:
    client.begin()
    client.ask(*messages, results=recovered(True, True), cursor="e1")
    assert client.found() == {counter: 1}


@pytest.mark.parametrize(
    "cursor", [f"e1,{VALUE}=6", f"e1,{VALUE}=4s", "e1,check.value.1=1", "e1,x", f"e1,{VALUE}=x"]
)
def test_a_cursor_says_exactly_what_was_sent(client: Client, cursor: str) -> None:
    client.begin(cursor)
    assert client.found() == {"broken": 1}


def test_a_cursor_is_of_the_epoch_of_its_stream() -> None:
    client = Client(polls=False)
    client.begin(f"e2,{VALUE}=5")
    assert client.found() == {"broken": 1}


@pytest.mark.parametrize(
    ("promise", "seq", "faults"), [(True, 9, 1), (True, 8, 0), (True, 7, 0), (False, 9, 0)]
)
def test_an_event_topic_that_a_cursor_leaves_out_may_not_jump_under_recovered(
    client: Client, promise: bool, seq: int, faults: int
) -> None:
    client.begin(f"e1,{VALUE}=5")
    client.ask(
        message("snapshot", EVENT, seq), results=recovered(True, promise, 0), cursor=f"e1,{VALUE}=5"
    )
    assert client.tally.silent_gaps == client.tally.violations == faults


def test_another_epoch_begins_anew_and_may_recover_nothing(client: Client) -> None:
    client.begin()
    lost = [{"topic": VALUE, "seq": 2, "recovered": False}, recovered(True, False)[1]]
    told = message("snapshot", VALUE, 2, data=image(2))
    client.ask(told, results=lost, cursor=f"e2,{VALUE}=2", epoch="e2")
    assert client.found() == {}
    client.ask(told, results=recovered(True, True), cursor=f"e3,{VALUE}=2", epoch="e3")
    assert client.tally.broken == 2


def test_an_answer_is_that_to_what_was_asked(client: Client) -> None:
    client.ask(results=[{"topic": "check.value.1", "seq": 0}], cursor="e1")
    assert client.found() == {"broken": 1}


def test_a_topic_that_is_no_longer_asked_for_is_unwanted(client: Client) -> None:
    client.begin()
    results = [{"topic": VALUE, "seq": 5, "recovered": True, "missed": 0}]
    client.ask(message("update", EVENT, 8), names=[VALUE], results=results, cursor=f"e1,{VALUE}=5")
    assert client.found() == {"unwanted": 1}


def test_what_was_asked_for_and_never_answered_is_missing(client: Client) -> None:
    client.begin()
    client.model.request(NAMES)
    assert client.model.missing({VALUE: 5, EVENT: 8, "check.value.1": 3}) == [EVENT]


def test_a_stream_says_why_it_ends() -> None:
    client = Client(polls=False)
    client.begin()
    assert client.model.close_code is None
    client.model.take([b'{"type":"close","code":4001,"reason":"drain"}'])
    assert client.model.close_code == 4001
