"""For feeds that follow an exchange over WebSocket: one connection that behaves well.

A feed describes its exchange in a subclass of `Exchange` and runs `follow`:

    class Venue(Exchange):
        url = "wss://exchange.example/ws"

        def command(self, topics, wanted):
            kind = "subscribe" if wanted else "unsubscribe"
            return json.dumps({"op": kind, "args": [topic.rpartition(".")[2] for topic in topics]})

        def take(self, message):
            self.pub.publish(f"ticker.venue.{json.loads(message)['symbol']}", message)

    @feed("ticker.venue.*", topics=symbols)
    async def venue(pub):
        await follow(Venue(pub))

The connection exists while something is wanted. It is dropped when the exchange sends no message
for `Limits.idle_s`, even if it answers pings. The pause before the next attempt doubles each time,
and begins again at `Limits.backoff_s_first` after a connection that was healthy for
`Limits.healthy_s`. Commands carry many topics each and respect the exchange's rate limit. A topic
stays subscribed for `Limits.linger_s` after nobody wants it, so that a subscriber who comes
straight back causes no command.
"""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tickwire._backoff import Backoff
from tickwire._closing import close_within
from tickwire._fault_log import FaultLog
from tickwire.errors import UnknownTopicError
from tickwire.pub import Pub

__all__ = ["Exchange", "Limits", "follow"]

CLOSE_S_MAX: Final = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange allows, and when its connection counts as dead."""

    idle_s: float = 30.0
    """Seconds without a message, while something is wanted, until the connection is dropped."""
    linger_s: float = 5.0
    """Seconds for which a topic stays subscribed after its last subscriber has gone."""
    healthy_s: float = 60.0
    """Seconds for which a connection must carry messages to reset the backoff."""
    backoff_s_first: float = 0.5
    """Seconds before the first attempt to connect again; they double with each attempt."""
    backoff_s_max: float = 30.0
    """The longest pause in seconds between two attempts."""
    commands_per_s: float = 4.0
    """The number of commands a second that the exchange allows."""
    commands_burst: int = 8
    """The number of commands that may be sent at once after a pause."""
    topics_per_command: int = 100
    """The greatest number of topics in one command."""
    message_bytes_max: int = 1 << 20
    """The longest message in bytes; a longer one ends the connection."""


class Exchange(ABC):
    """What differs from exchange to exchange. Its methods are called on the plugins' loop."""

    url: str
    """The exchange's WebSocket address."""
    limits: Limits = Limits()
    """The limits of this exchange."""

    def __init__(self, pub: Pub) -> None:
        self.pub = pub

    @abstractmethod
    def command(self, topics: Sequence[str], wanted: bool) -> str:
        """Returns the text that subscribes to `topics` (`wanted`), or unsubscribes from them."""

    @abstractmethod
    def take(self, message: bytes) -> None:
        """Publishes what a message says. If this raises, the message is left out and the exception
        is logged; the connection stays."""

    def greeting(self, topics: Sequence[str]) -> Sequence[str]:
        """Returns texts to send first on a new connection, for instance a login, or a subscription
        to the exchange's heartbeat. `topics` are those that are wanted already."""
        return ()


async def follow(exchange: Exchange) -> None:
    """Follows the exchange for ever, as the body of a feed."""
    await _Upstream(exchange).run()


class Pace:
    """A token bucket: `burst` at once, then `per_s`. Pure."""

    def __init__(self, per_s: float, burst: int, now_s: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at_s = now_s

    def take(self, now_s: float) -> float:
        """Takes one; seconds to wait before it may be used."""
        earned = (now_s - self._at_s) * self._per_s
        self._tokens = min(self._tokens + earned, float(self._burst)) - 1
        self._at_s = now_s
        return max(0.0, -self._tokens / self._per_s)


class Asked:
    """What the exchange was asked for on this connection, against what is wanted. Pure.

    A topic that is not wanted any more counts as wanted for `linger_s` longer.
    """

    def __init__(self, linger_s: float) -> None:
        self._linger_s = linger_s
        self._wanted: set[str] = set()
        self._left: dict[str, float] = {}
        """When the last reader went, of topics that still are asked for; oldest first."""
        self._asked: set[str] = set()

    def change(self, topic: str, wanted: bool, now_s: float) -> None:
        self._left.pop(topic, None)
        if wanted:
            self._wanted.add(topic)
            return
        self._wanted.discard(topic)
        if topic in self._asked:
            self._left[topic] = now_s

    def next(self, most: int, now_s: float) -> tuple[list[str], bool] | None:
        """The topics of the next command, at most `most`, and whether it subscribes."""
        new = sorted(self._wanted - self._asked)[:most]
        if new:
            return new, True
        old = [topic for topic, at_s in self._left.items() if at_s + self._linger_s <= now_s]
        return (old[:most], False) if old else None

    def sent(self, topics: Sequence[str], wanted: bool) -> None:
        """The command has gone out. State follows what was done, never what was meant."""
        for topic in topics:
            if wanted:
                self._asked.add(topic)
                if topic not in self._wanted:  # it went while the command waited for its turn
                    self._left.setdefault(topic, float("-inf"))
            else:
                self._asked.discard(topic)
                self._left.pop(topic, None)

    def due_s(self, now_s: float) -> float | None:
        """Seconds until next() may have more to say without another change; None: never."""
        return max(0.0, min(self._left.values()) + self._linger_s - now_s) if self._left else None

    @property
    def is_idle(self) -> bool:
        """Nothing is wanted, and nothing is asked for."""
        return not self._wanted and not self._asked


class _Upstream:
    def __init__(
        self,
        exchange: Exchange,
        now_s: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._exchange = exchange
        self._pub = exchange.pub
        self._limits = exchange.limits
        self._now_s = now_s
        self._backoff = Backoff(
            self._limits.backoff_s_first,
            chance,
            most_s=self._limits.backoff_s_max,
            steady_s=self._limits.healthy_s,
        )
        self._pace = Pace(self._limits.commands_per_s, self._limits.commands_burst, now_s())
        self._faults = FaultLog(self._pub.log)
        self._first_s: float | None = None
        """When the first message of this connection came."""
        self._last_s = 0.0

    async def run(self) -> None:
        while True:
            await self._until_wanted()
            self._first_s, self._last_s = None, self._now_s()
            fault = await self._connect()
            self._pub.stale()
            if fault is None:
                continue  # nothing was wanted any more
            delay_s = self._backoff.next_s(self._healthy_s())
            url = self._exchange.url
            self._pub.log.warning("%s: %s; connecting again in %.1f s", url, fault, delay_s)
            await asyncio.sleep(delay_s)

    def _healthy_s(self) -> float:
        return 0.0 if self._first_s is None else self._last_s - self._first_s

    async def _until_wanted(self) -> None:
        """Exchanges hang up on those who want nothing."""
        async for _ in self._pub.demand():
            return

    async def _connect(self) -> str | None:
        """Carries messages; why the connection ended, None where nothing was wanted any more."""
        limits = self._limits
        try:
            connection = await connect(
                self._exchange.url,
                max_size=limits.message_bytes_max,
                close_timeout=CLOSE_S_MAX,
            )
            try:
                self._pub.log.info("connected to %s", self._exchange.url)
                return await self._carry(connection)
            finally:
                await close_within(connection, CLOSE_S_MAX)
        except (OSError, WebSocketException) as e:
            return str(e) or type(e).__name__

    async def _carry(self, connection: ClientConnection) -> str | None:
        """Until one of the two is done: what comes in, what is asked for."""
        taking = asyncio.create_task(self._take(connection))
        asking = asyncio.create_task(self._ask(connection))
        try:
            done, _ = await asyncio.wait((taking, asking), return_when=asyncio.FIRST_COMPLETED)
            return taking.result() if taking in done else asking.result()
        finally:
            for task in (taking, asking):
                task.cancel()
            await asyncio.gather(taking, asking, return_exceptions=True)

    async def _take(self, connection: ClientConnection) -> str:
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_s):
                    message = await connection.recv(decode=False)
            except TimeoutError:
                return f"nothing came for {self._limits.idle_s:g} s"
            self._last_s = self._now_s()
            if self._first_s is None:
                self._first_s = self._last_s
            try:
                self._exchange.take(message)
            except Exception as e:
                kind = f"a message was left out: {type(e).__name__}"
                self._faults.error(kind, "a message was left out: %r", message[:200], exc_info=e)

    async def _ask(self, connection: ClientConnection) -> None:
        """Until nothing is wanted."""
        asked = Asked(self._limits.linger_s)
        changes = Changes(self._pub)

        def next_command() -> tuple[list[str], bool] | None:
            for topic, wanted in changes.take():
                asked.change(topic, wanted, self._now_s())
            return asked.next(self._limits.topics_per_command, self._now_s())

        try:
            for text in self._exchange.greeting(sorted(self._pub.wanted)):
                await asyncio.sleep(self._pace.take(self._now_s()))
                await connection.send(text)
            while True:
                if next_command() is not None:
                    await asyncio.sleep(self._pace.take(self._now_s()))
                    if (command := next_command()) is None:  # no longer
                        continue
                    await connection.send(self._exchange.command(*command))
                    asked.sent(*command)
                    if not command[1]:
                        self._give_up(command[0])
                elif asked.is_idle:
                    return
                else:
                    await changes.wait(asked.due_s(self._now_s()))
        finally:
            changes.close()

    def _give_up(self, topics: Sequence[str]) -> None:
        for topic in topics:
            with suppress(UnknownTopicError):
                self._pub.status(topic, "stale")


class Changes:
    """`Pub.demand` for who must not wait for the next change only."""

    def __init__(self, pub: Pub) -> None:
        self._found = [(topic, True) for topic in pub.wanted]
        self._some = asyncio.Event()
        self._task = asyncio.create_task(self._collect(aiter(pub.demand())))

    def take(self) -> list[tuple[str, bool]]:
        found, self._found = self._found, []
        self._some.clear()
        return found

    async def wait(self, timeout_s: float | None) -> None:
        """For a change, or the time to pass."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._some.wait()

    def close(self) -> None:
        self._task.cancel()

    async def _collect(self, changes: AsyncIterator[tuple[str, bool]]) -> None:
        async for change in changes:
            self._found.append(change)
            self._some.set()
