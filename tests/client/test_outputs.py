"""Outputs that are closed or full: a documented exit code, one line to say why, no traceback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tickwire

CANNOT_WRITE = 6


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with tickwire.Server({"server.listen": "127.0.0.1:0", "server.drain_s": 0}) as server:
        server.publish("a", {"n": 1})
        yield server.url


def ended(url: str, command: str, redirection: str) -> "subprocess.CompletedProcess[str]":
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TICKWIRE_")}
    return subprocess.run(
        ["sh", "-c", f'"$0" -m tickwire {command} {redirection}', sys.executable],
        env=clean | {"TICKWIRE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


COMMANDS = [
    "sub a --count 1",
    "snapshot a",
    "topics",
    "health",
    "config show",
    "config check",
    "version",
    "--version",
    "--help",
    "sub -h",
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("redirection", "why"),
    [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")],
)
def test_an_output_that_takes_nothing_is_said_in_one_line(
    url: str, command: str, redirection: str, why: str
) -> None:
    done = ended(url, command, redirection)
    assert (done.returncode, done.stdout) == (CANNOT_WRITE, "")
    assert done.stderr == f"tickwire: the output cannot be written: {why}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_enough_is_no_failure(url: str, command: str) -> None:
    done = ended(url, command, "| true; exit 0")
    assert done.stderr == ""


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2>&- <&-"])
@pytest.mark.parametrize("command", COMMANDS)
def test_without_standard_error_a_command_does_its_work(
    url: str, command: str, redirection: str
) -> None:
    done = ended(url, command, redirection)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("redirection", [">&- 2>&-", ">/dev/full 2>/dev/full", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("command", "code"),
    [("health", CANNOT_WRITE), ("snapshot no.such --wait 0", 5), ("dance", 2), ("sub", 2)],
)
def test_with_no_output_at_all_the_exit_code_is_left(
    url: str, command: str, redirection: str, code: int
) -> None:
    done = ended(url, command, redirection)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_an_error_never_becomes_data(url: str, redirection: str) -> None:
    done = ended(url, "snapshot no.such --wait 0", redirection)
    assert (done.returncode, done.stdout) == (5, "")


def test_the_exit_code_is_documented(checkout: Path) -> None:
    assert f"| {CANNOT_WRITE} |" in (checkout / "docs" / "CLI.md").read_text()
