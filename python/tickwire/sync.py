"""The client for programs without an event loop: scripts, threads, notebooks.

``tickwire.sync.connect`` is `tickwire.connect` with blocking calls. The connection lives in a
thread of its own, with its own event loop, so it also works in a notebook cell, where another loop
runs already. All methods may be called from any thread, several at a time.
"""

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from tickwire import client
from tickwire._client.columns import Table
from tickwire._json import Payload
from tickwire.errors import ConfigError, ConnectionLostError, NotConnectedError, TickwireError
from tickwire.subscription import Subscription
from tickwire.update import Update
from tickwire.url import DEFAULT_URL

T = TypeVar("T")

JOIN_S_MAX: Final = 5.0


def connect(url: str = DEFAULT_URL, **options: Any) -> "BlockingClient":
    """Connects to the server at `url`, or raises `ConnectionFailedError`.

    Use it as ``with tickwire.sync.connect(url) as c:``, or call `BlockingClient.close` at the end.

    Args:
        url: As of `tickwire.connect`.
        options: All other arguments of `tickwire.connect`.
    """
    return BlockingClient(client.connect(url, **options))


class BlockingClient:
    """Made by `connect`. Its methods mean what those of `tickwire.Client` mean, and block."""

    def __init__(self, inner: client.Client) -> None:
        self._inner = inner
        self._thread = _LoopThread()
        # Whoever forgets to close it leaves no thread behind.
        self._finalizer = weakref.finalize(self, self._thread.stop)
        try:
            self._thread.call(inner.__aenter__())
        except BaseException:
            self._finalizer()
            raise

    # --- what is known ----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The WebSocket address of the server."""
        return self._inner.url

    @property
    def connected(self) -> bool:
        """Whether the client is connected, has authenticated, and has subscribed again."""
        return self._inner.connected

    @property
    def transport(self) -> str:
        """The road of this or the last connection: websocket, sse or poll; empty before it."""
        return self._inner.transport

    @property
    def session(self) -> str:
        """The server's name for this connection, or for the last one while there is none."""
        return self._inner.session

    @property
    def epoch(self) -> str:
        """The name of the unbroken history that every `seq` of this connection belongs to."""
        return self._inner.epoch

    @property
    def server(self) -> str:
        """The server's name and version."""
        return self._inner.server

    @property
    def images(self) -> Mapping[str, dict[str, Any]]:
        """A view of topic to current image. It follows the server while you look at it."""
        return self._inner.images

    @property
    def status(self) -> Mapping[str, str]:
        """A view of topic to live, stale, halted or closed; without a connection none is live."""
        return self._inner.status

    @property
    def holes(self) -> int:
        """How many updates did not follow the one before (holes); it should stay 0."""
        return self._inner.holes

    def value(self, topic: str, field: str, default: Any = None) -> Any:
        """Returns one field of a topic's image, or `default` if there is none."""
        return self._inner.value(topic, field, default)

    def changed(self) -> list[str]:
        """Returns the topics whose image changed since the last call; the first time all."""
        return self._inner.changed()

    def columns(self, fields: Sequence[str], pattern: str = ">") -> dict[str, Any]:
        """As `tickwire.Client.columns`."""
        return self._inner.columns(fields, pattern)

    def table(self, fields: Sequence[str], pattern: str = ">") -> Table:
        """As `tickwire.Client.table`."""
        return self._inner.table(fields, pattern)

    # --- subscriptions and commands ---------------------------------------------------------------

    def subscribe(self, *topics: str, **options: Any) -> "BlockingSubscription":
        """Subscribes, and returns once the server has answered. Raises its error if all topics are
        refused. The arguments are those of `tickwire.Client.subscribe`.

        It may have to wait for a new connection first; after twice `timeout_s` in all it raises
        `ConnectionLostError`, and nothing is subscribed.
        """
        subscription = self._inner.subscribe(*topics, **options)
        self._settle("subscribe", subscription.__aenter__)
        return BlockingSubscription(subscription, self._thread)

    def unsubscribe(self, *topics: str) -> None:
        """Ends these topics for all subscriptions, or raises `NotSubscribedError`."""
        self._settle("unsubscribe", lambda: self._inner.unsubscribe(*topics))

    def snapshot(self, topic: str) -> Update:
        """The topic as it is now. `UnknownTopicError` when nothing was ever published to it."""
        return self._thread.call(self._inner.snapshot(topic))

    def publish(self, topic: str, data: Payload, *, once: str | None = None) -> int:
        """Publishes an update, and returns its `seq`. `once`: see `Client.publish`."""
        return self._thread.call(self._inner.publish(topic, data, once=once))

    def list(self, pattern: str = ">") -> list[str]:
        """Returns the names of all topics that exist and match `pattern`, in order."""
        return self._thread.call(self._inner.list(pattern))

    def get(self, *topics: str) -> dict[str, Update]:
        """Returns the state of topics, and of all topics that match patterns, once, by name.

        As `Client.get`.
        """
        return self._thread.call(self._inner.get(*topics))

    def ping(self) -> float:
        """Returns the time in seconds until the server's answer came."""
        return self._thread.call(self._inner.ping())

    def auth(self, token: str | None = None) -> None:
        """As `tickwire.Client.auth`."""
        self._thread.call(self._inner.auth(token))

    def _settle(self, what: str, step: Callable[[], Awaitable[Any]]) -> None:
        """Runs what goes on over lost connections, as long as for one connection and one answer."""
        within_s = 2 * self._inner._options.timeout_s

        async def in_time() -> None:
            try:
                async with asyncio.timeout(within_s):
                    await step()
            except TimeoutError as e:
                raise ConnectionLostError(f"{what}: no answer within {within_s:g} s") from e

        self._thread.call(in_time())

    # --- life -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Closes the connection, and ends its thread. It may be called more than once."""
        if self._finalizer.alive:
            try:
                self._thread.call(self._inner.aclose())
            finally:
                self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class BlockingSubscription:
    """The messages of some topics: ``for update in c.subscribe("ticker.*"):``.

    It ends when it is closed, when the client is closed, or when the object is deleted. Several
    threads may read it; each message reaches one of them.
    """

    def __init__(self, inner: Subscription, thread: "_LoopThread") -> None:
        self._inner = inner
        self._thread = thread
        self._taken = deque[Update]()
        """Taken of the subscription, and not yet returned."""
        self._lock = threading.Lock()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics and patterns that it still wants, without those refused or unsubscribed."""
        return self._inner.topics

    @property
    def refused(self) -> Mapping[str, TickwireError]:
        """The topics that the server refused for good, each with its error."""
        return self._inner.refused

    @property
    def retrying(self) -> Mapping[str, TickwireError]:
        """The topics that the server cannot give now, each with its (retryable) error."""
        return self._inner.retrying

    @property
    def partial(self) -> tuple[str, ...]:
        """The patterns of which this client may see only a part, which it gets."""
        return self._inner.partial

    def get(self, timeout_s: float | None = None) -> Update | None:
        """Returns the next message, or None after `timeout_s` (in seconds; None: no limit).

        It loses nothing: what comes after the time-out is returned by the next call. Raises
        `NotConnectedError` once the subscription has ended, or the error that ended it.
        """
        try:
            found = self._take(timeout_s, 1)
        except StopAsyncIteration:
            raise NotConnectedError("the subscription has ended", retryable=False) from None
        return found[0] if found else None

    def batches(self) -> Iterator[list[Update]]:
        """Yields the messages in lists: what came since the last one."""
        try:
            while True:
                yield self._take(None, None)
        except StopAsyncIteration:
            return

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Update:
        try:
            return self._take(None, 1)[0]
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        """Ends the subscription. It may be called more than once."""
        if self._thread.alive:
            self._thread.call(self._inner.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, timeout_s: float | None, count: int | None) -> list[Update]:
        """An empty list: the time is over. `StopAsyncIteration`: the end."""
        if timeout_s is not None and not timeout_s >= 0:
            raise ConfigError(f"timeout_s: {timeout_s} is not at least 0", field="timeout_s")
        wait_s = -1 if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX)
        if not self._lock.acquire(timeout=wait_s):
            return []
        try:
            if not self._taken:
                with suppress(TimeoutError):  # it may have come all the same
                    self._thread.call(self._fill(), timeout_s)
            some = len(self._taken) if count is None else min(count, len(self._taken))
            return [self._taken.popleft() for _ in range(some)]
        finally:
            self._lock.release()

    async def _fill(self) -> None:
        """Its result is left here, so that a time-out at that very moment loses nothing."""
        self._taken.extend(await self._inner.batches().__anext__())


class _LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_run, args=(self._loop,), name="tickwire-client", daemon=True
        )
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and not self._loop.is_closed()

    def call(self, step: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Runs it there, and returns its result. After `timeout_s` it is cancelled, and a
        `TimeoutError` raised."""
        if threading.current_thread() is self._thread:
            step.close()
            raise RuntimeError("a blocking call within the client's own thread")
        try:
            future = asyncio.run_coroutine_threadsafe(step, self._loop)
        except RuntimeError as e:
            step.close()
            raise NotConnectedError("the client is closed", retryable=False) from e
        try:
            return future.result(timeout_s)
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Ends the loop. In any thread, also in the garbage collector."""
        stopping: Callable[[], object] = self._loop.stop
        try:
            self._loop.call_soon_threadsafe(stopping)
        except RuntimeError:
            return  # it is closed
        if threading.current_thread() is not self._thread:
            self._thread.join(JOIN_S_MAX)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    finally:
        loop.close()
