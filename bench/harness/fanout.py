"""CPU a message on the main load: plain beside the floor, deflate beside plain and beside zlib."""

from __future__ import annotations

import statistics

from harness.measure import (
    NotNegotiatedError,
    Shape,
    Times,
    Window,
    faults_of,
    median_of,
    ratios,
    run_floor,
    run_plant,
)
from harness.programs import Programs
from harness.rows import CaseResult, Question, Row

MAIN = Shape()  # 1000 connections x 10 of 100 topics, 10,000 updates/s: 1 M messages/s
ZLIB_LEVEL = 1
DEFLATE_ROWS = ("deflate: CPU a message, to our plain", "  to one zlib stream a connection")
DEFLATE_GOALS = (1.1, 0.2)


def us(windows: list[Window], what: str = "us_per_message") -> str:
    return f"{median_of(windows, what):.3f} us"


def plain(programs: Programs, times: Times) -> CaseResult:
    ours: list[Window] = []
    floor: list[Window] = []
    for _ in range(times.rounds):
        ours.append(run_plant(programs, MAIN, times))
        floor.append(run_floor(programs, MAIN, times, ours[-1].turn_us))
    rows = [
        Row(
            "plain: delivered a second",
            f"{median_of(ours, 'messages_per_s') / 1e6:.3f} M/s",
            f"{MAIN.messages_per_s / 1e6:.0f} M/s due",
            [w.messages_per_s / MAIN.messages_per_s for w in ours],
            at_least=0.99,
            note=faults_of(ours, floor),
            question=Question.CROWD,
        ),
        Row(
            "plain: CPU a message, all threads",
            us(ours),
            us(floor),
            ratios(ours, floor, "us_per_message"),
            at_most=1.15,
            note=faults_of(ours, floor),
        ),
        Row(
            "  its loop thread alone",
            us(ours, "loop_us_per_message"),
            us(floor),
            ratios(ours, floor, "loop_us_per_message"),
        ),
        Row(
            "  messages a write",
            f"{median_of(ours, 'messages') / median_of(ours, 'writes'):.1f}",
            f"{median_of(floor, 'messages') / median_of(floor, 'writes'):.1f}",
            ratios(ours, floor, "writes"),
        ),
        latency_row("plain, 1 M messages/s", "p99", ours, floor),
    ]
    return CaseResult(rows, {"ours": dicts(ours), "floor": dicts(floor)})


def deflate(programs: Programs, times: Times) -> CaseResult:
    times = times.fewer(3)
    ours: list[Window] = []
    uncompressed: list[Window] = []
    zlib: list[Window] = []
    refused = ""
    for _ in range(times.rounds):
        uncompressed.append(run_plant(programs, MAIN, times))
        try:
            ours.append(run_plant(programs, MAIN, times, deflate=True))
        except NotNegotiatedError as why:
            refused = str(why)
        turn_us = (ours or uncompressed)[-1].turn_us
        zlib.append(run_floor(programs, MAIN, times, turn_us, ZLIB_LEVEL))
    data = {"ours": dicts(ours), "plain": dicts(uncompressed), "zlib": dicts(zlib)}
    if not ours:
        return CaseResult(unmeasured(uncompressed, zlib, refused), data)
    note = faults_of(ours, uncompressed, zlib)
    rows = [
        Row(
            DEFLATE_ROWS[0],
            us(ours),
            us(uncompressed),
            ratios(ours, uncompressed, "us_per_message"),
            at_most=DEFLATE_GOALS[0],
            note=note,
            question=Question.BYTES,
        ),
        Row(
            DEFLATE_ROWS[1],
            us(ours),
            us(zlib),
            ratios(ours, zlib, "us_per_message"),
            at_most=DEFLATE_GOALS[1],
            note=note,
            question=Question.BYTES,
        ),
        Row(
            "  bytes a message on the wire",
            f"{median_of(ours, 'bytes_per_message'):.0f} B",
            f"{median_of(zlib, 'bytes_per_message'):.0f} B",
            ratios(ours, zlib, "bytes_per_message"),
            question=Question.BYTES,
        ),
        Row(
            "  delivered a second",
            f"{median_of(ours, 'messages_per_s') / 1e6:.3f} M/s",
            f"{median_of(zlib, 'messages_per_s') / 1e6:.3f} M/s",
            ratios(ours, zlib, "messages_per_s"),
            question=Question.BYTES,
        ),
        latency_row("deflate, 1 M messages/s", "p99", ours, zlib, at_most=10),
    ]
    return CaseResult(rows, data)


def unmeasured(uncompressed: list[Window], zlib: list[Window], why: str) -> list[Row]:
    return [
        Row(name, "-", us(baseline), [], at_most=goal, note=why, question=Question.BYTES)
        for name, baseline, goal in zip(
            DEFLATE_ROWS, (uncompressed, zlib), DEFLATE_GOALS, strict=True
        )
    ]


def latency_row(
    what: str,
    percentile: str,
    ours: list[Window],
    baseline: list[Window],
    at_most: float | None = None,
) -> Row:
    """Milliseconds; a goal is one of ours, whatever the baseline's."""

    def ms(windows: list[Window]) -> list[float]:
        return [w.latency_us[percentile] / 1000 for w in windows]

    return Row(
        f"{what}: {'worst' if percentile == 'max' else percentile}",
        f"{statistics.median(ms(ours)):.1f} ms",
        f"{statistics.median(ms(baseline)):.1f} ms",
        ms(ours),
        unit="ms",
        at_most=at_most,
        note=faults_of(ours, baseline),
        question=Question.LATENESS,
    )


def dicts(windows: list[Window]) -> list[dict[str, object]]:
    return [w.as_dict() for w in windows]
