"""The Python client beside `websockets` with json and with orjson: CPU of the client's process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.measure import Times
from harness.programs import Programs
from harness.rows import CaseResult, Question, Row

HERE = Path(__file__).parent
TOPICS = 100


@dataclass(frozen=True)
class Load:
    name: str
    rate: int  # messages a second
    burst: int  # messages that are sent together
    deflate: bool
    goals: dict[str, float]  # kind of reader -> CPU microseconds a message


LOADS = (
    Load("20,000/s by 100", 20_000, 100, False, {"values": 2.5, "async for": 3.0}),
    Load("20,000/s by 100, deflate", 20_000, 100, True, {"values": 2.5, "async for": 3.0}),
    Load("20,000/s by 4, deflate", 20_000, 4, True, {"values": 6.0, "async for": 8.0}),
    Load("200,000/s", 200_000, 100, False, {"batches": 2.0}),
    Load("200,000/s, deflate", 200_000, 100, True, {"batches": 2.0}),
)
PEERS = ("json", "orjson")


@dataclass(frozen=True)
class Python:
    label: str  # before the names of its rows
    path: str


OWN = Python("", sys.executable)


def client(programs: Programs, times: Times) -> CaseResult:
    rows: list[Row] = []
    data: dict[str, Any] = {}
    pythons = [OWN] if times.quick else [OWN, *others()]
    for python in pythons:
        for load in LOADS[1:2] if times.quick else LOADS:
            found = measure(python, load, times)
            rows += [row(python, load, kind, goal, found) for kind, goal in load.goals.items()]
            data[python.label + load.name] = found
    topics = 2_000 if times.quick else 50_000
    memory = once("client_memory.py", str(topics))
    data["memory"] = memory
    rows += [
        memory_row("memory of the client a topic", memory["bytes_a_topic"], " B", 700),
        memory_row(f"six columns of {topics:,} topics", memory["columns_ms"], " ms", 12),
    ]
    return CaseResult(rows, data)


def others() -> list[Python]:
    """Returns the Pythons for which scripts/bench-pythons made an environment."""
    built = sorted((HERE.parents[1] / "build" / "pythons").glob("3.*/bin/tickwire"))
    roots = [program.parents[1] for program in built]
    return [Python(f"CPython {root.name}, ", str(root / "bin" / "python")) for root in roots]


def measure(python: Python, load: Load, times: Times) -> dict[str, list[dict[str, float]]]:
    """For each kind of reader what its rounds took. The peers are measured with our own Python."""
    seconds = max(times.window if load.rate < 100_000 else times.window / 2, 0.5)
    peers = PEERS if python is OWN else ()
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(min(times.rounds, 3)):
        for kind in (*load.goals, *peers):
            if kind != "orjson" or find_spec("orjson"):
                found.setdefault(kind, []).append(read(python, load, kind, seconds))
    return found


def memory_row(name: str, value: float, unit: str, goal: float) -> Row:
    shown = f"{value:.1f}{unit}"
    return Row(name, shown, "-", [value], unit=unit, at_most=goal, question=Question.CLIENT)


def read(python: Python, load: Load, kind: str, seconds: float) -> dict[str, float]:
    args = [str(load.rate), str(load.burst), str(seconds), str(TOPICS), str(int(load.deflate))]
    command = [sys.executable, str(HERE / "client_feed.py"), *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as feed:
        try:
            assert feed.stdout is not None
            port = feed.stdout.readline().strip()
            messages = load.burst * int(load.rate * seconds / load.burst)
            args = [kind, port, str(TOPICS), str(messages)]
            return once("client_reader.py", *args, python=python.path)
        finally:
            feed.kill()


def once(program: str, *args: str, python: str = sys.executable) -> dict[str, float]:
    command = [python, str(HERE / program), *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def row(
    python: Python, load: Load, kind: str, goal: float, found: dict[str, list[dict[str, float]]]
) -> Row:
    def middle(of: str) -> float:
        return statistics.median(one["cpu_us"] for one in found[of])

    peers = ", ".join(f"{middle(peer):.1f} {peer}" for peer in PEERS if peer in found)
    ours = f"{middle(kind):.2f} us"
    return Row(
        f"{python.label}{load.name}: {kind}",
        ours,
        peers or "-",
        [one["cpu_us"] for one in found[kind]],
        unit=" us",
        at_most=goal,
        question=Question.CLIENT,
    )
