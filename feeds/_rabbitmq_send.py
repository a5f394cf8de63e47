"""Updates of this plant as messages of the exchange.

A message of an event topic is one event. A message of a value topic is the whole image, so that
who comes later, or has lost one, is right again with the next. At most `WINDOW` messages wait for
the broker's confirmation. Behind a lost connection event topics go on after the last confirmed
message, as far as their rings reach (new ones begin with what their rings hold), and value topics
begin with their images.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractExchange
from pamqp.commands import Basic

from tickwire.local import LocalSubscription
from tickwire.pub import Pub
from tickwire.update import Update

from ._rabbitmq_take import BEAT, BEAT_S, HELLO, Taken

SINCE_MAX = 100_000
LAST_MAX = 65_536
WINDOW = 256
CONFIRM_S_MAX = 30.0
REFRESH_S = 5.0
"""Images are sent again at most this often, however many plants ask for them."""

Waiting = tuple[str, int, "asyncio.Task[None] | None"]


class MessageSender:
    """On the plugins' loop."""

    def __init__(self, pub: Pub, plant: str, patterns: Sequence[str], taken: Taken) -> None:
        self._pub = pub
        self._plant = plant
        self._patterns = patterns
        self._taken = taken
        self._seqs: dict[str, int] = {}
        """Event topic -> its last seq that the broker has."""
        self._foreign = set[str]()
        """Event topics whose last event came from the exchange."""
        self._images: dict[str, int] = {}
        """Value topic -> the seq of the image that was sent last to this connection."""
        self._subscription: LocalSubscription | None = None
        self._refreshed_s = 0.0
        self._later: asyncio.TimerHandle | None = None

    async def hello(self, exchange: AbstractExchange) -> None:
        """Asks all others for their images."""
        await exchange.publish(self._message(b"{}", "hello", expiration=REFRESH_S), HELLO)

    async def beat(self, exchange: AbstractExchange) -> None:
        """Says that this plant is there."""
        while True:
            await exchange.publish(self._message(b"{}", "beat", expiration=BEAT_S), BEAT)
            await asyncio.sleep(BEAT_S)

    def refresh(self) -> None:
        """Sends all images again, now or soon: somebody asks for them."""
        if self._subscription is None or self._later is not None:
            return
        wait_s = max(0.0, self._refreshed_s + REFRESH_S - time.monotonic())
        self._later = asyncio.get_running_loop().call_later(wait_s, self._refresh)

    def _refresh(self) -> None:
        self._later = None
        if self._subscription is not None:
            self._subscription.close()  # run() makes another

    async def run(self, exchange: AbstractExchange) -> None:
        """Sends until the connection is lost, which raises."""
        epoch = self._pub.epoch
        while not self._pub.stopping:
            self._images.clear()
            since = dict(islice(self._seqs.items(), SINCE_MAX))
            self._subscription = self._pub.subscribe(
                *self._patterns, last=LAST_MAX, since=since, epoch=epoch
            )
            self._refreshed_s = time.monotonic()
            waiting: deque[Waiting] = deque(self._last_events(exchange))
            try:
                async for update in self._subscription:
                    if (one := self._send(exchange, update)) is not None:
                        waiting.append(one)
                    while waiting and (len(waiting) >= WINDOW or _is_done(waiting[0])):
                        await self._confirm(waiting.popleft())
                while waiting:
                    await self._confirm(waiting.popleft())
            finally:
                self._subscription.close()
                self._subscription = None
                self._note_confirmed(waiting)
                for _, _, task in waiting:
                    if task is not None:
                        task.cancel()
                tasks = [task for _, _, task in waiting if task is not None]
                await asyncio.gather(*tasks, return_exceptions=True)

    def _last_events(self, exchange: AbstractExchange) -> Iterator[Waiting]:
        """Sends the last event of each topic again, for plants that have just come. Others know it
        by its seq. Where later events follow, they do the same."""
        for topic, seq in self._seqs.items():
            now = self._pub.snapshot(topic)
            if now is not None and now.seq == seq and topic not in self._foreign:
                yield self._send_event(exchange, now)

    def _send_event(self, exchange: AbstractExchange, update: Update) -> Waiting:
        # If even the first one is lost, the topic goes on with it and not with a later snapshot.
        self._seqs.setdefault(update.topic, update.seq - 1)
        message = self._message(update.raw.encode(), "event", update.status, update.seq)
        message.delivery_mode = DeliveryMode.PERSISTENT
        work = self._publish(exchange, message, update.topic)
        return update.topic, update.seq, asyncio.get_running_loop().create_task(work)

    def _send(self, exchange: AbstractExchange, update: Update) -> Waiting | None:
        topic, seq = update.topic, update.seq
        if update.kind == "status":
            message = self._message(b"{}", "status", update.status, seq)
        elif update.delivery != "event":
            now = self._pub.snapshot(topic)
            if now is None or now.seq <= self._images.get(topic, 0):
                return None  # a later image went out already
            self._images[topic] = seq = now.seq
            if self._taken.has(topic, seq):
                return None
            message = self._message(now.raw.encode(), "image", now.status, seq)
        elif update.kind == "gap":
            message = self._message(b"{}", "gap", "stale", seq)
        else:
            if self._taken.has(topic, seq):
                self._foreign.add(topic)
                return topic, seq, None
            self._foreign.discard(topic)
            return self._send_event(exchange, update)
        work = self._publish(exchange, message, topic)
        task = asyncio.get_running_loop().create_task(work)
        return (topic if update.delivery == "event" else ""), seq, task

    async def _publish(self, exchange: AbstractExchange, message: Message, topic: str) -> None:
        answer = await exchange.publish(message, topic, mandatory=False, timeout=CONFIRM_S_MAX)
        if not isinstance(answer, Basic.Ack):
            raise ConnectionError(f"{topic}: the broker did not take a message: {answer}")

    async def _confirm(self, waiting: Waiting) -> None:
        """Waits for the oldest message, so that positions rise in order."""
        topic, seq, task = waiting
        if task is not None:
            await task
        self._note(topic, seq)

    def _note_confirmed(self, waiting: deque[Waiting]) -> None:
        """Notes what the broker has confirmed without anybody waiting for it."""
        while waiting and _is_confirmed(waiting[0]):
            self._note(*waiting.popleft()[:2])

    def _note(self, topic: str, seq: int) -> None:
        if topic:
            self._seqs[topic] = max(seq, self._seqs.get(topic, 0))

    def _message(
        self,
        body: bytes,
        kind: str,
        status: str | None = None,
        seq: int = 0,
        expiration: float | None = None,
    ) -> Message:
        headers: dict[str, Any] = {
            "tickwire-plant": self._plant,
            "tickwire-epoch": self._pub.epoch,
            "tickwire-seq": seq,
            "tickwire-kind": kind,
        }
        if status is not None:
            headers["tickwire-status"] = status
        return Message(
            body, headers=headers, content_type="application/json", expiration=expiration
        )


def _is_done(waiting: Waiting) -> bool:
    return waiting[2] is None or waiting[2].done()


def _is_confirmed(waiting: Waiting) -> bool:
    task = waiting[2]
    if task is None:
        return True
    return task.done() and not task.cancelled() and task.exception() is None
