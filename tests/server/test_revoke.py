"""A subject or a session is revoked at a real server, by HTTP and by the command line."""

import json
import re
import socket
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from server.conftest import StartDaemon
from server.daemon_process import Answer, DaemonProcess, Wire
from server.test_admin import TOKEN, Tickwire, tickwire
from server.tokens import Issuer

__all__ = ["tickwire"]

WITHIN_S = 60.0
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def plant(start_daemon: StartDaemon, issuer: Issuer) -> DaemonProcess:
    return start_daemon("--set", issuer.setting, "--set", "server.shards=2")


def post(daemon: DaemonProcess, body: Any, headers: dict[str, str] = JSON) -> Answer:
    """POST /v1/revoke over the admin socket."""
    connection = HTTPConnection("localhost", timeout=WITHIN_S)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with closing(connection):
        connection.sock.settimeout(WITHIN_S)
        connection.sock.connect(daemon.admin_socket)
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", "/v1/revoke", text, headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())


def signed_in(daemon: DaemonProcess, issuer: Issuer, subject: str) -> Wire:
    client = daemon.connect()
    token = issuer.token(">", sub=subject, iat=int(time.time()) - 1)
    assert client.ask({"type": "auth", "id": 1, "token": token})["type"] == "ack"
    return client


def end_of(client: Wire) -> tuple[int, str]:
    """Reads on to the end: the close code and its reason."""
    with pytest.raises(ConnectionClosed) as closed:
        for _ in iter(client.receive, None):
            pass
    received = closed.value.rcvd
    assert received is not None
    return received.code, received.reason


def is_let_in(daemon: DaemonProcess, token: str) -> bool:
    with daemon.connect() as client:
        answer = client.ask({"type": "auth", "id": 1, "token": token})
        assert answer["type"] == "ack" or answer["code"] == "denied"
        return bool(answer["type"] == "ack")


def test_a_subject_is_put_out_and_kept_out_until_a_fresh_token(
    plant: DaemonProcess, issuer: Issuer
) -> None:
    old = issuer.token(">", sub="mia", iat=int(time.time()) - 1)
    undated = issuer.token(">", sub="mia")
    others = signed_in(plant, issuer, "paul")
    clients = [signed_in(plant, issuer, "mia") for _ in range(4)]  # over both loops
    before_s = time.time()
    answer = post(plant, {"subject": "mia"})
    assert answer.status == 200, answer.body
    assert answer.json["subject"] == "mia"
    assert answer.json["sessions"] == 4
    assert answer.json["kept_in"] == "memory"
    assert answer.json["until"] >= (before_s + 86_400) * 1000
    assert [end_of(client) for client in clients] == [(4502, "revoked")] * 4
    assert not is_let_in(plant, old)
    assert not is_let_in(plant, undated)
    assert is_let_in(plant, issuer.token(">", sub="mia", iat=int(time.time()) + 1))
    assert is_let_in(plant, issuer.token(">", sub="paul"))
    assert others.ask({"type": "ping", "id": 9})["type"] == "pong"
    assert "restart forgets" in plant.log()


def test_one_session_ends_by_its_name(plant: DaemonProcess, issuer: Issuer) -> None:
    first, second = (signed_in(plant, issuer, "mia") for _ in range(2))
    name = second.welcome["session"]
    listed = plant.admin("/v1/sessions").json["sessions"]
    assert {one["subject"] for one in listed} == {"mia"}
    assert post(plant, {"session": name}).json == {"session": name, "sessions": 1}
    assert end_of(second)[0] == 4502
    assert first.ask({"type": "ping", "id": 9})["type"] == "pong"
    assert post(plant, {"session": name}).json["sessions"] == 0


def test_a_restart_with_a_store_does_not_forget(start_daemon: StartDaemon, issuer: Issuer) -> None:
    settings = ("--set", issuer.setting, "--set", "store.path=ticks.db")
    old = issuer.token(">", sub="mia", iat=int(time.time()) - 1)
    daemon = start_daemon(*settings)
    assert post(daemon, {"subject": "mia"}).json["kept_in"] == "store"
    daemon.kill()
    for _ in range(2):
        daemon = start_daemon(*settings)
        assert not is_let_in(daemon, old)
        assert daemon.stop() == 0
    without = start_daemon(*settings[:2])
    assert is_let_in(without, old)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "subject"),
        ({"subject": ""}, "subject"),
        ({"subject": "a", "session": "b"}, "session"),
        ({"subject": 7}, "subject"),
        ({"subject": "x" * 8_193}, "subject"),
        ({"subjekt": "mia"}, ""),
        ([], ""),
        (b"", ""),
        (b"{", ""),
        (b'{"subject":"a","subject":"b"}', ""),
    ],
)
def test_a_bad_body_revokes_nothing_and_is_told_why(
    plant: DaemonProcess, body: Any, field: str
) -> None:
    answer = post(plant, body)
    assert answer.status == 400, answer.body
    assert answer.json["error"]["code"] == "bad_message"
    assert field in answer.json["error"]["message"]
    assert "audit" not in plant.log()


def test_the_request_must_be_one_that_no_page_can_make(plant: DaemonProcess) -> None:
    body = {"subject": "mia"}
    for headers, status in (
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (JSON | {"Origin": "http://127.0.0.1"}, 403),
        (JSON | {"Origin": "null"}, 403),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, 200),
    ):
        assert post(plant, body, headers).status == status, headers
    assert post(plant, {"subject": "x" * 8_192}).status == 200
    assert post(plant, b" " * 65_537).status == 413
    assert plant.admin("/v1/revoke").status == 405
    assert plant.http("/v1/revoke", "POST", JSON).status in (403, 405)
    chunked = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    assert post(plant, b"0\r\n\r\n", chunked).status == 411


def test_a_body_that_comes_in_pieces_is_waited_for(plant: DaemonProcess) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(WITHIN_S)
        client.connect(plant.admin_socket)
        head = b"POST /v1/revoke HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for piece in (head, b"Content-Length: 17\r\n\r\n{", b'"subject"', b':"mia"}'):
            client.sendall(piece)
            assert plant.http("/ready").status == 200  # so that the loop has read it
        assert client.recv(64).startswith(b"HTTP/1.1 200 ")


def test_tcp_needs_the_token(start_daemon: StartDaemon, tickwire: Tickwire) -> None:
    daemon = start_daemon("--set", "admin.listen=127.0.0.1:0", *TOKEN)
    found = re.search(r"admin listener: (\S+:\d+)", daemon.log())
    assert found
    revoke = ("revoke", "--subject", "mia", "--admin", found[1])
    assert tickwire(*revoke).returncode == 4
    assert tickwire(*revoke, "--token", "wrong").returncode == 4
    done = tickwire(*revoke, "--token", "s3cret")
    assert json.loads(done.stdout)["sessions"] == 0
    who = re.search(r'audit: who="auth.admin_token" from="127.0.0.1:\d+" revoke', daemon.log())
    assert who, daemon.log()
    assert daemon.log().count(" revoke ") == 1
    refused = 'refused request="POST /v1/revoke"'
    assert [refused in line for line in daemon.log().splitlines() if "audit:" in line] == [
        True,
        True,
        False,
    ]
    assert "s3cret" not in daemon.log()


def test_the_command_revokes_and_the_log_says_who_did(
    plant: DaemonProcess, issuer: Issuer, tickwire: Tickwire
) -> None:
    client = signed_in(plant, issuer, 'mi"a')
    done = tickwire("revoke", "--subject", 'mi"a', "--url", plant.address)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sessions"] == 1
    assert "a restart of the server before" in done.stderr
    assert end_of(client) == (4502, "revoked")
    other = signed_in(plant, issuer, "paul")
    name = other.welcome["session"]
    done = tickwire("revoke", "--session", name, "--url", plant.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert end_of(other)[0] == 4502
    lines = [line for line in plant.log().splitlines() if "audit:" in line]
    assert len(lines) == 2
    assert re.match(
        r'\S+Z? info audit: who="admin socket" from="uid \d+, pid \d+" revoke subject="mi\\"a"'
        r" sessions=1 until=\d+ kept_in=memory$",
        lines[0],
    ), lines
    assert lines[1].endswith(f'revoke session="{name}" sessions=1')


@pytest.mark.parametrize("args", [(), ("--subject", "a", "--session", "b")])
def test_the_command_takes_one_of_both(tickwire: Tickwire, args: tuple[str, ...]) -> None:
    ended = tickwire("revoke", *args)
    assert ended.returncode == 2
    assert "--subject" in ended.stderr


def test_how_long_a_token_may_live_is_configured(
    start_daemon: StartDaemon, issuer: Issuer, run: Any
) -> None:
    daemon = start_daemon("--set", issuer.setting, "--set", "auth.jwt.max_age_s=100")
    assert is_let_in(daemon, issuer.token(">", ttl_s=99))
    assert not is_let_in(daemon, issuer.token(">", ttl_s=130))  # the leeway is 10 s
    now = int(time.time())
    assert is_let_in(daemon, issuer.token(">", iat=now - 50, exp=now + 50))
    assert not is_let_in(daemon, issuer.token(">", iat=now - 51, exp=now + 50))
    assert post(daemon, {"subject": "mia"}).json["until"] <= (time.time() + 120) * 1000
    refused = run("--check", "--set", "auth.jwt.max_age_s=0")
    assert refused.returncode == 2
    assert "auth.jwt.max_age_s" in refused.stderr
