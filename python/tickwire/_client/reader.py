"""What lies between the one reader of a connection and those who iterate over its messages.

A slow consumer costs bounded memory. When a reader is full the reader stops (`Gate`), the socket
fills, and the server conflates for us. While somebody waits for an answer or for another reader the
reader must go on; then a reader falls behind instead, as a subscription on the server does: it
drops what it held, remembers which topics, and gets their snapshots once it is dry.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tickwire._client.ask import SNAPSHOT
from tickwire._client.topics import TopicTable
from tickwire._pattern import is_pattern, matches
from tickwire.errors import TickwireError
from tickwire.update import Update

DROP_FACTOR: Final = 4
"""A reader that holds this many times its limit drops its messages."""


class Gate:
    """May the reader read on? Not while a reader is full, unless somebody waits for more.

    Who waits counts until it is served, not until its task runs: the reader does not yield before.
    """

    def __init__(self) -> None:
        self._full: set[Reader] = set()
        self._waiting: set[object] = set()
        self._changed = asyncio.Event()

    @property
    def open(self) -> bool:
        return not self._full or bool(self._waiting)

    async def passed(self) -> None:
        while not self.open:
            self._changed.clear()
            await self._changed.wait()

    def set_full(self, reader: "Reader", full: bool) -> None:
        if full:
            self._full.add(reader)
        else:
            self._full.discard(reader)
            self._changed.set()

    def waits(self, who: object) -> None:
        self._waiting.add(who)
        self._changed.set()

    def served(self, who: object) -> None:
        self._waiting.discard(who)


class Reader:
    """The messages for one subscription. `on_dry(topics)` is asked for snapshots of those."""

    def __init__(
        self,
        topics: Iterable[str],
        gate: Gate,
        queue_max: int,
        on_dry: Callable[[Sequence[str]], None],
    ) -> None:
        self.topics = dict.fromkeys(topics)
        self._patterns = [topic for topic in self.topics if is_pattern(topic)]
        self.snapshot = True
        self.start = SNAPSHOT
        self.max_rate = math.inf
        self.seqs: dict[str, int] = {}
        self.refused: dict[str, TickwireError] = {}
        self.error: TickwireError | None = None
        self.ended = False
        self._gate = gate
        self._queue_max = queue_max
        self._on_dry = on_dry
        self._queue: deque[Update] = deque()
        self._ready = asyncio.Event()
        self._given: dict[str, int] = {}
        """Topic -> the last seq that was passed on to this reader."""
        self._read: dict[str, int] = {}
        """Topic -> the last seq that the consumer has taken."""
        self._behind: dict[str, int] = {}
        """Topic -> the first missing seq, for topics whose messages were dropped."""
        self._asked: set[str] = set()

    def wants(self, topic: str) -> bool:
        return topic in self.topics or any(matches(pattern, topic) for pattern in self._patterns)

    def put(self, update: Update, news: bool, begins: bool = False) -> bool:
        """`begins`: it is where one may begin who does not want, or need, a snapshot.

        False: it waits for the topic's snapshot.
        """
        name = update.topic
        if name in self._behind:
            if update.kind == "snapshot":
                self._catch_up(update)
        elif name in self._given:
            if news or (update.kind != "status" and update.seq > self._given[name]):
                self._enqueue(update)
        elif self._begins(update, news, begins):
            self._enqueue(update)
        else:
            return not self.snapshot
        return True

    def tell(self, update: Update) -> None:
        """Passes a message on that belongs to no topic's state."""
        self._append(update)

    def not_begun(self, topics: TopicTable) -> list[str]:
        """Returns the topics for whose first message this reader waits although it came before the
        reader joined."""
        return [
            name
            for name in topics
            if self.snapshot
            and self.wants(name)
            and name not in self._given
            and name not in self._behind
            and topics.seq(name) > self.start.since.get(name, 0)
        ]

    async def next(self) -> Update | None:
        """Returns the next message, or None at the end. Messages that came before an end or an
        error are returned first."""
        while not self._queue:
            self.check()
            if self.ended:
                return None
            self._ask_for_dropped()
            self._ready.clear()
            self._gate.waits(self)
            try:
                await self._ready.wait()
            finally:
                self._gate.served(self)
        update = self._queue.popleft()
        if update.kind != "resumed":
            self._read[update.topic] = update.seq
        if len(self._queue) == self._queue_max // 2:
            self._gate.set_full(self, False)
        return update

    def check(self) -> None:
        """Raises the error that ended the reader, once all earlier messages were taken."""
        if self.error is not None and not self._queue:
            raise self.error

    def end(self, error: TickwireError | None = None) -> None:
        self.error = self.error or error
        self.ended = True
        self._gate.set_full(self, False)
        self._ready.set()

    def refuse(self, topic: str, error: TickwireError) -> None:
        """Notes that the server refused a topic; the reader ends with `error` if none is left."""
        self.refused[topic] = error
        self._behind.pop(topic, None)
        self._asked.discard(topic)
        self.drop([topic], error)

    def drop(self, topics: Iterable[str], error: TickwireError | None = None) -> None:
        """Drops topics from those wanted; the reader ends if none is left."""
        for topic in topics:
            self.topics.pop(topic, None)
        self._patterns = [topic for topic in self.topics if is_pattern(topic)]
        for name in [name for name in self._behind if not self.wants(name)]:
            del self._behind[name]
            self._asked.discard(name)
        if not self.topics:
            self.end(error)

    def ask_again(self) -> None:
        """Asks again on a new connection: answers to earlier requests will not come."""
        self._asked.clear()
        self._ready.set()

    def _begins(self, update: Update, news: bool, begins: bool) -> bool:
        """Whether this reader may begin with the message. If not, it belongs to an older
        subscription, and the snapshot for this one will still come."""
        since = self.start.since.get(update.topic)
        if not self.snapshot and since is None:
            return news
        follows = update.first_seq == (since or 0) + (update.kind != "status")
        return update.kind == "snapshot" or follows or (begins and self.start.last > 0)

    def _enqueue(self, update: Update) -> None:
        self._given[update.topic] = update.seq
        self._append(update)

    def _append(self, update: Update) -> None:
        if self.ended:
            return
        self._queue.append(update)
        self._ready.set()
        self._gate.served(self)
        if len(self._queue) >= self._queue_max * DROP_FACTOR:
            self._fall_behind()
        elif len(self._queue) == self._queue_max:
            self._gate.set_full(self, True)

    def _fall_behind(self) -> None:
        for update in self._queue:
            if update.kind != "resumed":
                first = update.first_seq + (update.kind == "status")
                read = self._read.get(update.topic, first)
                # A dropped snapshot would have said what was conflated before it.
                self._behind.setdefault(update.topic, min(first, read + 1))
        self._queue.clear()
        self._gate.set_full(self, False)

    def _catch_up(self, snapshot: Update) -> None:
        name = snapshot.topic
        first, last = self._behind.pop(name), snapshot.seq - 1
        self._asked.discard(name)
        if first <= last:
            text = f'{{"type":"gap","topic":"{name}","from":{first},"to":{last}}}'
            self._enqueue(Update("gap", name, last, missed=last - first + 1, text=text))
        self._enqueue(snapshot)

    def _ask_for_dropped(self) -> None:
        if self._behind and not self._asked:
            some = list(self._behind)[: self._queue_max]
            self._asked.update(some)
            self._on_dry(some)
