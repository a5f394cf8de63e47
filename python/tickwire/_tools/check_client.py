"""``tickwire check --client``: is what the Python client hands to programs right, update by update?

Each client follows topics of feeds/checked.py through subscriptions that come and go and overlap.
`Judge` holds what a subscription yields against what the feed promises (images add up, and belong
to their seq) and what docs/CLIENT.md promises (nothing is missing without a word).
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tickwire._pattern import matches
from tickwire._tools.check.patience import Patience
from tickwire._tools.check.run import (
    CHANGE_S,
    CUT_S,
    LOOK_S,
    PATTERN,
    STALL_S,
    STALLED_S_MAX,
    CheckPlan,
    Progress,
    Stopped,
    pause_s,
    topics_of,
)
from tickwire._tools.check.tally import Tally
from tickwire.client import Client, connect
from tickwire.errors import TickwireError, UnknownTopicError
from tickwire.subscription import Subscription
from tickwire.update import Update

QUEUE_MAX: Final = 256
"""Small enough that a stalled reader makes the client stop reading, and drop messages."""

COMPARED: Final = 0.05
"""The share of reads after which the client's image is compared, too."""

Offsets = dict[tuple[str, str, int], int]


@dataclass(slots=True)
class Followed:
    seq: int = 0
    image: dict[str, Any] = field(default_factory=dict)
    anew: bool = True
    """Whether it may begin with any snapshot, or continue after a gap that nobody counted."""


class Judge:
    """What one subscription may yield. Pure."""

    def __init__(self, want: str, label: str, tally: Tally, offsets: Offsets) -> None:
        self.want = want
        self.topics: dict[str, Followed] = {}
        self._label = label
        self._tally = tally
        self._offsets = offsets

    def take(self, update: Update, epoch: str) -> None:
        self._tally.messages += 1
        if update.kind == "resumed":
            self._resume(update)
            return
        name = update.topic
        if not matches(self.want, name):
            self._fault("unwanted", f"{name}: {update.seq}")
            return
        topic = self.topics.setdefault(name, Followed())
        if update.kind == "snapshot":
            self._replace(topic, update)
        elif not self._follows(topic, update):
            what = f"{name}: {update.kind} {update.first_seq} after {topic.seq}"
            self._fault("duplicates" if update.seq <= topic.seq else "silent_gaps", what)
        topic.seq = max(topic.seq, update.seq) if update.kind == "status" else update.seq
        topic.anew = False
        if update.kind == "gap":
            self._tally.gaps += update.missed or 0
        elif update.kind == "update":
            kept = {} if update.delivery == "event" else topic.image
            fields = {**kept, **update.data}
            topic.image = {key: value for key, value in fields.items() if value is not None}
        if update.kind in ("update", "snapshot"):
            self._check_image(name, topic, epoch)

    def _resume(self, update: Update) -> None:
        self._tally.recovered += bool(update.recovered)
        self._tally.not_recovered += not update.recovered
        if not update.recovered:
            for name, topic in self.topics.items():
                topic.anew = topic.anew or matches(update.topic, name)

    def _follows(self, topic: Followed, update: Update) -> bool:
        if update.kind == "status":
            return update.seq == topic.seq or topic.anew
        return update.first_seq == topic.seq + 1 or (update.kind == "gap" and topic.anew)

    def _replace(self, topic: Followed, update: Update) -> None:
        skipped = update.seq - topic.seq - 1
        if not topic.anew:
            if update.seq < topic.seq:
                self._fault("duplicates", f"{update.topic}: snapshot {update.seq} < {topic.seq}")
            elif update.delivery == "event" and skipped > 0:
                what = f"{update.topic}: snapshot {update.seq} after the event {topic.seq}"
                self._fault("silent_gaps", what)
            self._tally.updates_conflated += max(skipped, 0)
        topic.image = dict(update.data)

    def _check_image(self, name: str, topic: Followed, epoch: str) -> None:
        image = topic.image
        n, run = image.get("n", 0), image.get("run", 0)
        offset = self._offsets.setdefault((epoch, name, run), topic.seq - n)
        if sum(image.values()) or topic.seq - n != offset:
            what = f"{name}: {topic.seq}, which is not {n} + {offset} or does not add up: {image}"
            self._fault("wrong_images", what)

    def _fault(self, counter: str, what: str) -> None:
        self._tally.fault(counter, f"{self._label} {self.want}: {what}")


class Checked:
    """One client and its subscriptions."""

    def __init__(self, number: int, plan: CheckPlan, topics: list[str], tally: Tally) -> None:
        self.readers: dict[asyncio.Task[None], Judge] = {}
        self._label = f"client {number}"
        self._plan = plan
        self._topics = topics
        self._tally = tally
        self._stalls = plan.stalls and number % 2 == 0
        self._offsets: Offsets = {}
        self.client: Client = connect(plan.url, backoff_s=0.05, transport=plan.transport)

    async def run(self, ending: asyncio.Event, seqs: Callable[[], dict[str, int]]) -> None:
        async with self.client:
            self._open()
            changes = [asyncio.create_task(self._every(CHANGE_S, self._change, ending))]
            if self._plan.reconnects:
                changes.append(asyncio.create_task(self._every(CUT_S, self._cut, ending)))
            await asyncio.gather(*changes)
            await self._settle(seqs)
            for task in self.readers:
                task.cancel()
            await asyncio.gather(*self.readers, return_exceptions=True)

    async def _every(
        self, average_s: float, step: Callable[[], None], ending: asyncio.Event
    ) -> None:
        while not ending.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s(average_s, self._plan.seconds)):
                    await ending.wait()
            if not ending.is_set():
                step()

    def _change(self) -> None:
        """Begins a subscription, or ends one."""
        if len(self.readers) > 3 or (len(self.readers) > 1 and random.random() < 0.5):
            next(iter(self.readers)).cancel()
        else:
            self._open()

    def _cut(self) -> None:
        self._tally.reconnects += 1
        self.client._link.cut()

    def _open(self) -> None:
        want = random.choice(["check.>", "check.value.*", "check.event.*", *self._topics])
        subscription = self.client.subscribe(want, queue_max=QUEUE_MAX)
        judge = Judge(want, self._label, self._tally, self._offsets)
        batches = random.random() < 0.5
        task = asyncio.create_task(self._read(subscription, judge, batches))
        self.readers[task] = judge
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.readers.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tally.fault("broken", f"{self._label}: {error!r}")

    async def _read(self, updates: Subscription, judge: Judge, batches: bool) -> None:
        stall_at = time.monotonic() + pause_s(STALL_S, self._plan.seconds)
        async with updates:
            while True:
                some = await anext(updates.batches()) if batches else [await anext(updates)]
                for update in some:
                    judge.take(update, self.client.epoch)
                if random.random() < COMPARED:
                    self._compare(judge, some[-1].topic)
                if self._stalls and time.monotonic() > stall_at:
                    self._tally.stalls += 1
                    await asyncio.sleep(random.uniform(0.1, STALLED_S_MAX))
                    stall_at = time.monotonic() + pause_s(STALL_S, self._plan.seconds)

    async def _settle(self, seqs: Callable[[], dict[str, int]]) -> None:
        patience = Patience(round(self._plan.settle_s / LOOK_S))
        while patience.waits(len(late := self._late(seqs()))):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        for what in late:
            self._tally.fault("missing", f"{self._label} {what}")
        if self.client.holes:
            self._tally.fault("silent_gaps", f"{self._label}: {self.client.holes} holes")
        for judge in self.readers.values():
            for name in judge.topics:
                self._compare(judge, name)

    def _compare(self, judge: Judge, name: str) -> None:
        """Holds the client's image against what the reader made of its updates, if the reader is
        as far as the client."""
        topic = judge.topics.get(name)
        if topic is None or self.client._protocol.topics.seq(name) != topic.seq:
            return
        image = self.client.images.get(name)
        if image != topic.image:
            self._tally.fault("wrong_images", f"{self._label} {name}: {image} in images")

    def _late(self, seqs: dict[str, int]) -> list[str]:
        return [
            f"{judge.want}: {name}: not up to {seq}"
            for judge in self.readers.values()
            for name, seq in seqs.items()
            if matches(judge.want, name) and judge.topics.get(name, Followed()).seq < seq
        ]


def run(plan: CheckPlan, each_second: Progress, stopped: Stopped) -> tuple[Tally, float]:
    """What was found, and in how many seconds. Raises what keeps it from checking."""
    start = time.monotonic()
    tally = Tally()
    logging.getLogger("tickwire.client").setLevel(logging.ERROR)  # connections break on purpose
    asyncio.run(_check(plan, each_second, stopped, tally))
    return tally, time.monotonic() - start


async def _check(plan: CheckPlan, each_second: Progress, stopped: Stopped, tally: Tally) -> None:
    topics = sorted(await asyncio.to_thread(topics_of, plan.url))
    if not topics:
        raise UnknownTopicError(f"{PATTERN}: the server has none; feeds/checked.py makes them")
    ending = asyncio.Event()
    seqs: dict[str, int] = {}
    clients = [Checked(n, plan, topics, tally) for n in range(plan.connections)]
    running = [asyncio.create_task(c.run(ending, lambda: seqs)) for c in clients]
    start = told = time.monotonic()
    while time.monotonic() - start < plan.seconds and not stopped():
        done, _ = await asyncio.wait(running, timeout=LOOK_S)
        if errors := [e for task in done if isinstance(e := task.exception(), TickwireError)]:
            raise errors[0]
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            each_second(tally, told - start)
    seqs |= await asyncio.to_thread(topics_of, plan.url)
    ending.set()
    await asyncio.gather(*running)
