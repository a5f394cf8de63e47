"""Bytes a message and the cost of a link, from codec_bench (which checks what it made)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.measure import Times
from harness.programs import SERVER_CORE, Programs
from harness.rows import CaseResult, Question, Row

BASES = 2  # as the server uses
EXCHANGES = ("coinbase", "kraken", "binance", "bitstamp")
SYNTHETIC = "synthetic ticker"
CHECKOUT = Path(__file__).parents[2]
MAKE_SESSIONS = CHECKOUT / "tests/exchange_sessions.py"
RECORDED = CHECKOUT.parent / "shared/captures"
"""Recorded sessions, played instead of the made ones where they lie beside the checkout."""

Table = list[dict[str, str]]


def tables(text: str) -> Iterator[Table]:
    """The tables of a text in Markdown, without their ruler."""
    lines: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            lines.append([cell.strip() for cell in line.strip("|").split("|")])
        elif lines:
            head, *body = lines
            yield [dict(zip(head, row, strict=True)) for row in body]
            lines = []


def codec(programs: Programs, times: Times) -> CaseResult:
    with tempfile.TemporaryDirectory() as made:
        sessions = RECORDED if RECORDED.exists() else Path(made)
        if sessions != RECORDED:
            subprocess.run([sys.executable, MAKE_SESSIONS, made], check=True, stdout=sys.stderr)
        text = subprocess.run(
            [programs.folder / "codec_bench", sessions],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
        ).stdout
    found = list(tables(text))
    by_name = {row["messages"]: row for row in found[0]}
    rows = [bytes_row(name, by_name[name]) for name in (*EXCHANGES, SYNTHETIC)]
    rows += [link_row(row) for row in found[-1] if int(row["bases"]) == BASES]
    return CaseResult(rows, {"bytes": by_name, "tables": found})


def bytes_row(name: str, found: dict[str, str]) -> Row:
    goal = 1.0 if name == SYNTHETIC else 0.95
    ours, zlib = float(found[f"{BASES} bases"]), float(found["zlib 1"])
    title = f"bytes a message, {name}"
    return Row(
        title,
        f"{ours:.1f} B",
        f"{zlib:.1f} B",
        [ours / zlib],
        at_most=goal,
        question=Question.BYTES,
    )


def link_row(found: dict[str, str]) -> Row:
    return Row(
        f"link, {int(found['streams']):,} streams",
        f"{found['link']} ns",
        f"{found['zlib 1']} ns",
        [float(found["ratio"])],
        at_most=0.05,
        question=Question.BYTES,
    )
