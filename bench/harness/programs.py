"""The three programs as objects: each is a process that answers a line with a JSON object."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

Answer = dict[str, Any]


def cores() -> tuple[int, int]:
    """One core for the server, another for the clients, where there are two."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


SERVER_CORE, CLIENT_CORE = cores()
DESCRIPTORS_WANTED = 65_536
DESCRIPTORS_SPARE = 500  # what a process needs besides one for each connection


def raise_descriptor_limit() -> int:
    """Raises the limit of descriptors for this process and those that it starts, and returns it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:  # who may not raise the hard limit has what it allows
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS_WANTED, DESCRIPTORS_WANTED))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def crowd(wanted: int) -> int:
    """So many connections, or as many as this machine lets one process have; then it says so."""
    limit = raise_descriptor_limit()
    if wanted <= limit - DESCRIPTORS_SPARE:
        return wanted
    fits = max(limit - DESCRIPTORS_SPARE, 100) // 100 * 100
    print(
        f"This machine allows a process {limit:,} descriptors (ulimit -Hn), so the crowd is"
        f" {fits:,} connections instead of {wanted:,}, and has no goals.",
        file=sys.stderr,
    )
    return fits


class Server(Protocol):
    """What clients connect to."""

    hello: Answer

    def ask(self, command: str, *numbers: float) -> Answer: ...


class Program:
    """A process on one core (None: on all). Leaving it as a context manager ends it."""

    def __init__(self, path: Path, core: int | None, *args: str) -> None:
        def prepare() -> None:
            if core is not None:
                os.sched_setaffinity(0, {core})
            raise_descriptor_limit()

        self._process = subprocess.Popen(
            [path, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=prepare,  # noqa: PLW1509 - this process has one thread
        )
        self.hello = self.answer()

    def answer(self) -> Answer:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise RuntimeError(f"{self._process.args} ended with code {code}")  # type: ignore[str-bytes-safe]
        answer: Answer = json.loads(line)
        return answer

    def ask(self, command: str, *numbers: float) -> Answer:
        assert self._process.stdin is not None
        print(command, *numbers, file=self._process.stdin, flush=True)
        return self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Programs:
    """Makes the programs of one build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plant(self, topics: int, *settings: str) -> Program:
        args = [f"--set={setting}" for setting in settings]
        return Program(self.folder / "plant", SERVER_CORE, f"--topics={topics}", *args)

    def floor(self, zlib_level: int = 0, *args: str) -> Program:
        return Program(self.folder / "floor", SERVER_CORE, f"--zlib={zlib_level}", *args)

    def load(self, server: Server, *args: str) -> Program:
        return self._client(self.folder / "load", server, *args)

    def churn(self, server: Program, *args: str) -> Program:
        return self._client(self.folder / "churn", server, *args)

    def hostile(self, server: Program, *args: str) -> Program:
        script = str(Path(__file__).with_name("hostile_client.py"))
        return self._client(Path(sys.executable), server, *args, before=(script,))

    def _client(
        self, program: Path, server: Server, *args: str, before: tuple[str, ...] = ()
    ) -> Program:
        return Program(program, CLIENT_CORE, *before, f"--port={server.hello['port']}", *args)
