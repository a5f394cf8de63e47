"""The client: one connection that comes back by itself, and any number of subscriptions on it.

What messages mean stands in `_protocol`, the connection in `_link`, what lies unread in `_feed`.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from tickwire._backoff import BACKOFF_S_FIRST
from tickwire._events import Answer, Command, Data, Ended, Event, Live
from tickwire._feed import Feed, Gate
from tickwire._json import Data as Payload
from tickwire._json import data_text
from tickwire._link import Link, LinkOptions
from tickwire._pattern import is_pattern
from tickwire._protocol import Protocol
from tickwire._wants import SNAPSHOT, Start
from tickwire.errors import (
    ConfigError,
    ConnectionLostError,
    NotSubscribedError,
    TickwireError,
    TopicError,
    UnknownTopicError,
)
from tickwire.subscription import Subscription
from tickwire.update import Update
from tickwire.url import DEFAULT_URL, websocket_url

MAX_RATE_MIN: Final = 0.02
MAX_RATE_MAX: Final = 1000.0
QUEUE_MAX: Final = 1024
LAST_MAX: Final = 65_536
SEQ_MAX: Final = 2**64 - 1


def connect(
    url: str = DEFAULT_URL,
    *,
    token: str | None = None,
    reconnect: bool = True,
    timeout_s: float = 10.0,
    backoff_s: float = BACKOFF_S_FIRST,
) -> "Client":
    """A client of the server at `url`, to be entered: ``async with tickwire.connect(url) as c:``.

    token: handed to the server's authenticator, at every connect.
    reconnect: False makes a lost connection an error of whatever waits for it.
    timeout_s: for connecting, and for each answer.
    backoff_s: before the first attempt to connect again; it doubles, up to 20 s.
    """
    options = LinkOptions(websocket_url(url), token, reconnect, timeout_s, backoff_s)
    return Client(options)


class Client:
    """Made by `connect`. Of one event loop; its methods may be awaited by many tasks at once."""

    def __init__(self, options: LinkOptions) -> None:
        self._options = options
        self._protocol = Protocol()
        self._gate = Gate()
        self._feeds: list[Feed] = []
        self._routes: dict[str, list[Feed]] = {}
        self._link = Link(options, self._protocol, self._gate, self._take, self._lost)
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- what is known ----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self._options.url

    @property
    def connected(self) -> bool:
        """And logged in, and subscribed again."""
        return self._link.live

    @property
    def session(self) -> str:
        """The server's name for this connection, or the last one."""
        return self._link.welcome.session

    @property
    def epoch(self) -> str:
        """Names the unbroken history that every seq of this connection belongs to."""
        return self._link.welcome.epoch

    @property
    def server(self) -> str:
        """The server's name and version."""
        return self._link.welcome.server

    @property
    def images(self) -> Mapping[str, dict[str, Any]]:
        """Topic -> its fields as last known, of all subscriptions. Live: read, do not change."""
        return MappingProxyType(self._protocol.topics.images)

    @property
    def status(self) -> Mapping[str, str]:
        """Topic -> live, stale, halted or closed. Without a connection nothing is live."""
        return MappingProxyType(self._protocol.topics.statuses)

    @property
    def holes(self) -> int:
        """Messages that did not follow the one before, and were made up for: there must be none."""
        return self._protocol.holes

    # --- subscriptions ----------------------------------------------------------------------------

    def subscribe(
        self,
        *topics: str,
        max_rate: float | None = None,
        snapshot: bool = True,
        last: int = 0,
        since: Mapping[str, int] | None = None,
        epoch: str = "",
        queue_max: int = QUEUE_MAX,
    ) -> Subscription:
        """Iterate over it: ``async for update in c.subscribe("ticker.*", max_rate=5):``.

        Topics that the server refuses are in its `refused`; an error when all are.
        max_rate: messages a second per topic, 0.02 to 1000; None: every update. Where
        subscriptions of one connection overlap, the server sends a topic once, at the fastest of
        the paces asked for.
        snapshot: False: only what comes from now on.
        last: event topics begin with so many of their last messages, in place of the snapshot.
        since, epoch: go on where a former client was: the last seq of each topic it had, and the
        `epoch` they belong to. A ``resumed`` says first how it goes on.
        queue_max: unread messages before the client stops reading from the connection.
        """
        if not topics:
            raise ConfigError("topics: at least one", field="topics")
        for topic in topics:
            _check_text(topic)
        if max_rate is not None and not MAX_RATE_MIN <= max_rate <= MAX_RATE_MAX:
            raise ConfigError(
                f"max_rate: {max_rate} is outside {MAX_RATE_MIN:g} to {MAX_RATE_MAX:g}",
                field="max_rate",
            )
        if not 0 <= last <= LAST_MAX:
            raise ConfigError(f"last: {last} is outside 0 to {LAST_MAX}", field="last")
        if queue_max < 1:
            raise ConfigError(f"queue_max: {queue_max} is not at least 1", field="queue_max")
        for topic, seq in (since or {}).items():
            if type(seq) is not int or not 0 <= seq <= SEQ_MAX:
                raise ConfigError(
                    f"since: {topic}: {seq!r} is no integer from 0 to 2^64 - 1", field="since"
                )
        if since and not epoch:
            raise ConfigError("epoch: needed with since, whose seqs belong to it", field="epoch")
        feed = Feed(topics, self._gate, queue_max, self._refresh)
        feed.snapshot = snapshot
        feed.start = Start(last, dict(since or {}), epoch)
        feed.max_rate = max_rate or math.inf
        return Subscription(feed, self._join, self._leave, self._abandon)

    async def unsubscribe(self, *topics: str) -> None:
        """For all subscriptions of this client; one that has no topic left ends."""
        for topic in topics:
            if not any(topic in feed.topics for feed in self._feeds):
                raise NotSubscribedError(f"{topic}: not subscribed", topic=topic)
        for feed in self._feeds:
            feed.drop(topics)
        commands = self._unwant(topics)
        if not self._link.live:  # nobody can wait for the answer
            self._link.post(commands)
            return
        for command in commands:
            await self._link.ask(command)

    async def snapshot(self, topic: str) -> Update:
        """The topic as it is now. `UnknownTopicError` when nothing was ever published to it."""
        _check_text(topic)
        if is_pattern(topic):
            raise TopicError(f"{topic}: a pattern, not a topic", topic=topic)
        feed = Feed([topic], self._gate, QUEUE_MAX, self._refresh)
        try:
            async with asyncio.timeout(self._options.timeout_s):
                await self._join(feed)
                if feed.seqs.get(topic) == 0:
                    raise UnknownTopicError(f"{topic}: nothing was ever published", topic=topic)
                while (update := await feed.next()) is not None:
                    if update.kind == "snapshot":
                        return update
        except TimeoutError as e:
            raise ConnectionLostError(
                f"{topic}: no snapshot within {self._options.timeout_s:g} s"
            ) from e
        finally:
            self._leave(feed)
        raise ConnectionLostError(f"{topic}: unsubscribed before its snapshot came")

    # --- commands ---------------------------------------------------------------------------------

    async def publish(self, topic: str, data: Payload) -> int:
        """The seq it got. `data`: a mapping (a `Decimal` keeps its digits), or JSON as text."""
        _check_text(topic)
        answer = await self._link.ask(self._protocol.publish(topic, data_text(data)))
        for error in answer.refused.values():
            raise error
        return answer.seqs[topic]

    async def list(self, pattern: str = ">") -> list[str]:
        """The names of the topics that exist and match, in order."""
        _check_text(pattern)
        names: list[str] = []
        after: str | None = ""
        while after is not None:
            answer = await self._link.ask(self._protocol.list_topics(pattern, after))
            names += answer.names
            after = answer.next
        return names

    async def ping(self) -> float:
        """The seconds until the server's answer came."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        await self._link.ask(self._protocol.ping())
        return loop.time() - start

    async def auth(self, token: str) -> None:
        """Hands the server a new token, now and at every later connect."""
        await self._link.ask(self._protocol.auth(token))
        self._link.token = token

    # --- life -------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Ends every iterator; what was received before is still given."""
        await self._link.close()
        for feed in self._feeds:
            feed.end()
        self._feeds.clear()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._link.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    # --- feeds ------------------------------------------------------------------------------------

    async def _join(self, feed: Feed) -> None:
        self._feeds.append(feed)
        self._routes.clear()
        self._want(feed.topics, feed.start, repeat=feed.snapshot or bool(feed.start.since))
        try:
            await self._link.subscribe()
            feed.check()
        except TickwireError:
            self._leave(feed)
            raise

    def _leave(self, feed: Feed) -> None:
        feed.end()
        if feed in self._feeds:
            self._feeds.remove(feed)
            self._link.post(self._unwant(feed.topics))

    def _abandon(self, feed: Feed) -> None:
        """From the garbage collector, so from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, and all with it
                self._loop.call_soon_threadsafe(self._leave, feed)

    def _want(self, topics: Iterable[str], start: Start, *, repeat: bool) -> None:
        for topic in topics:
            mine = [feed for feed in self._feeds if topic in feed.topics]
            snapshot = any(feed.snapshot for feed in mine)
            rate = max(feed.max_rate for feed in mine)
            self._protocol.want(topic, snapshot, rate, repeat, start)

    def _unwant(self, topics: Iterable[str]) -> Sequence[Command]:
        """Forgets those that no feed has; for the others the pace may go down."""
        self._routes.clear()
        kept = [t for t in topics if any(t in feed.topics for feed in self._feeds)]
        commands = self._protocol.unwant(set(topics).difference(kept))
        self._want(kept, SNAPSHOT, repeat=False)
        return commands + (list(self._protocol.subscribe_commands()) if self._link.live else [])

    def _refresh(self, topics: Sequence[str]) -> None:
        """Not before `Live`: each topic first goes on where it was."""
        if self._link.live:
            self._protocol.refresh(topics)
            self._link.post(self._protocol.take_outbox())

    def _lost(self, error: TickwireError | None) -> None:
        """The connection; with an error for good."""
        for feed in self._feeds:
            if error is not None:
                feed.end(error)

    def _take(self, event: Event) -> None:
        match event:
            case Data(update, news, begins):
                name = update.topic
                feeds = self._routes.get(name)
                if feeds is None:
                    feeds = self._routes[name] = [f for f in self._feeds if f.wants(name)]
                for feed in feeds:
                    feed.put(update, news, begins)
            case Answer(command) if command.kind == "subscribe":
                self._settle(event)
            case Ended(error) if error.topic is not None:
                self._refuse(error.topic, error)
            case Live():
                self._refresh_not_begun()
                for feed in self._feeds:
                    feed.ask_again()

    def _settle(self, answer: Answer) -> None:
        for topic, error in answer.refused.items():
            self._refuse(topic, error)
        for feed in self._feeds:
            self._tell_resumed(feed, answer)
            feed.seqs |= {t: seq for t, seq in answer.seqs.items() if t in feed.topics}
        command = answer.command
        if answer.resumed:  # without snapshots, which those that joined meanwhile wait for
            self._refresh_not_begun()
        elif any(map(is_pattern, command.topics)):
            self._refresh_not_begun(lambda name: self._protocol.follows_beside(command, name))

    def _refresh_not_begun(self, which: Callable[[str], bool] = lambda _: True) -> None:
        topics = self._protocol.topics
        names = {name for feed in self._feeds for name in feed.not_begun(topics)}
        self._refresh([name for name in sorted(names) if which(name)])

    @staticmethod
    def _tell_resumed(feed: Feed, answer: Answer) -> None:
        for topic, how in answer.resumed.items():
            if topic in feed.topics and (topic in feed.seqs or feed.start.since):
                seq, recovered = answer.seqs[topic], how.recovered
                feed.tell(Update("resumed", topic, seq, missed=how.missed, recovered=recovered))

    def _refuse(self, topic: str, error: TickwireError) -> None:
        self._routes.clear()
        named = [feed for feed in self._feeds if topic in feed.topics]
        for feed in named or [feed for feed in self._feeds if feed.wants(topic)]:
            feed.refuse(topic, error)


def _check_text(topic: str) -> None:
    """The server says what is no topic, but of what is no text it cannot read even the command."""
    try:
        topic.encode()
    except UnicodeEncodeError as e:
        raise TopicError(f"{topic!r}: half a surrogate pair is not text", topic=topic) from e
