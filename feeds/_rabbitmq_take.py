"""Messages of the exchange as updates of this plant: each once, and a loss is noticed."""

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from aio_pika.abc import AbstractIncomingMessage
from aiormq.exceptions import AMQPError

from tickwire._fault_log import FaultLog
from tickwire._pattern import matches
from tickwire.errors import DataError, TickwireError, UnknownTopicError
from tickwire.pub import Pub

BEAT = "tickwire.beat"
"""The routing key under which a plant says that it is there."""
HELLO = "tickwire.hello"
"""The routing key under which a plant asks the others for their images."""
BEAT_S = 5.0
SILENT_S = 3 * BEAT_S
"""After this time without a message of a plant its topics are stale here."""
TOPICS_MAX = 100_000
"""Topics of other plants that are remembered; the one that was quiet for longest is forgotten."""

Place = tuple[str, str]
"""The plant that sent an update, and the topic."""


class Taken:
    """The updates that were taken from the exchange, and so are not sent there again. Pure."""

    def __init__(self, sends: Sequence[str]) -> None:
        self._sends = sends
        self._seqs: dict[str, deque[int]] = {}

    def add(self, topic: str, seq: int) -> None:
        """`seq`: the number that the update got here."""
        if any(matches(pattern, topic) for pattern in self._sends):
            self._seqs.setdefault(topic, deque()).append(seq)

    def has(self, topic: str, seq: int) -> bool:
        """Whether an update was taken; it forgets what came before it."""
        seqs = self._seqs.get(topic)
        while seqs and seqs[0] < seq:
            seqs.popleft()
        return bool(seqs) and seqs[0] == seq  # type: ignore[index]


class Origins:
    """How far each topic of each plant has come. Pure."""

    def __init__(self, topics_max: int = TOPICS_MAX) -> None:
        self._topics_max = topics_max
        self._places: OrderedDict[Place, tuple[str, int]] = OrderedDict()
        self._heard_s: dict[str, float] = {}

    def come(self, plant: str, topic: str, epoch: str, seq: int) -> tuple[bool, int]:
        """Notes an update. Returns whether it is new, and how many are missing before it (-1: it is
        the first one, or belongs to another history, so nobody knows)."""
        place = plant, topic
        known = self._places.get(place)
        if known is not None and known[0] == epoch and seq <= known[1]:
            return False, 0
        self._places[place] = epoch, seq
        self._places.move_to_end(place)
        if len(self._places) > self._topics_max:
            self._places.popitem(last=False)
        if known is None or known[0] != epoch:
            return True, -1
        return True, seq - known[1] - 1

    def hear(self, plant: str, now_s: float) -> None:
        self._heard_s[plant] = now_s

    def take_silent(self, now_s: float) -> list[str]:
        """The topics of plants that have just been silent for too long."""
        silent = {name for name, at_s in self._heard_s.items() if now_s - at_s > SILENT_S}
        for name in silent:
            del self._heard_s[name]
        return [topic for plant, topic in self._places if plant in silent] if silent else []


class MessageTaker:
    """On the plugins' loop."""

    on_hello: Callable[[], None]
    """Is called when another plant asks for images."""

    def __init__(
        self, pub: Pub, plant: str, patterns: Sequence[str], taken: Taken, origins: Origins
    ) -> None:
        self._pub = pub
        self._plant = plant
        self._patterns = patterns
        self._taken = taken
        self._origins = origins
        self._faults = FaultLog(pub.log)
        self._events = set[str]()

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Publishes one message. There is no pause before the acknowledgement, so that messages
        keep their order."""
        topic = message.routing_key or ""
        try:
            self._take(topic, message)
        except (TickwireError, ValueError, TypeError) as e:
            kind = f"left out: {type(e).__name__}"
            self._faults.error(kind, "%.200s: left out: %s", topic, e)
        with suppress(AMQPError, RuntimeError):  # the channel is closed; it will come again
            await message.ack()

    async def watch(self) -> None:
        """Makes the topics of plants that are gone stale."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(BEAT_S)
            for topic in self._origins.take_silent(loop.time()):
                self._set_status(topic, "stale")

    def _take(self, topic: str, message: AbstractIncomingMessage) -> None:
        headers = message.headers
        plant = headers.get("tickwire-plant")
        if plant == self._plant:
            return
        if plant is not None:
            self._origins.hear(str(plant), asyncio.get_running_loop().time())
        kind = headers.get("tickwire-kind", "update")
        if kind == "hello":
            self.on_hello()
        elif kind != "beat" and any(matches(pattern, topic) for pattern in self._patterns):
            if plant is None:
                self._publish(topic, message.body)
            else:
                self._take_update(str(plant), topic, str(kind), message)

    def _take_update(
        self, plant: str, topic: str, kind: str, message: AbstractIncomingMessage
    ) -> None:
        headers: Any = message.headers
        epoch, seq = str(headers["tickwire-epoch"]), int(headers["tickwire-seq"])
        status = str(headers.get("tickwire-status", "live"))
        if kind == "status":
            self._set_status(topic, status)
            return
        is_new, missing = self._origins.come(plant, topic, epoch, seq)
        if kind == "image":  # it is whole, so what is missing before it does no harm
            if is_new:
                self._publish_image(topic, message.body)
            self._set_status(topic, status)
            return
        if not is_new:
            return
        if topic not in self._events:
            self._events.add(topic)
            self._pub.declare(topic, "event")
        if missing or kind == "gap":
            if missing > 0:
                self._pub.log.info("%s: %d events of %s were lost", topic, missing, plant)
            self._set_status(topic, "stale")  # nothing, where nothing was published yet
        if kind == "event":
            self._publish(topic, message.body)

    def _publish(self, topic: str, body: bytes) -> None:
        self._taken.add(topic, self._pub.publish(topic, body))

    def _publish_image(self, topic: str, body: bytes) -> None:
        now = self._pub.snapshot(topic)
        if now is None or now.raw.encode() != body:
            fields = json.loads(body)
            if not isinstance(fields, dict):
                raise DataError(f"{topic}: the image is not an object")
            self._taken.add(topic, self._pub.publish_image(topic, body))

    def _set_status(self, topic: str, status: str) -> None:
        with suppress(UnknownTopicError):
            self._pub.status(topic, status)
