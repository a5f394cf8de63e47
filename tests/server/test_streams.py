"""A server whose standard streams are closed or full serves; its log reaches no other file."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loopback import free_port

if TYPE_CHECKING:
    from conftest import Eventually

PLUGIN = """
from tickwire import feed

@feed("t.*", topics=["t.a"])
async def noisy(pub):
    print("said on standard output", flush=True)
    pub.log.warning("said in the log")
    pub.publish("t.a", {"n": 1})
"""


def health_at(listen: str) -> Any:
    try:
        with urllib.request.urlopen(f"http://{listen}/health", timeout=60) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


@pytest.mark.parametrize("redirection", [">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize("program", ["tickwired", "tickwired noisy.py", "tickwire serve noisy.py"])
def test_it_serves_and_stops(
    tickwired: Path,
    clean_environment: dict[str, str],
    tmp_path: Path,
    eventually: "Eventually",
    redirection: str,
    program: str,
) -> None:
    (tmp_path / "noisy.py").write_text(PLUGIN)
    name, *args = program.split()
    start = str(tickwired) if name == "tickwired" else f"{sys.executable} -m tickwire"
    listen = f"127.0.0.1:{free_port()}"
    options = f"--listen {listen} --set store.path=t.db --set auth.publish=open"
    command = f"exec {start} {' '.join(args)} {options} {redirection}"
    process = subprocess.Popen(["sh", "-c", command], env=clean_environment, cwd=tmp_path)
    try:
        health = eventually(lambda: health_at(listen))
        assert health["store"] == "ok"
        for number in (0, 1, 2):
            target = os.readlink(f"/proc/{process.pid}/fd/{number}")
            assert target.startswith(("/dev/", "pipe:", str(tmp_path))), target
            assert not target.endswith((".db", "-wal", ".lock")), target
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.fixture
def exit_code(
    tickwired: Path, clean_environment: dict[str, str], tmp_path: Path
) -> Callable[[str], int]:
    """Runs tickwired with arguments and redirections, as a shell reads them."""

    def run(command: str) -> int:
        shell = ["sh", "-c", f'"$0" {command}', str(tickwired)]
        return subprocess.run(shell, env=clean_environment, cwd=tmp_path, timeout=60).returncode

    return run


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_a_refused_start_keeps_its_exit_code(
    exit_code: Callable[[str], int], redirection: str
) -> None:
    assert exit_code(f"--set server.shards=99 {redirection}") == 2


@pytest.mark.parametrize("option", ["--check", "--version", "--help"])
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_a_result_that_cannot_be_written_is_6(
    exit_code: Callable[[str], int], option: str, redirection: str
) -> None:
    assert exit_code(f"{option} {redirection}") == 6
