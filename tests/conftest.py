"""What every test may ask for: where the checkout is, and the environment's own programs."""

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkout() -> Path:
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the `tickwire` and `tickwired` that belong to the tickwire under test."""
    return Path(sys.executable).parent


@pytest.fixture(scope="session")
def tickwired(checkout: Path, programs: Path) -> Path:
    """$TICKWIRED, or the environment's, or the dev build's."""
    candidates = [programs / "tickwired", checkout / "build/dev/core/daemon/tickwired"]
    if named := os.environ.get("TICKWIRED"):
        candidates.insert(0, Path(named))
    found = [path for path in candidates if path.exists()]
    assert found, f"no tickwired: neither of {candidates} exists"
    return found[0]
