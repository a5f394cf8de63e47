"""Runs the benchmarks: each case beside its baseline, alternating, and whether it reaches its goal.

Writes results/<case>.json, results/benchmarks.svg and the table in docs/BENCHMARKS.md (not with
--quick, whose windows are too short to be worth keeping).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from harness import report
from harness.churn import churn
from harness.client import client
from harness.codec import codec
from harness.crowd import hot, idle, quiet, quiet_topics
from harness.fanout import deflate, plain
from harness.hostile import hostile
from harness.measure import Times
from harness.memory import memory, pattern
from harness.page import page
from harness.product import python, store
from harness.programs import Programs
from harness.rows import CaseResult
from harness.scale import connections, topics
from harness.stall import stall
from harness.tls import tls

CASES: dict[str, Callable[[Programs, Times], CaseResult]] = {
    case.__name__: case
    for case in (
        quiet, idle, quiet_topics, churn, hot, hostile,
        plain, deflate, tls, codec, connections, topics, memory, pattern, stall,
        client, page, python, store,
    )
}  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES, help="only this one; repeatable")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, small crowds; nothing is written"
    )
    parser.add_argument(
        "--build",
        type=Path,
        default=report.ROOT / "build" / "release",
        help="tree of a build with TICKWIRE_BENCH",
    )
    return parser.parse_args()


def main() -> None:
    args = arguments()
    programs = Programs(args.build / "bench")
    times = Times(0.5, 1.0, 1, quick=True) if args.quick else Times()
    found: dict[str, report.Saved] = {}
    report.print_head("")
    for name in args.case or CASES:
        started = time.monotonic()
        found[name] = report.record(name, CASES[name](programs, times))
        for row in found[name]["rows"]:
            report.print_row(row)
        print(f"    {name}: {time.monotonic() - started:.0f} s", flush=True)
        if not args.quick:
            report.save(found[name])
    if len(found) > 1:
        report.print_table(found)
    if not args.quick:
        report.write_document(CASES)


if __name__ == "__main__":
    main()
