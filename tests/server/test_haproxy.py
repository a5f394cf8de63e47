"""Behind a real HAProxy: the server knows the client's address in each way that HAProxy says it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect

from conftest import Eventually
from loopback import free_port, is_open
from server.conftest import StartDaemon
from server.daemon_process import Wire

CLIENT = "127.0.0.9"
TRUST = ("--set", "server.trusted_proxies=127.0.0.1")
CONFIGURATION = """
defaults
    mode {mode}
    timeout connect 60s
    timeout client 60s
    timeout server 60s
    {option}
listen plant
    bind 127.0.0.1:{port}
    server plant {address} {server}
"""


def haproxy_path() -> str | None:
    return shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")


pytestmark = pytest.mark.skipif(haproxy_path() is None, reason="HAProxy is not installed")


@contextmanager
def haproxy(
    folder: Path, address: str, *, mode: str = "tcp", option: str = "", server: str = ""
) -> Iterator[int]:
    """The port of a HAProxy that forwards to `address`."""
    port = free_port()
    configuration = folder / "haproxy.cfg"
    text = CONFIGURATION.format(mode=mode, option=option, port=port, address=address, server=server)
    configuration.write_text(text)
    path = haproxy_path()
    assert path is not None
    process = subprocess.Popen([path, "-db", "-q", "-f", configuration])
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("listen", "setting", "options", "with_port"),
    [
        ("127.0.0.1:0?proxy=required", "none", {"server": "send-proxy"}, True),
        ("127.0.0.1:0?proxy=required", "none", {"server": "send-proxy-v2 check inter 50"}, True),
        (
            "127.0.0.1:0",
            "x-forwarded-for",
            {"mode": "http", "option": "option forwardfor"},
            False,
        ),
    ],
)
def test_the_client_behind_haproxy(
    start_daemon: StartDaemon,
    eventually: Eventually,
    tmp_path: Path,
    listen: str,
    setting: str,
    options: dict[str, str],
    with_port: bool,
) -> None:
    daemon = start_daemon(*TRUST, "--set", f"server.proxy_header={setting}", listen=listen)
    with haproxy(tmp_path, daemon.address, **options) as port:
        assert eventually(lambda: is_open(port))
        headers = {"X-Forwarded-For": "203.0.113.7"}  # what a client says of itself
        client = connect(
            f"ws://127.0.0.1:{port}/ws", source_address=(CLIENT, 0), additional_headers=headers
        )
        own_port = client.socket.getsockname()[1]
        with Wire(client) as wire:
            assert wire.ask({"type": "ping", "id": 1})["type"] == "pong"
            sessions = daemon.admin("/v1/sessions").json["sessions"]
            expected = f"{CLIENT}:{own_port}" if with_port else CLIENT
            assert [entry["remote"] for entry in sessions] == [expected]
