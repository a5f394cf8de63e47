"""The parts of web/ that need no browser, under Node's own test runner."""

import gzip
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
PAGE_BYTES_MAX = 8 * 1024  # page*.js, gzipped: what the page at / adds to tickwire.js


def test_units() -> None:
    files = sorted(str(path) for path in (HERE / "unit").glob("*.test.mjs"))
    run = subprocess.run(["node", "--test", *files], capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"^# pass (\d+)$", run.stdout, re.M)
    assert passed
    assert int(passed[1]) >= 50


def test_the_page_stays_light(checkout: Path) -> None:
    scripts = sorted((checkout / "web").glob("page*.js"))
    assert len(scripts) >= 2
    size = sum(len(gzip.compress(script.read_bytes())) for script in scripts)
    assert size <= PAGE_BYTES_MAX, f"{size} bytes gzipped, at most {PAGE_BYTES_MAX}"
