"""A server that is killed again and again, under load, and what must be true after each time.

Three promises: the file is whole; no (epoch, topic, seq) ever means two things; a client that comes
back goes on where it was, or is told that it cannot.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

VALUES = [f"v.{number}" for number in range(8)]
EVENTS = [f"e.{number}" for number in range(4)]
CONFIG = """
[server]
drain_s = 1
[store]
path = "ticks.db"
flush_ms = 10
[auth]
publish = "open"
[limits]
commands_per_s = 0
publishes_per_s = 0
[topics."e.>"]
delivery = "event"
history = "stored"
ring = 50
"""
START_S_MAX = 20.0
LOAD_S_MAX = 0.3
START_KILL_S_MAX = 0.05
IN_FLIGHT_MAX = 200


class BrokenPromiseError(AssertionError):
    """Something that must never happen did."""


def require(truth: bool, what: object) -> None:
    if not truth:
        raise BrokenPromiseError(what)


def payload(topic: str, number: int) -> dict[str, Any]:
    """Each says by itself whether it is whole."""
    return {"n": number, "sum": zlib.crc32(f"{topic} {number}".encode())}


def is_whole(topic: str, data: dict[str, Any]) -> bool:
    return data == payload(topic, data["n"])


@dataclass
class Totals:
    rounds: int = 0
    start_kills: int = 0
    clean_stops: int = 0
    published: int = 0
    received: int = 0
    recovered: int = 0
    begun_anew: int = 0
    gaps: int = 0
    epochs: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds ({self.start_kills} killed during start, {self.clean_stops} "
            f"stopped cleanly, the others killed under load), {len(self.epochs)} epochs, "
            f"{self.published} updates published, {self.received} received, "
            f"{self.recovered} topics recovered, {self.begun_anew} begun anew, {self.gaps} gaps, "
            "0 promises broken"
        )


class Ledger:
    """What each (epoch, topic, seq) was ever said to mean, by anyone."""

    def __init__(self) -> None:
        self._meaning: dict[tuple[str, str, int], int] = {}

    def says(self, epoch: str, topic: str, seq: int, number: int) -> None:
        known = self._meaning.setdefault((epoch, topic, seq), number)
        require(known == number, f"{topic} {seq} of {epoch} means {known} and {number}")


class Subscriber:
    """Goes on where it was after each crash, and checks every message."""

    def __init__(self, ledger: Ledger, totals: Totals) -> None:
        self._ledger = ledger
        self._totals = totals
        self._epoch = ""
        self._seqs: dict[str, int] = {}

    def command(self, epoch: str) -> dict[str, Any]:
        before, self._epoch = self._epoch, epoch
        command: dict[str, Any] = {"type": "subscribe", "id": "s", "topics": ["v.>", "e.>"]}
        if before:
            command |= {"since": self._seqs, "epoch": before}
        if before != epoch:
            self._seqs = {}
        return command

    def hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "ack":
            for result in message["results"]:
                self._totals.recovered += result.get("recovered") is True
                self._totals.begun_anew += result.get("recovered") is False
            return
        topic = message["topic"]
        known = self._seqs.get(topic, 0)
        if kind == "gap":
            require(message["from"] == known + 1, f"a gap after {known}: {message}")
            self._seqs[topic] = message["to"]
            self._totals.gaps += 1
            return
        if kind == "status":
            require(message["seq"] == known, f"a status at {known}: {message}")
            return
        require(kind in ("snapshot", "update"), message)
        require(kind == "snapshot" or message["seq"] == known + 1, f"a hole: {known}, {message}")
        require(message["seq"] >= known, f"back in time from {known}: {message}")
        require(is_whole(topic, message["data"]), f"not what was published: {message}")
        self._ledger.says(self._epoch, topic, message["seq"], message["data"]["n"])
        self._seqs[topic] = message["seq"]
        self._totals.received += 1


class Harness:
    """One folder with one store, whose server does not live long."""

    def __init__(self, tickwired: Path, folder: Path, seed: int) -> None:
        self._program = tickwired
        self._folder = folder
        self._random = random.Random(seed)
        # Its own generator: how often the other is asked is a matter of time.
        self._ends = random.Random(seed)
        self._ledger = Ledger()
        self.totals = Totals()
        self._subscriber = Subscriber(self._ledger, self.totals)
        self._number = 0
        (folder / "tickwire.toml").write_text(CONFIG)

    def round(self) -> None:
        """A start, some load, a kill, and the audit of what is left."""
        self.totals.rounds += 1
        log = self._folder / "log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [self._program, "--config", "tickwire.toml", "--listen", "127.0.0.1:0"],
                cwd=self._folder,
                stderr=stderr,
                env={k: v for k, v in os.environ.items() if not k.startswith("TICKWIRE_")},
            )
        try:
            if self._ends.random() < 0.2:
                self.totals.start_kills += 1
                time.sleep(self._random.uniform(0, START_KILL_S_MAX))
            else:
                self._load(process, address_in(log, process))
        finally:
            process.kill()
            process.wait()
        self._audit()

    def _load(self, process: subprocess.Popen[bytes], address: str) -> None:
        with connect(f"ws://{address}/ws", max_size=None, close_timeout=1) as connection:
            epoch = json.loads(connection.recv(timeout=60))["epoch"]
            self.totals.epochs.add(epoch)
            connection.send(json.dumps(self._subscriber.command(epoch)))
            clean = self._ends.random() < 0.2
            self.totals.clean_stops += clean
            end = process.terminate if clean else process.kill
            killer = threading.Timer(self._random.uniform(0, LOAD_S_MAX), end)
            killer.start()
            try:
                self._publish(connection, epoch)
            except (ConnectionClosed, TimeoutError, OSError):
                pass
            finally:
                killer.join()
                self._rest(connection, epoch, {})
        if clean:
            require(process.wait(20) == 0, "a clean stop that was not")

    def _publish(self, connection: ClientConnection, epoch: str) -> None:
        """Publishes until the connection breaks: many updates at once, so that a kill meets
        unfinished work."""
        sent: dict[str, tuple[str, int]] = {}
        while True:
            while len(sent) < IN_FLIGHT_MAX:
                self._number += 1
                topic = self._random.choice(VALUES + EVENTS)
                data = payload(topic, self._number)
                identity = str(self._number)
                sent[identity] = (topic, self._number)
                message = {"type": "publish", "id": identity, "topic": topic, "data": data}
                connection.send(json.dumps(message))
                self.totals.published += 1
            for _ in range(IN_FLIGHT_MAX):
                self._hear(json.loads(connection.recv(timeout=60)), epoch, sent)

    def _rest(
        self, connection: ClientConnection, epoch: str, sent: dict[str, tuple[str, int]]
    ) -> None:
        """What had arrived when the connection broke."""
        try:
            while True:
                self._hear(json.loads(connection.recv(timeout=0)), epoch, sent)
        except (ConnectionClosed, TimeoutError, OSError):
            pass

    def _hear(self, message: dict[str, Any], epoch: str, sent: dict[str, tuple[str, int]]) -> None:
        if message["type"] == "ack" and message.get("id") != "s":
            known = sent.pop(message["id"], None)
            if known is not None:
                self._ledger.says(epoch, known[0], message["results"][0]["seq"], known[1])
        elif message["type"] not in ("heartbeat", "drain"):
            self._subscriber.hear(message)

    # --- the file -------------------------------------------------------------------------------

    def _audit(self) -> None:
        """Looks at a copy, because opening the file itself would repair what a crash left."""
        copy = self._folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in self._folder.glob("ticks.db*"):
            shutil.copy(file, copy)
        if not (copy / "ticks.db").exists():
            return
        with sqlite3.connect(copy / "ticks.db") as database:
            audit(database)
        database.close()


def audit(database: sqlite3.Connection) -> None:
    require(database.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "a damaged file")
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema")}
    if "event" not in tables:
        return  # killed before the first start had made them
    last: dict[str, int] = {}
    for topic, seq, image in database.execute("SELECT topic, seq, image FROM image"):
        require(is_whole(topic, json.loads(image)), f"{topic} {seq}: {image}")
        last[topic] = seq
    kept: dict[str, list[int]] = {}
    for topic, seq, data in database.execute("SELECT topic, seq, data FROM event ORDER BY 1, 2"):
        require(is_whole(topic, json.loads(data)), f"{topic} {seq}: {data}")
        kept.setdefault(topic, []).append(seq)
    for topic, seqs in kept.items():
        require(
            seqs == list(range(seqs[0], last[topic] + 1)), f"{topic}: a ring with holes, {seqs}"
        )


def address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        text = log.read_text()
        if "listening on http://" in text:
            line = text.partition("listening on http://")[2]
            if "\n" in line:
                return line.split()[0]
        require(process.poll() is None, f"it does not start any more: {text}")
        time.sleep(0.005)
    raise BrokenPromiseError(f"it does not start in time: {log.read_text()}")
