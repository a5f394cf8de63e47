"""More connections, more topics, as many messages a second: what a message costs then."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from harness.fanout import dicts, us
from harness.measure import (
    Shape,
    Times,
    Window,
    faults_of,
    loaded_plant,
    measure_plant,
    ratios,
    run_floor,
)
from harness.programs import Programs
from harness.rows import CaseResult, Row

MESSAGES_PER_S = 100_000
CONNECTIONS = (100, 1_000, 5_000, 19_000)
TOPICS = (10, 1_000, 100_000)
SLOPE_MAX = 1.2


def by_connections() -> Iterator[tuple[int, Shape]]:
    for count in CONNECTIONS:
        # 10 of 100 topics each: an update goes to a tenth of them.
        yield count, Shape(connections=count, rate=MESSAGES_PER_S / (count / 10), check=50)


def by_topics() -> Iterator[tuple[int, Shape]]:
    for count in TOPICS:
        # A tenth of the topics each, so that an update goes to 100 clients, however many topics.
        rate = MESSAGES_PER_S / 100
        yield count, Shape(topics=count, each=count // 10, rate=rate, check=50, snapshot=False)


def sweep(
    programs: Programs, times: Times, what: str, shapes: Iterator[tuple[int, Shape]]
) -> CaseResult:
    times = times.fewer(2)
    sizes = dict(shapes)
    ours: dict[int, list[Window]] = {size: [] for size in sizes}
    floor: dict[int, list[Window]] = {size: [] for size in sizes}
    for size, shape in sizes.items():
        # Once for all rounds: ten million subscriptions take a while.
        with loaded_plant(programs, shape) as (plant, load):
            for _ in range(times.rounds):
                ours[size].append(measure_plant(plant, load, shape, times))
                floor[size].append(run_floor(programs, shape, times, ours[size][-1].turn_us))
    by_size = {size: ratios(ours[size], floor[size], "us_per_message") for size in sizes}
    smallest = min(sizes)
    rows = [
        Row(f"{size:,} {what}: CPU a message", us(ours[size]), us(floor[size]), by_size[size])
        for size in sizes
    ]
    first = statistics.median(by_size[smallest])
    worst = max(sizes, key=lambda size: statistics.median(by_size[size]))
    rows.append(
        Row(
            f"  worst ({worst:,}) to smallest ({smallest:,})",
            f"{statistics.median(by_size[worst]):.2f}",
            f"{first:.2f}",
            [a / b for a, b in zip(by_size[worst], by_size[smallest], strict=True)],
            at_most=SLOPE_MAX,
            note=faults_of(*ours.values(), *floor.values()),
        )
    )
    data: dict[str, Any] = {
        str(size): {"ours": dicts(ours[size]), "floor": dicts(floor[size])} for size in sizes
    }
    return CaseResult(rows, data)


def connections(programs: Programs, times: Times) -> CaseResult:
    return sweep(programs, times, "connections", by_connections())


def topics(programs: Programs, times: Times) -> CaseResult:
    return sweep(programs, times, "topics", by_topics())
