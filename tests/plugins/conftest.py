"""Servers in this process, and clients of them."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from websockets.sync.client import ClientConnection, connect

from tickwire import Server


class StartServer(Protocol):
    def __call__(self, *plugins: object, **sections: dict[str, Any]) -> Server: ...


class RemoteClient:
    """Over the network, where authorizers are asked; objects in, objects out."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, **command: Any) -> None:
        self.connection.send(json.dumps(command))

    def receive(self, kind: str, timeout_s: float = 10) -> dict[str, Any]:
        """The next message of that type; others are skipped."""
        while True:
            message = self.receive_any(timeout_s)
            if message["type"] == kind:
                return message

    def receive_any(self, timeout_s: float = 10) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout_s))
        return message

    def subscribe(self, *topics: str, **options: Any) -> list[dict[str, Any]]:
        """A result for each topic."""
        self.send(type="subscribe", id=1, topics=topics, **options)
        results: list[dict[str, Any]] = self.receive("ack")["results"]
        return results

    def denial(self, topic: str) -> str:
        """Why the subscription is refused; empty when it is not."""
        code, message = self.refusal(topic)
        assert code in ("", "denied"), message
        return message

    def refusal(self, topic: str) -> tuple[str, str]:
        """Code and message of what refuses the subscription; empty when nothing does."""
        (result,) = self.subscribe(topic)
        if "error" not in result:
            return "", ""
        return str(result["error"]["code"]), str(result["error"]["message"])


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """start_server(plugin, auth={"deadline_ms": 100}): on a free port, stopped with the test."""
    servers: list[Server] = []

    def start(*plugins: object, **sections: dict[str, Any]) -> Server:
        config = {"server": {"listen": "127.0.0.1:0", "drain_s": 2}} | sections
        server = Server(config, plugins=plugins)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def remote() -> Iterator[Callable[[Server], RemoteClient]]:
    with ExitStack() as stack:

        def make(server: Server, url: str = "", **options: Any) -> RemoteClient:
            connecting = connect(url or server.url, max_size=None, compression=None, **options)
            return RemoteClient(stack.enter_context(connecting))

        yield make


@pytest.fixture
def run_server(checkout: Path, programs: Path, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """run_server("tickwire serve", plugin, ...): a process of its own; the URL for clients."""
    running: list[subprocess.Popen[str]] = []

    def start(program: str, *args: str) -> str:
        name, *rest = program.split()
        log = tmp_path / f"server-{len(running)}.log"
        with log.open("w") as out:
            command = [programs / name, *rest, "--listen", "127.0.0.1:0", *args]
            running.append(
                subprocess.Popen(command, stdout=out, stderr=out, text=True, cwd=checkout)
            )
        deadline = time.monotonic() + 20
        while not (found := re.search(r"127\.0\.0\.1:[1-9][0-9]*", log.read_text())):
            assert running[-1].poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        return f"ws://{found[0]}/ws"

    yield start
    for server in running:
        server.terminate()
        assert server.wait(15) == 0
