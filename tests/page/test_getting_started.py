"""docs/GETTING-STARTED.md, followed: files are saved, commands run, outputs compared."""

import configparser
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import free_port
from page.browser import Browser, Page

GUIDE = Path(__file__).parents[2] / "docs/GETTING-STARTED.md"
BLOCK = re.compile(r"^([^\n]+)\n\n```(\w+)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"as `([\w.-]+)`")
RUNS_ON = ("tickwire serve", "tickwired", "python")
DEADLINE_S = 60.0


def steps() -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Each section's heading and its blocks: the line before, the language, the text."""
    for section in GUIDE.read_text().split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        yield heading, BLOCK.findall(text)


def is_served(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Reader:
    """Somebody who follows the guide in a home of their own, on ports that are free."""

    def __init__(self, home: Path, programs: Path) -> None:
        self.folder = home / "my-plant"
        self.folder.mkdir()
        self.ports = {"8080": free_port(), "8000": free_port()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKWIRE_")}
        self.env = {**kept, "PATH": f"{programs}:{kept['PATH']}"}
        self.env["TICKWIRE_URL"] = self.address
        self.env["TICKWIRE_SERVER__LISTEN"] = self.address
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports['8080']}"

    def here(self, text: str) -> str:
        return re.sub(r"\b80[08]0\b", lambda port: str(self.ports[port[0]]), text)

    def save(self, name: str, text: str) -> None:
        (self.folder / name).write_text(self.here(text))

    def run(self, command: str) -> None:
        if not command.startswith(RUNS_ON):
            subprocess.run(command, shell=True, cwd=self.folder, env=self.env, check=True)
            return
        program = command.split()[0]
        with (self.folder / f"{program}.log").open("wb") as log:
            self.running[program] = subprocess.Popen(
                shlex.split(self.here(command)),
                cwd=self.folder,
                env=self.env,
                stdout=log,
                stderr=log,
            )

    def stop(self, program: str, how: signal.Signals = signal.SIGINT) -> None:
        process = self.running.pop(program)
        process.send_signal(how)
        process.wait(DEADLINE_S)

    def printed(self, program: str) -> str:
        return (self.folder / f"{program}.log").read_text()

    def expect(self, command: str, output: str) -> None:
        """Runs a command until it prints what the guide says: the feed looks twice a second."""
        pattern, deadline = as_pattern(output), time.monotonic() + DEADLINE_S
        while True:
            run = subprocess.run(
                command, shell=True, cwd=self.folder, env=self.env, capture_output=True, text=True
            )
            if re.fullmatch(pattern, run.stdout):
                return
            assert time.monotonic() < deadline, f"$ {command}\n{run.stdout}{run.stderr}"
            time.sleep(0.1)

    def follow(self, blocks: list[tuple[str, str, str]]) -> None:
        for before, language, text in blocks:
            if language == "console":
                for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
                    self.expect(*part.split("\n", 1))
            elif language == "sh":
                for line in text.splitlines():
                    self.run(line)
            elif language != "text":
                (name,) = NAMED.findall(before)
                self.save(name, text)


def as_pattern(output: str) -> str:
    return re.escape(output).replace(re.escape("..."), ".*")


@pytest.fixture(scope="module")
def guide() -> dict[str, list[tuple[str, str, str]]]:
    return dict(steps())


@pytest.fixture
def reader(tmp_path: Path, programs: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path, programs)
    yield reader
    for program in list(reader.running):
        reader.stop(program, signal.SIGKILL)


def price(page: Page, symbol: str, value: str) -> None:
    page.wait(f"items().some((item) => item.textContent.includes('{symbol}{value}'))")


def test_the_guide_installs_as_the_readme_does(guide) -> None:
    commands = [line for _, _, text in guide["1. Install"] for line in text.splitlines()]
    assert commands == ["make demo", ". .venv/bin/activate", "mkdir ~/my-plant", "cd ~/my-plant"]


def test_the_guide_leads_to_a_page_a_program_and_a_server_that_survives_a_restart(
    guide, reader: Reader, browser: Browser, eventually
) -> None:
    reader.follow(guide["2. Your own prices"])

    (save, serve_site) = guide["3. Your own page"]
    reader.follow([save, serve_site])
    eventually(lambda: is_served(reader.ports["8000"]))
    page = browser.open(f"http://127.0.0.1:{reader.ports['8000']}")
    price(page, "ACME", "101.50")
    reader.stop("tickwire")
    page.wait("items().length === 2 && is('stale', 0) && is('stale', 1)")
    reader.run("tickwire serve prices.py")
    page.wait("is('fresh', 0) && is('fresh', 1)")
    reader.stop("python3", signal.SIGTERM)

    reader.follow(guide["4. A Python program"])
    says(reader, guide["4. A Python program"], eventually)

    reader.stop("tickwire")
    *first_run, remove, stale, last_words = guide["5. A server that survives a restart"]
    reader.follow(first_run)
    # The program may be back before the feed has published: its first message is an update then.
    begun = re.compile("(snapshot|update) ticker.INIT 1 live")
    eventually(lambda: len(begun.findall(reader.printed("python"))) == 2)
    reader.stop("tickwired")
    reader.follow([remove, stale])
    says(reader, [last_words], eventually)
    page.wait("is('fresh', 0) && is('stale', 1)")
    reader.stop("tickwired")


def says(reader: Reader, blocks: list[tuple[str, str, str]], eventually) -> None:
    """What the guide shows of watch.py, in any order."""
    lines = [
        line for _, language, text in blocks if language == "text" for line in text.splitlines()
    ]
    for line in lines:
        eventually(lambda line=line: re.search(as_pattern(line), reader.printed("python")))


def test_the_unit_runs_the_daemon_of_the_guide(guide, reader: Reader, programs: Path) -> None:
    for before, _, text in (
        guide["2. Your own prices"] + guide["5. A server that survives a restart"]
    ):
        if found := NAMED.findall(before):
            reader.save(found[0], text)
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string(guide["6. A server that starts with the machine"][0][2])
    assert unit["Service"]["WorkingDirectory"] == "%h/my-plant"
    program, *args = shlex.split(unit["Service"]["ExecStart"])
    assert program == "%h/tickwire/.venv/bin/tickwired"
    command = [programs / "tickwired", *args, "--check"]
    assert subprocess.run(command, cwd=reader.folder, env=reader.env).returncode == 0
