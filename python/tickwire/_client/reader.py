"""What lies between the one reader of a connection and those who iterate over its messages.

A slow consumer costs bounded memory. When a reader is full the reader stops (`Gate`), the socket
fills, and the server conflates for us. While somebody waits for an answer or for another reader the
reader must go on; then a reader falls behind instead, as a subscription on the server does: it
drops what it held, remembers which topics, and gets their snapshots once it is dry.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tickwire._client.ask import SNAPSHOT
from tickwire._client.topics import TopicTable
from tickwire._core import UpdateRing
from tickwire._pattern import is_pattern, matches
from tickwire.errors import ConfigError, TickwireError
from tickwire.update import Update

DROP_FACTOR: Final = 4
"""A reader that holds this many times its limit drops its messages."""


class Gate:
    """May the reader read on? Not while a reader is full, unless somebody waits for more.

    Who waits counts until it is served, not until its task runs: the reader does not yield before.
    """

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        """Is told when it may have opened."""
        self._full: set[Reader] = set()
        self._waiting: set[object] = set()
        self._changed = asyncio.Event()
        self._readers: dict[UpdateRing, Reader] = {}

    @property
    def open(self) -> bool:
        return not self._full or bool(self._waiting)

    @property
    def crowded(self) -> bool:
        """Whether a reader is full, so that each message may close it."""
        return bool(self._full)

    def add(self, reader: "Reader") -> None:
        """From here on the reader's ring is filled by the core, too."""
        self._readers[reader.ring] = reader

    def remove(self, reader: "Reader") -> None:
        self._readers.pop(reader.ring, None)

    def took(self, rings: Iterable[UpdateRing]) -> None:
        """Tells the readers of these rings that the core put messages into them."""
        for ring in rings:
            reader = self._readers.get(ring)
            if reader is not None:
                reader.noticed()

    async def passed(self) -> None:
        while not self.open:
            self._changed.clear()
            await self._changed.wait()

    def set_full(self, reader: "Reader", full: bool) -> None:
        if full:
            self._full.add(reader)
        else:
            self._full.discard(reader)
            self._tell()

    def waits(self, who: object) -> None:
        self._waiting.add(who)
        if self._full:
            self._tell()

    def served(self, who: object) -> None:
        self._waiting.discard(who)

    def _tell(self) -> None:
        self._changed.set()
        self.on_change()


class Reader:
    """The messages for one subscription. `on_dry(topics)` is asked for snapshots of those.
    `on_change()` is told when a topic is not to go on by itself any longer."""

    def __init__(
        self,
        topics: Iterable[str],
        gate: Gate,
        queue_max: int,
        on_dry: Callable[[Sequence[str]], None],
        on_change: Callable[[], None] = lambda: None,
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
        self._on_change = on_change
        self.ring = UpdateRing(queue_max)
        """The messages that the consumer has not taken yet."""
        self._ready = asyncio.Event()
        self._begun: set[str] = set()
        """Topics of which this reader got a message."""
        self._late: dict[str, int] = {}
        """Topic -> the last seq that this reader got, where the client knows more already, because
        the last messages are replayed."""
        self._behind: dict[str, int] = {}
        """Topic -> the first missing seq, for topics whose messages were dropped."""
        self._asked: set[str] = set()

    def wants(self, topic: str) -> bool:
        return topic in self.topics or any(matches(pattern, topic) for pattern in self._patterns)

    def put(
        self, update: Update, news: bool, begins: bool = False, seq_before: int | None = None
    ) -> bool:
        """Passes a message on, if this reader is to get it. False: it waits for the topic's
        snapshot.

        begins: one may begin with the message who does not want, or need, a snapshot.
        seq_before: where the topic stood before; None: right before the message if it is news.
        """
        name, before = update.topic, seq_before
        if before is None:
            before = update.first_seq - 1 if news else update.seq
        if name in self._behind:
            if update.kind == "snapshot":
                self._catch_up(update)
        elif name in self._begun:
            late = self._late.get(name, before)
            if news or (update.kind != "status" and update.seq > late):
                self._note_place(update, news, before)
                first = update.first_seq + (update.kind == "status")
                self._append(update, min(first, late + 1))
        elif self._begins(update, news, begins):
            self._begun.add(name)
            self._note_place(update, news, before)
            self._append(update, update.first_seq + (update.kind == "status"))
        else:
            return not self.snapshot
        return True

    def _note_place(self, update: Update, news: bool, known: int) -> None:
        if not news and update.seq < known:
            self._late[update.topic] = update.seq
        else:
            self._late.pop(update.topic, None)

    def in_step(self, topic: str) -> bool:
        """Whether this reader got all that the client knows of a topic, so that whatever comes next
        is for it."""
        began = topic in self._begun and topic not in self._late
        return began and topic not in self._behind and not self.ended

    def tell(self, update: Update) -> None:
        """Passes a message on that belongs to no topic's state."""
        self._append(update, update.seq)

    def not_begun(self, topics: TopicTable) -> list[str]:
        """Returns the topics for whose first message this reader waits although it came before the
        reader joined."""
        return [
            name
            for name in topics
            if self.snapshot
            and self.wants(name)
            and name not in self._begun
            and name not in self._behind
            and topics.seq(name) > self.start.since.get(name, 0)
        ]

    async def next(self) -> Update | None:
        """Returns the next message, or None at the end. Messages that came before an end or an
        error are returned first."""
        try:
            await self.filled()
        except StopAsyncIteration:
            return None
        update = self.ring.pop()
        if self.ring.take_room():
            self.room()
        return update

    async def filled(self) -> None:
        """Waits for a message. Raises StopAsyncIteration at the end."""
        if not self._queue_max:
            raise ConfigError("queue_max: 0 keeps no messages to iterate over", field="queue_max")
        while not self.ring:
            self.check()
            if self.ended:
                raise StopAsyncIteration
            self._ask_for_dropped()
            self._ready.clear()
            self._gate.waits(self)
            try:
                await self._ready.wait()
            finally:
                self._gate.served(self)

    def room(self) -> None:
        """Notes that the consumer took so many messages that there is room again."""
        self._gate.set_full(self, False)

    def noticed(self) -> None:
        """Notes that the ring got messages."""
        self._ready.set()
        self._gate.served(self)
        unread = len(self.ring)
        if unread >= self._queue_max * DROP_FACTOR:
            self._fall_behind()
        elif unread >= self._queue_max:
            self.ring.note_full()
            self._gate.set_full(self, True)

    def check(self) -> None:
        """Raises the error that ended the reader, once all earlier messages were taken."""
        if self.error is not None and not self.ring:
            raise self.error

    def end(self, error: TickwireError | None = None) -> None:
        self.error = self.error or error
        self.ended = True
        self.ring.close()
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
        self._on_change()
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

    def _append(self, update: Update, first_missed: int) -> None:
        """first_missed: the first seq that is missing if the message is dropped. It may lie before
        a snapshot: nobody else says what was conflated."""
        if not self.ended:
            self.ring.append(update, first_missed)
            if self.ring:
                self.noticed()

    def _fall_behind(self) -> None:
        for update, first_missed in self.ring.drop():
            if update.kind != "resumed":
                self._behind.setdefault(update.topic, first_missed)
                self._late.pop(update.topic, None)
        self._gate.set_full(self, False)
        self._on_change()

    def _catch_up(self, snapshot: Update) -> None:
        name = snapshot.topic
        first, last = self._behind.pop(name), snapshot.seq - 1
        self._asked.discard(name)
        if first <= last:
            text = f'{{"type":"gap","topic":"{name}","from":{first},"to":{last}}}'
            gap = Update("gap", name, last, missed=last - first + 1, text=text)
            self.ring.append(gap, first)  # both or neither: the reader may fall behind again
        self._append(snapshot, snapshot.seq)

    def _ask_for_dropped(self) -> None:
        if self._behind and not self._asked:
            some = list(self._behind)[: self._queue_max]
            self._asked.update(some)
            self._on_dry(some)
