"""`make docs`: the API reference is built without a warning, and has what programs use."""

import re
import subprocess
from pathlib import Path

import pytest

import tickwire


@pytest.fixture(scope="module")
def reference(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    command = [checkout / "scripts/make-docs", folder]
    run = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "warn" not in (run.stdout + run.stderr).lower()
    return folder


def test_every_public_name_of_the_package_is_described(reference: Path) -> None:
    page = (reference / "python/tickwire.html").read_text()
    for name in {*tickwire.__all__} - {"__version__", "errors", "sync"}:
        assert re.search(rf'<section id="{name}">.*?class="docstring"', page, re.S), name
    assert 'id="DeniedError"' in (reference / "python/tickwire/errors.html").read_text()
    assert 'id="connect"' in (reference / "python/tickwire/sync.html").read_text()


def test_every_export_of_the_browser_module_is_described(reference: Path, checkout: Path) -> None:
    exports = re.findall(r"^export \{(.*)\}", (checkout / "web/tickwire.js").read_text(), re.M)
    pages = {path.stem for path in (reference / "browser").glob("*/*.html")}
    assert {name.strip() for names in exports for name in names.split(",")} <= pages
    assert {"Update", "Standing", "Handler"} <= pages


def test_the_front_door_builds_and_lists_it(checkout: Path) -> None:
    def make(*arguments: str) -> str:
        command = ["make", *arguments]
        run = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
        return run.stdout

    assert re.search(r"make docs .*build/docs/", make("help"))
    assert "scripts/make-docs build/docs" in make("--dry-run", "docs")
