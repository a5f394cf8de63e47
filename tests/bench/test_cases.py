"""Each case of the benchmarks runs, with the programs of the dev build, and counts what it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Eventually

CASES = {
    "quiet": ["300 x 1 of 300, 1,000/s: loop", "300 x 1 of 30, 1,000/s: loop",
              "  its publisher's thread", "300 x 1 of 300, 100/s: worst"],
    "idle": ["300 idle, heartbeats and pings"],
    "quiet_topics": ["2,000 quiet topics, nobody there"],
    "churn": ["200 clients/s come and go: loop", "200 newcomers/s, snapshots: p99"],
    "hot": ["one topic to 300, 10/s: loop", "one message a write: CPU a message"],
    "hostile": ["p99 beside resume, 100 x 2,000", "p99 beside lists of nothing",
                "p99 beside 2 MiB messages", "p99 beside 100,000 subscriptions"],
    "plain": ["plain: delivered a second"],
    "tls": ["TLS, one message a write, to plain", "TLS, ten messages a write, to plain",
            "  to HAProxy in front", "idle TLS connection, 10 subscriptions"],
    "page": ["<tick-er>, 500 rows x 20/s: a frame", "500 <tick-price> x 20/s: a frame"],
    "client": ["20,000/s by 100, deflate: values", "20,000/s by 100, deflate: async for",
               "memory of the client a topic"],
}  # fmt: skip
"""Case -> some of the lines that a quick run of it prints."""

WRONG = re.compile(r"holes|lost|images|arrived|hung up|waited|too many|no answer|only \d")


@pytest.fixture
def bench_build(checkout: Path) -> Path:
    """$BENCH_BUILD, or the dev build."""
    build = Path(os.environ.get("BENCH_BUILD", checkout / "build/dev"))
    assert (build / "bench" / "plant").exists(), f"{build} has no bench programs: make build"
    return build


@pytest.mark.parametrize("case", CASES)
def test_a_quick_round_of_the_case_loses_nothing_and_has_its_lines(
    checkout: Path, bench_build: Path, case: str
) -> None:
    args = ("--quick", "--case", case, "--build", bench_build)
    ended = subprocess.run(
        [sys.executable, checkout / "bench/run.py", *args], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    for name in CASES[case]:
        line = next(line for line in lines if line.startswith(name))
        assert re.search(r"\d", line.removeprefix(name)), line
    assert not [line for line in lines if line.lstrip().startswith("^") and WRONG.search(line)]


@pytest.mark.usefixtures("harness")
def test_the_floor_sends_as_many_heartbeats_and_pings_as_it_is_told(
    bench_build: Path, eventually: "Eventually"
) -> None:
    from harness.programs import Programs

    programs = Programs(bench_build / "bench")
    with (
        programs.floor() as floor,
        programs.load(floor, "--connections=20", "--topics=20", "--each=1") as load,
    ):
        began = floor.ask("beat", 400, 200)["t_us"]
        eventually(lambda: load.ask("stats")["pings"] >= 100)
        took_s = (floor.ask("beat", 0, 0)["t_us"] - began) / 1e6

        def both_came() -> bool:
            found = load.ask("stats")
            return abs(found["heartbeats"] - 2 * found["pings"]) <= 2

        eventually(both_came)
        found = load.ask("stats")
        assert found["closed"] == 0
        assert 100 <= found["pings"] <= 200 * took_s + 2


@pytest.mark.usefixtures("harness")
def test_sequences_go_on_from_one_schedule_of_the_floor_to_the_next(bench_build: Path) -> None:
    from harness.measure import Shape, Times, measure_floor
    from harness.programs import Programs

    programs = Programs(bench_build / "bench")
    shape = Shape(connections=20, topics=5, each=1, rate=500, check=1)
    plant = window(heartbeats=0, pings=0)
    times = Times(warm_up=0, window=0.3)
    with programs.floor() as floor, programs.load(floor, *shape.load_args()) as load:
        for _ in range(2):
            found = measure_floor(floor, load, shape, times, 1000, plant)
            assert found.faults == []
            assert found.received > 0
        assert load.ask("verify")["wrong"] == 0


def window(**changed: Any) -> Any:
    from harness.measure import Window

    usual = {"seconds": 1.0, "cpu_s": 0.1, "loop_s": 0.1, "publisher_s": 0.0, "messages": 100,
             "received": 100, "reads": 100, "heartbeats": 5, "pings": 5, "bytes": 1, "writes": 1,
             "turns": 1, "latency_us": {}}  # fmt: skip
    return Window(**(usual | changed))


@pytest.mark.usefixtures("harness")
class TestFaults:
    @pytest.mark.parametrize(("received", "fault"), [(9_850, False), (9_700, True)])
    def test_messages_that_never_came_are_a_fault(self, received: int, fault: bool) -> None:
        from harness.crowd import check_all_came

        found = check_all_came(window(messages=10_000, received=received))
        assert bool(found.faults) == fault

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({}, []),
            ({"served": 700}, ["1,000 came, 700 served"]),
            ({"closed": 1}, ["1 clients were hung up on"]),
            ({"overdue": 2}, ["2 clients waited for more than 5 s"]),
        ],
    )
    def test_a_visitor_that_was_not_served_is_a_fault(
        self, changed: dict[str, int], said: list[str]
    ) -> None:
        from harness.churn import Visits

        load = {"came": 1_000, "served": 1_000, "left": 990, "closed": 0, "overdue": 0,
                "turned_away": 0} | changed  # fmt: skip
        assert Visits(1.0, 0.1, 0.1, load).faults == said


@pytest.mark.usefixtures("harness")
@pytest.mark.parametrize(
    ("turns", "rate", "wanted"),
    [
        (100, 100, 1_000),  # a turn for each update: the floor waits for nothing either
        (1_000, 10_000, 1_000),  # a turn for each burst
        (80, 10_000, 12_500),
    ],
)
def test_the_floor_writes_as_often_as_the_plant(turns: int, rate: float, wanted: int) -> None:
    from harness.measure import floor_turn_us

    assert floor_turn_us(window(turns=turns), rate) == wanted


@pytest.mark.usefixtures("harness")
def test_a_crowd_shrinks_to_what_the_machine_allows_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness import programs

    monkeypatch.setattr(programs, "raise_descriptor_limit", lambda: 4_096)
    assert programs.crowd(3_000) == 3_000
    assert capsys.readouterr().err == ""
    assert programs.crowd(19_000) == 3_500
    assert "3,500 connections instead of 19,000" in capsys.readouterr().err


@contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


def test_a_server_that_hangs_up_on_visitors_is_counted(
    bench_build: Path, eventually: "Eventually"
) -> None:
    """The churn client against a listener that closes what it accepts."""
    script = (
        "import socket\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "while True: s.accept()[0].close()\n"
    )
    peer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with peer, ending(peer):
        assert peer.stdout is not None
        port = int(peer.stdout.readline())
        churn = subprocess.Popen(
            [bench_build / "bench/churn", f"--port={port}", "--rate=200", "--topics=2", "--each=1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with churn:

            def stats() -> dict[str, int]:
                assert churn.stdin is not None
                assert churn.stdout is not None
                print("stats", file=churn.stdin, flush=True)
                found: dict[str, int] = json.loads(churn.stdout.readline())
                return found

            eventually(lambda: stats()["closed"] > 0)
            assert stats()["served"] == 0
