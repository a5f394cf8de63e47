"""What every test may ask for: where the checkout is, and the environment's own programs."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Eventually = Callable[[Callable[[], Any]], Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tls-clients", type=int, default=200, help="how many are there when a certificate changes"
    )
    parser.addoption(
        "--stopped-s", type=float, default=3, help="how long the stopped clients stand still"
    )


@pytest.fixture(scope="session")
def checkout() -> Path:
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the `tickwire` and `tickwired` that belong to the tickwire under test."""
    return Path(sys.executable).parent


@pytest.fixture(scope="session", autouse=True)
def _own_servers() -> Iterator[None]:
    """Commands that look for servers of this user find those of this pytest process only.

    Several processes run side by side. The name is short, for a socket's path has 107 bytes.
    """
    with tempfile.TemporaryDirectory(prefix="tw-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        yield


@pytest.fixture(scope="session")
def tickwired(checkout: Path, programs: Path) -> Path:
    """$TICKWIRED, or the environment's, or the dev build's."""
    candidates = [programs / "tickwired", checkout / "build/dev/core/daemon/tickwired"]
    if named := os.environ.get("TICKWIRED"):
        candidates.insert(0, Path(named))
    found = [path for path in candidates if path.exists()]
    assert found, f"no tickwired: neither of {candidates} exists"
    return found[0]


@pytest.fixture
def eventually() -> Eventually:
    """Waits until a function returns something true, and returns that."""

    def wait(probe: Callable[[], Any], within_s: float = 150) -> Any:
        deadline = time.monotonic() + within_s
        while not (result := probe()):
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)
        return result

    return wait
