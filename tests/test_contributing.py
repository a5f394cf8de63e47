"""CONTRIBUTING.md's commands exist, and its recipes name the files that they should."""

import re
import subprocess
from pathlib import Path

import pytest

import tickwire

DOCUMENT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()
CODE = ("core", "bindings", "python", "web")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", DOCUMENT, re.M | re.S)
    assert found, title
    return found[1]


def table_of_files(title: str) -> set[str]:
    """The files that the first column of a section's table links to."""
    rows = re.findall(r"^\| (\[.*?) \|", section(title), re.M)
    return {place for row in rows for place in re.findall(r"\]\((.*?)\)", row)}


def code_with(checkout: Path, pattern: str) -> set[str]:
    """The source files of the product in which a pattern is found."""
    return {
        str(path.relative_to(checkout))
        for folder in CODE
        for path in (checkout / folder).rglob("*")
        if path.suffix in {".cc", ".h", ".py", ".js"}
        and path.parent != checkout / "web/dist"  # made of the others
        and re.search(pattern, path.read_text())
    }


@pytest.mark.parametrize(
    ("recipe", "example"),
    [
        ("Recipe: a configuration key", r"\bring_mb\b"),
        ("Recipe: a counter", r"\bsessions_opened\b"),
        ("Recipe: a message from the server", r'"gap"|\\"gap\\"'),
        ("Recipe: a plugin hook", r"AuthenticatorMark|\.authenticators\b"),
    ],
)
def test_a_recipe_names_exactly_the_files_in_which_its_example_stands(
    checkout: Path, recipe: str, example: str
) -> None:
    code = {place for place in table_of_files(recipe) if not place.startswith("docs/")}
    assert code == code_with(checkout, example)


def test_the_files_of_the_recipe_for_commands_know_the_example(checkout: Path) -> None:
    code = {p for p in table_of_files("Recipe: a command of the client") if "docs/" not in p}
    # The method is a name, not a text.
    method = "python/tickwire/_client/commands.py"
    assert code - {method} <= code_with(checkout, r'"list"|Activity::kList\b')
    assert "def list(" in (checkout / method).read_text()


def test_every_target_of_make_and_every_preset_is_there(checkout: Path) -> None:
    makefile = (checkout / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", makefile, re.M))
    known = {name for line in targets for name in line.split()}
    commands = re.findall(r"^make ((?:[a-z-]+ ?)+)|`make ((?:[a-z-]+ ?)+)", DOCUMENT, re.M)
    used = {word for pair in commands for text in pair for word in text.split()}
    assert {"setup", "build", "test", "coverage"} <= used <= known
    presets = (checkout / "CMakePresets.json").read_text()
    assert all(f'"{name}"' in presets for name in re.findall(r"--preset (\w+)", DOCUMENT))


def test_the_feed_of_the_recipe_publishes(tmp_path: Path, eventually) -> None:
    block = re.findall(r"^```python\n(.*?)^```", section("Recipe: a feed"), re.M | re.S)[0]
    name = re.findall(r"# feeds/(\w+)\.py", block)[0]
    (tmp_path / f"{name}.py").write_text(block)
    config = {"server.listen": "127.0.0.1:0", f"plugins.{name}.every_s": 0.02}
    with (
        tickwire.Server(config, plugins=[tmp_path / f"{name}.py"]) as server,
        server.subscribe("host.*"),
    ):
        image = eventually(lambda: server.snapshot("host.uptime"))
        assert float(image.data["seconds"]) > 0


def test_every_feed_stands_in_the_table_of_feeds_and_has_a_test(checkout: Path) -> None:
    plugins = (checkout / "docs/PLUGINS.md").read_text()
    tests = "".join(path.read_text() for path in (checkout / "tests").rglob("*.py"))
    for path in (checkout / "feeds").glob("[a-z]*.py"):
        assert f"| `{path.stem}` |" in plugins, path
        assert path.stem in tests, path


def test_the_example_feed_would_pass_the_linters(checkout: Path, tmp_path: Path) -> None:
    block = re.findall(r"^```python\n(.*?)^```", section("Recipe: a feed"), re.M | re.S)[0]
    (tmp_path / "uptime.py").write_text(block.split("\n", 1)[1])
    ruff = checkout / ".venv/bin/ruff"
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    command = [ruff, "check", "-q", "--config", checkout / "pyproject.toml", tmp_path]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stdout == ""
