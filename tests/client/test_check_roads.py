"""`tickwire check` over a stream of events and the long poll: a server that is right, and liars."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from client.http_liar import Asked, Liar
from server.certificates import CERTIFICATE, KEY, make_certificate
from tickwire._pattern import matches
from tickwire._tools.check.run import Checker, CheckPlan
from tickwire._tools.check.tally import Tally
from tickwire.errors import DeniedError

if TYPE_CHECKING:
    from conftest import Commands, ServedAt

TOPIC = "check.value.0"
ROADS = pytest.mark.parametrize("road", ["sse", "poll"])


@ROADS
@pytest.mark.parametrize("secure", [False, True])
async def test_a_server_that_is_right_passes(
    tickwire_command: "Commands", served_at: "ServedAt", tmp_path: Path, road: str, secure: bool
) -> None:
    """Small rings, so that not everything can be recovered."""
    make_certificate(tmp_path)
    certificate, key = tmp_path / CERTIFICATE, tmp_path / KEY
    sets = ["plugins.checked.rate=2000", 'topics.">".ring=32', "server.shards=2"]
    sets += [f"tls.certificate={certificate}", f"tls.key={key}"] if secure else []
    args = [word for one in sets for word in ("--set", one)]
    listen = f"{'https://' if secure else ''}127.0.0.1:0"
    url = await served_at(
        await tickwire_command.start("serve", "checked", "--listen", listen, *args)
    )
    if secure:
        url = f"https://{urlsplit(url).netloc}"
    args = ["--secs", "4", "--connections", "12", "--reconnects", "--stalls", "--processes", "2"]
    args += ["--transport", road, "--json", "--url", url]
    ended = await tickwire_command("check", *args, SSL_CERT_FILE=str(certificate))
    total = json.loads(ended.out.splitlines()[-1])
    assert (ended.err, ended.code, total["violations"]) == ("", 0, 0)
    for name in ("messages", "reconnects", "stalls", "recovered", "not_recovered"):
        assert total[name] > 0, name


def update(seq: int, **data: Any) -> dict[str, Any]:
    return {"type": "update", "topic": TOPIC, "seq": seq, "ts": 1, "data": data}


RIGHT = update(1, run=1, n=1, sum=-2)


class Plant:
    """A server with one topic, which sends these messages to who follows it, once."""

    def __init__(self, road: str, *messages: dict[str, Any], seq: int | None = None) -> None:
        self.road = road
        self.seq = max((m.get("seq", 0) for m in messages), default=0) if seq is None else seq
        self.messages = messages
        self.cursor: str | None = None
        self.acks = True

    def server(self) -> Liar:
        return Liar(v1_topics=self.topics, sse=self.sse, poll=self.poll)

    async def topics(self, asked: Asked) -> None:
        topic = {"topic": TOPIC, "seq": self.seq, "ts": 1, "status": "live"}
        asked.answer({"topics": [topic], "next": None})

    def results(self, asked: Asked) -> list[dict[str, Any]]:
        seq = int(asked.cursor.partition("=")[2] or 0)
        told = {"recovered": True, "missed": 0} if asked.cursor else {}
        return [
            {"topic": name, **({"seq": seq} if "*" not in name and ">" not in name else {}), **told}
            for name in asked.names
        ]

    def due(self, asked: Asked) -> tuple[dict[str, Any], ...]:
        wanted = any(matches(name, TOPIC) for name in asked.names)
        return self.messages if wanted and not asked.cursor else ()

    def place(self, asked: Asked) -> str:
        if self.cursor is not None:
            return self.cursor
        due = self.due(asked)
        return f"e1,{TOPIC}={due[-1].get('seq', 0)}" if due else asked.cursor or "e1"

    async def sse(self, asked: Asked) -> None:
        asked.begin("Content-Type: text/event-stream")
        asked.event(type="welcome", session="s", epoch="e1", heartbeat_s=15, server="x", ts=1)
        if not self.acks:
            await asked.hold()
        asked.event(type="ack", results=self.results(asked))
        for message in self.due(asked):
            asked.event(**message)
        asked.block(f"id: {self.place(asked)}")
        await asked.hold()

    async def poll(self, asked: Asked) -> None:
        if not self.acks or (asked.cursor and not self.cursor):
            await asked.hold()
        messages = list(self.due(asked))
        place = self.place(asked)
        asked.answer({"results": self.results(asked), "messages": messages, "cursor": place})


async def found(plant: Plant) -> Tally:
    async with plant.server() as server:
        plan = CheckPlan(server.url, 0.3, 4, settle_s=0.3, transport=plant.road)
        checker = await asyncio.to_thread(Checker, plan, lambda: False)
        return await asyncio.to_thread(checker.run, lambda tally, seconds: None)


@ROADS
@pytest.mark.parametrize(
    ("lies", "counter"),
    [
        ([], None),
        ([RIGHT], None),
        ([update(2, run=1, n=2, sum=-3)], "silent_gaps"),
        ([RIGHT, RIGHT], "duplicates"),
        ([RIGHT, update(2, n=1)], "wrong_images"),
        ([update(1, n=2)], "wrong_images"),
        ([update(1, n="x")], "broken"),
    ],
)
async def test_a_server_that_is_not_is_found_out(
    road: str, lies: list[dict[str, Any]], counter: str | None
) -> None:
    tally = await found(Plant(road, *lies))
    if counter is None:
        assert tally.violations == 0, tally.faults
    else:
        assert getattr(tally, counter) > 0, tally.faults
        assert TOPIC in tally.faults[0] or counter == "broken"


@ROADS
async def test_updates_that_never_come_are_missing(road: str) -> None:
    tally = await found(Plant(road, RIGHT, seq=2))
    assert tally.missing == tally.violations > 0
    assert f"{TOPIC}: not up to 2" in tally.faults[0]


@ROADS
async def test_an_answer_that_never_comes_is_missing(road: str) -> None:
    plant = Plant(road, RIGHT)
    plant.acks = False
    tally = await found(plant)
    assert tally.missing == tally.violations > 0


@ROADS
@pytest.mark.parametrize("cursor", ["e1,check.value.0=2", "e1,check.value.1=1"])
async def test_a_cursor_ahead_of_what_was_sent_is_found_out(road: str, cursor: str) -> None:
    plant = Plant(road, RIGHT)
    plant.cursor = cursor
    tally = await found(plant)
    assert tally.broken > 0
    assert "a cursor says" in tally.faults[0]


@ROADS
async def test_a_server_that_does_not_let_it_in_is_said(road: str) -> None:
    plant = Plant(road)

    async def refuse(asked: Asked) -> None:
        asked.answer({"error": {"code": "denied", "message": "no", "retryable": False}}, 403)

    plant.sse = plant.poll = refuse  # type: ignore[method-assign]
    with pytest.raises(DeniedError, match="answered 403"):
        await found(plant)
