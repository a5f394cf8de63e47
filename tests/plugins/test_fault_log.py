"""The faults of a plugin are logged up to a number, and the others are counted."""

import logging

import pytest

from tickwire._fault_log import BURST, KINDS_MAX, PERIOD_S, FaultLog

LOG = logging.getLogger("tickwire.plugins.faulty")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def texts(caplog):
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_at_the_limit_every_fault_is_logged_and_one_past_it_is_counted(caplog, clock):
    faults = FaultLog(LOG, clock)
    for n in range(BURST):
        faults.error("f raised", "f raised: %d", n)
    assert texts(caplog) == [f"f raised: {n}" for n in range(BURST)]
    faults.error("f raised", "f raised: one more")
    assert texts(caplog) == []
    clock.now += PERIOD_S
    faults.error("f raised", "f raised: later")
    assert texts(caplog) == ["f raised: 1 more of this kind were left out", "f raised: later"]


def test_kinds_have_a_budget_each(caplog, clock):
    faults = FaultLog(LOG, clock)
    for _ in range(BURST + 1):
        faults.error("f raised", "f")
    faults.error("g raised", "g")
    assert texts(caplog) == ["f"] * BURST + ["g"]


def test_what_was_left_out_is_told_without_another_fault(caplog, clock):
    faults = FaultLog(LOG, clock)
    for _ in range(BURST + 3):
        faults.error("f raised", "f")
    texts(caplog)
    faults.report()
    assert texts(caplog) == [], "its period has not ended"
    clock.now += PERIOD_S
    faults.report()
    assert texts(caplog) == ["f raised: 3 more of this kind were left out"]
    faults.report()
    assert texts(caplog) == []


def test_at_the_end_the_count_so_far_is_told(caplog, clock):
    faults = FaultLog(LOG, clock)
    for _ in range(BURST + 2):
        faults.error("f raised", "f")
    texts(caplog)
    faults.end()
    faults.end()
    assert texts(caplog) == ["f raised: 2 more of this kind were left out"]


def test_kinds_past_their_limit_share_one_budget(caplog, clock):
    faults = FaultLog(LOG, clock)
    for n in range(KINDS_MAX + BURST + 1):
        faults.error(f"kind {n}", "kind %d", n)
    assert len(texts(caplog)) == KINDS_MAX + BURST
