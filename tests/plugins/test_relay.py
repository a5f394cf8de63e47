"""A relay serves another plant's topics on, and says when it cannot."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tickwire
from server.daemon_process import DaemonProcess
from tickwire import Deny, Server, authorizer, feed
from tickwire.pub import Pub

COUNTING = """
import asyncio
import secrets
from pathlib import Path
from tickwire import feed

RUN = secrets.token_hex(4)

@feed("made.value.*")
async def values(pub):
    n = 0
    while True:
        n += 1
        pub.publish(f"made.value.{n % 3}", {"run": RUN, "n": n, "minus": -n, f"f{n % 7}": n,
                                            f"f{(n + 3) % 7}": None})
        await asyncio.sleep(0.002)

@feed("made.event.*", delivery="event")
async def events(pub):
    kept = pub.snapshot("made.event.0")  # a plant that stopped in order counts on
    n = kept.data["n"] if kept else 0
    while Path("hold").exists():
        await asyncio.sleep(0.02)
    while True:
        n += 1
        for topic in range(3):
            pub.publish(f"made.event.{topic}", {"run": RUN, "n": n})
        await asyncio.sleep(0.002)
"""


class Judge:
    """Holds what a client of the lower plant gets of an event topic against what was made."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.faults: list[str] = []
        self.count = 0
        self._n = 0
        self._told = True

    def take(self, update: tickwire.Update) -> None:
        if update.kind in ("status", "gap", "resumed", "snapshot"):
            self._told = self._told or update.status != "live"
        if update.kind not in ("snapshot", "update"):
            return
        run, n = update.data["run"], update.data["n"]
        if run not in self.runs:
            if self.runs and n != self._n + 1 and not self._told:
                self.faults.append(f"{update.topic}: {n} of a new run came after {self._n}")
            self.runs.append(run)
        elif run != self.runs[-1] or n <= self._n:
            self.faults.append(f"{update.topic}: {n} of {run} came after {self._n}")
        elif n != self._n + 1 and not self._told:
            self.faults.append(f"{update.topic}: {n} came after {self._n} without a word")
        self._n = n
        self._told = False
        self.count += 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Plants:
    """An upper plant that can be ended and started again, and a lower one that follows it."""

    def __init__(self, tickwired: Path, folder: Path) -> None:
        self._tickwired = tickwired
        self._folder = folder
        self.hold = folder / "hold"
        """While it is there, a feed that starts has no events."""
        self._started: list[DaemonProcess] = []
        self._address = f"127.0.0.1:{free_port()}"
        (folder / "counting.py").write_text(COUNTING)
        self.start_upper()
        self.lower = self._start(
            "relay", "--set", f"plugins.relay.url={self._address}", listen="127.0.0.1:0"
        )

    def start_upper(self) -> None:
        self.upper = self._start(
            "counting.py",
            *("--set", "store.path=upper.db"),
            *("--set", 'topics.">".history=stored'),
            *("--set", 'topics.">".ring=4096'),
            listen=self._address,
        )

    def end(self) -> None:
        for plant in self._started:
            if plant.process.poll() is None:
                plant.kill()

    def _start(self, *args: str, listen: str) -> DaemonProcess:
        log = self._folder / f"plant-{len(self._started)}.log"
        plant = DaemonProcess(
            self._tickwired, log, list(args), dict(os.environ), self._folder, listen
        )
        self._started.append(plant)
        return plant


@pytest.fixture
def plants(tickwired: Path, tmp_path: Path) -> Iterator[Plants]:
    made = Plants(tickwired, tmp_path)
    yield made
    made.end()


async def eventually(probe: Any, within_s: float = 120) -> None:
    async with asyncio.timeout(within_s):
        while not probe():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_who_follows_a_relay_misses_nothing_without_a_word(plants: Plants) -> None:
    judges = {f"made.event.{number}": Judge() for number in range(3)}
    sums: list[str] = []

    async def follow(client: tickwire.Client) -> None:
        async for update in client.subscribe("made.>"):
            if update.topic in judges:
                judges[update.topic].take(update)
            elif (image := client.images.get(update.topic)) and image["n"] != -image["minus"]:
                sums.append(f"{update.topic}: {image}")

    def all_have(runs: int, count: int) -> bool:
        return all(len(judge.runs) == runs and judge.count >= count for judge in judges.values())

    def statuses(client: tickwire.Client) -> set[str]:
        return {client.status[topic] for topic in judges if topic in client.status}

    async with tickwire.connect(f"ws://{plants.lower.address}") as client:
        following = asyncio.create_task(follow(client))
        await eventually(lambda: all_have(1, 50))

        assert plants.upper.stop() == 0  # in order: it keeps its history
        await eventually(lambda: statuses(client) == {"stale"})
        plants.start_upper()
        await eventually(lambda: all_have(2, 100))
        await eventually(lambda: statuses(client) == {"live"})

        # A crash forgets the last events, and the relay must not repeat the one that is kept.
        plants.upper.kill()
        await eventually(lambda: statuses(client) == {"stale"})
        plants.hold.touch()
        plants.start_upper()
        await eventually(lambda: client.status["made.value.0"] == "live")
        plants.hold.unlink()
        await eventually(lambda: all_have(3, 150))
        await eventually(lambda: statuses(client) == {"live"})

        # A relay that stood still for a while goes on as a slow client does.
        plants.lower.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.5)
        plants.lower.process.send_signal(signal.SIGCONT)
        count = judges["made.event.0"].count
        await eventually(lambda: judges["made.event.0"].count > count + 50)
        assert client.holes == 0
        following.cancel()
    assert [fault for judge in judges.values() for fault in judge.faults] == []
    assert sums == []


def relayed(start_server: Any, upper: Server, **settings: Any) -> Server:
    server: Server = start_server("relay", plugins={"relay": {"url": upper.url, **settings}})
    return server


def image(server: Server, topic: str) -> tuple[str, str | None]:
    update = server.snapshot(topic)
    return ("", None) if update is None else (update.raw, update.status)


def test_values_keep_their_spelling_and_deleted_fields_go(start_server, eventually):
    upper = start_server()
    upper.publish("a.A", '{"bid":1.00,"ask":"2.50"}')
    lower = relayed(start_server, upper)
    eventually(lambda: image(lower, "a.A") == ('{"bid":1.00,"ask":"2.50"}', "live"))
    upper.publish("a.A", {"ask": None})
    eventually(lambda: image(lower, "a.A") == ('{"bid":1.00}', "live"))
    for status in ("halted", "closed", "stale", "live"):
        upper.set_status("a.A", status)
        eventually(lambda status=status: image(lower, "a.A")[1] == status)


def test_fields_that_went_while_the_relay_was_away_go_here_too(start_server, eventually, tmp_path):
    store = {"store": {"path": str(tmp_path / "lower.db")}}
    upper = start_server()
    upper.publish("a.A", {"bid": 1, "ask": 2})
    plugins = {"relay": {"url": upper.url}}
    lower = start_server("relay", plugins=plugins, **store)
    eventually(lambda: image(lower, "a.A")[1] == "live")
    lower.stop()
    upper.publish("a.A", {"ask": None})
    lower = start_server("relay", plugins=plugins, **store)
    eventually(lambda: image(lower, "a.A") == ('{"bid":1}', "live"))


def test_only_what_is_wanted_here_is_wanted_above(start_server, eventually):
    wanted: list[tuple[str, bool]] = []

    @feed("tick.*", topics=["tick.A", "tick.B"])
    async def ticks(pub: Pub) -> None:
        pub.publish_many((f"tick.{name}", {"n": 1}) for name in "AB")
        async for topic, is_wanted in pub.demand():
            wanted.append((topic, is_wanted))
            pub.publish(topic, {"n": 2})

    upper = start_server(ticks)
    lower = relayed(start_server, upper, demand="wanted", list_s=0.1, linger_s=0.1)
    with lower.subscribe("tick.*") as updates:
        eventually(lambda: {topic for topic, _ in wanted} == {"tick.A", "tick.B"})
        assert {updates.get(60).topic for _ in range(2)} == {"tick.A", "tick.B"}
    eventually(lambda: ("tick.A", False) in wanted and ("tick.B", False) in wanted)
    with lower.subscribe("tick.B"):
        eventually(lambda: wanted[-1] == ("tick.B", True))
    assert wanted.count(("tick.A", True)) == 1


def test_what_is_refused_above_is_said_and_the_rest_is_followed(start_server, eventually, caplog):
    @authorizer("secret.>")
    def nobody(client: Any, topic: str) -> Deny:
        return Deny("not for relays")

    upper = start_server(nobody)
    upper.publish("open.A", {"n": 1})
    upper.publish("secret.A", {"n": 1})
    lower = relayed(start_server, upper, topics=["secret.A", "open.*"])
    eventually(lambda: image(lower, "open.A")[1] == "live")
    assert lower.snapshot("secret.A") is None
    lower.stop()
    assert "secret.A: " in caplog.text
    assert "not for relays" in caplog.text


@pytest.mark.parametrize("through", ["itself", "another"])
def test_plants_that_follow_each_other_notice(start_server, eventually, caplog, through):
    port = free_port()
    address = f"127.0.0.1:{port}"
    first = start_server(
        "relay",
        server={"listen": address if through == "itself" else "127.0.0.1:0", "drain_s": 0},
        plugins={"relay": {"url": address}},
    )
    first.publish("a.A", {"n": 1})
    if through == "another":
        start_server(
            "relay",
            server={"listen": address, "drain_s": 0},
            plugins={"relay": {"url": first.url}},
        )
    eventually(lambda: re.search("follows (its own|this) server", caplog.text))
    seq = first.snapshot("a.A").seq
    first.publish("a.A", {"n": 2})
    assert first.snapshot("a.A").seq <= seq + 2


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "plugins.relay.url: is not set"),
        ({"url": "x:1", "topics": ["a b"]}, "plugins.relay.topics: "),
        ({"url": "x:1", "topics": ["a"] * 101}, "plugins.relay.topics: 101 patterns, at most 100"),
        ({"url": "x:1", "demand": "never"}, "plugins.relay.demand: 'never' is neither"),
        ({"url": "x:1", "list_s": 0}, "plugins.relay.list_s: 0 is not a number from 0.001 to 3600"),
    ],
)
def test_wrong_settings_are_named(start_server, eventually, caplog, settings, fault):
    start_server("relay", plugins={"relay": settings})
    eventually(lambda: fault in caplog.text)
