"""A store that an earlier schema wrote, kept as SQL, opens with everything that it held."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.conftest import StartDaemon

FIXTURES = Path(__file__).parents[1] / "fixtures" / "store"
EPOCH = "0123456789abcdef"


def schema_version(checkout: Path) -> int:
    """How many migrations the core knows."""
    source = (checkout / "core" / "store" / "schema.cc").read_text()
    steps = re.search(r"kMigrations\{(.*?)\n\};", source, re.DOTALL)
    assert steps
    return len(re.findall(r';",$', steps[1], re.MULTILINE))


def make(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript((FIXTURES / f"schema_{version}.sql").read_text())


def pragma(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute(f"PRAGMA {name}").fetchone()[0])


def test_each_earlier_schema_has_a_fixture(checkout: Path) -> None:
    found = sorted(int(path.stem.rpartition("_")[2]) for path in FIXTURES.glob("*.sql"))
    assert found == list(range(1, schema_version(checkout)))


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_store_of_an_earlier_schema_opens_with_what_it_held(
    start_daemon: StartDaemon, tmp_path: Path, checkout: Path, version: int
) -> None:
    path = tmp_path / "ticks.db"
    make(path, version)
    daemon = start_daemon(
        *("--set", f"store.path={path}", "--set", "topics.chat.>.delivery=event"),
        *("--set", "topics.chat.>.history=stored"),
    )
    health = daemon.http("/health").json
    assert health["epoch"] == EPOCH, "it ended cleanly, so its sequence numbers go on"
    assert health["store"] == "ok"
    btc = daemon.http("/v1/snapshot/ticker.BTC-USD").json
    assert (btc["seq"], btc["status"], btc["data"]) == (7, "stale", {"last": "0.10"})
    assert daemon.http("/v1/snapshot/ticker.HALT").json["status"] == "halted"
    if version >= 2:
        with daemon.connect() as client:
            client.ask({"type": "subscribe", "topics": ["chat.lobby"], "last": 2})
            assert [client.receive()["data"]["text"] for _ in range(2)] == ["one", "two"]
    assert daemon.stop() == 0
    assert pragma(path, "user_version") == schema_version(checkout)
    again = start_daemon("--set", f"store.path={path}")
    assert again.http("/health").json["epoch"] == EPOCH
    assert again.http("/v1/snapshot/ticker.BTC-USD").json["seq"] == 7
