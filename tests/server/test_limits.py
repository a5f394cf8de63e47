"""Limits of the plant: at each all goes on, one past it what is new is refused, and it heals."""

import re
import socket
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


def test_a_message_of_too_many_values(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "auth.publish=open")
    with daemon.connect() as client:
        ones = "1," * (250_000 - 6) + "1"  # beside the message's own five values, and the array
        text = '{"type":"publish","id":%d,"topic":"a","data":{"a":[%s]}}'
        assert client.ask(text % (1, ones))["type"] == "ack"
        refused = client.ask(text % (2, ones + ",1"))
        assert (refused["code"], refused["id"]) == ("bad_message", 2)
        assert limited(daemon, "json_elements_max") == 1
