"""Text of feeds and servers on a terminal: shown, never obeyed."""

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.terminal import on_a_terminal
from tickwire._escape import printable, printable_json

if TYPE_CHECKING:
    from conftest import Commands, Peer, Scripted

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x1b\\"
CLEAR = "\x1b[2J"
EVIL = [
    CLIPBOARD,
    CLEAR,
    "\x9b31m",
    "\x07\x08\x7f\r",
    "\u202egnp.exe\u2066",
    "[bold]x[/bold]",
    "bid[/]",
    "[link=http://x]y",
    ":warning:",
    "a\u2028b\u200b\ufeff",
]
OBEYED = (
    "\x1b]52",
    "\x1b[2J",
    "\x9b",
    "\x07",
    "\x08",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u2028",
    "\u200b",
)


@given(st.text())
def test_escaped_text_is_printable_and_says_the_same(text: str) -> None:
    assert printable(text).isprintable()
    if text.isprintable():
        assert printable(text) == text


@given(st.dictionaries(st.text(), st.text()))
def test_escaped_json_has_the_same_value(value: dict[str, str]) -> None:
    raw = json.dumps(value, ensure_ascii=False)
    assert json.loads(printable_json(raw)) == value
    assert printable_json(raw).isprintable()


def test_no_control_of_any_kind_is_taken_for_printable() -> None:
    obeyed = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ("Cc", "Cf", "Cs")]
    assert printable("".join(obeyed)).isascii()


async def play_evil(peer: "Peer") -> None:
    await peer.welcome()
    await peer.accept()
    fields = {text: text for text in EVIL}
    await peer.snapshot("a", 1, **fields)
    await peer.idle()


@pytest.mark.parametrize("evil", EVIL)
async def test_the_live_table_shows_a_feeds_text_as_it_is(server: "Scripted", evil: str) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1, **{evil: evil})
        await peer.idle()

    server.play(play)
    code, drawn = await on_a_terminal("sub", "a", "--url", server.url, "--count", "1")
    assert code == 0, drawn
    assert not any(text in drawn for text in OBEYED)
    assert drawn.replace("\x1b[1m", "").count(printable(evil)[:12]) >= 2, "as a heading and a value"


async def test_lines_of_json_on_a_terminal_are_escaped_in_json(server: "Scripted") -> None:
    server.play(play_evil)
    code, drawn = await on_a_terminal("sub", "a", "--json", "--url", server.url, "--count", "1")
    assert code == 0
    assert not any(text in drawn for text in OBEYED)
    assert json.loads(drawn)["data"] == {text: text for text in EVIL}


def pages(server: "Scripted", evil: str) -> None:
    topic = {"topic": evil, "seq": 3, "ts": 1, "status": evil}
    listed = json.dumps({"topics": [topic], "next": None}, ensure_ascii=False)
    server.pages["/v1/topics?pattern=%3E"] = (200, listed)
    plugin: dict[str, Any] = {"status": evil, "plugins": {evil: {"state": evil}}, "topics": 1}
    server.pages["/health"] = (200, json.dumps(plugin, ensure_ascii=False))
    image = {"topic": "a", "seq": 3, "ts": 1, "status": "live", "data": {evil: evil}}
    server.pages["/v1/snapshot/a"] = (200, json.dumps(image, ensure_ascii=False))
    error = {"error": {"code": "denied", "message": evil, "retryable": False}}
    server.pages["/v1/snapshot/b"] = (403, json.dumps(error, ensure_ascii=False))


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("args", [("topics",), ("health",), ("snapshot", "a"), ("snapshot", "b")])
async def test_what_a_server_answers_is_shown_not_obeyed(
    server: "Scripted", args: tuple[str, ...], evil: str
) -> None:
    pages(server, evil)
    code, drawn = await on_a_terminal(*args, "--url", server.url)
    assert code == (4 if args[-1] == "b" else 0), drawn
    assert not any(text in drawn for text in OBEYED)
    if evil.isprintable():
        assert evil in drawn, "no word of it is an instruction"


async def test_an_error_is_one_line_also_where_its_text_has_more(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    pages(server, "one\ntwo\x1b[2J")
    ended = await tickwire_command("snapshot", "b", "--url", server.url)
    assert ended.err == "tickwire: one\\ntwo\\x1b[2J\n"


@pytest.mark.parametrize("columns", [1, 10, 40, 60])
async def test_on_a_narrow_terminal_values_are_whole(server: "Scripted", columns: int) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("ticker.BTC-USD", 1, last="123456.789")
        await peer.idle()

    server.play(play)
    topic = {"topic": "ticker.BTC-USD", "seq": 3, "ts": 1, "status": "live"}
    listed = json.dumps({"topics": [topic], "next": None})
    server.pages["/v1/topics?pattern=%3E"] = (200, listed)
    for args in (("sub", "ticker.BTC-USD", "--count", "1"), ("topics",)):
        code, drawn = await on_a_terminal(*args, "--url", server.url, columns=columns, rows=60)
        assert code == 0, drawn
        assert "Traceback" not in drawn
        if columns >= 40:
            assert "…" not in drawn, "nothing is cut"


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"LANG": "C"}, {"PYTHONIOENCODING": "latin-1"}])
async def test_in_an_ascii_locale_tables_are_ascii(server: "Scripted", env: dict[str, str]) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1, last="7 €", name="x" * 300)
        await peer.idle()

    server.play(play)
    code, drawn = await on_a_terminal("sub", "a", "--url", server.url, "--count", "1", **env)
    assert code == 0
    assert drawn.isascii()
    assert "7 \\u20ac" in drawn
    pages(server, "é€")
    for args in (("topics",), ("health",), ("snapshot", "a"), ("snapshot", "b"), ("--help",)):
        _, drawn = await on_a_terminal(*args, TICKWIRE_URL=server.url, **env)
        assert drawn.isascii(), args
