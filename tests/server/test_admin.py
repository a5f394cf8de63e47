"""What the admin listener of a real server tells, to whom, and how programs find it."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from server.conftest import Run, StartDaemon
from server.daemon_process import DaemonProcess

Tickwire = Callable[..., "subprocess.CompletedProcess[str]"]
TOKEN = ("--set", "auth.admin_token=s3cret")
NAMES = ("plugins", "store_stats", "loops", "address", "sock", "ticks.db")


@pytest.fixture
def tickwire(programs: Path, clean_environment: dict[str, str]) -> Tickwire:
    """tickwire("top", "--count", "1", NAME="value"): run to its end."""

    def run(*args: str, **env: str) -> "subprocess.CompletedProcess[str]":
        command = [programs / "tickwire", *args]
        environment = clean_environment | env
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)

    return run


def top(tickwire: Tickwire, *args: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return tickwire("top", "--interval", "0.1", "--count", "1", *args, **env)


def tcp_admin(daemon: DaemonProcess, **headers: str) -> tuple[int, str]:
    """The status and the body of /v1/sessions over TCP, with exactly these headers."""
    found = re.search(r"admin listener: (\S+):(\d+)", daemon.log())
    assert found, daemon.log()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((found[1], int(found[2])), timeout=60) as client:
        client.sendall(f"GET /v1/sessions HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        answer = b""
        while some := client.recv(65536):
            answer += some
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), body


# --- what is public -------------------------------------------------------------------------------


def test_the_public_port_names_nothing_and_says_where_sessions_are(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--set", "store.path=ticks.db")
    for path in ("/health", "/ready"):
        answer = daemon.http(path)
        assert answer.status == 200
        assert daemon.http(path, "HEAD").status == 200
        assert not [name for name in NAMES if name in answer.body.decode()]
    assert daemon.http("/health").json["store"] == "ok"
    assert daemon.http("/ready").json == {"status": "ready"}
    for headers in ({}, {"Authorization": "Bearer s3cret"}, {"Host": "localhost"}):
        refused = daemon.http("/v1/sessions", headers=headers)
        assert refused.status == 403
        assert "admin.listen" in refused.json["error"]["message"]


def test_the_admin_is_told_what_the_public_is_told_and_more(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.shards=2")
    public, full = daemon.http("/health").json, daemon.admin("/health").json
    del public["ts"]
    assert {name: full[name] for name in public} == public
    assert full["address"] == daemon.address
    assert [loop["turning"] for loop in full["loops"]] == [True, True]
    assert "Access-Control-Allow-Origin" not in daemon.admin("/health").headers
    assert daemon.admin("/v1/topics").json == {"topics": [], "next": None}
    for origin in ("http://127.0.0.1", ""):
        assert daemon.admin("/health", headers={"Origin": origin}).status == 403


# --- the socket -----------------------------------------------------------------------------------


def test_the_socket_is_for_its_user_alone_and_goes_with_the_server(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon()
    place = Path(daemon.admin_socket)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert daemon.stop() == 0
    assert not place.exists()


def test_the_socket_of_a_killed_server_is_cleared_away_by_the_next(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    env = {"XDG_RUNTIME_DIR": str(tmp_path)}  # apart from servers of others
    killed = start_daemon(env=env)
    killed.kill()
    assert Path(killed.admin_socket).exists()
    start_daemon(env=env)
    assert not Path(killed.admin_socket).exists()


def test_a_named_socket_is_taken_over_from_the_dead_and_not_from_the_living(
    start_daemon: StartDaemon, run: Run, tmp_path: Path
) -> None:
    place = tmp_path / "admin.sock"
    named = ("--set", f"admin.listen={place}")
    start_daemon(*named).kill()
    second = start_daemon(*named)
    assert second.admin("/health").status == 200
    third = run("--listen", "127.0.0.1:0", *named)
    assert third.returncode == 16
    assert f"{place}: another server listens there" in third.stderr
    assert second.admin("/health").status == 200


def test_clients_that_never_send_hold_nobody_up(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.shards=1")
    with ExitStack() as stack:
        for _ in range(200):
            silent = stack.enter_context(socket.socket(socket.AF_UNIX))
            silent.connect(daemon.admin_socket)
            silent.setblocking(False)
        assert daemon.admin("/v1/sessions").json["total"] == 0
        assert daemon.http("/health").status == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_gets_nothing(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    command = ["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", code]
    tried = subprocess.run([*command, daemon.admin_socket], capture_output=True, text=True)
    assert "PermissionError" in tried.stderr


# --- TCP ------------------------------------------------------------------------------------------


def test_tcp_takes_the_token_and_answers_no_page(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "admin.listen=127.0.0.1:0", *TOKEN)
    good = {"Host": "127.0.0.1:9180", "Authorization": "Bearer s3cret"}
    assert tcp_admin(daemon, **good)[0] == 200
    for wrong in (
        {"Authorization": ""},
        {"Authorization": "Bearer wrong"},
        {"Host": "evil.example:9180"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
    ):
        status, body = tcp_admin(daemon, **good | wrong)
        assert status == 403, wrong
        assert json.loads(body)["error"]["code"] == "denied"
        assert "sessions" not in json.loads(body)


def test_tcp_without_a_token_is_an_error_that_names_the_way_out(run: Run) -> None:
    for args in (("--check",), ("--listen", "127.0.0.1:0")):
        refused = run(*args, "--set", "admin.listen=127.0.0.1:9180")
        assert refused.returncode == 2
        assert "needs auth.admin_token" in refused.stderr
        assert "auto" in refused.stderr
    refused = run("--check", "--set", "admin.listen=/" + "x" * 107)
    assert refused.returncode == 2
    assert "107 at most" in refused.stderr


def test_off_is_off(start_daemon: StartDaemon, tickwire: Tickwire) -> None:
    for value in ("off", ""):
        daemon = start_daemon("--set", f"admin.listen={value}")
        assert "admin listener" not in daemon.log()
        ended = top(tickwire, "--url", daemon.address)
        assert ended.returncode == 3
        assert "--admin" in ended.stderr
        health = tickwire("health", "--url", daemon.address)
        assert health.returncode == 0
        assert json.loads(health.stdout)["status"] == "ok"


# --- programs find it -----------------------------------------------------------------------------


def test_top_and_health_find_the_plant_at_its_public_address(
    start_daemon: StartDaemon, tickwire: Tickwire
) -> None:
    daemons = [start_daemon("--set", "server.shards=1") for _ in range(3)]
    for daemon in daemons:
        host, _, port = daemon.address.rpartition(":")
        for url in (daemon.address, f"http://{host}:{port}", f"ws://localhost:{port}/ws"):
            ended = top(tickwire, "--url", url)
            assert ended.returncode == 0, ended.stderr
            assert json.loads(ended.stdout)["health"]["address"] == daemon.address
        health = tickwire("health", "--url", daemon.address)
        assert json.loads(health.stdout)["loops"][0]["turning"] is True


def test_the_plant_is_found_though_its_environment_was_another(
    start_daemon: StartDaemon, tickwire: Tickwire, tmp_path: Path
) -> None:
    daemon = start_daemon(env={"XDG_RUNTIME_DIR": str(tmp_path)})
    assert daemon.admin_socket.startswith(str(tmp_path))
    found = top(tickwire, "--url", daemon.address, XDG_RUNTIME_DIR=str(tmp_path))
    assert json.loads(found.stdout)["health"]["address"] == daemon.address
    lost = top(tickwire, "--url", daemon.address, XDG_RUNTIME_DIR=str(tmp_path / "other"))
    assert lost.returncode == 3
    named = top(tickwire, "--admin", daemon.admin_socket)
    assert json.loads(named.stdout)["health"]["address"] == daemon.address


def test_top_takes_the_admin_listener_of_another_machine(
    start_daemon: StartDaemon, tickwire: Tickwire
) -> None:
    daemon = start_daemon("--set", "admin.listen=127.0.0.1:0", *TOKEN)
    found = re.search(r"admin listener: (\S+:\d+)", daemon.log())
    assert found
    seen = top(tickwire, "--admin", found[1], TICKWIRE_TOKEN="s3cret")
    assert json.loads(seen.stdout)["health"]["address"] == daemon.address
    refused = top(tickwire, "--admin", found[1])
    assert refused.returncode == 4
    assert "auth.admin_token" in refused.stderr


def test_who_cannot_connect_is_asked_whether_a_server_runs(tickwire: Tickwire) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"127.0.0.1:{nobody.getsockname()[1]}"
        for args in (("health",), ("top",), ("topics",), ("sub", "t.a"), ("pub", "t.a", "{}")):
            ended = tickwire(*args, "--url", url)
            assert ended.returncode == 3, args
            assert "is `tickwire serve` running there?" in ended.stderr, args


def test_a_port_in_use_is_said_with_the_way_out(start_daemon: StartDaemon, run: Run) -> None:
    taken = run("--listen", start_daemon().address)
    assert taken.returncode == 16
    assert "in use by another program; name another port" in taken.stderr


def test_health_is_503_to_the_end_and_ends_the_command_with_5(
    start_daemon: StartDaemon, tickwire: Tickwire, eventually: Any
) -> None:
    daemon = start_daemon("--set", "server.drain_s=5", "--set", "server.shards=1")
    with socket.create_connection(daemon.address.split(":")) as slow:  # it answers no close
        slow.sendall(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b"101" in slow.recv(64)
        place = daemon.admin_socket
        daemon.process.send_signal(signal.SIGTERM)
        eventually(lambda: daemon.admin("/health").status == 503)
        ended = tickwire("health", "--admin", place)
        assert ended.returncode == 5
        assert json.loads(ended.stdout)["status"] == "draining"
