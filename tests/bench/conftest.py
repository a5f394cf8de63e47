"""The benchmarks' own modules, which no package installs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(checkout / "bench"))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "harness"]:
        del sys.modules[name]
