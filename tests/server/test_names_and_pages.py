"""Which names and which pages a server serves: one rule each, for WebSockets, answers and pages."""

import socket

import pytest
from websockets.exceptions import InvalidStatus

from server.conftest import Run, StartDaemon
from server.daemon_process import DaemonProcess

PATHS = ("/health", "/v1/topics", "/tickwire.js", "/", "/nothing", "/ws")


def status(daemon: DaemonProcess, host: str, path: str = "/health") -> int:
    return daemon.http(path, headers={"Host": host}).status


def upgrade_status(daemon: DaemonProcess, host: str, origin: str) -> int:
    address, _, port = daemon.address.rpartition(":")
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        f"Origin: {origin}",
        "",
        "",
    ]
    with socket.create_connection((address, int(port)), 60) as client:
        client.sendall("\r\n".join(lines).encode())
        return int(client.recv(4096).split()[1])


def test_a_listener_on_loopback_serves_names_of_loopback_only(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    for host in (
        "localhost",
        "LocalHost:1",
        "a.localhost",
        "127.0.0.1:8080",
        "127.9.9.9",
        "[::1]:2",
    ):
        assert status(daemon, host) == 200, host
    for path in PATHS:
        answer = daemon.http(path, headers={"Host": "evil.example"})
        assert answer.status == 421, path
        assert answer.json["error"]["code"] == "denied"
        assert "server.hosts" in answer.json["error"]["message"]
    assert upgrade_status(daemon, "evil.example", "http://evil.example") == 421
    assert upgrade_status(daemon, "localhost", "http://localhost:3000") == 101


def test_a_name_that_is_listed_is_served_at_loopback_too(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", 'server.hosts=["Ticks.example", "*.b.example"]')
    assert [status(daemon, host) for host in ("ticks.example:443", "x.b.example", "localhost")] == [
        200
    ] * 3
    assert [status(daemon, host) for host in ("b.example", "a.ticks.example", "evil.example")] == [
        421
    ] * 3
    assert upgrade_status(daemon, "ticks.example", "https://ticks.example") == 101
    assert upgrade_status(daemon, "ticks.example", "http://localhost:3000") == 403


def test_another_listener_serves_what_is_listed_and_any_name_without_a_list(
    start_daemon: StartDaemon,
) -> None:
    anybody = start_daemon(listen="0.0.0.0:0")
    assert [status(anybody, host) for host in ("whatever.example", "10.0.0.1:99")] == [200, 200]
    listed = start_daemon("--set", "server.hosts=ticks.example", listen="0.0.0.0:0")
    assert [status(listed, host) for host in ("ticks.example", "localhost")] == [200, 421]


@pytest.mark.parametrize(
    "host", ["a.example:80", "https://a.example", "*", "*.1.2.3.4", "a b", "[a]"]
)
def test_a_host_that_is_none_is_named(run: Run, host: str) -> None:
    done = run("--check", "--set", f'server.hosts=["{host}"]')
    assert done.returncode == 2
    assert f'server.hosts: "{host}" must be a host name or an address without a port' in done.stderr


def test_by_default_pages_of_loopback_may_use_a_server_on_loopback(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon()
    for origin in (f"http://{daemon.address}", "http://localhost:5500", "https://app.localhost"):
        with daemon.connect(origin=origin):
            pass
        headers = daemon.http("/v1/topics", headers={"Origin": origin}).headers
        assert headers["Access-Control-Allow-Origin"] == "*"
    for origin in ("https://evil.example", "http://localhost.evil.example", "null"):
        with pytest.raises(InvalidStatus) as refused:
            daemon.connect(origin=origin)
        assert refused.value.response.status_code == 403
        assert b"server.origins" in (refused.value.response.body or b"")
        headers = daemon.http("/v1/topics", headers={"Origin": origin}).headers
        assert "Access-Control-Allow-Origin" not in headers
        headers = daemon.http("/tickwire.js", headers={"Origin": origin}).headers
        assert headers["Access-Control-Allow-Origin"] == "*"


def test_by_default_pages_of_the_same_host_may_use_another_server(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon(listen="0.0.0.0:0")
    assert upgrade_status(daemon, "ticks.example:80", "http://ticks.example") == 101
    assert upgrade_status(daemon, "ticks.example", "https://ticks.example") == 101
    assert upgrade_status(daemon, "ticks.example", "http://ticks.example:81") == 403
    assert upgrade_status(daemon, "ticks.example", "http://localhost:81") == 403


def test_origins_that_are_listed(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", 'server.origins=["https://*.Shop.example", "null"]')
    for origin in ("https://a.shop.example", "https://b.a.shop.example", "null"):
        assert upgrade_status(daemon, "localhost", origin) == 101, origin
    for origin in ("https://shop.example", "http://a.shop.example", "http://localhost"):
        assert upgrade_status(daemon, "localhost", origin) == 403, origin


def test_every_origin_when_that_is_said(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.origins=*")
    for origin in ("https://a.example", "null"):
        assert upgrade_status(daemon, "localhost", origin) == 101, origin


def test_the_echo_asks_the_same_rule(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.echo=true")
    answer = daemon.http("/echo", headers={"Host": "evil.example"})
    assert answer.status == 421


@pytest.mark.parametrize("origin", ["https://a.*.example", "https://*", "*.a.example", "same-site"])
def test_an_origin_that_is_none_is_named(run: Run, origin: str) -> None:
    done = run("--check", "--set", f'server.origins=["{origin}"]')
    assert done.returncode == 2
    assert f'server.origins: "{origin}"' in done.stderr
