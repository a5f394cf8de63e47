"""The parts of web/ that need no browser, under Node's own test runner."""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def test_units() -> None:
    files = sorted(str(path) for path in (HERE / "unit").glob("*.test.mjs"))
    run = subprocess.run(["node", "--test", *files], capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"^# pass (\d+)$", run.stdout, re.M)
    assert passed
    assert int(passed[1]) >= 50
