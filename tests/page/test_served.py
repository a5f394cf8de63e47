"""The scripts as a browser gets them: the code of web/, without comments, and light."""

import gzip
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

import tickwire

HERE = Path(__file__).parent
EMBED_BYTES_MAX = 36 * 1024  # tickwire.js and all that it imports, each gzipped, not minified
PAGE_BYTES_MAX = 20 * 1024  # page*.js, gzipped: what all public pages add to tickwire.js
FOR_THE_ADMIN = ("page_admin.js", "page_prometheus.js")

Served = dict[str, str]


@pytest.fixture(scope="module")
def sources(checkout: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((checkout / "web").glob("*.js"))}


@pytest.fixture(scope="module")
def served(sources: Served) -> Iterator[Served]:
    with tickwire.Server(listen="127.0.0.1:0") as server:
        found = {}
        for name in sources:
            with urlopen(f"http://{server.address}/{name}") as answer:
                found[name] = answer.read().decode()
        yield found


def without_comments(scripts: Served, folder: Path) -> list[str]:
    folder.mkdir()
    paths = [folder / name for name in scripts]
    for path, text in zip(paths, scripts.values(), strict=True):
        path.write_text(text)
    command = ["node", "without_comments.mjs", *map(str, paths)]
    run = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
    codes: list[str] = json.loads(run.stdout)
    return codes


def test_the_code_is_that_of_the_source(sources: Served, served: Served, tmp_path: Path) -> None:
    assert without_comments(served, tmp_path / "a") == without_comments(sources, tmp_path / "b")


def test_lines_have_the_numbers_of_the_source(sources: Served, served: Served) -> None:
    for name, source in sources.items():
        pairs = zip(source.split("\n"), served[name].split("\n"), strict=True)
        assert all(got in (line, "") for line, got in pairs), name


def test_a_line_that_is_a_comment_is_not_sent(served: Served) -> None:
    comments = r"^ *(//.*|/\*.*\*/|/\*\*|\*( .*)?|\*/)$"
    assert not [line for text in served.values() for line in re.findall(comments, text, re.M)]


def loaded_by(script: str, served: Served) -> set[str]:
    """A module and all that it imports, directly or not."""
    loaded, ahead = set(), [script]
    while ahead:
        name = ahead.pop()
        loaded.add(name)
        found = re.findall(r"""^(?:import|export)\b[^'"]*["']\./([^"']+)""", served[name], re.M)
        ahead += [other for other in found if other not in loaded]
    return loaded


def gzipped(texts: list[str]) -> int:
    return sum(len(gzip.compress(text.encode())) for text in texts)


def test_what_a_page_loads_to_embed_a_ticker_stays_light(served: Served) -> None:
    modules = loaded_by("tickwire.js", served)
    assert {"client.js", "tick_er.js", "tick_table.js"} <= modules
    size = gzipped([served[name] for name in modules])
    assert size <= EMBED_BYTES_MAX, f"{size} bytes gzipped, at most {EMBED_BYTES_MAX}"


def test_pages_that_name_the_module_of_before_go_on(served: Served) -> None:
    assert {"tick_er.js", "share.js"} <= loaded_by("ticker.js", served)


def test_the_page_stays_light(served: Served) -> None:
    pages = [name for name in served if name.startswith("page") and name not in FOR_THE_ADMIN]
    scripts = [served[name] for name in pages]
    assert len(scripts) >= 2
    size = gzipped(scripts)
    assert size <= PAGE_BYTES_MAX, f"{size} bytes gzipped, at most {PAGE_BYTES_MAX}"
