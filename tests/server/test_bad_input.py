"""Whatever a client sends has a defined answer, and disturbs nobody: not this client's connection
where it can be kept, and never another's."""

import json
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess, Wire

MESSAGE_BYTES_MAX = 2_097_152
PAYLOAD_BYTES_MAX = 1_048_576
IMAGE_BYTES_MAX = 2 * PAYLOAD_BYTES_MAX


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> Iterator[DaemonProcess]:
    """Carries t.X at seq 1; a witness subscribed to it misses nothing, whatever a test sends."""
    daemon = start_daemon("--set", "auth.publish=open")
    with daemon.connect() as witness:
        witness.publish("t.X", {"n": 1})
        witness.send({"type": "subscribe", "topics": ["t.X"]})
        assert witness.receive()["type"] == "ack"
        assert witness.receive()["type"] == "snapshot"
        yield daemon
        with daemon.connect() as publisher:
            assert publisher.publish("t.X", {"n": 2}) == 2
        update = witness.receive()
        assert (update["type"], update["seq"], update["data"]) == ("update", 2, {"n": 2})
    assert daemon.stop(signal.SIGTERM) == 0, daemon.log()


@pytest.fixture
def client(daemon: DaemonProcess) -> Iterator[Wire]:
    """A client whose connection is kept: it is still answered after the test."""
    with daemon.connect() as client:
        yield client
        assert client.ask({"type": "ping", "id": "end"})["type"] == "pong"


def nested(depth: int) -> str:
    """A JSON object so deep."""
    return '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)


@pytest.mark.parametrize(
    "text",
    [
        "this is not JSON",
        "",
        "{",
        '{"type":"ping"} x',
        '{"type":"ping",}',
        "[]",
        '"ping"',
        "null",
        "12",
        "{}",
        '{"type":5}',
        '{"type":"ping","id":{}}',
        '{"type":"ping","id":1.5}',
        '{"type":"ping","id":"' + "x" * 65 + '"}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","topics":"t.X"}',
        '{"type":"subscribe","topics":[1]}',
        '{"type":"subscribe","topics":["t.X"],"snapshot":"yes"}',
        '{"type":"subscribe","topics":["t.X"],"max_rate":-1}',
        '{"type":"subscribe","topics":["t.X"],"max_rate":1001}',
        '{"type":"unsubscribe","topics":{}}',
        '{"type":"publish","topic":7,"data":{}}',
        '{"type":"list","pattern":[]}',
        '{"type":"list","limit":-1}',
        '{"type":"auth","token":1}',
        '{"type":"auth","token":"' + "x" * 8193 + '"}',
        '{"type":"ping","x":' + nested(17) + "}",
        '{"type":"ping","x":"\\ud800"}',
    ],
    ids=lambda text: text[:40],
)
def test_a_message_of_the_wrong_form_is_answered(client: Wire, text: str) -> None:
    answer = client.ask(text)
    assert answer["type"] == "error"
    assert answer["code"] == "bad_message"
    assert answer["retryable"] is False
    assert answer["message"]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"type": "subscribe", "id": 1, "topics": "t.X"}, "topics"),
        ({"type": "subscribe", "id": 1, "topics": ["t.X", 5]}, "topics[1]"),
        ({"type": "subscribe", "id": 1, "topics": ["t.X"], "max_rate": "fast"}, "max_rate"),
        ({"type": "publish", "id": 1, "topic": None, "data": {}}, "topic"),
    ],
)
def test_an_error_names_the_field_and_the_command(
    client: Wire, message: dict[str, Any], field: str
) -> None:
    answer = client.ask(message)
    assert (answer["id"], answer["field"]) == (1, field)


def test_an_unknown_command(client: Wire) -> None:
    answer = client.ask({"type": "dance", "id": 9})
    assert (answer["code"], answer["field"], answer["id"]) == ("unknown_command", "type", 9)


def test_ids_up_to_their_limit_are_echoed(client: Wire) -> None:
    for value in ("x" * 64, 0, -1, 9_007_199_254_740_993):
        assert client.ask({"type": "ping", "id": value})["id"] == value


@pytest.mark.parametrize(
    ("topic", "is_valid"),
    [
        ("a" * 200, True),
        ("a" * 201, False),
        (".".join("a" * 16), True),
        (".".join("a" * 17), False),
        ("", False),
        ("a..b", False),
        (".a", False),
        ("a.", False),
        ("no such topic!", False),
        ("t.é", False),
        ("a.>.b", False),
        ("a.b*", False),
    ],
)
def test_a_bad_topic_is_refused_and_the_others_are_served(
    client: Wire, topic: str, is_valid: bool
) -> None:
    answer = client.ask({"type": "subscribe", "topics": [topic, "t.X"]})
    assert answer["type"] == "ack"
    first, second = answer["results"]
    assert first["topic"] == topic
    assert ("error" in first) is not is_valid
    if not is_valid:
        assert first["error"]["code"] == "bad_topic"
    assert second == {"topic": "t.X", "seq": 1}
    assert client.receive()["type"] == "snapshot"


def test_unsubscribing_from_what_is_not_subscribed(client: Wire) -> None:
    answer = client.ask({"type": "unsubscribe", "topics": ["t.X", "t.*", "bad topic"]})
    codes = [result["error"]["code"] for result in answer["results"]]
    assert codes == ["not_subscribed", "not_subscribed", "bad_topic"]


def test_a_command_holds_10000_topics_and_no_more(client: Wire) -> None:
    topics = [f"many.{number}" for number in range(10_001)]
    answer = client.ask({"type": "subscribe", "topics": topics})
    assert (answer["type"], answer["code"]) == ("error", "too_large")
    answer = client.ask({"type": "subscribe", "topics": topics[:-1]})
    assert (answer["type"], len(answer["results"])) == ("ack", 10_000)


@pytest.mark.parametrize("data", ["[]", "5", '"text"', "null"])
def test_a_payload_that_is_no_object(client: Wire, data: str) -> None:
    answer = client.ask(f'{{"type":"publish","id":1,"topic":"t.Y","data":{data}}}')
    assert (answer["type"], answer["id"], answer["code"]) == ("error", 1, "bad_data")


def test_a_payload_up_to_its_depth(client: Wire) -> None:
    answer = client.ask(f'{{"type":"publish","topic":"t.Y","data":{nested(16)}}}')
    assert answer["type"] == "ack"
    answer = client.ask(f'{{"type":"publish","topic":"t.Y","data":{nested(17)}}}')
    assert (answer["type"], answer["code"]) == ("error", "bad_data")


def test_a_payload_up_to_its_limit(client: Wire) -> None:
    data = json.dumps({"x": "y" * (PAYLOAD_BYTES_MAX - 8)}, separators=(",", ":"))
    assert len(data) == PAYLOAD_BYTES_MAX
    answer = client.ask(f'{{"type":"publish","topic":"t.big","data":{data}}}')
    assert answer["type"] == "ack"
    longer = data.replace("y", "yy", 1)
    answer = client.ask(f'{{"type":"publish","topic":"t.big","data":{longer}}}')
    assert (answer["type"], answer["code"]) == ("error", "bad_data")
    assert str(PAYLOAD_BYTES_MAX) in answer["message"].replace(",", "")


def test_an_image_does_not_grow_past_its_limit(client: Wire) -> None:
    third = "y" * (IMAGE_BYTES_MAX // 3)
    assert client.publish("t.big", {"a": third}) == 1
    assert client.publish("t.big", {"b": third}) == 2
    answer = client.ask({"type": "publish", "topic": "t.big", "data": {"c": third}})
    assert (answer["type"], answer["code"]) == ("error", "bad_data")
    assert client.publish("t.big", {"a": 1}) == 3, "the refused update took no seq"


def test_a_message_up_to_its_limit(client: Wire) -> None:
    text = json.dumps({"type": "ping", "id": 1})
    client.send(text[:-1] + " " * (MESSAGE_BYTES_MAX - len(text)) + "}")
    assert client.receive()["type"] == "pong"


def closed_with(client: Wire) -> int:
    with pytest.raises(ConnectionClosedError) as closed:
        client.connection.recv(timeout=60)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_longer_message_is_closed_with_1009(daemon: DaemonProcess) -> None:
    with daemon.connect() as client:
        text = json.dumps({"type": "ping", "id": 1})
        client.send(text[:-1] + " " * (MESSAGE_BYTES_MAX + 1 - len(text)) + "}")
        assert closed_with(client) == 1009


@pytest.mark.parametrize("text", [b"\xff", b'{"type":"ping","id":"\xc3\x28"}', b"\xed\xa0\x80"])
def test_a_text_that_is_not_utf8_is_closed_with_1007(daemon: DaemonProcess, text: bytes) -> None:
    with daemon.connect() as client:
        client.connection.send(text, text=True)
        assert closed_with(client) == 1007


def test_a_binary_message_is_closed_with_4501(daemon: DaemonProcess) -> None:
    with daemon.connect() as client:
        client.send(b'{"type":"ping"}')
        assert closed_with(client) == 4501


@pytest.mark.parametrize("policy", ["none", "grant"])
def test_publishing_without_the_right(start_daemon: StartDaemon, policy: str) -> None:
    daemon = start_daemon("--set", f"auth.publish={policy}")
    with daemon.connect() as client:
        answer = client.ask({"type": "publish", "id": 1, "topic": "t.X", "data": {}})
        assert (answer["type"], answer["code"]) == ("error", "denied")
        assert daemon.http("/v1/snapshot/t.X").status == 404
        assert client.ask({"type": "ping"})["type"] == "pong"


def test_a_token_without_an_authenticator(client: Wire) -> None:
    answer = client.ask({"type": "auth", "id": 6, "token": "eyJ"})
    assert answer == {"type": "ack", "id": 6, "judged": False}


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("a" * 8192, None),
        ("a+b/c==", None),
        ("%C3%BC", None),
        ("a" * 8193, "bad_message"),
        ("%ff", "bad_message"),
        ("a%ED%A0%80", "bad_message"),
    ],
)
def test_a_token_in_the_url_is_held_to_the_limits_of_auth(
    daemon: DaemonProcess, token: str, code: str | None
) -> None:
    with daemon.connect(f"?token={token}") as client:
        answer = client.receive()
        if code is None:  # this server has nobody who judges it
            assert answer == {"type": "ack", "judged": False}
        else:
            assert (answer["type"], answer["code"], answer.get("id")) == ("error", code, None)
            assert answer["field"] == "token"
        assert client.ask({"type": "ping"})["type"] == "pong"


@pytest.mark.parametrize("query", ["?token=%0a", "?token=%", "?token=a&token=b", "?to%00ken=a"])
def test_a_query_that_can_be_read_in_two_ways_is_refused(daemon: DaemonProcess, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        daemon.connect(query)
    assert refused.value.response.status_code == 400


@pytest.mark.parametrize(
    "head",
    [
        b"GET /%0aHost:%20localhost HTTP/1.1\r\nHost: localhost",
        b"GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
        b"GET /v1/sessions HTTP/1.1\r\nHost : localhost\r\nHost: localhost",
        b"GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\n Host: localhost",
        b"GET http://localhost/v1/sessions HTTP/1.1\r\nHost: localhost",
        b"GET /v1/sessions HTTP/1.1",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(daemon: DaemonProcess, head: bytes) -> None:
    host, _, port = daemon.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(head + b"\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/snapshot/t.Y", 404, "unknown_topic"),
        ("/v1/snapshot/no%20topic", 400, "bad_topic"),
        ("/v1/snapshot/t.*", 400, "bad_topic"),
        ("/v1/snapshot/", 400, "bad_topic"),
        ("/v1/topics?pattern=a..b", 400, "bad_topic"),
        ("/v1/topics?limit=x", 400, "bad_message"),
    ],
)
def test_a_bad_http_request(daemon: DaemonProcess, path: str, status: int, code: str) -> None:
    answer = daemon.http(path)
    assert answer.status == status
    assert answer.json["error"]["code"] == code
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_path_that_is_nothing(daemon: DaemonProcess) -> None:
    for path in ("/nothing", "/../etc/passwd", "/%2e%2e/etc/passwd", "/v1"):
        assert daemon.http(path).status in (400, 404), path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_method_that_is_not_allowed(daemon: DaemonProcess, method: str) -> None:
    assert daemon.http("/v1/topics", method).status == 405


def test_an_origin_that_is_not_allowed(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", 'server.origins=["https://ours.example"]')
    with daemon.connect(origin="https://ours.example"):
        pass
    with pytest.raises(InvalidStatus) as refused:
        daemon.connect(origin="https://theirs.example")
    assert refused.value.response.status_code == 403


def test_a_flood_of_nonsense_does_not_slow_the_others(daemon: DaemonProcess) -> None:
    with daemon.connect() as flooder, daemon.connect() as other:
        for _ in range(2_000):
            flooder.send("nonsense")
        assert other.ask({"type": "ping"})["type"] == "pong"
        for _ in range(2_000):
            assert flooder.receive()["code"] == "bad_message"


@pytest.mark.parametrize(
    "data",
    [
        nested(17),
        nested(500),
        "[" * 5000 + "]" * 5000,
        '{"a":1e400}',
        '{"a":' + "9" * 400 + "}",
        '{"a":"\\ud800"}',
        '{"a":01}',
        "nothing",
    ],
    ids=lambda text: text[:12],
)
def test_a_publish_is_refused_with_its_id_whatever_is_wrong_with_it(
    client: Wire, data: str
) -> None:
    for text in (
        f'{{"type":"publish","id":3,"topic":"t.Y","data":{data}}}',
        f'{{"data":{data},"topic":"t.Y","id":3,"type":"publish"}}',
    ):
        answer = client.ask(text)
        assert (answer["type"], answer.get("id")) == ("error", 3)
        if data.startswith("{"):
            assert (answer["code"], answer["field"]) == ("bad_data", "data")


def test_a_message_passes_however_well_it_compresses(daemon: DaemonProcess) -> None:
    for data in ("x" * (PAYLOAD_BYTES_MAX - len('{"x": ""}')), [["0.00", "0.00", 0]] * 20_000):
        with Wire(connect(f"ws://{daemon.address}/ws", max_size=None)) as client:
            answer = client.ask({"type": "publish", "topic": "big.A", "data": {"x": data}})
            assert answer["type"] == "ack", answer
