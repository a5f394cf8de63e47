"""The three programs as objects: each is a process that answers a line with a JSON object."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Answer = dict[str, Any]


def cores() -> tuple[int, int]:
    """One core for the server, another for the clients, where there are two."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


SERVER_CORE, CLIENT_CORE = cores()


class Program:
    """A process on one core. Leaving it as a context manager ends it."""

    def __init__(self, path: Path, core: int, *args: str) -> None:
        def prepare() -> None:
            os.sched_setaffinity(0, {core})
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

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


class Programs:
    """Makes the programs of one build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plant(self, topics: int, *settings: str) -> Program:
        args = [f"--set={setting}" for setting in settings]
        return Program(self.folder / "plant", SERVER_CORE, f"--topics={topics}", *args)

    def floor(self, zlib_level: int = 0) -> Program:
        return Program(self.folder / "floor", SERVER_CORE, f"--zlib={zlib_level}")

    def load(self, server: Program, *args: str) -> Program:
        return Program(self.folder / "load", CLIENT_CORE, f"--port={server.hello['port']}", *args)
