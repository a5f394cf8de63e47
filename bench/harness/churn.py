"""Clients that come, subscribe, get their snapshots and go, a thousand of them a second."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from harness.measure import Times, thread_s
from harness.programs import Answer, Program, Programs
from harness.rows import CaseResult, Question, Row

RATE = 1_000
TOPICS, EACH = 100, 10
STAY_MS = 500
WINDOW_S = 10


@dataclass
class Visits:
    """What a server spent on the clients of a window, and how long these waited."""

    seconds: float
    cpu_s: float
    loop_s: float
    load: Answer

    @property
    def loop_share(self) -> float:
        return 100 * self.loop_s / self.seconds

    @property
    def us_each(self) -> float:
        return self.cpu_s / max(int(self.load["served"]), 1) * 1e6

    def wait_ms(self, percentile: str) -> float:
        return float(self.load["wait_us"][percentile]) / 1000

    @property
    def faults(self) -> list[str]:
        found = [
            f"{self.load[what]:,} {meaning}"
            for what, meaning in (
                ("closed", "clients were hung up on"),
                ("overdue", "clients waited for more than 5 s"),
                ("turned_away", "clients too many at once"),
            )
            if self.load[what]
        ]
        came = self.load["came"]
        return found + [
            f"{came:,} came, {self.load[what]:,} {what}"
            for what in ("served", "left")
            if abs(came - self.load[what]) > 0.05 * came + 50
        ]


def measured(server: Program, programs: Programs, times: Times, rate: int) -> Visits:
    args = (f"--rate={rate}", f"--stay-ms={STAY_MS}", f"--topics={TOPICS}", f"--each={EACH}")
    with programs.churn(server, *args) as clients:
        time.sleep(times.warm_up + 2 * STAY_MS / 1000)
        clients.ask("reset")
        before = server.ask("stats")
        time.sleep(times.window)
        after = server.ask("stats")
        load = clients.ask("stats")
    cpu_s = after["cpu_s"] - before["cpu_s"]
    threads = "thread_cpu_s" in after
    loop_s = thread_s(after, "tickwire-") - thread_s(before, "tickwire-") if threads else cpu_s
    return Visits((after["t_us"] - before["t_us"]) / 1e6, cpu_s, loop_s, load)


def churn(programs: Programs, times: Times) -> CaseResult:
    times = times.fewer(2).longer(WINDOW_S)
    rate = RATE // 5 if times.quick else RATE
    ours: list[Visits] = []
    floor: list[Visits] = []
    for _ in range(times.rounds):
        with programs.plant(TOPICS) as plant:
            ours.append(measured(plant, programs, times, rate))
        with programs.floor(0, "--snapshots", str(TOPICS), str(EACH)) as server:
            floor.append(measured(server, programs, times, rate))
    data = {"ours": [vars(v) for v in ours], "floor": [vars(v) for v in floor]}
    return CaseResult(rows(rate, ours, floor), data)


def rows(rate: int, ours: list[Visits], floor: list[Visits]) -> list[Row]:
    note = "; ".join(sorted({fault for visits in (*ours, *floor) for fault in visits.faults}))

    def row(name: str, what: Any, unit: str, question: Question, show: str = "") -> Row:
        """The ratio of both, or with `show` our own values."""
        mine, theirs = [what(v) for v in ours], [what(v) for v in floor]
        ratio = [a / b for a, b in zip(mine, theirs, strict=True)]
        return Row(
            name,
            f"{sorted(mine)[len(mine) // 2]:.2f} {unit}",
            f"{sorted(theirs)[len(theirs) // 2]:.2f} {unit}",
            mine if show else ratio,
            unit=show,
            note=note,
            question=question,
        )

    crowd, late = Question.CROWD, Question.LATENESS
    return [
        row(f"{rate:,} clients/s come and go: loop", lambda v: v.loop_share, "%", crowd),
        row("  CPU of one, all threads", lambda v: v.us_each, "us", crowd),
        row(f"{rate:,} newcomers/s, snapshots: p50", lambda v: v.wait_ms("p50"), "ms", late, "ms"),
        row(f"{rate:,} newcomers/s, snapshots: p99", lambda v: v.wait_ms("p99"), "ms", late, "ms"),
    ]
