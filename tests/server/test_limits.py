"""Limits of the plant: at each all goes on, one past it what is new is refused, and it heals."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from conftest import Eventually
from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

OTHER_HOST = "127.0.0.2"  # an address like any other, unlike 127.0.0.1


def limited(daemon: DaemonProcess, limit: str) -> int:
    text = daemon.admin("/metrics").body.decode()
    found = re.search(rf'tickwire_limited_total{{reason="{limit}"}} (\d+)', text)
    assert found, text
    return int(found[1])


def status_from(daemon: DaemonProcess, host: str = OTHER_HOST) -> tuple[int, str]:
    """The status of a /health that is asked from an address, and its headers; 0: no answer."""
    address, _, port = daemon.address.rpartition(":")
    with socket.create_connection((address, int(port)), 10, (host, 0)) as client:
        try:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = client.makefile("rb").read().decode()
        except ConnectionError:
            return 0, ""
    return (int(answer.split()[1]) if answer else 0), answer


def test_connections_in_all(start_daemon: StartDaemon, eventually: Eventually) -> None:
    daemon = start_daemon("--set", "limits.connections_max=2")
    with daemon.connect() as first:
        with daemon.connect():
            status, answer = status_from(daemon, "127.0.0.1")
            assert status in (0, 503)  # 0: the refusal was lost to the reset
            assert status == 0 or "Retry-After: " in answer
            assert limited(daemon, "connections_max") == 1
            assert first.ask({"type": "ping", "id": 1})["type"] == "pong"
        assert eventually(lambda: status_from(daemon, "127.0.0.1")[0] == 200)


def test_connections_of_one_address(start_daemon: StartDaemon, eventually: Eventually) -> None:
    daemon = start_daemon("--set", "limits.connections_per_address_max=1")
    with daemon.connect(source_address=(OTHER_HOST, 0)):
        assert status_from(daemon)[0] in (0, 503)
        assert status_from(daemon, "127.0.0.3")[0] == 200
        assert [status_from(daemon, "127.0.0.1")[0] for _ in range(3)] == [200] * 3
        assert limited(daemon, "connections_per_address_max") == 1
    assert eventually(lambda: status_from(daemon)[0] == 200)


def test_new_connections_of_one_address(start_daemon: StartDaemon, eventually: Eventually) -> None:
    daemon = start_daemon("--set", "limits.new_connections_per_s=1")
    eventually(lambda: status_from(daemon)[0] != 200)
    assert limited(daemon, "new_connections_per_s") == 1
    assert status_from(daemon, "127.0.0.3")[0] == 200
    assert eventually(lambda: status_from(daemon)[0] == 200)


@pytest.mark.parametrize(
    ("limit", "command"),
    [
        ("commands_per_s", {"type": "ping"}),
        ("lists_per_s", {"type": "list"}),
        ("publishes_per_s", {"type": "publish", "topic": "a", "data": {}}),
    ],
)
def test_commands_a_second(start_daemon: StartDaemon, limit: str, command: dict[str, Any]) -> None:
    daemon = start_daemon("--set", "auth.publish=open", "--set", f"limits.{limit}=1")
    with daemon.connect() as client:
        answers = [client.ask(command | {"id": number}) for number in range(4)]
        refused = [answer for answer in answers if answer.get("code") == "too_many"]
        assert answers[0]["type"] != "error"
        assert refused
        assert all(0 < answer["retry_after_ms"] <= 10_000 for answer in refused)
        assert limited(daemon, limit) == len(refused)

        def go_on_all_the_same() -> None:
            for number in range(100):
                client.ask(command | {"id": number})

        with pytest.raises(ConnectionClosedError) as end:
            go_on_all_the_same()
        assert end.value.rcvd is not None
        assert end.value.rcvd.code == 1008


def test_past_the_soft_limit_of_memory_only_what_is_new_is_refused(
    start_daemon: StartDaemon, eventually: Eventually
) -> None:
    daemon = start_daemon("--set", "auth.publish=open", "--set", "limits.memory_mb=1")
    with daemon.connect() as client:
        client.publish("t.A", {"n": 1})

        def refused() -> bool:
            try:
                daemon.connect().connection.close()
            except InvalidStatus as e:
                return e.response.status_code == 503 and "Retry-After" in e.response.headers
            return False

        assert eventually(refused)
        assert client.publish("t.A", {"n": 2}) == 2
        answer = client.ask({"type": "publish", "id": 1, "topic": "t.B", "data": {}})
        assert (answer["code"], answer["retryable"]) == ("too_many", True)
        [result] = client.ask({"type": "subscribe", "topics": ["new.*"]})["results"]
        assert result["error"]["code"] == "too_many"
        assert client.ask({"type": "subscribe", "topics": ["t.A"]})["type"] == "ack"
        assert limited(daemon, "memory_mb") >= 2


@pytest.mark.parametrize(
    ("limit", "command"),
    [
        ("commands_per_address_per_s", {"type": "ping"}),
        ("lists_per_address_per_s", {"type": "list"}),
        ("publishes_per_address_per_s", {"type": "publish", "topic": "a", "data": {}}),
    ],
)
def test_commands_a_second_of_one_address(
    start_daemon: StartDaemon, limit: str, command: dict[str, Any]
) -> None:
    daemon = start_daemon("--set", "auth.publish=open", "--set", f"limits.{limit}=1")
    with daemon.connect(source_address=(OTHER_HOST, 0)) as client:
        answers = [client.ask(command | {"id": number}) for number in range(4)]
    refused = [answer for answer in answers if answer.get("code") == "too_many"]
    assert answers[0]["type"] != "error"
    assert refused
    assert limited(daemon, limit) == len(refused)


@pytest.mark.parametrize(
    ("limit", "topics"),
    [("subscriptions_per_session_max", "ab"), ("patterns_per_session_max", [">", "*"])],
)
def test_subscriptions_of_a_session(
    start_daemon: StartDaemon, limit: str, topics: list[str]
) -> None:
    daemon = start_daemon("--set", f"limits.{limit}=1")
    with daemon.connect() as client:
        at, past = (client.ask({"type": "subscribe", "topics": [topic]}) for topic in topics)
    assert "error" not in at["results"][0]
    assert past["results"][0]["error"]["code"] == "too_many"
    assert limited(daemon, limit) == 1


def nested(levels: int) -> str:
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


def publish(data: str, topic: str = "a") -> str:
    return f'{{"type":"publish","topic":"{topic}","data":{data}}}'


def bytes_of_data(size: int, key: str = "a") -> str:
    return f'{{"{key}":"{"x" * (size - 8)}"}}'


def subscribe(*topics: str, **more: Any) -> str:
    return json.dumps({"type": "subscribe", "topics": topics} | more)


def since(topics: int) -> str:
    return subscribe("a", epoch="e", since={f"t.{i}": 1 for i in range(topics)})


# What a client may send at the limit, and one past it.
AT_AND_PAST = {
    "topic_name_bytes_max": [subscribe("a" * size) for size in (200, 201)],
    "topic_tokens_max": [subscribe(".".join("a" * tokens)) for tokens in (16, 17)],
    "topics_per_command_max": [
        subscribe(*(f"t.{number}" for number in range(topics))) for topics in (10_000, 10_001)
    ],
    "since_topics_max": [since(topics) for topics in (100_000, 100_001)],
    "id_bytes_max": [json.dumps({"type": "ping", "id": "x" * size}) for size in (64, 65)],
    "token_bytes_max": [
        json.dumps({"type": "auth", "token": "x" * size}) for size in (8_192, 8_193)
    ],
    "list_topics_max": [json.dumps({"type": "list", "limit": limit}) for limit in (10_000, 10_001)],
    "json_depth_max": [publish(nested(levels)) for levels in (16, 17)],
    "payload_bytes_max": [publish(bytes_of_data(size)) for size in (1 << 20, (1 << 20) + 1)],
}


@pytest.mark.parametrize("limit", AT_AND_PAST)
def test_what_a_command_may_hold(start_daemon: StartDaemon, limit: str) -> None:
    daemon = start_daemon("--set", "auth.publish=open")
    at, past = AT_AND_PAST[limit]
    with daemon.connect() as client:
        answer = client.ask(at)
        assert answer["type"] in ("ack", "pong"), answer
        assert "error" not in answer.get("results", [{}])[0]
        assert limited(daemon, limit) == 0
        answer = client.ask(past)
        assert answer["type"] == "error" or "error" in answer["results"][0]
        assert limited(daemon, limit) == 1


def test_an_image_past_its_limit(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "auth.publish=open")
    with daemon.connect() as client:
        for key in "ab":  # one brace of each is not there in the image of both, a comma is
            assert client.ask(publish(bytes_of_data(1 << 20, key)))["type"] == "ack"
        assert limited(daemon, "image_bytes_max") == 0
        assert client.ask(publish('{"c":1}'))["code"] == "bad_data"
        assert limited(daemon, "image_bytes_max") == 1


def test_a_list_that_the_server_cuts_short(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "auth.publish=open")
    with daemon.connect() as client:
        for number in range(10_001):
            client.publish(f"t.{number}", {})
        assert client.ask({"type": "list", "limit": 9_999})["next"]
        assert limited(daemon, "list_topics_max") == 0
        assert client.ask({"type": "list"})["next"]
        assert limited(daemon, "list_topics_max") == 1
    assert daemon.http("/v1/topics").json["next"]
    assert daemon.http("/v1/topics?limit=10001").status == 400
    assert limited(daemon, "list_topics_max") == 3
    assert daemon.admin("/v1/sessions?limit=10001").status == 400
    assert limited(daemon, "list_sessions_max") == 1


def raw_status(daemon: DaemonProcess, request: str) -> int:
    address, _, port = daemon.address.rpartition(":")
    with socket.create_connection((address, int(port)), 60) as client:
        client.sendall(request.encode())
        return int(client.makefile("rb").readline().split()[1])


def test_a_request_head_of_too_many_bytes_or_headers(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    line = "GET /health HTTP/1.1\r\nHost: localhost\r\n"
    long = line + f"X: {'x' * (16_384 - len(line) - 7)}\r\n\r\n"
    many = line + "X: x\r\n" * 99 + "\r\n"
    for limit, at, past in (
        ("request_head_bytes_max", long, long.replace("X: ", "X: x")),
        ("request_headers_max", many, many.replace(line, line + "Y: y\r\n")),
    ):
        assert raw_status(daemon, at) == 200
        assert limited(daemon, limit) == 0
        assert raw_status(daemon, past) == 431
        assert limited(daemon, limit) == 1


def test_every_limit_is_provoked_by_a_test() -> None:
    """Somewhere a test sees the counter of each limit grow, by the limit's name."""
    root = Path(__file__).parents[2]
    source = (root / "core/base/limit.h").read_text()
    enumerators = re.findall(r"^  (k\w+),$", source, re.MULTILINE)
    names = re.findall(r'^    "(\w+)",$', source, re.MULTILINE)
    assert len(enumerators) == len(names) > 50
    python = Path(__file__).read_text()
    cpp = "".join(file.read_text() for file in (root / "tests/core").rglob("*_test.cc"))
    never = [
        name
        for enumerator, name in zip(enumerators, names, strict=True)
        if f'"{name}"' not in python and not re.search(rf"Limit::{enumerator}\b", cpp)
    ]
    assert not never


def test_a_message_of_too_many_values(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "auth.publish=open")
    with daemon.connect() as client:
        ones = "1," * (250_000 - 6) + "1"  # beside the message's own five values, and the array
        text = '{"type":"publish","id":%d,"topic":"a","data":{"a":[%s]}}'
        assert client.ask(text % (1, ones))["type"] == "ack"
        refused = client.ask(text % (2, ones + ",1"))
        assert (refused["code"], refused["id"]) == ("bad_message", 2)
        assert limited(daemon, "json_elements_max") == 1
