"""The client: one connection that comes back by itself, and any number of subscriptions on it.

`_client/protocol.py` says what messages mean, `_client/wants.py` what is wanted, `_client/link.py`
keeps the connection, `_client/reader.py` what lies unread.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from ssl import SSLContext
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from tickwire._backoff import BACKOFF_S_FIRST
from tickwire._client.arguments import (
    LAST_MAX,
    check_coalesce,
    check_range,
    check_rate,
    check_since,
    check_topic,
    check_topics,
)
from tickwire._client.ask import SNAPSHOT, Start
from tickwire._client.commands import Commands
from tickwire._client.events import Answer, Data, Doubted, Ended, Event, Live
from tickwire._client.link import Link
from tickwire._client.protocol import Protocol
from tickwire._client.reader import Gate, Reader
from tickwire._client.roads import LinkOptions
from tickwire._client.token_source import Token
from tickwire._client.values import Values
from tickwire._pattern import is_pattern
from tickwire.errors import (
    ConnectionLostError,
    NotSubscribedError,
    TickwireError,
    TopicError,
    UnknownTopicError,
)
from tickwire.subscription import Subscription
from tickwire.update import Update, decoder, stale
from tickwire.url import DEFAULT_URL, websocket_url

QUEUE_MAX: Final = 1024

log = logging.getLogger("tickwire.client")


def connect(
    url: str = DEFAULT_URL,
    *,
    token: Token | None = None,
    reconnect: bool = True,
    timeout_s: float = 10.0,
    backoff_s: float = BACKOFF_S_FIRST,
    coalesce_ms: float = 0,
    parse_float: Callable[[str], Any] | None = None,
    ssl: SSLContext | None = None,
    transport: str = "websocket",
) -> "Client":
    """A client of the server at `url`, for ``async with tickwire.connect(url) as c:``.

    Entering the block connects, or raises `ConnectionFailedError`.

    Args:
        url: One with ``ws://``, ``wss://``, ``http://`` or ``https://``, or just ``host:port``.
        token: Sent with every connection: a text, or a function (also an async one) that is called
            on the client's event loop for each connection, and gets a fresh one. If nobody can
            judge it now, the client continues without it and sends it again later; a `DeniedError`
            ends the client.
            A server without an authenticator keeps it for its authorizers, which a warning says.
        reconnect: If False, a lost connection is not made again: iterators and commands raise.
        timeout_s: The time in seconds for connecting, and for each answer.
        backoff_s: Seconds before the first attempt to connect again; they double, up to 20.
        coalesce_ms: Read from the connection at most once in so many milliseconds, 0 to 1000. Each
            read then brings more messages, which costs less CPU and makes them later by so much.
        parse_float: Makes numbers with a point or an exponent of their text, as in `json.loads`;
            with `decimal.Decimal` they keep all their digits.
        ssl: How a ``wss://`` server's certificate is checked. None: against those that this machine
            trusts, or in the file ``SSL_CERT_FILE``.
        transport: ``"websocket"``, ``"sse"`` (events over HTTP), ``"poll"``, or ``"auto"``: a
            WebSocket, and where none can be opened, one of the others.
    """
    check_coalesce(coalesce_ms)
    decode = None if parse_float is None else decoder(parse_float)
    place = websocket_url(url)
    options = LinkOptions(
        place, token, reconnect, timeout_s, backoff_s, coalesce_ms / 1000, decode, ssl, transport
    )
    return Client(options)


class Client(Values, Commands):
    """Made by `connect`. It belongs to one event loop, of which many tasks may use it at once."""

    def __init__(self, options: LinkOptions) -> None:
        self._options = options
        super().__init__(Protocol())
        self._gate = Gate()
        self._readers = list[Reader]()
        self._routes = dict[tuple[Reader, ...], int]()
        """Who reads a topic -> the core's number for them."""
        if options.decode is not None:
            self._protocol.decode_with(options.decode)
        self._retrying: dict[str, TickwireError] = {}
        """Topics and patterns that will be asked for again -> why they were not given."""
        self._partial = set[str]()
        self._link = Link(options, self._protocol, self._gate, self._take, self._lost)
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- what is known ----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The WebSocket address of the server."""
        return self._options.url

    @property
    def connected(self) -> bool:
        """Whether the client is connected, has authenticated, and has subscribed again."""
        return self._link.live

    @property
    def transport(self) -> str:
        """The road of this or the last connection: websocket, sse or poll; empty before it."""
        return self._link.roads.transport

    @property
    def session(self) -> str:
        """The server's name for this connection, or for the last one while there is none."""
        return self._link.welcome.session

    @property
    def epoch(self) -> str:
        """The name of the unbroken history that every `seq` of this connection belongs to."""
        return self._link.welcome.epoch

    @property
    def server(self) -> str:
        """The server's name and version."""
        return self._link.welcome.server

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
        """Subscribes at the first step of ``async for update in c.subscribe("ticker.*"):``.

        That step raises the server's error if all topics are refused. Otherwise the refused ones
        are in `Subscription.refused`, those that are asked for again in `Subscription.retrying`.

        Args:
            topics: Names and patterns, each an argument of its own.
            max_rate: At most so many messages a second per topic, 0.02 to 1000; None: every
                update. Of overlapping subscriptions the fastest counts for all.
            snapshot: If False, begin with the next update instead of a snapshot.
            last: Begin event topics with this number of their last messages, at most 65,536. It
                begins with a snapshot where another subscription of this client that matches the
                topic begins in the same moment.
            since: Continue after the last `seq` that a former client had of each topic; a
                ``resumed`` comes first.
            epoch: The `epoch` that the numbers in `since` belong to.
            queue_max: At this number of unread messages the client stops reading. 0: it keeps no
                messages, for a reader of `images`, `value`, `changed` and `columns` alone.
        """
        check_topics(topics)
        check_rate(max_rate)
        check_range("last", last, 0, LAST_MAX)
        check_range("queue_max", queue_max, 0)
        check_since(since or {}, epoch)
        reader = Reader(topics, self._gate, queue_max, self._refresh, self._disarm)
        reader.snapshot = snapshot
        reader.start = Start(last, dict(since or {}), epoch)
        reader.max_rate = max_rate or math.inf
        told = (self._retrying, self._partial)
        return Subscription(reader, *told, self._join, self._leave, self._abandon)

    async def unsubscribe(self, *topics: str) -> None:
        """Ends these topics for all subscriptions, or raises `NotSubscribedError`."""
        for topic in topics:
            if not any(topic in reader.topics for reader in self._readers):
                raise NotSubscribedError(f"{topic}: not subscribed", topic=topic)
        for reader in self._readers:
            reader.drop(topics)
        self._unwant(topics)
        if self._link.live:  # without a connection there is nothing to send
            await self._link.settle("unsubscribe", topics)

    async def snapshot(self, topic: str) -> Update:
        """The topic as it is now. `UnknownTopicError` when nothing was ever published to it."""
        check_topic(topic)
        if is_pattern(topic):
            raise TopicError(f"{topic}: a pattern, not a topic", topic=topic)
        reader = Reader([topic], self._gate, QUEUE_MAX, self._refresh, self._disarm)
        try:
            async with asyncio.timeout(self._options.timeout_s):
                await self._join(reader)
                if topic in self._retrying:
                    raise self._retrying[topic]
                if reader.seqs.get(topic) == 0:
                    raise UnknownTopicError(f"{topic}: nothing was ever published", topic=topic)
                while (update := await reader.next()) is not None:
                    if update.kind == "snapshot":
                        return update
        except TimeoutError as e:
            within = f"within {self._options.timeout_s:g} s"
            raise ConnectionLostError(f"{topic}: no snapshot {within}") from e
        finally:
            self._leave(reader)
        raise ConnectionLostError(f"{topic}: unsubscribed before its snapshot came")

    # --- life -------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Closes the connection. Iterators end after the messages that were received before."""
        await self._link.close()
        for reader in self._readers:
            reader.end()
            self._gate.remove(reader)
        self._readers.clear()

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

    def __await__(self) -> NoReturn:
        raise TypeError("connect() is no coroutine: use `async with tickwire.connect(...) as c:`")

    def __aiter__(self) -> NoReturn:
        raise TypeError(
            "a client has no messages of its own: use `async for update in c.subscribe(...):`"
            " within `async with tickwire.connect(...) as c:`"
        )

    # --- readers ----------------------------------------------------------------------------------

    async def _join(self, reader: Reader) -> None:
        self._readers.append(reader)
        self._gate.add(reader)
        self._disarm()
        self._want(reader.topics, reader.start, repeat=reader.snapshot or bool(reader.start.since))
        self._link.reconcile()
        try:
            await self._link.settle("subscribe", [*reader.topics])
            reader.check()
        except TickwireError:
            self._leave(reader)
            raise

    def _leave(self, reader: Reader) -> None:
        reader.end()
        if reader in self._readers:
            self._readers.remove(reader)
            self._gate.remove(reader)
            self._unwant(reader.topics)

    def _abandon(self, reader: Reader) -> None:
        """Runs in the garbage collector, so in any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, and all with it
                self._loop.call_soon_threadsafe(self._leave, reader)

    def _want(self, topics: Iterable[str], start: Start, *, repeat: bool) -> None:
        for topic in topics:
            mine = [reader for reader in self._readers if topic in reader.topics]
            snapshot = any(reader.snapshot for reader in mine)
            rate = max(reader.max_rate for reader in mine)
            self._protocol.want(topic, snapshot, rate, repeat, start)

    def _unwant(self, topics: Iterable[str]) -> None:
        """Forgets topics that no reader wants; the pace of the others may fall."""
        self._disarm()
        kept = [t for t in topics if any(t in reader.topics for reader in self._readers)]
        gone = set(topics).difference(kept)
        self._partial -= gone
        for topic in gone:
            self._retrying.pop(topic, None)
        self._protocol.unwant(gone)
        self._want(kept, SNAPSHOT, repeat=False)
        self._link.reconcile()

    def _refresh(self, topics: Sequence[str]) -> None:
        """Asks for the snapshots that readers dropped, after `Live`: a topic continues first."""
        if self._link.live:
            self._protocol.refresh(topics)
            self._link.reconcile()

    def _lost(self, error: TickwireError | None) -> None:
        """Handles the end of the connection; with an error, the end of the client."""
        for reader in self._readers:
            if error is not None:
                reader.end(error)

    def _take(self, event: Event) -> None:
        match event:
            case Data():
                self._pass_on(event)
            case Answer(command) if command.kind == "subscribe":
                self._settle(event)
            case Doubted(topics, error):
                self._doubt(topics, error)
            case Ended(error) if error.topic is not None:
                self._refuse(error.topic, error)
            case Live():
                self._refresh_not_begun()
                for reader in self._readers:
                    reader.ask_again()

    def _pass_on(self, data: Data) -> None:
        update, name = data.update, data.update.topic
        readers = [reader for reader in self._readers if reader.wants(name)]
        waits = False
        for reader in readers:
            taken = reader.put(update, data.news, data.begins, data.seq_before)
            waits = waits or not taken
        # Its snapshot comes before the first update, unless another subscription decides.
        if waits and update.kind == "update" and self._protocol.reconciled:
            self._refresh([name])
        if readers and all(reader.in_step(name) for reader in readers):
            self._protocol.arm(name, self._route(tuple(readers)))

    def _route(self, readers: tuple[Reader, ...]) -> int:
        number = self._routes.get(readers)
        if number is None:
            states = self._protocol.topics.states
            number = self._routes[readers] = states.route([reader.ring for reader in readers])
        return number

    def _disarm(self) -> None:
        """Has every message judged again, topic by topic: who reads what has changed."""
        self._routes.clear()
        self._protocol.topics.forget_routes()

    def _settle(self, answer: Answer) -> None:
        self._partial.difference_update(answer.seqs, answer.refused)
        self._partial |= answer.partial
        for topic in answer.seqs:
            self._retrying.pop(topic, None)
        for topic, error in answer.refused.items():
            if not error.retryable:
                self._refuse(topic, error)
            elif self._protocol.wants.get(topic) is not None:
                log.info("%s: %s; asking again", topic, error)
                self._retrying[topic] = error
        for reader in self._readers:
            self._tell_resumed(reader, answer)
            reader.seqs |= {t: seq for t, seq in answer.seqs.items() if t in reader.topics}
        command = answer.command
        if answer.resumed:  # without snapshots, for which readers that joined meanwhile wait
            self._refresh_not_begun()
        elif any(map(is_pattern, command.topics)):
            self._refresh_not_begun(lambda name: self._protocol.follows_beside(command, name))

    def _doubt(self, topics: Iterable[str], error: TickwireError) -> None:
        """Makes the topics stale for their readers. The server continues by itself."""
        log.info("%s", error)
        for name in topics:
            update = stale(name, self._protocol.topics.seq(name))
            for reader in self._readers:
                if reader.wants(name):
                    reader.put(update, True)

    def _refresh_not_begun(self, which: Callable[[str], bool] = lambda _: True) -> None:
        topics = self._protocol.topics
        names = {name for reader in self._readers for name in reader.not_begun(topics)}
        self._refresh([name for name in sorted(names) if which(name)])

    @staticmethod
    def _tell_resumed(reader: Reader, answer: Answer) -> None:
        for topic, how in answer.resumed.items():
            if topic in reader.topics and (topic in reader.seqs or reader.start.since):
                seq, recovered = answer.seqs[topic], how.recovered
                reader.tell(Update("resumed", topic, seq, missed=how.missed, recovered=recovered))

    def _refuse(self, topic: str, error: TickwireError) -> None:
        self._disarm()
        self._retrying.pop(topic, None)
        named = [reader for reader in self._readers if topic in reader.topics]
        for reader in named or [reader for reader in self._readers if reader.wants(topic)]:
            reader.refuse(topic, error)
