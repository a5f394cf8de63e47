"""One measured window of a server and its clients, and what a row of the table is made of."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.programs import Answer, Program, Programs

CATCH_UP_S_MAX = 20


@dataclass(frozen=True)
class Shape:
    """Who subscribes to what, and how much is published."""

    connections: int = 1000
    topics: int = 100
    each: int = 10
    rate: float = 10_000  # updates a second, over all topics
    check: int = 10  # one client of so many reads every message
    snapshot: bool = True  # a subscribe asks for the image

    @property
    def messages_per_s(self) -> float:
        return self.rate * self.connections * min(self.each, self.topics) / self.topics

    def load_args(self) -> list[str]:
        return [
            f"--connections={self.connections}",
            f"--topics={self.topics}",
            f"--each={self.each}",
            f"--check={self.check}",
            *([] if self.snapshot else ["--no-snapshot"]),
        ]


@dataclass(frozen=True)
class Times:
    """Seconds of a window, and how often it is repeated."""

    warm_up: float = 1.0
    window: float = 4.0
    rounds: int = 5

    def fewer(self, rounds: int) -> Times:
        return Times(self.warm_up, self.window, min(self.rounds, rounds))


@dataclass
class Window:
    """What was counted between two moments."""

    seconds: float
    cpu_s: float  # of the server's process
    loop_s: float  # of its loop thread alone
    messages: int
    bytes: int
    writes: int
    turns: int
    latency_us: dict[str, int]
    faults: list[str] = field(default_factory=list)

    @property
    def us_per_message(self) -> float:
        return self.cpu_s / max(self.messages, 1) * 1e6

    @property
    def loop_us_per_message(self) -> float:
        return self.loop_s / max(self.messages, 1) * 1e6

    @property
    def messages_per_s(self) -> float:
        return self.messages / self.seconds

    @property
    def bytes_per_message(self) -> float:
        return self.bytes / max(self.messages, 1)

    @property
    def turn_us(self) -> int:
        return max(int(self.seconds * 1e6 / max(self.turns, 1)), 1)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {
            "us_per_message": self.us_per_message,
            "messages_per_write": self.messages / max(self.writes, 1),
        }


def window(before: Answer, after: Answer, load: Answer) -> Window:
    def loop_s(answer: Answer) -> float:
        threads: dict[str, float] = answer.get("thread_cpu_s", {})
        loops = [s for name, s in threads.items() if name.startswith("tickwire-")]
        return sum(loops) if loops else float(answer["cpu_s"])

    faults = [
        f"{load[what]} {meaning}"
        for what, meaning in [("holes", "holes in seq"), ("closed", "connections lost")]
        if load[what]
    ]
    return Window(
        seconds=(after["t_us"] - before["t_us"]) / 1e6,
        cpu_s=after["cpu_s"] - before["cpu_s"],
        loop_s=loop_s(after) - loop_s(before),
        latency_us=load["latency_us"],
        faults=faults,
        **{key: after[key] - before[key] for key in ("messages", "bytes", "writes", "turns")},
    )


def observe(server: Program, load: Program, times: Times) -> Window:
    """The server is publishing already."""
    time.sleep(times.warm_up)
    load.ask("reset")
    before = server.ask("stats")
    time.sleep(times.window)
    after = server.ask("stats")
    return window(before, after, load.ask("stats"))


class NotNegotiatedError(RuntimeError):
    """The server did not take the offer of permessage-deflate."""


@contextmanager
def loaded_plant(
    programs: Programs, shape: Shape, *settings: str, deflate: bool = False
) -> Iterator[tuple[Program, Program]]:
    """A plant and all its clients, subscribed."""
    args = [*shape.load_args(), *(["--deflate"] if deflate else [])]
    with programs.plant(shape.topics, *settings) as plant, programs.load(plant, *args) as load:
        if deflate and not load.hello["deflate"]:
            raise NotNegotiatedError("the server does not offer permessage-deflate")
        yield plant, load


def measure_plant(plant: Program, load: Program, shape: Shape, times: Times) -> Window:
    plant.ask("start", shape.rate)
    found = observe(plant, load, times)
    plant.ask("stop")
    if wrong := wait_until_equal(load)["wrong"]:
        found.faults.append(f"{wrong} images differ")
    return found


def run_plant(
    programs: Programs, shape: Shape, times: Times, *settings: str, deflate: bool = False
) -> Window:
    with loaded_plant(programs, shape, *settings, deflate=deflate) as (plant, load):
        return measure_plant(plant, load, shape, times)


def wait_until_equal(load: Program) -> Answer:
    """Nothing is published any more: what is still under way arrives."""
    give_up = time.monotonic() + CATCH_UP_S_MAX
    while (found := load.ask("verify"))["wrong"] and time.monotonic() < give_up:
        time.sleep(0.2)
    return found


def run_floor(
    programs: Programs, shape: Shape, times: Times, turn_us: int, zlib_level: int = 0
) -> Window:
    """Its turns are as far apart as those of the server just measured, so it writes as often."""
    args = [*shape.load_args(), *(["--deflate"] if zlib_level else [])]
    seconds = times.warm_up + times.window + 1
    with programs.floor(zlib_level) as floor, programs.load(floor, *args) as load:
        floor.ask(
            "start", shape.rate, turn_us, seconds, shape.topics, shape.each, shape.connections
        )
        return observe(floor, load, times)


@dataclass
class Row:
    """A line of the table."""

    name: str
    ours: str
    baseline: str
    values: list[float]  # of each round
    unit: str = ""  # of the values; empty: a ratio
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""  # why it could not be measured, or what went wrong

    @property
    def value(self) -> float | None:
        return statistics.median(self.values) if self.values else None

    @property
    def reached(self) -> bool | None:
        """None: there is no goal."""
        if self.at_most is None and self.at_least is None:
            return None
        if self.value is None or self.note:
            return False
        if self.at_most is not None and self.value > self.at_most:
            return False
        return self.at_least is None or self.value >= self.at_least

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"value": self.value, "reached": self.reached}


@dataclass
class CaseResult:
    rows: list[Row]
    data: dict[str, Any]  # for the plot, and for who wants to look closer


def median_of(windows: Sequence[Window], what: str) -> float:
    return statistics.median(float(getattr(w, what)) for w in windows)


def ratios(ours: Sequence[Window], baseline: Sequence[Window], what: str) -> list[float]:
    """Round by round, so that a slow moment of the machine meets both sides."""
    return [
        float(getattr(a, what)) / float(getattr(b, what))
        for a, b in zip(ours, baseline, strict=True)
    ]


def faults_of(*groups: Sequence[Window]) -> str:
    return "; ".join(sorted({fault for group in groups for w in group for fault in w.faults}))
