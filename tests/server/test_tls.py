"""https:// and wss://: with the clients that people use, and while certificates are replaced."""

import asyncio
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import InvalidMessage
from websockets.sync.client import connect

import tickwire
from server.certificates import CERTIFICATE, KEY, make_certificate
from server.conftest import Run, StartDaemon
from server.daemon_process import DaemonProcess, Wire
from server.tls_socket import SharedSSLSocket
from tickwire.errors import ConfigError, ConnectionFailedError

PATIENCE_S = 60.0


def trust(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / CERTIFICATE)
    context.sslsocket_class = SharedSSLSocket
    return context


def trust_any() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.sslsocket_class = SharedSSLSocket
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


Secure = Callable[..., DaemonProcess]


@pytest.fixture
def secure(start_daemon: StartDaemon, tmp_path: Path) -> Secure:
    """secure("--set", ...): a server that speaks TLS, and nothing else."""
    make_certificate(tmp_path)

    def start(*args: str, listen: str = "https://127.0.0.1:0") -> DaemonProcess:
        files = ["--set", f"tls.certificate={CERTIFICATE}", "--set", f"tls.key={KEY}"]
        return start_daemon(*files, *args, listen=listen)

    return start


@pytest.fixture
def daemon(secure: Secure) -> Iterator[DaemonProcess]:
    daemon = secure("--set", "auth.publish=open")
    yield daemon
    assert daemon.stop() == 0


def wss(daemon: DaemonProcess, context: ssl.SSLContext, **options: int) -> Wire:
    return Wire(connect(f"wss://{daemon.address}/ws", ssl=context, max_size=None, **options))


def handshake(daemon: DaemonProcess, context: ssl.SSLContext) -> ssl.SSLSocket:
    host, _, port = daemon.address.rpartition(":")
    return context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host)


def common_name(daemon: DaemonProcess) -> str:
    """That of the certificate which a new connection is shown."""
    host, _, port = daemon.address.rpartition(":")
    text = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}"],
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    ).stdout
    return text.partition("subject=CN = ")[2].partition("\n")[0]


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


# --- clients --------------------------------------------------------------------------------------


def test_websockets_and_https_speak_with_it(daemon: DaemonProcess, tmp_path: Path) -> None:
    with wss(daemon, trust(tmp_path)) as client:
        assert client.publish("t.a", {"last": "1"}) == 1
        assert client.ask({"type": "subscribe", "topics": ["t.a"]})["type"] == "ack"
        assert client.receive()["data"] == {"last": "1"}
    url = f"https://{daemon.address}/v1/snapshot/t.a"
    with urllib.request.urlopen(url, context=trust(tmp_path), timeout=PATIENCE_S) as answer:
        assert b'"last":"1"' in answer.read()


async def test_the_client_speaks_with_it(daemon: DaemonProcess, tmp_path: Path) -> None:
    url = f"wss://{daemon.address}"
    async with tickwire.connect(url, ssl=trust(tmp_path), reconnect=False) as client:
        assert await client.publish("t.b", {"last": "2"}) == 1
        assert (await client.snapshot("t.b")).data == {"last": "2"}
    with pytest.raises(ConnectionFailedError, match="certificate"):
        async with tickwire.connect(url, reconnect=False):
            pass
    with pytest.raises(ConfigError, match="not wss://"):
        tickwire.connect("ws://127.0.0.1:1", ssl=trust(tmp_path))


def test_the_command_trusts_the_file_that_the_environment_names(
    daemon: DaemonProcess, tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    with wss(daemon, trust(tmp_path)) as client:
        client.publish("t.c", {"last": "3"})
    command = [
        sys.executable,
        "-m",
        "tickwire",
        "snapshot",
        "t.c",
        "--url",
        f"wss://{daemon.address}",
    ]

    def said(**env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, env=clean_environment | env
        )

    assert '"last":"3"' in said(SSL_CERT_FILE=str(tmp_path / CERTIFICATE)).stdout
    assert "certificate" in said().stderr


def test_only_http_1_1_is_spoken_from_tls_1_2_on(daemon: DaemonProcess, tmp_path: Path) -> None:
    context = trust(tmp_path)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with handshake(daemon, context) as peer:
        assert peer.selected_alpn_protocol() == "http/1.1"
        assert peer.version() == "TLSv1.3"
    context = trust(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with handshake(daemon, context) as peer:
        assert peer.version() == "TLSv1.2"
        cipher = peer.cipher()
        assert cipher is not None
        assert cipher[0].startswith("ECDHE-")


def test_the_oldest_version_can_be_raised(secure: Secure, tmp_path: Path) -> None:
    daemon = secure("--set", "tls.min_version=1.3")
    context = trust(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        handshake(daemon, context)
    with wss(daemon, trust(tmp_path)):
        pass


def test_a_session_is_resumed_at_any_loop(secure: Secure, tmp_path: Path) -> None:
    daemon = secure("--set", "server.shards=4")
    context = trust(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # whose ticket comes with the handshake
    host, _, port = daemon.address.rpartition(":")
    with handshake(daemon, context) as first:
        session = first.session
    for _ in range(16):
        raw = socket.create_connection((host, int(port)))
        with context.wrap_socket(raw, server_hostname=host, session=session) as again:
            assert again.session_reused


def test_both_kinds_of_addresses_serve_the_same_topics(secure: Secure, tmp_path: Path) -> None:
    daemon = secure(
        "--set", "auth.publish=open", listen='["http://127.0.0.1:0", "https://127.0.0.1:0"]'
    )
    https = daemon.log().partition(" and https://")[2].partition(" ")[0]
    with daemon.connect() as plain:
        plain.publish("t.a", {"n": 1})
        with Wire(connect(f"wss://{https}/ws", ssl=trust(tmp_path))) as secret:
            assert secret.ask({"type": "subscribe", "topics": ["t.a"]})["type"] == "ack"
            assert secret.receive()["data"] == {"n": 1}
    with pytest.raises((InvalidMessage, EOFError, OSError)):
        connect(f"ws://{https}/ws")
    with pytest.raises(ssl.SSLError):
        connect(f"wss://{daemon.address}/ws", ssl=trust_any())


def test_long_messages_cross_records_in_both_directions(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    with wss(daemon, trust(tmp_path), compression=None) as client:
        for size in (4_000, 16_000, 17_000, 70_000, 900_000):
            client.publish("t.long", {"pad": "x" * size})
        assert client.ask({"type": "subscribe", "topics": ["t.long"]})["type"] == "ack"
        assert client.receive()["data"] == {"pad": "x" * 900_000}
        many = [f"t.n{number}" for number in range(5_000)]
        assert len(client.ask({"type": "subscribe", "topics": many})["results"]) == 5_000


# --- what may not hold it up ----------------------------------------------------------------------


def test_a_client_that_sends_full_records_and_reads_nothing_holds_up_nobody(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    host, _, port = daemon.address.rpartition(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((host, int(port)))
    with trust(tmp_path).wrap_socket(raw, server_hostname=host) as flood:
        flood.sendall(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        command = b'{"type":"ping","id":1}'
        frame = b"\x81" + bytes([0x80 | len(command)]) + bytes(4) + command
        record = frame * (16_384 // len(frame))
        flood.setblocking(False)
        with wss(daemon, trust(tmp_path)) as client:
            for number in range(300):
                with suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
                    flood.send(record)
                assert client.ask({"type": "ping", "id": number})["id"] == number


def test_handshakes_that_never_end_hold_up_nobody(daemon: DaemonProcess, tmp_path: Path) -> None:
    host, _, port = daemon.address.rpartition(":")
    with ExitStack() as open_sockets:
        for number in range(50):
            silent = open_sockets.enter_context(socket.create_connection((host, int(port))))
            silent.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[: number % 12])
        with wss(daemon, trust(tmp_path)) as client:
            assert client.ask({"type": "ping"})["type"] == "pong"


# --- certificates that change ---------------------------------------------------------------------


async def receive(client: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a type."""
    while (message := json.loads(await client.recv()))["type"] != kind:
        pass
    return message


async def test_a_new_certificate_is_taken_over_and_no_connection_ends(
    secure: Secure, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    daemon = secure("--set", "auth.publish=open")
    url, context = f"wss://{daemon.address}/ws", trust(tmp_path)
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(pytestconfig.getoption("--tls-clients")):
            client = connect_async(url, ssl=context, compression=None, ping_interval=None)
            clients.append(await stack.enter_async_context(client))
            await clients[-1].send('{"type":"subscribe","topics":["t.a"]}')
            await receive(clients[-1], "ack")
        assert common_name(daemon) == "first"
        make_certificate(tmp_path, "second")
        await asyncio.to_thread(eventually, lambda: common_name(daemon) == "second", daemon.log())
        assert f"TLS certificate {CERTIFICATE} read again, valid until" in daemon.log()
        await clients[0].send('{"type":"publish","topic":"t.a","data":{"n":1}}')
        for client in clients:
            assert (await receive(client, "update"))["data"] == {"n": 1}


def test_a_pair_that_does_not_fit_changes_nothing(secure: Secure, tmp_path: Path) -> None:
    daemon = secure()
    key = (tmp_path / KEY).read_text()
    make_certificate(tmp_path, "second")
    (tmp_path / KEY).write_text(key)
    said = (
        "the TLS certificate stays as it was: tls.key: key.pem: does not belong to tls.certificate"
    )
    eventually(lambda: said in daemon.log(), daemon.log())
    assert common_name(daemon) == "first"
    make_certificate(tmp_path, "third")
    eventually(lambda: common_name(daemon) == "third", daemon.log())


def test_the_admin_sees_until_when_it_is_valid(secure: Secure, start_daemon: StartDaemon) -> None:
    daemon = secure()
    expires = daemon.admin("/health").json["certificate_expires"]
    assert 29 * 86_400 < expires - time.time() <= 30 * 86_400
    metric = "\ntickwire_certificate_expires_seconds "
    assert f"{metric}{expires}\n" in daemon.admin("/metrics").body.decode()
    plain = start_daemon().admin("/metrics").body.decode()
    assert "tickwire_certificate_expires_seconds" in plain
    assert metric not in plain


def test_the_log_warns_of_a_certificate_that_expires_soon(secure: Secure, tmp_path: Path) -> None:
    make_certificate(tmp_path, days=13)
    daemon = secure()
    warning = r"warn.* the TLS certificate cert.pem \(valid until .* UTC\) expires in %d days"
    eventually(lambda: re.search(warning % 12, daemon.log()) is not None, daemon.log())
    make_certificate(tmp_path, "second", days=5)
    eventually(lambda: re.search(warning % 4, daemon.log()) is not None, daemon.log())
    make_certificate(tmp_path, "third", days=15)
    eventually(lambda: common_name(daemon) == "third", daemon.log())
    assert len(re.findall("expires in", daemon.log())) == 2


def test_sighup_reads_the_certificate_again(secure: Secure, tmp_path: Path) -> None:
    daemon = secure()
    make_certificate(tmp_path, "second")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: common_name(daemon) == "second", daemon.log())


def test_what_cannot_be_served_with_is_said_before_it_is_served(run: Run, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    listen = ["--check", "--listen", "https://127.0.0.1:0"]
    certificate, key = f"tls.certificate={CERTIFICATE}", f"tls.key={KEY}"
    assert run(*listen, "--set", certificate, "--set", key).returncode == 0
    (tmp_path / "text.pem").write_text("no PEM\n")
    for sets, said in (
        ([], "tls.certificate is empty"),
        ([certificate], "tls.key is empty"),
        (["tls.certificate=none.pem", key], "tls.certificate: none.pem: "),
        ([certificate, "tls.key=text.pem"], "tls.key: text.pem: no private key in PEM"),
        (["tls.certificate=text.pem", key], "tls.certificate: text.pem: no certificate in PEM"),
    ):
        done = run(*listen, *[part for one in sets for part in ("--set", one)])
        assert done.returncode == 2
        assert said in done.stderr
    unused = run("--check", "--set", certificate)
    assert unused.returncode == 0
    assert "not used" in unused.stderr
