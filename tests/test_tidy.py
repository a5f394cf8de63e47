"""The look of the code, checked: sizes, contracts, includes, links."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tidy_rules as rules

CODE_FOLDERS = (
    "core",
    "bindings",
    "bench",
    "python",
    "feeds",
    "web",
    "examples",
    "tests",
    "scripts",
    "cmake",
)
NOT_OURS = {"node_modules", "__pycache__", "results"}


def files(checkout: Path, *suffixes: str, under: tuple[str, ...] = CODE_FOLDERS) -> list[Path]:
    """Places, from the checkout, of the files with one of these endings."""
    found = [
        path.relative_to(checkout)
        for folder in under
        for path in (checkout / folder).rglob("*")
        if path.suffix in suffixes and not NOT_OURS.intersection(path.parts)
    ]
    assert found, f"no {suffixes} under {under}: the check has lost its subject"
    return found


def documents(checkout: Path) -> list[Path]:
    at_root = [path.relative_to(checkout) for path in checkout.glob("*.md")]
    return at_root + files(checkout, ".md", under=("docs", "examples"))


def report(complaints: Iterator[str]) -> None:
    found = list(complaints)
    assert not found, "\n" + "\n".join(found)


def test_no_file_is_too_long(checkout: Path) -> None:
    for_people = files(checkout, ".cc", ".h", ".py", ".pyi", ".js", ".mjs", ".html", ".cmake")
    report(c for f in for_people for c in rules.file_length(f, (checkout / f).read_text()))


def test_no_function_is_too_long(checkout: Path) -> None:
    code = files(checkout, ".cc", ".h", ".py")
    report(c for f in code for c in rules.function_length(f, (checkout / f).read_text()))


def test_every_header_opens_with_its_contract(checkout: Path) -> None:
    headers = files(checkout, ".h", under=("core", "bindings"))
    report(c for f in headers for c in rules.header_contract(f, (checkout / f).read_text()))


def test_every_library_stays_in_its_layer_and_pure_layers_stay_pure(checkout: Path) -> None:
    sources = files(checkout, ".cc", ".h", under=("core", "bindings"))
    report(c for f in sources for c in rules.includes(f, (checkout / f).read_text()))


def test_nothing_is_left_unfinished(checkout: Path) -> None:
    code = files(checkout, ".cc", ".h", ".py", ".pyi", ".js", ".mjs", ".html", ".cmake", ".txt")
    everything = [*code, *documents(checkout), Path("Makefile"), Path("CMakeLists.txt")]
    report(c for f in everything for c in rules.unfinished(f, (checkout / f).read_text()))


def test_every_link_in_the_documents_leads_somewhere(checkout: Path) -> None:
    report(
        c
        for f in documents(checkout)
        for c in rules.dead_links(f, (checkout / f).read_text(), checkout)
    )


HUB = Path("core/hub/topic.h")
LONG_FUNCTION = (
    "namespace a {\nclass B {\n  int c(int d) {\n" + "    f({1});\n" * 69 + "  }\n};\n}\n"
)

MANY_SHORT = """int a(char c) { return c == '{' ? 1'000 : g("{"); }\n""" * 100


@pytest.mark.parametrize(
    ("rule", "place", "text"),
    [
        (rules.file_length, HUB, "\n" * 401),
        (rules.function_length, HUB, LONG_FUNCTION),
        (rules.function_length, Path("a.py"), "def f():\n" + "    g()\n" * 70),
        (rules.header_contract, HUB, "#pragma once\n"),
        (rules.includes, HUB, '#include "../session/session.h"\n'),
        (rules.includes, HUB, "#include <libwebsockets.h>\n"),
        (rules.includes, HUB, "#include <pybind11/pybind11.h>\n"),
        (rules.includes, Path("core/net/listener.cc"), "#include <sqlite3.h>\n"),
        (rules.includes, HUB, "#include <chrono>\n"),
        (rules.includes, HUB, "#include <unistd.h>\n"),
        (rules.includes, HUB, "#include <sys/socket.h>\n"),
        (rules.unfinished, HUB, "// TO" "DO: later\n"),
    ],
)  # fmt: skip
def test_each_rule_sees_what_breaks_it(rule: rules.Rule, place: Path, text: str) -> None:
    assert len(list(rule(place, text))) >= 1


@pytest.mark.parametrize(
    ("rule", "place", "text"),
    [
        (rules.file_length, HUB, "\n" * 400),
        (rules.function_length, HUB, LONG_FUNCTION.replace("    f({1});\n", "", 1)),
        (rules.function_length, HUB, MANY_SHORT),
        (rules.function_length, Path("a.py"), "def f():\n" + "    g()\n" * 69),
        (rules.header_contract, HUB, "// Topic: one stream of updates.\n#pragma once\n"),
        (rules.includes, HUB, '#include <mutex>\n#include "base/clock.h"\n'),
        (rules.includes, Path("core/codec/inflate.cc"), "#include <zlib.h>\n"),
        (rules.includes, Path("core/net/listener.cc"), "#include <libwebsockets.h>\n"),
        (rules.includes, Path("core/store/sqlite_file.cc"), "#include <sqlite3.h>\n"),
        (rules.includes, Path("core/daemon/python.cc"), "#include <pybind11/embed.h>\n"),
    ],
)  # fmt: skip
def test_each_rule_lets_pass_what_keeps_it(rule: rules.Rule, place: Path, text: str) -> None:
    assert list(rule(place, text)) == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# What it is\n")
    good = "[b](b.md) [c](b.md#what-it-is) [d](https://example.org/x) `[e](f.md)`"
    assert list(rules.dead_links(Path("a.md"), good, tmp_path)) == []
    assert len(list(rules.dead_links(Path("a.md"), "[b](c.md) [d](b.md#how)", tmp_path))) == 2
