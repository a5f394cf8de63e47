"""Real tickwired processes on free ports."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.daemon_process import DaemonProcess
from server.tokens import Issuer

StartDaemon = Callable[..., DaemonProcess]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """Ours without settings, so that a developer's own do not reach the server under test."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TICKWIRE_")}


@pytest.fixture
def run(tickwired: Path, clean_environment: dict[str, str], tmp_path: Path) -> Run:
    """run("--check", NAME="value"): a tickwired that ends by itself; `program`: another copy."""

    def run(
        *args: str, program: Path = tickwired, **env: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, *args],
            capture_output=True,
            text=True,
            timeout=60,
            env=clean_environment | env,
            cwd=tmp_path,
        )

    return run


@pytest.fixture
def start_daemon(
    tickwired: Path, clean_environment: dict[str, str], tmp_path: Path
) -> Iterator[StartDaemon]:
    """start_daemon("--set", "store.path=x.db", env={...}): as many as the test wants.

    `program`: one that becomes a tickwired. `listen`: as on the command line.
    """
    running: list[DaemonProcess] = []

    def start(
        *args: str,
        program: Path = tickwired,
        env: dict[str, str] | None = None,
        listen: str = "127.0.0.1:0",
    ) -> DaemonProcess:
        log = tmp_path / f"tickwired-{len(running)}.log"
        environment = clean_environment | (env or {})
        running.append(DaemonProcess(program, log, list(args), environment, tmp_path, listen))
        return running[-1]

    yield start
    for daemon in running:
        if daemon.process.poll() is None:
            daemon.kill()


@pytest.fixture
def embeds_python(run: Run) -> None:
    """Skips tests of plugins if tickwired was built without Python, which it says before it
    ends."""
    done = run("--listen", "127.0.0.1:0", "no_such_plugin.py")
    assert done.returncode == 2
    if "built without Python, so plugins are not available" in done.stderr:
        pytest.skip("this tickwired was built without Python, and says so")


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer("EdDSA", tmp_path)
