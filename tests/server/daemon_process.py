"""A tickwired of one's own, started on a free port and stopped with the test."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

START_S = 20.0
STOP_S = 20.0


@dataclass(frozen=True)
class Answer:
    """What HTTP said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class DaemonProcess:
    """Running once made; `args` go to tickwired, after what it listens on."""

    def __init__(
        self,
        program: Path,
        log: Path,
        args: list[str],
        env: dict[str, str],
        cwd: Path,
        listen: str = "127.0.0.1:0",
    ) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [program, "--listen", listen, *args],
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=env,
                cwd=cwd,
            )
        self.address = self._wait_for_address()

    def _wait_for_address(self) -> str:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if found := re.search(r"listening on (?:https?://)?(\S+:\d+)", self.log()):
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"tickwired did not start: {self.log()}")

    def log(self) -> str:
        return self._log.read_text()

    def connect(self, query: str = "", **options: Any) -> "Wire":
        url = f"ws://{self.address}/ws{query}"
        return Wire(connect(url, max_size=None, compression=None, **options))

    def http(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        request = urllib.request.Request(
            f"http://{self.address}{path}", body, headers or {}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as e:
            with e:
                return Answer(e.code, dict(e.headers), e.read())

    @property
    def admin_socket(self) -> str:
        found = re.search(r"admin listener: (/\S+)", self.log())
        assert found, self.log()
        return found[1]

    def admin(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """What the admin listener's socket says."""
        connection = HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with closing(connection):
            connection.sock.settimeout(60)
            connection.sock.connect(self.admin_socket)
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_S)


class Wire:
    """A client that knows the protocol's grammar only: objects in, objects out. Open once made."""

    def __init__(self, connection: AbstractContextManager[ClientConnection]) -> None:
        self._connection = connection
        self.connection = connection.__enter__()
        self.welcome = self.receive()
        assert self.welcome["type"] == "welcome"

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    def send(self, message: Any) -> None:
        """An object, or a text or bytes as they are."""
        self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=60))
        return message

    def ask(self, message: Any) -> dict[str, Any]:
        self.send(message)
        return self.receive()

    def publish(self, topic: str, data: Any) -> int:
        """The seq it got."""
        answer = self.ask({"type": "publish", "id": "p", "topic": topic, "data": data})
        while answer["type"] == "heartbeat":
            answer = self.receive()
        assert answer["type"] == "ack", answer
        seq: int = answer["results"][0]["seq"]
        return seq
