"""Whatever comes and goes in whatever order, on a road that is cut: each subscription sees each seq
or is told what it missed, and the server keeps nothing that nobody wants. With a real server."""

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire._pattern import is_pattern, matches
from tickwire.cli.admin import find

if TYPE_CHECKING:
    from client.road import Road
    from conftest import Eventually

TOPICS = ("v.a", "v.b", "e.a", "e.b")
WANTS = (*TOPICS, "v.*", "e.*", "*.a", ">", "*.*")
STEPS = 60


class Reader:
    """One subscription and who reads it; it checks each message."""

    def __init__(self, c: tickwire.Client, want: str, options: dict[str, Any]) -> None:
        self.want = want
        self.subscription = c.subscribe(want, **options)
        self.seqs: dict[str, int] = {}
        self.told: list[tuple[str, str, int, int]] = []
        self.paused = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        self.paused.set()
        async for update in self.subscription:
            self.told.append((update.kind, update.topic, update.first_seq, update.seq))
            await self.paused.wait()
            if update.kind == "resumed":
                continue
            before = self.seqs.get(update.topic)
            if update.kind in ("update", "gap") and before is not None:
                assert update.first_seq == before + 1, self.told
            assert update.seq >= (before or 0), self.told
            self.seqs[update.topic] = update.seq

    def has(self, topic: str, seq: int) -> bool:
        if self.task.done():
            self.task.result()
        return not matches(self.want, topic) or self.seqs.get(topic) == seq

    async def end(self) -> None:
        await self.subscription.aclose()
        self.task.cancel()  # it may wait for a connection
        with suppress(asyncio.CancelledError):
            await self.task


class Play:
    """A client that subscribes, closes, pauses and is cut off at random; another publishes."""

    def __init__(self, chance: random.Random, road: "Road") -> None:
        self.chance = chance
        self.road = road
        self.seqs = dict.fromkeys(TOPICS, 0)
        self.readers: list[Reader] = []

    async def run(self, c: tickwire.Client, feed: tickwire.Client) -> None:
        steps = (self.publish, self.publish, self.publish, self.join, self.leave, self.pause)
        for _ in range(STEPS):
            await self.chance.choice(steps)(c, feed)
            if self.chance.random() < 0.1:
                self.road.open = self.chance.random() < 0.5
                self.road.cut()
            await asyncio.sleep(self.chance.choice((0, 0, 0.001, 0.02)))

    async def publish(self, _: tickwire.Client, feed: tickwire.Client) -> None:
        topic = self.chance.choice(TOPICS)
        for n in range(self.chance.choice((1, 1, 3, 20))):
            self.seqs[topic] = await feed.publish(topic, {"n": n})

    async def join(self, c: tickwire.Client, _: tickwire.Client) -> None:
        options = {
            "queue_max": self.chance.choice((1, 4, 1024)),
            "max_rate": self.chance.choice((None, None, 1000, 200)),
            "last": self.chance.choice((0, 0, 3)),
        }
        self.readers.append(Reader(c, self.chance.choice(WANTS), options))

    async def leave(self, *_: tickwire.Client) -> None:
        if self.readers:
            self.chance.shuffle(self.readers)
            await self.readers.pop().end()

    async def pause(self, *_: tickwire.Client) -> None:
        for reader in self.readers:
            (reader.paused.clear if self.chance.random() < 0.3 else reader.paused.set)()

    def settled(self, c: tickwire.Client) -> bool:
        return c.connected and all(
            reader.has(topic, seq) for reader in self.readers for topic, seq in self.seqs.items()
        )

    async def finish(self, feed: tickwire.Client) -> None:
        self.road.open = True
        for reader in self.readers:
            reader.paused.set()
        for topic in TOPICS:
            self.seqs[topic] = await feed.publish(topic, {"end": 1})


def kept_by(road: "Road", session: str) -> tuple[int, int]:
    """The exact and pattern subscriptions of a session, as the server counts them."""
    admin = find(f"{road.host}:{road.port}")
    assert admin is not None
    sessions = admin.get("v1", "sessions").object["sessions"]
    (mine,) = [told for told in sessions if told["session"] == session]
    return mine["exact"], mine["patterns"]


@pytest.mark.parametrize("seed", range(8))
async def test_nothing_is_missed_in_any_order(
    road: "Road", eventually: "Eventually", seed: int
) -> None:
    play = Play(random.Random(seed), road)
    async with (
        tickwire.connect(f"ws://{road.host}:{road.port}/ws") as feed,
        tickwire.connect(road.url, backoff_s=0.01) as c,
    ):
        await play.run(c, feed)
        await play.finish(feed)
        try:
            await eventually(lambda: play.settled(c))
        except TimeoutError:
            late = {
                (reader.want, topic): (reader.seqs.get(topic), seq, reader.told[-5:])
                for reader in play.readers
                for topic, seq in play.seqs.items()
                if not reader.has(topic, seq)
            }
            pytest.fail(f"connected {c.connected}, and these wait: {late}")
        assert c.holes == 0
        wants = {reader.want for reader in play.readers}
        patterns = sum(map(is_pattern, wants))
        await c.ping()
        await c.ping()  # what the first answers' snapshots gave back is given back
        kept = await asyncio.to_thread(kept_by, road, c.session)
        assert kept == (len(wants) - patterns, patterns)
        for reader in play.readers:
            await reader.end()
