"""Whom a server believes who its client is: limits and the list of sessions see one address."""

import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from conftest import Eventually
from server.certificates import CERTIFICATE, KEY, make_certificate
from server.conftest import Run, StartDaemon
from server.daemon_process import DaemonProcess, Wire
from server.proxies import LOCAL, SIGNATURE, ask, binary, connected, text
from server.tls_socket import SharedSSLSocket

TRUST_LOOPBACK = ("--set", 'server.trusted_proxies=["127.0.0.1", "10.0.0.0/8"]')
BY_LIST = (*TRUST_LOOPBACK, "--set", "server.proxy_header=x-forwarded-for")
BY_ELEMENTS = (*TRUST_LOOPBACK, "--set", "server.proxy_header=forwarded")
PROXIED = "127.0.0.1:0?proxy=required"


def remotes(daemon: DaemonProcess) -> list[str]:
    return [entry["remote"] for entry in daemon.admin("/v1/sessions").json["sessions"]]


def proxied_client(daemon: DaemonProcess, first: bytes, source: str = "127.0.0.1") -> Wire:
    client = connected(daemon.address, first, source)
    return Wire(connect(f"ws://{daemon.address}/ws", sock=client, compression=None))


@pytest.mark.parametrize(
    ("trust", "headers", "remote"),
    [
        (BY_LIST, [("X-Forwarded-For", "1.1.1.1, 203.0.113.7, 10.1.1.1")], "203.0.113.7"),
        (BY_LIST, [("X-Forwarded-For", "[2001:db8::1]:4711")], "[2001:db8::1]:4711"),
        (BY_LIST, [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "::2")], "::2"),
        (BY_ELEMENTS, [("Forwarded", 'for="[2001:db8::1]:80", for=10.1.1.1')], "[2001:db8::1]:80"),
        (BY_ELEMENTS, [("Forwarded", "for=203.0.113.7;proto=https")], "203.0.113.7"),
    ],
)
def test_the_client_that_a_header_names(
    start_daemon: StartDaemon,
    trust: tuple[str, ...],
    headers: list[tuple[str, str]],
    remote: str,
) -> None:
    daemon = start_daemon(*trust)
    with daemon.connect(additional_headers=headers):
        assert remotes(daemon) == [remote]


def test_a_header_counts_only_from_a_proxy_that_is_trusted(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(*BY_LIST)
    claims = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.8"}
    with daemon.connect(additional_headers=claims, source_address=("127.0.0.2", 0)):
        assert remotes(daemon)[0].startswith("127.0.0.2:")
    without = start_daemon()
    with without.connect(additional_headers=claims):
        assert remotes(without)[0].startswith("127.0.0.1:")


def test_a_header_that_cannot_be_read(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(*BY_ELEMENTS)
    for headers in ({"Forwarded": "for=2001:db8::1"}, {"Forwarded": 'for="1.1.1.1'}):
        answer = daemon.http("/health", headers=headers)
        assert answer.status == 400
        assert answer.json["error"]["message"].startswith("forwarded: ")
    assert daemon.http("/health", headers={"X-Forwarded-For": "nonsense"}).status == 200
    with daemon.connect(additional_headers={"Forwarded": "for=_hidden"}):
        assert remotes(daemon)[0].startswith("127.0.0.1:")


def test_limits_count_the_client_that_a_header_names(
    start_daemon: StartDaemon, eventually: Eventually
) -> None:
    daemon = start_daemon(*BY_LIST, "--set", "limits.connections_per_address_max=1")

    def status(client: str) -> int:
        return daemon.http("/health", headers={"X-Forwarded-For": client}).status

    for client in ("203.0.113.7", "2001:db8::7", "127.0.0.1", "unknown"):
        with daemon.connect(additional_headers={"X-Forwarded-For": client}):
            assert status(client) == 503, client
            assert eventually(lambda: status("203.0.113.9") == 200)
            assert daemon.http("/health").status == 200, "the proxy itself asks, and is exempt"
        assert eventually(lambda client=client: status(client) == 200)


def test_a_proxy_holds_one_seat_for_a_client(
    start_daemon: StartDaemon, eventually: Eventually
) -> None:
    daemon = start_daemon(*BY_LIST, "--set", "limits.connections_max=1")
    for number in range(3):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert eventually(
            lambda headers=headers: daemon.http("/health", headers=headers).status == 200
        )


@pytest.mark.parametrize(
    ("first", "remote"),
    [
        (text("203.0.113.7"), "203.0.113.7:4711"),
        (text("2001:db8::7"), "[2001:db8::7]:4711"),
        (binary("203.0.113.7"), "203.0.113.7:4711"),
        (binary("2001:db8::7", extra=b"\x03\x00\x04abcd"), "[2001:db8::7]:4711"),
        (binary("203.0.113.7", extra=bytes(536 - 28)), "203.0.113.7:4711"),
    ],
)
def test_the_client_that_the_proxy_protocol_names(
    start_daemon: StartDaemon, first: bytes, remote: str
) -> None:
    daemon = start_daemon(listen=PROXIED)
    with proxied_client(daemon, first) as client:
        assert client.ask({"type": "ping", "id": 1})["type"] == "pong"
        assert remotes(daemon) == [remote]


@pytest.mark.parametrize(
    "first", [LOCAL, b"PROXY UNKNOWN\r\n", binary("::1").replace(b"\x21\x21", b"\x21\x31", 1)]
)
def test_without_an_address_the_proxy_is_the_client(
    start_daemon: StartDaemon, first: bytes
) -> None:
    daemon = start_daemon(listen=PROXIED)
    with proxied_client(daemon, first, "127.0.0.2"):
        assert remotes(daemon)[0].startswith("127.0.0.2:")


def test_it_may_come_byte_by_byte(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(listen=PROXIED)
    for whole in (text("203.0.113.7"), binary("2001:db8::7")):
        with connected(daemon.address, whole[:1]) as client:
            for i in range(1, len(whole)):
                client.sendall(whole[i : i + 1])
            assert ask(client) == 200


@pytest.mark.parametrize(
    "first",
    [
        b"",  # an HTTP request at once
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n",
        b"PROXY UNKNOWN " + b"x" * 93,
        b"\x16\x03\x01\x02\x00\x01\x00",
        SIGNATURE + b"\x11\x11\x00\x00",
        binary("203.0.113.7", extra=bytes(536 - 27)),
    ],
)
def test_a_connection_without_it_is_closed(start_daemon: StartDaemon, first: bytes) -> None:
    daemon = start_daemon(listen=PROXIED)
    with connected(daemon.address, first) as client:
        assert ask(client) == 0
    assert "PROXY protocol: a connection of 127.0.0.1:" in daemon.log()
    with connected(daemon.address, text("203.0.113.7")) as client:
        assert ask(client) == 200


@pytest.mark.parametrize("first", [b"", b"PROXY TCP4 203.0"])
def test_one_who_does_not_complete_it_is_closed(start_daemon: StartDaemon, first: bytes) -> None:
    daemon = start_daemon("--set", "limits.request_s_max=1", listen=PROXIED)
    # What was sent is unread, so the end may be a reset.
    with connected(daemon.address, first) as client, suppress(ConnectionError):
        assert client.recv(1) == b""
    assert "was not complete within limits.request_s_max" in daemon.log()


def test_one_who_ends_it_early_holds_no_place(
    start_daemon: StartDaemon, eventually: Eventually
) -> None:
    limits = ("--set", "limits.connections_max=1", "--set", "limits.request_s_max=300")
    daemon = start_daemon(*limits, listen=PROXIED)
    with connected(daemon.address, b"PROXY TCP4 203.0") as client:
        client.shutdown(socket.SHUT_WR)

        def served() -> bool:
            with connected(daemon.address, LOCAL) as another:
                return ask(another) == 200

        assert eventually(served)


def test_only_trusted_proxies_may_send_it_where_they_are_listed(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.trusted_proxies=127.0.0.2", listen=PROXIED)
    with connected(daemon.address, text("203.0.113.7"), "127.0.0.2") as client:
        assert ask(client) == 200
    with connected(daemon.address, text("203.0.113.7")) as client:
        assert ask(client) == 0
    assert "it is not one of server.trusted_proxies" in daemon.log()


def test_limits_count_the_client_that_the_proxy_protocol_names(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "limits.connections_per_address_max=1", listen=PROXIED)
    with proxied_client(daemon, binary("127.0.0.1")):
        with connected(daemon.address, binary("127.0.0.1")) as client:
            assert ask(client) in (0, 503)  # 0: the refusal was lost to the reset
        with connected(daemon.address, binary("127.0.0.9")) as client:
            assert ask(client) == 200
        for _ in range(2):
            with connected(daemon.address, LOCAL) as client:
                assert ask(client) == 200, "the proxy itself is exempt"


def test_the_proxy_protocol_and_a_header_make_one_chain(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(*BY_LIST, listen=PROXIED)
    for first, client in (
        (text("10.0.0.9"), "203.0.113.7"),
        (text("198.51.100.1"), "198.51.100.1:4711"),
    ):
        sock = connected(daemon.address, first)
        headers = {"X-Forwarded-For": "203.0.113.7"}
        wire = Wire(connect(f"ws://{daemon.address}/ws", sock=sock, additional_headers=headers))
        with wire:
            assert client in remotes(daemon)


def test_it_comes_before_tls(start_daemon: StartDaemon, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    files = ["--set", f"tls.certificate={CERTIFICATE}", "--set", f"tls.key={KEY}"]
    daemon = start_daemon(*files, listen="https://127.0.0.1:0?proxy=required")
    context = ssl.create_default_context(cafile=tmp_path / CERTIFICATE)
    context.sslsocket_class = SharedSSLSocket
    sock = connected(daemon.address, binary("203.0.113.7"))
    url = f"wss://localhost:{daemon.address.rpartition(':')[2]}/ws"
    with Wire(connect(url, sock=sock, ssl=context)) as client:
        assert client.ask({"type": "ping", "id": 1})["type"] == "pong"
        assert remotes(daemon) == ["203.0.113.7:4711"]
    with connected(daemon.address, b"") as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="localhost")


def test_listeners_with_and_without_it_stand_side_by_side(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(listen='["127.0.0.1:0", "127.0.0.1:0?proxy=required"]')
    plain, proxied = (
        word.removeprefix("http://")
        for word in daemon.log().split("listening on ")[1].split()
        if word.startswith("http://")
    )
    with connected(plain, b"") as client:
        assert ask(client) == 200
    with connected(proxied, b"") as client:
        assert ask(client) == 0
    with connected(proxied, text("203.0.113.7")) as client:
        assert ask(client) == 200


def test_a_stop_does_not_wait_for_those_who_send_none(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(listen=PROXIED)
    with connected(daemon.address, b"PROXY "):
        assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ('server.trusted_proxies=["127.0.0.1", "10.0.0.1/8"]', '"10.0.0.0/8" is meant?'),
        ("server.trusted_proxies=10.0.0.0/33", "has no number of bits from 0 to 32"),
        ("server.trusted_proxies=proxy.example", '"proxy.example" has no IPv4 or IPv6 address'),
        ("server.proxy_header=x-real-ip", "one of none, x-forwarded-for, forwarded"),
        ("server.listen=127.0.0.1:0?proxy=v2", "proxy=required or proxy=off"),
    ],
)
def test_a_wrong_setting_is_named(run: Run, setting: str, why: str) -> None:
    done = run("--check", "--set", setting)
    assert done.returncode == 2
    assert why in done.stderr
    assert setting.partition("=")[0] in done.stderr


def test_what_lets_anybody_choose_an_address_is_warned_of(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.proxy_header=forwarded", listen=PROXIED)
    assert "server.proxy_header is not used: server.trusted_proxies is empty" in daemon.log()
    assert "whoever reaches an address with ?proxy=required can claim any address" in daemon.log()


def test_a_refused_session_names_the_limit(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(*BY_LIST, "--set", "limits.connections_per_address_max=1")
    headers = {"X-Forwarded-For": "203.0.113.7"}
    with daemon.connect(additional_headers=headers), pytest.raises(InvalidStatus) as refused:
        daemon.connect(additional_headers=headers)
    assert b"too many connections from this address" in (refused.value.response.body or b"")
