"""What a feed is called with: its way to publish, and what it hears of demand."""

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Literal
from weakref import WeakSet

from tickwire._core import Engine
from tickwire._json import Data


class Demand:
    """``for topic, wanted in ...``, in a thread or (``async for``) on the plugins' loop.

    Begins with the topics that are wanted already. Bounded: of a topic only its latest change
    waits, and one that brings nothing new is left out. Changes come on the plugins' loop.
    """

    def __init__(self, wanted: Iterable[str]) -> None:
        self._told: set[str] = set()
        self._lock = threading.Condition()
        self._changes: OrderedDict[str, bool] = OrderedDict.fromkeys(wanted, True)
        self._ended = False
        self._changed = asyncio.Event()

    def change(self, topic: str, wanted: bool) -> None:
        with self._lock:
            self._changes[topic] = wanted
            self._lock.notify_all()
        self._changed.set()

    def end(self) -> None:
        with self._lock:
            self._ended = True
            self._lock.notify_all()
        self._changed.set()

    def __iter__(self) -> Iterator[tuple[str, bool]]:
        while True:
            with self._lock:
                change = self._take()
                while change is None and not self._ended:
                    self._lock.wait()
                    change = self._take()
            if change is None:
                return
            yield change

    async def __aiter__(self) -> AsyncIterator[tuple[str, bool]]:
        while True:
            with self._lock:
                change = self._take()
                if change is None:
                    self._changed.clear()
            if change is not None:
                yield change
            elif self._ended:
                return
            else:
                await self._changed.wait()

    def _take(self) -> tuple[str, bool] | None:
        while self._changes:
            topic, wanted = self._changes.popitem(last=False)
            if wanted != (topic in self._told):
                (self._told.add if wanted else self._told.remove)(topic)
                return topic, wanted
        return None


class Pub:
    """A feed's publisher: for the topics of its pattern, until it is stopped."""

    config: Mapping[str, Any]
    """The plugin's settings, ``plugins.<name>.*``."""
    log: logging.Logger

    def __init__(
        self, engine: Engine, feed: int, config: Mapping[str, Any], log: logging.Logger
    ) -> None:
        self.config = config
        self.log = log
        self._engine = engine
        self._feed = feed
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._wanted_now: frozenset[str] | None = frozenset()
        self._demands: WeakSet[Demand] = WeakSet()
        self._stopping = threading.Event()
        self._follows = False

    def publish(self, topic: str, data: Data) -> int:
        """One update: a mapping, or a JSON object's bytes or str as they are. The seq it got."""
        return self._engine.publish(topic, data, self._feed)

    def publish_many(self, pairs: Iterable[tuple[str, Data]]) -> int:
        """``(topic, data)`` pairs, cheaper than one by one. How many.

        A faulty pair loses no other: all others are published, then the error of the first is
        raised, which names it (``pairs[3].data.bid``). `TopicError`, `DataError`.
        """
        return self._engine.publish_many(pairs, self._feed)

    def publish_table(
        self,
        topics: Iterable[str],
        columns: Mapping[str, Any],
        *,
        nan: Literal["error", "null"] = "error",
    ) -> int:
        """A row to each topic from columns of numbers, as `tickwire.Server.publish_table`."""
        return self._engine.publish_table(topics, columns, nan, self._feed)

    def status(self, topic: str, status: str) -> None:
        """``live``, ``stale``, ``halted`` or ``closed``."""
        self._engine.set_status(topic, status, self._feed)

    def stale(self) -> None:
        """All topics that this feed published last are stale until their next update."""
        self._engine.feed_down(self._feed)

    def declare(self, topic: str, delivery: Literal["value", "event"]) -> None:
        """What one topic is, where its feed has topics of both kinds; before its first update. What
        the configuration says comes first. Once a topic, since each call costs a look at all."""
        self._engine.declare(self._feed, topic, delivery)

    def set_topics(self, topics: Iterable[str]) -> None:
        """What the feed can make from now on, in place of ``topics=``."""
        self._engine.set_feed_topics(self._feed, list(topics))

    @property
    def wanted(self) -> frozenset[str]:
        """The topics that somebody wants at this moment."""
        self._follow()
        with self._lock:
            if self._wanted_now is None:
                self._wanted_now = frozenset(self._wanted)
            return self._wanted_now

    def demand(self) -> Demand:
        """Changes of `wanted`, beginning with what is wanted already; ends when the feed must."""
        self._follow()
        with self._lock:
            demand = Demand(self._wanted)
            self._demands.add(demand)
        if self.stopping:
            demand.end()
        return demand

    @property
    def stopping(self) -> bool:
        """The server is stopping: a plain ``def`` feed should return."""
        return self._stopping.is_set()

    def wait(self, seconds: float) -> bool:
        """For plain ``def`` feeds: sleeps, and wakes early when `stopping`, which it returns."""
        return self._stopping.wait(seconds)

    def _follow(self) -> None:
        """From here on nobody vouches for what nobody wants."""
        if not self._follows:
            self._follows = True
            self._engine.follow_demand(self._feed)

    # --- for the host, on the plugins' loop -------------------------------------------------------

    def _change(self, topic: str, wanted: bool) -> None:
        with self._lock:
            (self._wanted.add if wanted else self._wanted.discard)(topic)
            self._wanted_now = None
            demands = list(self._demands)
        for demand in demands:
            demand.change(topic, wanted)

    def _end_demand(self) -> None:
        """The function that asked for them has ended, or must."""
        with self._lock:
            demands = list(self._demands)
            self._demands.clear()
        for demand in demands:
            demand.end()

    def _stop(self) -> None:
        """Nothing more may be published."""
        self._engine.remove_feed(self._feed)
        self._stopping.set()
        self._end_demand()
