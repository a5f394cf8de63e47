"""kill -9 at random moments: the whole of it is `make crash N=1000`."""

import sqlite3
from pathlib import Path

import pytest

from crash.harness import BrokenPromiseError, Harness, Ledger, Subscriber, Totals, audit, payload

ROUNDS = 16


def test_crashes_break_no_promise(tickwired: Path, tmp_path: Path) -> None:
    harness = Harness(tickwired, tmp_path, seed=3)
    for _ in range(ROUNDS):
        harness.round()
    totals = harness.totals
    assert totals.received > 1000, totals
    assert len(totals.epochs) > 3, totals
    assert totals.clean_stops > 0, totals
    assert totals.recovered > 0, totals


def test_a_seq_that_means_two_things_is_noticed() -> None:
    ledger = Ledger()
    ledger.says("a", "t", 1, 10)
    ledger.says("b", "t", 1, 11)
    with pytest.raises(BrokenPromiseError):
        ledger.says("a", "t", 1, 11)


@pytest.mark.parametrize(
    "second",
    [
        {"type": "update", "topic": "v.1", "seq": 3, "data": payload("v.1", 5)},
        {"type": "update", "topic": "v.1", "seq": 1, "data": payload("v.1", 4)},
        {"type": "update", "topic": "v.1", "seq": 2, "data": payload("v.2", 5)},
        {"type": "snapshot", "topic": "v.1", "seq": 0, "data": payload("v.1", 4)},
        {"type": "snapshot", "topic": "v.1", "seq": 1, "data": payload("v.1", 5)},
        {"type": "gap", "topic": "v.1", "from": 3, "to": 4},
    ],
)
def test_a_wrong_message_is_noticed(second: dict[str, object]) -> None:
    subscriber = Subscriber(Ledger(), Totals())
    subscriber.command("epoch")
    subscriber.hear({"type": "update", "topic": "v.1", "seq": 1, "data": payload("v.1", 4)})
    with pytest.raises(BrokenPromiseError):
        subscriber.hear(second)


@pytest.mark.parametrize(
    "harm",
    [
        'UPDATE image SET image = \'{"n": 1, "sum": 2}\'',
        "DELETE FROM event WHERE seq = 2",
        "UPDATE image SET seq = seq + 1",
    ],
)
def test_a_wrong_file_is_noticed(harm: str) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE image(topic, seq, ts, status, image);"
        "CREATE TABLE event(topic, seq, ts, data);"
    )
    for seq in (1, 2, 3):
        data = str(payload("e.1", seq)).replace("'", '"')
        database.execute("INSERT INTO event VALUES('e.1', ?, 0, ?)", (seq, data))
    database.execute("INSERT INTO image VALUES('e.1', 3, 0, 'live', ?)", (data,))
    audit(database)
    database.execute(harm)
    with pytest.raises(BrokenPromiseError):
        audit(database)
    database.close()
