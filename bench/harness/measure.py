"""One measured window of a server and its clients."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from harness.programs import Answer, Program, Programs, Server

CATCH_UP_S_MAX = 20
BURST_US = 1000  # workload.h, kBurstUs: updates are due on this grid


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
    quick: bool = False  # only to see that everything works: cases may take a smaller crowd

    def fewer(self, rounds: int) -> Times:
        return replace(self, rounds=min(self.rounds, rounds))

    def longer(self, window: float) -> Times:
        """Returns times with a longer window, for cases in which little happens a second."""
        return self if self.quick else replace(self, window=window)


@dataclass
class Window:
    """What was counted between two moments."""

    seconds: float
    cpu_s: float  # of the server's process
    loop_s: float  # of its loop threads alone
    publisher_s: float  # of the thread that publishes
    messages: int  # that the server sent
    received: int
    reads: int  # by the clients; where little is sent, each is a write of the server
    heartbeats: int  # that the clients received
    pings: int
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
    def loop_share(self) -> float:
        """Percent of a core that the loop threads took."""
        return 100 * self.loop_s / self.seconds

    @property
    def all_share(self) -> float:
        return 100 * self.cpu_s / self.seconds

    @property
    def publisher_share(self) -> float:
        return 100 * self.publisher_s / self.seconds

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


def thread_s(answer: Answer, name: str) -> float:
    """CPU seconds of the threads whose name begins so."""
    threads: dict[str, float] = answer["thread_cpu_s"]
    return sum(seconds for thread, seconds in threads.items() if thread.startswith(name))


def window(before: Answer, after: Answer, load: Answer) -> Window:
    def loop_s(answer: Answer) -> float:
        """The floor is one thread, which is its loop."""
        return thread_s(answer, "tickwire-") if "thread_cpu_s" in answer else float(answer["cpu_s"])

    def publisher_s(answer: Answer) -> float:
        return thread_s(answer, "publisher") if "thread_cpu_s" in answer else 0.0

    faults = [
        f"{load[what]} {meaning}"
        for what, meaning in [("holes", "holes in seq"), ("closed", "connections lost")]
        if load[what]
    ]
    return Window(
        seconds=(after["t_us"] - before["t_us"]) / 1e6,
        cpu_s=after["cpu_s"] - before["cpu_s"],
        loop_s=loop_s(after) - loop_s(before),
        publisher_s=publisher_s(after) - publisher_s(before),
        received=load["messages"],
        reads=load["reads"],
        heartbeats=load["heartbeats"],
        pings=load["pings"],
        latency_us=load["latency_us"],
        faults=faults,
        **{key: after[key] - before[key] for key in ("messages", "bytes", "writes", "turns")},
    )


def observe(server: Server, load: Program, times: Times) -> Window:
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


def measure_plant(plant: Server, load: Program, shape: Shape, times: Times) -> Window:
    plant.ask("start", shape.rate)
    found = observe(plant, load, times)
    plant.ask("stop")
    seqs = plant.ask("seqs")["seqs"]
    if wrong := wait_until_none(lambda: wrong_images(load, seqs)):
        found.faults.append(f"{wrong} images are wrong or old")
    return found


def wrong_images(load: Program, seqs: list[int]) -> int:
    """Clients' images that differ from others', and topics of which none has the plant's last."""
    found = load.ask("verify")
    newest = {int(name.removeprefix("ticker.SYM").removesuffix("-USD")): seq
              for name, (seq, _) in found["topics"].items()}  # fmt: skip
    wrong: int = found["wrong"]
    return wrong + sum(seq != seqs[topic] for topic, seq in newest.items())


def wait_until_none(wrong: Callable[[], int]) -> int:
    """Nothing is published any more: what is still under way arrives. Returns what stays wrong."""
    give_up = time.monotonic() + CATCH_UP_S_MAX
    while (found := wrong()) and time.monotonic() < give_up:
        time.sleep(0.2)
    return found


def run_plant(
    programs: Programs, shape: Shape, times: Times, *settings: str, deflate: bool = False
) -> Window:
    with loaded_plant(programs, shape, *settings, deflate=deflate) as (plant, load):
        return measure_plant(plant, load, shape, times)


def floor_turn_us(plant: Window, rate: float) -> int:
    """Returns the time between two turns of the floor: that of the plant just measured, or one turn
    a burst if the plant had one."""
    instants = min(rate, 1e6 / BURST_US) * plant.seconds
    return BURST_US if plant.turns >= 0.9 * instants else plant.turn_us


def measure_floor(
    floor: Program, load: Program, shape: Shape, times: Times, turn_us: int, plant: Window | None
) -> Window:
    """Measures the floor. With `plant`, it sends as many heartbeats and pings a second as the
    plant's clients received."""
    seconds = times.warm_up + times.window + 1
    floor.ask("start", shape.rate, turn_us, seconds, shape.topics, shape.each, shape.connections)
    if plant:
        floor.ask("beat", plant.heartbeats / plant.seconds, plant.pings / plant.seconds)
    found = observe(floor, load, times)
    floor.ask("beat", 0, 0)
    while plant and floor.ask("stats")["sending"]:
        time.sleep(0.1)
    return found


def run_floor(
    programs: Programs, shape: Shape, times: Times, turn_us: int, zlib_level: int = 0
) -> Window:
    args = [*shape.load_args(), *(["--deflate"] if zlib_level else [])]
    with programs.floor(zlib_level) as floor, programs.load(floor, *args) as load:
        return measure_floor(floor, load, shape, times, turn_us, None)


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
