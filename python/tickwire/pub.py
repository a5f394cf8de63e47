"""The argument of a feed: it publishes, follows other topics, and says which topics are wanted."""

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, cast
from weakref import WeakSet

from tickwire._core import Engine
from tickwire._json import Payload, data_text
from tickwire.local import LocalSubscription
from tickwire.update import Update, decode_data, parse_message


class Demand:
    """Changes of demand: ``for topic, wanted in ...`` in a thread, ``async for`` on the loop.

    It begins with the topics that are wanted already. Only the latest change of a topic waits to be
    read, and a change that brings nothing new is left out, so it needs bounded memory.
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
    """Publishes to the topics of a feed's pattern, until the feed is stopped.

    Every method may be called from any thread.
    """

    config: Mapping[str, Any]
    """The plugin's settings, ``plugins.<name>.*``."""
    log: logging.Logger
    """A logger for the feed."""

    def __init__(
        self,
        engine: Engine,
        feed: int,
        config: Mapping[str, Any],
        log: logging.Logger,
        may_not_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        """may_not_wait: whether this thread is the one of the loop that all plugins share."""
        self.config = config
        self.log = log
        self._engine = engine
        self._feed = feed
        self._may_not_wait = may_not_wait
        self._subscriptions: WeakSet[LocalSubscription] = WeakSet()
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._wanted_now: frozenset[str] | None = frozenset()
        self._demands: WeakSet[Demand] = WeakSet()
        self._stopping = threading.Event()
        self._follows = False

    def publish(self, topic: str, data: Payload) -> int:
        """Publishes one update, and returns its `seq`. `data` is as in `tickwire.Server.publish`.

        Raises:
            TopicError: The feed's pattern does not match the topic, or it is not a topic.
            DataError: The data is not a JSON object, too deep or too long.
        """
        return self._engine.publish(topic, data, self._feed)

    def publish_many(self, pairs: Iterable[tuple[str, Payload]]) -> int:
        """Publishes pairs of topic and data, at less cost than one by one. Returns their number.

        All valid pairs are published. Then the error of the first faulty one is raised, a
        `TopicError` or `DataError` that names it (``pairs[3].data.bid``).
        """
        return self._engine.publish_many(pairs, self._feed)

    def publish_image(self, topic: str, data: Payload) -> int:
        """Publishes an update after which the image is `data`: it removes all other fields.

        Returns its `seq`. It is for a source that says what a topic is now instead of what has
        changed. Its errors are those of `publish`.
        """
        now = self.snapshot(topic)
        text = data_text(data).strip()
        if now is not None and now.delivery != "event" and text.endswith("}"):
            with suppress(ValueError):  # publish() says what is wrong with it
                fields = decode_data(text)
                gone = [data_text({name: None})[1:-1] for name in now.data if name not in fields]
                kept = [text[1:-1]] if fields else []
                text = "{" + ",".join(kept + gone) + "}" if gone else text
        return self.publish(topic, text)

    def publish_table(
        self,
        topics: Iterable[str],
        columns: Mapping[str, Any],
        *,
        nan: Literal["error", "null"] = "error",
    ) -> int:
        """Publishes one row to each topic, as `tickwire.Server.publish_table` does."""
        return self._engine.publish_table(topics, columns, nan, self._feed)

    def status(self, topic: str, status: str) -> None:
        """Sets a topic's status: ``live``, ``stale``, ``halted`` or ``closed``.

        Raises:
            UnknownTopicError: Nothing was ever published to the topic.
        """
        self._engine.set_status(topic, status, self._feed)

    def stale(self) -> None:
        """Makes the topics that this feed was the last to publish stale until their next update."""
        self._engine.feed_down(self._feed)

    def declare(self, topic: str, delivery: Literal["value", "event"]) -> None:
        """Declares the kind of one topic, for a feed with topics of both kinds.

        Call it once for a topic, before its first update. A rule in the configuration takes
        precedence.
        """
        self._engine.declare(self._feed, topic, delivery)

    def set_topics(self, topics: Iterable[str]) -> None:
        """Replaces the topics that the feed can produce (``topics=`` of `tickwire.feed`)."""
        self._engine.set_feed_topics(self._feed, list(topics))

    # --- what others publish ----------------------------------------------------------------------

    @property
    def epoch(self) -> str:
        """The name of the unbroken history that every `seq` of this server belongs to."""
        return self._engine.epoch

    def snapshot(self, topic: str) -> Update | None:
        """Returns a topic's image as it is now, or None if nothing was ever published to it."""
        text = self._engine.snapshot(topic)
        return None if text is None else cast(Update, parse_message(text))

    def topics(self, pattern: str = ">") -> list[str]:
        """Returns the topics that match `pattern` and have an update, in order of name."""
        found: list[str] = []
        while some := self._engine.topics(pattern, found[-1] if found else ""):
            found += some
        return found

    def subscribe(
        self,
        *topics: str,
        max_rate: float = 0,
        snapshot: bool = True,
        last: int = 0,
        since: Mapping[str, int] | None = None,
        epoch: str = "",
    ) -> LocalSubscription:
        """Follows topics of this server, whoever publishes them; no authorizer is asked.

        Its messages are those of any client, and so are its limits: if the feed reads too slowly,
        value topics skip states and event topics have a ``gap``. It ends with the feed's run.

        Args:
            topics: Names and patterns, each an argument of its own.
            max_rate: At most this number of messages a second per topic, 0.02 to 1000; 0: every
                update.
            snapshot: If False, begin with the next update instead of a snapshot.
            last: Begin event topics with this number of their last messages, at most 65,536.
            since: Continue after the last `seq` of each topic, of at most 100,000 topics.
            epoch: The `epoch` that the numbers in `since` belong to.

        Raises:
            TopicError: A name is not a topic or a pattern.
        """
        options: dict[str, Any] = {"max_rate": max_rate, "snapshot": snapshot}
        if last:
            options["last"] = last
        if since:
            options |= {"since": dict(since), "epoch": epoch}
        session = self._engine.local_session()
        subscription = LocalSubscription(session, topics, options, self._may_not_wait)
        with self._lock:
            self._subscriptions.add(subscription)
        return subscription

    # --- demand -----------------------------------------------------------------------------------

    @property
    def wanted(self) -> frozenset[str]:
        """The topics that somebody wants now. Reading it makes the feed follow demand."""
        self._follow()
        with self._lock:
            if self._wanted_now is None:
                self._wanted_now = frozenset(self._wanted)
            return self._wanted_now

    def demand(self) -> Demand:
        """Returns the changes of `wanted`, beginning with what is wanted already.

        The iteration ends when the server or the feed stops. It makes the feed follow demand.
        """
        self._follow()
        with self._lock:
            demand = Demand(self._wanted)
            self._demands.add(demand)
        if self.stopping:
            demand.end()
        return demand

    @property
    def stopping(self) -> bool:
        """Whether the server is stopping; then a plain ``def`` feed should return."""
        return self._stopping.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleeps, in a plain ``def`` feed. Returns True, early, when the server is stopping."""
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

    def _end_reading(self) -> None:
        """Ends its demands and subscriptions: the function that asked for them has ended, or
        must."""
        with self._lock:
            demands = list(self._demands)
            self._demands.clear()
            subscriptions = list(self._subscriptions)
            self._subscriptions.clear()
        for demand in demands:
            demand.end()
        for subscription in subscriptions:
            subscription.close()

    def _stop(self) -> None:
        """Nothing more may be published."""
        self._engine.remove_feed(self._feed)
        self._stopping.set()
        self._end_reading()
