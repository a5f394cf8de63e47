"""The table, the files in results/, and the part of docs/BENCHMARKS.md that is made from them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.plot import plot
from harness.rows import CaseResult, Question

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "BENCHMARKS.md"
BEGIN, END = "<!-- made by make bench: begin -->", "<!-- made by make bench: end -->"

PLOT = "benchmarks.svg"
PLOT_SHOWS = "CPU and bytes a message, and how CPU goes with the number of connections and topics"

Saved = dict[str, Any]


def number(value: float, unit: str) -> str:
    if unit == "/s":
        return f"{value / 1e6:.2f}"
    if unit:
        return f"{value:.4g}"
    digits = 4 if 0 < value < 0.02 else 2 if value < 100 else 0
    return f"{value:.{digits}f}"


def spread(row: Saved) -> str:
    if row["value"] is None:
        return "-"
    middle = number(row["value"], row["unit"])
    low, high = min(row["values"]), max(row["values"])
    if low == high:
        return middle
    return f"{middle} ({number(low, row['unit'])}-{number(high, row['unit'])})"


def shown_unit(unit: str) -> str:
    return f" {unit}" if unit in ("%", "ms") else ""


def goal(row: Saved) -> str:
    scale, unit = (1e6, " M") if row["unit"] == "/s" else (1, "")
    for sign, bound in (("<=", row["at_most"]), (">=", row["at_least"])):
        if bound is not None:
            return f"{sign}{bound / scale:g}{unit or shown_unit(row['unit'])}"
    return ""


def verdict(row: Saved) -> str:
    return {None: "", True: "reached", False: "NOT REACHED"}[row["reached"]]


def columns(row: Saved) -> tuple[str, ...]:
    return (row["name"], row["ours"], row["baseline"], spread(row), goal(row), verdict(row))


def print_line(cells: tuple[str, ...]) -> None:
    name, ours, baseline, value, wanted, reached = cells
    print(
        f"{name:<35}{ours:>13}{baseline:>13}  {value:<17} {wanted:<7} {reached}".rstrip(),
        flush=True,
    )


def print_head(title: str) -> None:
    print(f"\n{title}" if title else "")
    print_line(("", "ours", "baseline", "ratio (min-max)", "goal", ""))


def print_row(row: Saved) -> None:
    print_line(columns(row))
    if row["note"]:
        print(f"    ^ {row['note']}")


def by_question(saved: dict[str, Saved]) -> Iterator[tuple[Question, list[Saved]]]:
    """The rows of all cases, what a user asks first coming first."""
    rows = [row for case in saved.values() for row in case["rows"]]
    for question in Question:
        if answers := [row for row in rows if row["question"] == question]:
            yield question, answers


def goals_line(saved: dict[str, Saved]) -> str:
    """How many goals there are, and which were missed."""
    parent, reached, missed = "", 0, []
    for case in saved.values():
        for row in case["rows"]:
            name = row["name"].strip()
            title = f"{parent}, {name}" if row["name"].startswith(" ") else name
            parent = parent if row["name"].startswith(" ") else name
            reached += row["reached"] is True
            if row["reached"] is False:
                missed.append(title)
    if not reached and not missed:
        return "None of this has a goal."
    line = f"{reached} of {reached + len(missed)} goals are reached"
    return line + (f"; not reached: {'; '.join(missed)}." if missed else ".")


def print_table(saved: dict[str, Saved]) -> None:
    for question, rows in by_question(saved):
        print_head(question)
        for row in rows:
            print_row(row)
    print(f"\n{goals_line(saved)}")


def machine() -> Saved:
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return {
        "cpu": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_average": os.getloadavg()[0],
    }


def commit() -> str:
    describe = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def record(name: str, result: CaseResult) -> Saved:
    """What is kept of a case."""
    return {
        "case": name,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "machine": machine(),
        "rows": [row.as_dict() for row in result.rows],
        "data": result.data,
    }


def save(found: Saved) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{found['case']}.json").write_text(json.dumps(found, indent=1) + "\n")


def load_saved(names: Iterable[str]) -> dict[str, Saved]:
    found = {}
    for name in names:
        path = RESULTS / f"{name}.json"
        if path.exists():
            found[name] = json.loads(path.read_text())
    return found


def write_document(names: Iterable[str]) -> None:
    saved = load_saved(names)
    (RESULTS / PLOT).write_text(plot(saved))
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(before + BEGIN + "\n" + "\n".join(section(saved)) + "\n" + END + after)


def section(saved: dict[str, Saved]) -> Iterable[str]:
    yield f"![{PLOT_SHOWS}](../bench/results/{PLOT})"
    yield ""
    any_case = next(iter(saved.values()))
    where = any_case["machine"]
    yield f"{where['cpu']}, {where['cores']} cores, Linux {where['kernel']}."
    yield ""
    yield goals_line(saved)
    for question, rows in by_question(saved):
        yield ""
        yield f"### {question}"
        yield ""
        yield "| what | ours | baseline | median (min-max) | goal | |"
        yield "|---|---|---|---|---|---|"
        for row in rows:
            name, *cells, reached = columns(row)
            note = f": {row['note']}" if row["note"] else ""
            indent = "&nbsp;&nbsp;" if name.startswith(" ") else ""
            mark = "**not reached**" if reached == "NOT REACHED" else reached
            yield f"| {indent}{name.strip()} | {' | '.join(cells)} | {mark}{note} |"
