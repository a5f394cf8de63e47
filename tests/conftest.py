"""What every test may ask for: where the checkout is, and the environment's own programs."""

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
