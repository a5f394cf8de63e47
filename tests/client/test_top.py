"""``tickwire top`` against a scripted server."""

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from client.terminal import on_a_terminal
from tickwire.cli.top import Look, compare
from tickwire.cli.top_screen import bytes_spelled, render

if TYPE_CHECKING:
    from conftest import Commands, Scripted

SESSIONS = "/v1/sessions?sort=behind&limit=100"
TOPICS = "/v1/topics?limit=10000"


def session(name: str, **numbers: int) -> dict[str, Any]:
    counted = ("connected_s", "exact", "patterns", "behind", "behind_ms", "conflated", "gaps")
    zeros = dict.fromkeys((*counted, "messages", "bytes", "outbox_bytes"), 0)
    who = {"session": name, "remote": "127.0.0.1:4711", "format": "json", "compression": "context"}
    return {**who, "state": "open", **zeros, **numbers}


def told(*sessions: dict[str, Any], total: int | None = None, **counters: int) -> dict[str, Any]:
    zeros = dict.fromkeys(("messages", "bytes", "conflated", "gaps", "linked", "standalone"), 0)
    count = len(sessions) if total is None else total
    return {"total": count, "counters": {**zeros, **counters}, "sessions": list(sessions)}


def topic(name: str, seq: int, status: str = "live") -> dict[str, Any]:
    return {"topic": name, "seq": seq, "ts": 1, "status": status}


HEALTH = {"status": "ok", "topics": 2, "stale": 1, "store": "off"}


@pytest.fixture
def plant(server: "Scripted") -> "Scripted":
    worst = session("0-7", behind=3, behind_ms=1500, conflated=12, exact=2, patterns=1)
    server.pages[SESSIONS] = (200, json.dumps(told(worst, session("0-8"), total=2)))
    topics = {"topics": [topic("t.a", 3), topic("t.b", 4, "stale")], "next": None}
    server.pages[TOPICS] = (200, json.dumps(topics))
    server.pages["/health"] = (200, json.dumps(HEALTH))
    return server


# --- what it makes of two looks -------------------------------------------------------------------


def test_rates_are_what_came_between_two_looks() -> None:
    before = Look(
        10.0,
        HEALTH,
        told(session("a", messages=100, bytes=1000), messages=500, bytes=9000, conflated=1),
        [topic("t.a", 5), topic("t.b", 5)],
    )
    after = Look(
        12.0,
        HEALTH,
        told(
            *(session("a", messages=150, bytes=5000, conflated=4), session("b", messages=9)),
            messages=600,
            bytes=19_000,
            conflated=5,
        ),
        [topic("t.a", 6), topic("t.b", 25), topic("t.c", 7)],
    )
    report = compare(before, after)
    rates = [report[f"{name}_per_s"] for name in ("messages", "bytes", "conflated")]
    assert rates == [50.0, 5000.0, 2.0]
    a, b = report["sessions"]
    assert (a["messages_per_s"], a["bytes_per_s"], a["conflated_per_s"]) == (25.0, 2000.0, 2.0)
    assert b["messages_per_s"] is None, "it was not there before"
    busiest = [(one["topic"], one["updates_per_s"]) for one in report["topics"]]
    assert busiest == [("t.b", 10.0), ("t.a", 0.5), ("t.c", None)]


def test_another_server_at_the_same_place_has_no_rates() -> None:
    before = Look(10.0, HEALTH, told(session("a", bytes=9), bytes=9), [topic("t", 9)])
    after = Look(12.0, HEALTH, told(session("a", bytes=1), bytes=1), [topic("t", 1)])
    report = compare(before, after)
    assert report["bytes_per_s"] is None
    assert report["sessions"][0]["bytes_per_s"] is None
    assert report["topics"][0]["updates_per_s"] is None


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e6, "2.5 MB"), (7e9, "7.0 GB")],
)
def test_bytes_are_readable(number: float | None, text: str) -> None:
    assert bytes_spelled(number) == text


# --- lines ----------------------------------------------------------------------------------------


async def test_in_a_pipe_it_prints_a_report_a_line(
    plant: "Scripted", tickwire_command: "Commands"
) -> None:
    args = ("top", "--admin", plant.url, "--interval", "0.1", "--count", "2")
    ended = await tickwire_command(*args)
    assert (ended.code, ended.err) == (0, "")
    first, second = (json.loads(line) for line in ended.out.splitlines())
    assert second["ts"] >= first["ts"] + 100
    assert first["total"] == 2
    assert first["health"] == HEALTH
    assert [one["session"] for one in first["sessions"]] == ["0-7", "0-8"]
    assert first["sessions"][0]["conflated_per_s"] == 0
    assert [one["topic"] for one in first["topics"]] == ["t.a", "t.b"]


async def test_sort_and_token_reach_the_server(
    plant: "Scripted", tickwire_command: "Commands"
) -> None:
    plant.pages["/v1/sessions?sort=bytes&limit=100"] = plant.pages[SESSIONS]
    args = ("top", "--sort", "bytes", "--admin", plant.url, "--interval", "0.1", "--count", "1")
    ended = await tickwire_command(*args, TICKWIRE_TOKEN="s3cret")
    assert ended.code == 0
    assert {request.path for request in plant.asked} == {
        "/v1/sessions?sort=bytes&limit=100",
        "/health",
        TOPICS,
    }
    assert {request.headers["Authorization"] for request in plant.asked} == {"Bearer s3cret"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_quietly(
    plant: "Scripted", tickwire_command: "Commands", number: signal.Signals
) -> None:
    process = await tickwire_command.start("top", "--admin", plant.url, "--interval", "60")
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["total"] == 2, "the first comes soon"
    process.send_signal(number)
    ended = await tickwire_command.end(process)
    assert (ended.code, ended.err) == (0, "")


async def test_refused_is_4(plant: "Scripted", tickwire_command: "Commands") -> None:
    told = {"error": {"code": "denied", "message": "not you", "retryable": False}}
    plant.pages[SESSIONS] = (403, json.dumps(told))
    ended = await tickwire_command("top", "--admin", plant.url)
    assert (ended.code, ended.out, ended.err) == (4, "", "tickwire: not you\n")


@pytest.mark.parametrize(
    "args", [("--sort", "remote"), ("--interval", "0.05"), ("--count", "0"), ("--url", "ftp://x")]
)
async def test_a_wrong_option_is_2(tickwire_command: "Commands", args: tuple[str, ...]) -> None:
    ended = await tickwire_command("top", *args)
    assert ended.code == 2
    assert args[0].strip("-") in ended.err


# --- the screen -----------------------------------------------------------------------------------


async def test_on_a_terminal_it_draws_both_tables(plant: "Scripted") -> None:
    args = ("top", "--admin", plant.url, "--interval", "0.1", "--count", "1")
    code, drawn = await on_a_terminal(*args, rows=30)
    assert code == 0
    for word in ("ok", "2 sessions", "1 stale", "127.0.0.1:4711", "2+1", "1.5 s", "12", "t.b"):
        assert word in drawn, word
    assert drawn.index("0-7") < drawn.index("0-8") < drawn.index("t.a")
    assert "\x1b[33m" in drawn, "who is behind is yellow"


@pytest.fixture
def crowd() -> dict[str, Any]:
    look = Look(
        0.0,
        HEALTH | {"topics": 5000},
        told(*(session(f"0-{n}") for n in range(100)), total=3000),
        [topic(f"t.{n}", n) for n in range(100)],
    )
    return compare(look, look)


@pytest.mark.parametrize("height", [5, 24, 60])
def test_a_screen_is_never_higher_than_the_terminal(crowd: dict[str, Any], height: int) -> None:
    from rich.console import Console

    console = Console(width=140, height=height, file=sys.stderr, force_terminal=False)
    with console.capture() as capture:
        console.print(render(crowd, "behind", height))
    drawn = capture.get().splitlines()
    assert len(drawn) <= max(height, 10)
    shown = [line for line in drawn if line.startswith("0-")]
    assert any(f"{3000 - len(shown):,} more" in line for line in drawn)
    assert any("4,9" in line and "more" in line for line in drawn)
