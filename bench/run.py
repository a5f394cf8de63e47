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
from harness.codec import codec
from harness.fanout import deflate, plain
from harness.measure import CaseResult, Times
from harness.memory import memory, pattern
from harness.product import python, store
from harness.programs import Programs
from harness.scale import connections, topics
from harness.stall import stall

CASES: dict[str, Callable[[Programs, Times], CaseResult]] = {
    case.__name__: case
    for case in (
        plain, deflate, codec, connections, topics, memory, pattern, stall, python, store
    )
}  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES, help="only this one; repeatable")
    parser.add_argument("--quick", action="store_true", help="one short round; nothing is written")
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
    times = Times(0.5, 1.0, 1) if args.quick else Times()
    started = time.monotonic()
    report.print_head()
    for name in args.case or CASES:
        result = CASES[name](programs, times)
        for row in result.rows:
            report.print_row(row)
        if not args.quick:
            report.save(name, result)
    if not args.quick:
        report.write_document(CASES)
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
