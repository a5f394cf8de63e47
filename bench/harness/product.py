"""Publishing from Python, and what the store costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.fanout import MAIN, dicts, us
from harness.measure import Times, Window, faults_of, ratios, run_plant
from harness.programs import SERVER_CORE, Programs
from harness.rows import CaseResult, Question, Row

PUBLISH_GOALS = {"publish": 300_000, "publish_many": 1_000_000, "publish_table": 3_000_000}


def python(programs: Programs, times: Times) -> CaseResult:
    modules = sorted((programs.folder.parent / "bindings").glob("_core.*.so"))
    if not modules:
        why = "this build has no Python module"
        return CaseResult([publish_row(name, [], why) for name in PUBLISH_GOALS], {})
    found = [publish_rates(modules[0]) for _ in range(min(times.rounds, 3))]
    rows = [publish_row(name, [each[name] for each in found], "") for name in PUBLISH_GOALS]
    return CaseResult(rows, {"rates": found})


def publish_rates(module: Path) -> dict[str, dict[str, float]]:
    text = subprocess.run(
        [sys.executable, Path(__file__).with_name("publish_rate.py"), module],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    ).stdout
    rates: dict[str, dict[str, float]] = json.loads(text)
    return rates


def publish_row(name: str, measured: list[dict[str, float]], note: str) -> Row:
    middle = sorted(measured, key=lambda one: one["per_s"])[len(measured) // 2 :]
    return Row(
        f"Python {name}, updates/s",
        f"{middle[0]['per_s'] / 1e6:.2f} M/s, {middle[0]['cpu_us']:.2f} us CPU" if middle else "-",
        "-",
        [one["per_s"] for one in measured],
        unit="/s",
        at_least=PUBLISH_GOALS[name],
        note=note,
        question=Question.PUBLISHING,
    )


def store(programs: Programs, times: Times) -> CaseResult:
    on: list[Window] = []
    off: list[Window] = []
    for _ in range(min(times.rounds, 3)):
        with tempfile.TemporaryDirectory() as folder:
            on.append(run_plant(programs, MAIN, times, f"store.path={folder}/tickwire.db"))
        off.append(run_plant(programs, MAIN, times))
    row = Row(
        "store on: messages a CPU second",
        us(on),
        us(off),
        ratios(off, on, "us_per_message"),
        at_least=0.95,
        note=faults_of(on, off),
        question=Question.PUBLISHING,
    )
    return CaseResult([row], {"on": dicts(on), "off": dicts(off)})
