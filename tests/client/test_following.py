"""What a client asks for over HTTP, and what it makes of the answers."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire._client.events import Answer, Data, Resumption
from tickwire._client.following import CURSOR_BYTES_MAX, Following
from tickwire._client.protocol import Protocol
from tickwire._client.server_events import ServerEvents
from tickwire._client.topics import TopicTable
from tickwire.errors import ProtocolError
from tickwire.update import Update, parse_message


class Client:
    def __init__(self) -> None:
        self.topics = TopicTable()
        self.topics.begin("e1")
        self.following = Following(self.topics)
        self._ids = 0

    def subscribe(self, *names: str, **options: Any) -> None:
        self._ids += 1
        self.following.subscribe({"id": self._ids, "topics": [*names], **options})

    def know(self, topic: str, seq: int, status: str = "live", **fields: str) -> str:
        text = message("snapshot", topic, seq, status=status, **fields)
        update = parse_message(text)
        assert isinstance(update, Update)
        self.topics.take(update, False)
        return text

    def answered(self, *results: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.following.answers([*results])]

    def begin(self, name: str, *topics: str) -> None:
        """Follows a name; nothing is open any more."""
        self.subscribe(name)
        self.following.request()
        self.answered({"topic": name})
        for topic in topics:
            self.know(topic, 5)


def message(kind: str, topic: str, seq: int, **fields: str) -> str:
    told = {"type": kind, "topic": topic, "seq": seq, "ts": 1, **fields, "data": {"n": 1}}
    return json.dumps(told, separators=(",", ":"))


@pytest.fixture
def client() -> Client:
    return Client()


def test_a_request_says_everything(client: Client) -> None:
    client.subscribe("a.1", "a.*", max_rate=2.0)
    client.subscribe("b", max_rate=5.0, last=3)
    wish = client.following.request()
    assert wish.query == {"topics": "a.1,a.*,b", "max_rate": "5", "last": "3"}
    assert wish.cursor == ""
    told = client.answered({"topic": "a.1", "seq": 3}, {"topic": "a.*"}, {"topic": "b", "seq": 0})
    assert [answer["id"] for answer in told] == [1, 2]
    assert told[0]["results"] == [{"topic": "a.1", "seq": 3}, {"topic": "a.*"}]
    client.subscribe("c")
    assert client.following.request().query == {"topics": "a.1,a.*,b,c"}


def test_a_topic_that_begins_empty_goes_on_from_0_so_that_its_first_messages_come(
    client: Client,
) -> None:
    client.subscribe("chat", "other")
    client.following.request()
    client.answered({"topic": "chat", "seq": 0}, {"topic": "other", "seq": 4})
    assert client.following.request().cursor == "e1,chat=0?"
    client.know("chat", 1)
    client.answered({"topic": "chat", "seq": 1})
    assert client.following.request().cursor == "e1,chat=1"


def test_it_goes_on_where_it_is(client: Client) -> None:
    client.begin("a.*", "a.1")
    client.know("a.2", 7, "halted")
    client.know("other", 9)
    client.subscribe("b")
    assert client.following.request().cursor == "e1,a.1=5,a.2=7h"
    client.topics.doubt("a.1")  # whether it is live has to be said again
    assert client.following.request().cursor == "e1,a.1=5?,a.2=7h"


def test_what_only_the_cursor_brought_up_is_not_told(client: Client) -> None:
    client.begin("a", "a")
    client.subscribe("b")
    client.subscribe("c", since={"c": 2}, epoch="e1")
    client.following.request()
    results = [{"topic": n, "seq": 5, "recovered": n == "c", "missed": 3} for n in "abc"]
    one, two = client.answered(*results)
    assert one["results"] == [{"topic": "b", "seq": 5}]
    assert two["results"] == [{"topic": "c", "seq": 5, "recovered": True, "missed": 3}]


@pytest.mark.parametrize("again", ["a.1", "a.*"])
def test_a_snapshot_that_is_wanted_again_is_asked_for_until_it_came(
    client: Client, again: str
) -> None:
    client.begin("a.*", "a.1")
    client.subscribe(again)
    assert client.following.request().cursor == ""
    client.answered({"topic": "a.*"}, {"topic": "a.1", "seq": 5})
    client.subscribe("b")
    assert client.following.request().cursor == ""
    text = client.know("a.1", 6)
    assert client.following.messages(text) == [text]
    client.subscribe("c")
    assert client.following.request().cursor == "e1,a.1=6"


@pytest.mark.parametrize(("seq", "gap"), [(5, None), (6, None), (7, [6, 6]), (9, [6, 8])])
@pytest.mark.parametrize("delivery", ["event", None])
def test_events_that_are_lost_when_a_topic_begins_anew_are_said(
    client: Client, delivery: str | None, seq: int, gap: list[int] | None
) -> None:
    client.begin("a", "a")
    client.subscribe("a")
    client.following.request()
    more = {"delivery": delivery} if delivery else {}
    *before, last = client.following.messages(message("snapshot", "a", seq, **more))
    assert json.loads(last)["seq"] == seq
    told = [json.loads(text) for text in before]
    expected = [gap] if gap and delivery else []
    assert [[t["from"], t["to"]] for t in told if t["type"] == "gap"] == expected
    assert client.following.messages(message("update", "a", seq + 1)) == [
        message("update", "a", seq + 1)
    ]


def test_a_repair_beside_a_resume_hides_no_lost_events_from_another_reader() -> None:
    """On a new connection both readers go on, and one that had dropped messages of e.8 wants its
    snapshot: one request answers both, and begins e.8 anew."""
    protocol = Protocol()
    for name in ("e.8", "e.*"):
        protocol.want(name, True, math.inf, False)
    following = Following(protocol.topics)

    def send() -> None:
        for command in protocol.reconcile():
            following.subscribe(json.loads(command.text))

    def answer(*results: dict[str, Any]) -> list[object]:
        following.request()
        return [protocol.receive(text) for text in following.answers([*results])]

    def kinds(*texts: str) -> list[str]:
        events = [protocol.receive(told) for text in texts for told in following.messages(text)]
        return [event.update.kind for event in events if isinstance(event, Data)]

    welcome = {"type": "welcome", "session": "", "epoch": "e1", "heartbeat_s": 15, "server": "s"}
    protocol.receive(json.dumps(welcome))
    send()
    answer({"topic": "e.8", "seq": 5}, {"topic": "e.*", "seq": 0})
    assert kinds(message("snapshot", "e.8", 5, status="live", delivery="event")) == ["snapshot"]

    protocol.connection_lost()
    following = Following(protocol.topics)
    protocol.receive(json.dumps(welcome))
    send()
    protocol.refresh(["e.8"])
    send()
    answers = answer(
        {"topic": "e.8", "seq": 20, "recovered": False},  # the cursor does not name it
        {"topic": "e.*", "seq": 0, "recovered": True, "missed": 0},
    )
    resumed = [one.resumed for one in answers if isinstance(one, Answer) and one.resumed]
    assert resumed == [{"e.8": Resumption(False, 15), "e.*": Resumption(False, None)}]
    snapshot = message("snapshot", "e.8", 20, status="live", delivery="event")
    assert kinds(snapshot) == ["gap", "snapshot"]


def test_a_cursor_has_a_limit_and_says_that_it_was_cut(client: Client) -> None:
    client.begin("t.>")
    for number in range(300):
        client.know(f"t.{'x' * 20}.{number}", 5)
    cursor = client.following.request().cursor
    assert cursor.startswith("e1!,t.")
    assert CURSOR_BYTES_MAX - 30 < len(cursor) <= CURSOR_BYTES_MAX


def test_a_topic_that_is_to_begin_with_an_update_gets_no_snapshot(client: Client) -> None:
    client.subscribe("a", "b.*", snapshot=False)
    client.following.request()
    client.answered({"topic": "a", "seq": 5}, {"topic": "b.*"})
    client.topics.hold("a", 5)
    assert client.following.messages(message("snapshot", "a", 5)) == []
    assert client.following.messages(message("snapshot", "b.1", 8)) == []
    text = message("update", "b.1", 9)
    assert client.following.messages(text) == [text]
    later = message("snapshot", "b.1", 12)
    assert client.following.messages(later) == [later]


def test_who_is_refused_is_not_asked_for_again(client: Client) -> None:
    client.begin("a", "a")
    client.subscribe("b", "c")
    client.following.request()
    error = {"code": "denied", "message": "no", "retryable": False}
    results = [{"topic": "a"}, {"topic": "b", "error": error}, {"topic": "c", "seq": 1}]
    assert client.following.lost(results) == []
    assert client.answered(*results)[0]["results"] == results[1:]
    assert client.following.request().query["topics"] == "a,c"
    assert client.following.lost([{"topic": "a", "error": error}]) == ["a"]
    client.subscribe("d")
    client.following.request()
    assert [json.loads(t) for t in client.following.refuse(error)] == [
        {"type": "error", "id": 3, **error}
    ]
    assert client.following.request().query["topics"] == "a,c"


def test_what_is_unsubscribed_is_answered_at_once(client: Client) -> None:
    client.begin("a", "a")
    told = json.loads(client.following.unsubscribe({"id": 9, "topics": ["a"]}))
    assert told == {"type": "ack", "id": 9, "results": [{"topic": "a"}]}
    assert not client.following.names


STREAM = 'retry: 7\n\n: a comment\r\n\ndata: {"é":1}\n\nid: e1,a=1\ndata:two\r\ndata: lines\r\n\r\n'


@given(cuts=st.lists(st.integers(0, 200)))
def test_events_come_out_whole_however_they_are_cut(cuts: list[int]) -> None:
    told = STREAM.encode()
    ends = sorted({min(cut, len(told)) for cut in cuts} | {len(told)})
    events, texts, at = ServerEvents(), [], 0
    for end in ends:
        texts += events.feed(told[at:end])
        at = end
    assert texts == ['{"é":1}', "two\nlines"]


def test_an_event_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickwire._client.server_events.MESSAGE_BYTES_MAX", 20)
    assert ServerEvents().feed(b"data: " + b"x" * 12 + b"\n\n") == ["x" * 12]
    with pytest.raises(ProtocolError, match="an event over 20 bytes"):
        ServerEvents().feed(b"data: " + b"x" * 15)
    with pytest.raises(ProtocolError, match="not UTF-8"):
        ServerEvents().feed(b"data: \xff\n\n")
