"""README.md, block by block: what a new user does first."""

import os
import re
import shlex
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from page.browser import Browser
from page.conftest import Serve, Site
from page.server_process import ServerProcess

README = Path(__file__).parents[2] / "README.md"
COMMANDS = (
    "make demo",
    "make test",
    ". .venv/bin/activate",
    "tickwire serve my_feed.py",
    "tickwire sub 'ticker.*' --count 5",
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.S)


@pytest.fixture
def plant(serve: Serve, tmp_path: Path) -> ServerProcess:
    feed, _ = blocks("python")
    assert len(feed.splitlines()) <= 10
    (tmp_path / "my_feed.py").write_text(feed)
    return serve("my_feed.py")


def test_each_command_is_known_to_these_tests() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert tuple(line.split("#")[0].strip() for line in lines) == COMMANDS


def test_the_two_commands_are_targets_that_do_what_they_say(checkout: Path) -> None:
    for target, does in (("demo", "serve --demo"), ("test", "pytest")):
        command = ["make", "--dry-run", target]
        run = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
        assert does in run.stdout


def test_the_pictures_can_be_taken_again(checkout: Path, programs: Path, tmp_path: Path) -> None:
    script = checkout / "scripts/page_picture.py"
    subprocess.run([programs / "python", script, tmp_path], timeout=240, check=True)
    shown = re.findall(r'<img src="docs/([^"]+)"', README.read_text())
    shown += re.findall(r'<img src="([^"]+)"', (checkout / "docs/WIDGET.md").read_text())
    assert sorted(path.name for path in tmp_path.glob("*.png")) == sorted(shown)
    assert all(path.stat().st_size > 2_000 for path in tmp_path.glob("*.png"))


def test_the_package_under_test_is_an_installed_one() -> None:
    assert version("tickwire")


def test_the_feed_of_ten_lines_reaches_a_terminal(plant: ServerProcess, programs: Path) -> None:
    command = shlex.split(COMMANDS[-1])[1:]
    env = {**os.environ, "TICKWIRE_URL": plant.address}
    run = subprocess.run(
        [programs / "tickwire", *command],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.count('"last":') == 5


def test_it_reaches_any_web_page(browser: Browser, plant: ServerProcess, site: Site) -> None:
    (snippet,) = blocks("html")
    page = browser.open(site(snippet.replace("127.0.0.1:8080", plant.address)))
    page.wait(
        "document.querySelector('tick-er').shadowRoot.textContent.match(/ACME[^]*\\d+\\.\\d\\d/)"
    )
    assert page.faults() == []


def test_it_reaches_a_python_client(plant: ServerProcess, programs: Path) -> None:
    _, client = blocks("python")
    program = client.replace("127.0.0.1:8080", plant.address)
    process = subprocess.Popen(
        [programs / "python", "-u", "-c", program], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(4)]
    process.kill()
    process.wait()
    process.stdout.close()
    assert all(re.fullmatch(r"ticker\.(ACME|INIT) \d+ \d+\.\d\d\n", line) for line in lines)
