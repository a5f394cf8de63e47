"""The commands of docs/DEBUGGING.md work on a real server, and what gdb is told exists."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.daemon_process import DaemonProcess, Wire

DOCUMENT = (Path(__file__).parents[2] / "docs" / "DEBUGGING.md").read_text()


def console() -> list[tuple[str, str]]:
    """Each command of the console blocks with what it should print."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```", DOCUMENT, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def gdb_lines() -> str:
    return str(re.findall(r"^```gdb\n(.*?)^```", DOCUMENT, re.M | re.S)[0])


@pytest.fixture(scope="module")
def server(tickwired: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    folder = tmp_path_factory.mktemp("server")
    options = ["--set", "plugins.files=random_walk", "--set", "server.shards=1"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TICKWIRE_")}
    try:
        daemon = DaemonProcess(tickwired, folder / "log", options, environment, folder)
    except AssertionError as e:
        if "built without Python" in str(e):
            pytest.skip("this tickwired was built without Python, and says so")
        raise
    yield daemon
    daemon.kill()


@pytest.fixture(scope="module")
def client(server: DaemonProcess) -> Iterator[Wire]:
    """The client in question, subscribed to everything."""
    with server.connect(max_queue=None) as wire:
        wire.send({"type": "subscribe", "id": 1, "topics": ["ticker.*"]})
        wire.receive()
        yield wire


class Place:
    """Puts the names of this run in place of those of the document."""

    def __init__(self, server: DaemonProcess, client: Wire) -> None:
        host, client_port = client.connection.local_address[:2]
        port = server.address.rpartition(":")[2]
        self._names = {
            "/run/user/1000/tickwire/127.0.0.1:8080.sock": server.admin_socket,
            "127.0.0.1:8080": server.address,
            "127.0.0.1:50412": f"{host}:{client_port}",
            ":8080": f":{port}",
            ":50412": f":{client_port}",
            "4711": str(server.process.pid),
        }

    def __call__(self, text: str) -> str:
        return re.sub("|".join(map(re.escape, self._names)), lambda m: self._names[m[0]], text)


@pytest.fixture
def place(server: DaemonProcess, client: Wire) -> Place:
    return Place(server, client)


@pytest.fixture
def shell(server: DaemonProcess, tmp_path: Path) -> dict[str, str]:
    """An environment in which `tickwire` and `python` are those under test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, words in (("tickwire", "-m tickwire"), ("python", "")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (folder / name).chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return {**os.environ, "TICKWIRE_URL": server.address, "PATH": path, "DEBUGINFOD_URLS": ""}


def run(command: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=200,
        env=env,
    )
    if "ptrace" in done.stdout and "not permitted" in done.stdout:
        pytest.skip("this machine does not let one process trace another")
    return re.sub(r"\x1b(?:[78]|\[[A-Z])", "", done.stdout)  # what moves a terminal's cursor


@pytest.mark.parametrize("number", range(len(console())))
def test_each_command_prints_what_the_document_shows(
    place: Place, shell: dict[str, str], number: int
) -> None:
    command, expected = console()[number]
    for tool in ("jq", "curl", "ss", "strace", "gdb"):
        if re.search(rf"\b{tool} ", command) and not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    pattern = re.escape(place(expected.rstrip())).replace(re.escape("..."), ".*")
    printed = run(place(command), shell)
    assert re.match(pattern, printed, re.S), f"$ {command}\n{printed}"


@pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
def test_gdb_stops_where_the_server_writes_to_this_client(
    place: Place, shell: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "client.gdb").write_text(place(gdb_lines()))
    printed = run(place(f"gdb -q -batch -p 4711 -x {tmp_path}/client.gdb"), shell)
    assert place('remote = "127.0.0.1:50412"') in printed
    assert "kOpen" in printed
    assert "#1 " in printed, "the way that led to the write"


def test_what_gdb_is_told_exists_in_the_code(checkout: Path) -> None:
    session = (checkout / "core/session/session.h").read_text()
    for member in re.findall(r"this->(\w+)", gdb_lines()):
        assert re.search(rf"\b{member}\b", session), f"docs/DEBUGGING.md: {member}"
