"""The scripts that judge a run: coverage beside its baseline, and the slowest tests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def judge(checkout: Path, tmp_path: Path):
    """judge(taken, total, "--record"): the exit code and what is printed, with one baseline."""

    def judge(taken: int, total: int, *options: str, tool: str = "gcovr") -> tuple[int, str]:
        totals = {"covered_branches": taken, "num_branches": total}
        summary = {"branch_covered": taken, "branch_total": total}
        (tmp_path / "s.json").write_text(
            json.dumps(summary if tool == "gcovr" else {"totals": totals})
        )
        script = checkout / "scripts" / "check_coverage.py"
        command = [sys.executable, script, tmp_path / "b.json", "core", tmp_path / "s.json"]
        done = subprocess.run([*command, *options], capture_output=True, text=True)
        return done.returncode, done.stdout

    return judge


@pytest.mark.parametrize("tool", ["gcovr", "coverage.py"])
def test_coverage_may_fall_by_a_point_and_no_further(judge, tool) -> None:
    assert judge(900, 1000, "--record", tool=tool)[0] == 0
    assert judge(890, 1000, tool=tool) == (0, "core: 89.0 % of 1000 branches, baseline 90.0 %\n")
    code, said = judge(889, 1000, tool=tool)
    assert code == 1
    assert "it fell by more than 1 point" in said
    assert judge(950, 1000, tool=tool)[0] == 0


def test_coverage_without_a_baseline_or_without_branches_fails(judge) -> None:
    code, said = judge(900, 1000)
    assert code == 1
    assert "RECORD=1" in said
    assert judge(0, 0, "--record") == (1, "core: no branches were measured\n")


def test_a_new_baseline_leaves_the_other_one(judge, tmp_path) -> None:
    (tmp_path / "b.json").write_text('{"client": 98.0}')
    judge(500, 1000, "--record")
    assert json.loads((tmp_path / "b.json").read_text()) == {"client": 98.0, "core": 50.0}


def test_the_ten_slowest_tests_are_named(checkout: Path, tmp_path: Path) -> None:
    costs = tmp_path / "Testing" / "Temporary" / "CTestCostData.txt"
    costs.parent.mkdir(parents=True)
    lines = [f"Suite.Test{n} 1 {n / 10}" for n in range(12)]
    costs.write_text("\n".join([*lines, "---", "Suite.Failed 1 99"]) + "\n")
    script = checkout / "scripts" / "slowest-tests"
    done = subprocess.run([script, tmp_path], check=True, capture_output=True, text=True)
    named = [line.split()[1] for line in done.stdout.splitlines()[1:]]
    assert named == [f"Suite.Test{n}" for n in range(11, 1, -1)]
