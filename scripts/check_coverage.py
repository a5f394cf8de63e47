"""check_coverage.py BASELINE NAME SUMMARY [--record]: branch coverage beside its recorded baseline.

SUMMARY is what gcovr or coverage.py wrote as JSON. It ends with 1 if less is covered than the
baseline says, by more than a percentage point. With --record the figure becomes the baseline.
"""

import json
import sys
from pathlib import Path
from typing import Any

FALL_MAX = 1.0
"""In percentage points: threads and timing make two runs differ a little."""


def branches(summary: dict[str, Any]) -> tuple[int, int]:
    """Branches that were taken, and all of them, by gcovr's or coverage.py's names."""
    totals = summary.get("totals")
    if totals is None:
        return summary["branch_covered"], summary["branch_total"]
    return totals["covered_branches"], totals["num_branches"]


def verdict(name: str, taken: int, total: int, baseline: float | None) -> tuple[str, bool]:
    """What to print, and whether it is good enough."""
    if total == 0:
        return f"{name}: no branches were measured", False
    percent = 100 * taken / total
    text = f"{name}: {percent:.1f} % of {total} branches"
    if baseline is None:
        return f"{text}; there is no baseline yet: record one with RECORD=1", False
    text += f", baseline {baseline:.1f} %"
    if percent < baseline - FALL_MAX:
        return f"{text}: it fell by more than {FALL_MAX:g} point; write the missing tests", False
    return text, True


def main(file: str, name: str, summary: str, *options: str) -> int:
    baseline = Path(file)
    recorded = json.loads(baseline.read_text()) if baseline.exists() else {}
    taken, total = branches(json.loads(Path(summary).read_text()))
    if "--record" in options and total:
        recorded[name] = round(100 * taken / total, 1)
        baseline.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
    text, good = verdict(name, taken, total, recorded.get(name))
    print(text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
