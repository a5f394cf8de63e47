"""Many viewers of whom each sees little: what a crowd costs that waits most of the time.

Costs are the CPU seconds of the loop threads as a share of a core, beside those of the floor, which
sends the same updates in as many writes, and as many heartbeats and pings a second.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace

from harness.fanout import dicts, latency_row
from harness.measure import (
    Shape,
    Times,
    Window,
    faults_of,
    floor_turn_us,
    loaded_plant,
    measure_floor,
    measure_plant,
    observe,
    ratios,
)
from harness.programs import Program, Programs, crowd
from harness.rows import CaseResult, Question, Row

CROWD = 19_000
RATES = (1, 10, 100, 1_000)  # updates a second, over all topics
FEW_EACH = 10  # viewers of a topic in the crowd that shares topics
TO_FLOOR_MAX = 1.3
LATE_MS_MAX = {"p50": 1.0, "p99": 3.0, "max": 20.0}  # at LATE_RATE, of which LATE_S are measured
LATE_RATE, LATE_S = 100, 30
HEARTBEAT_S, PING_S = 15, 20  # as the server has them; a window of PING_S has each at least once
ALL_BEATS_S = 60  # a multiple of both
HOT = Shape(connections=10_000, topics=1, each=1, rate=10)
QUIET_TOPICS = 100_000
UPDATES_EACH = 5  # or so: what is walked over lies about in memory then, as in a plant that has run
LINGER_S = 12  # until topics that nobody wants are stale: server.linger_s, and a little


@dataclass
class Pair:
    """Both sides of one line, round by round."""

    ours: list[Window]
    floor: list[Window]

    def share(self, name: str, at_most: float | None = None) -> Row:
        """The share of a core that the loops took, to that of the floor."""
        return Row(
            name,
            percent([w.loop_share for w in self.ours]),
            percent([w.loop_share for w in self.floor]),
            ratios(self.ours, self.floor, "loop_share"),
            at_most=at_most,
            note=faults_of(self.ours, self.floor),
            question=Question.CROWD,
        )

    def of_a_core(self, name: str, what: str, at_most: float | None = None) -> Row:
        values = [float(getattr(w, what)) for w in self.ours]
        return Row(
            name,
            percent(values),
            "-",
            values,
            unit="%",
            at_most=at_most,
            note=faults_of(self.ours),
            question=Question.CROWD,
        )

    def as_dict(self) -> dict[str, object]:
        return {"ours": dicts(self.ours), "floor": dicts(self.floor)}


def percent(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} %"


def crowd_size(times: Times) -> int:
    return 300 if times.quick else crowd(CROWD)


def check_all_came(found: Window) -> Window:
    """Little is on its way when a window ends; more is missing."""
    if found.messages - found.received > 0.02 * found.messages + 50:
        found.faults.append(f"{found.received:,} of {found.messages:,} messages arrived")
    return found


def sparse_pairs(programs: Programs, shape: Shape, times: dict[int, Times]) -> dict[int, Pair]:
    """Measures the plant at each rate, then the floor at each rate, because both take a while to
    fill."""
    pairs = {rate: Pair([], []) for rate in times}
    args = shape.load_args()
    for _ in range(max(t.rounds for t in times.values())):
        with loaded_plant(programs, shape) as (plant, load):
            for rate, pair in pairs.items():
                found = measure_plant(plant, load, replace(shape, rate=rate), times[rate])
                pair.ours.append(check_all_came(found))
        with programs.floor() as floor, programs.load(floor, *args) as load:
            for rate, pair in pairs.items():
                plants = pair.ours[-1]
                turn_us = floor_turn_us(plants, rate)
                at_rate = replace(shape, rate=rate)
                found = measure_floor(floor, load, at_rate, times[rate], turn_us, plants)
                pair.floor.append(check_all_came(found))
    return pairs


def quiet(programs: Programs, times: Times) -> CaseResult:
    """A crowd with one topic each: as many topics as viewers, and a tenth as many."""
    times = times.fewer(1)
    size = crowd_size(times)
    full = size == CROWD
    usual = times.longer(PING_S)
    windows = {rate: times.longer(LATE_S) if rate == LATE_RATE else usual for rate in RATES}
    if times.quick:
        windows = {rate: windows[rate] for rate in (LATE_RATE, RATES[-1])}
    rows, data = [], {}
    for topics, most in ((size, 8.0), (size // FEW_EACH, 20.0)):
        shape = Shape(connections=size, topics=topics, each=1, check=1)
        pairs = sparse_pairs(programs, shape, windows)
        name = f"{size:,} x 1 of {topics:,}"
        for rate, pair in pairs.items():
            goal = TO_FLOOR_MAX if full and rate == RATES[-1] else None
            rows.append(pair.share(f"{name}, {rate:,}/s: loop", goal))
        busiest = pairs[RATES[-1]]
        share = most if full else None
        rows.append(busiest.of_a_core(f"  at {RATES[-1]:,}/s, of a core", "loop_share", share))
        rows.append(busiest.of_a_core("  its publisher's thread", "publisher_share"))
        if topics == size:
            rows += lateness(f"{name}, {LATE_RATE}/s", pairs[LATE_RATE], full)
        data[str(topics)] = {str(rate): pair.as_dict() for rate, pair in pairs.items()}
    return CaseResult(rows, data)


def lateness(name: str, pair: Pair, goals: bool) -> list[Row]:
    return [
        latency_row(name, what, pair.ours, pair.floor, at_most=most if goals else None)
        for what, most in LATE_MS_MAX.items()
    ]


def idle(programs: Programs, times: Times) -> CaseResult:
    """Nothing is published: heartbeats, pings and the server's own clockwork."""
    times = times.fewer(1).longer(ALL_BEATS_S)
    size = crowd_size(times)
    shape = Shape(connections=size, topics=size, each=1, check=1)
    heartbeat_s = 1 if times.quick else HEARTBEAT_S
    with loaded_plant(programs, shape, f"server.heartbeat_s={heartbeat_s}") as (plant, load):
        ours = observe(plant, load, replace(times, window=max(times.window, 3 * heartbeat_s)))
    for what, count, every in (
        ("heartbeats", ours.heartbeats, heartbeat_s),
        ("pings", ours.pings, PING_S),
    ):
        due = size * (ours.seconds / every - 1)
        if count < due / 2:
            ours.faults.append(f"only {count:,} {what} where {due:,.0f} were due")
    goal = TO_FLOOR_MAX if size == CROWD else None
    pair = Pair([ours], [idle_floor(programs, shape, times, ours)])
    return CaseResult(
        [
            pair.share(f"{size:,} idle, heartbeats and pings", goal),
            pair.of_a_core("  all its threads, of a core", "all_share"),
        ],
        pair.as_dict(),
    )


def idle_floor(programs: Programs, shape: Shape, times: Times, plant: Window) -> Window:
    with programs.floor() as floor, programs.load(floor, *shape.load_args()) as load:
        floor.ask("beat", plant.heartbeats / plant.seconds, plant.pings / plant.seconds)
        found = observe(floor, load, times)
    for what in ("heartbeats", "pings"):
        due = getattr(plant, what) / plant.seconds * found.seconds
        if abs(getattr(found, what) - due) > 0.05 * due + 50:
            found.faults.append(
                f"the floor sent {getattr(found, what):,} {what} instead of {due:,.0f}"
            )
    return found


def hot(programs: Programs, times: Times) -> CaseResult:
    """One topic that everybody watches: each write carries one message."""
    times = times.fewer(3)
    shape = replace(HOT, connections=300 if times.quick else crowd(HOT.connections))
    full = shape.connections == HOT.connections
    pairs = sparse_pairs(programs, shape, {int(shape.rate): times})
    pair = pairs[int(shape.rate)]
    name = f"one topic to {shape.connections:,}, {shape.rate:.0f}/s"
    cost = Row(
        "one message a write: CPU a message",
        f"{statistics.median(w.us_per_message for w in pair.ours):.3f} us",
        f"{statistics.median(w.us_per_message for w in pair.floor):.3f} us",
        ratios(pair.ours, pair.floor, "us_per_message"),
        at_most=1.15 if full else None,
        note=faults_of(pair.ours, pair.floor),
    )
    rows = [pair.share(f"{name}: loop"), cost]
    rows += [latency_row(name, what, pair.ours, pair.floor) for what in ("p50", "p99")]
    return CaseResult(rows, pair.as_dict())


def quiet_topics(programs: Programs, times: Times) -> CaseResult:
    """Topics that were published to for a while, nobody connected, nothing published any more."""
    topics = 2_000 if times.quick else QUIET_TOPICS
    with programs.plant(topics) as plant:
        plant.ask("start", topics)  # an update a second each, on average
        time.sleep(times.longer(UPDATES_EACH).window)
        plant.ask("stop")
        time.sleep(times.longer(LINGER_S).window)
        found = cpu_of(plant, times.longer(PING_S).window)
    row = Row(
        f"{topics:,} quiet topics, nobody there",
        f"{found['all']:.3f} %",
        "-",
        [found["all"]],
        unit="%",
        at_most=None if times.quick else 0.1,
        question=Question.CROWD,
    )
    return CaseResult([row], {"percent_of_a_core": found})


def cpu_of(plant: Program, seconds: float) -> dict[str, float]:
    """Percent of a core, of the process and by thread."""
    before = plant.ask("stats")
    time.sleep(seconds)
    after = plant.ask("stats")
    passed = (after["t_us"] - before["t_us"]) / 1e6
    threads = {
        name: cpu - before["thread_cpu_s"].get(name, 0.0)
        for name, cpu in after["thread_cpu_s"].items()
    }
    used = {"all": after["cpu_s"] - before["cpu_s"]} | threads
    return {name: 100 * cpu / passed for name, cpu in used.items()}
