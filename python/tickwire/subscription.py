"""An iterator over the messages of some topics: what `Client.subscribe` returns."""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, NoReturn, Self

from tickwire._client.reader import Reader
from tickwire.errors import TickwireError
from tickwire.update import Update


class Subscription:
    """The messages of some topics: iterate over it with ``async for``, in one task.

    It subscribes at the first step of the iteration, or on entering ``async with``. It ends when
    the loop is left, when it is closed, or when it is deleted; then the client unsubscribes the
    topics that no other subscription wants. It survives lost connections: each topic continues
    where it was, or begins again with a snapshot.
    """

    def __init__(
        self,
        reader: Reader,
        retrying: Mapping[str, TickwireError],
        partial: Collection[str],
        join: Callable[[Reader], Awaitable[None]],
        leave: Callable[[Reader], None],
        abandon: Callable[[Reader], None],
    ) -> None:
        self._reader = reader
        self._retrying = retrying
        self._partial = partial
        self._join = join
        self._leave = leave
        self._abandon = abandon
        self._joined = False

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics and patterns that it still wants, without those refused or unsubscribed."""
        return tuple(self._reader.topics)

    @property
    def refused(self) -> Mapping[str, TickwireError]:
        """The topics that the server refused for good, each with its error."""
        return MappingProxyType(self._reader.refused)

    @property
    def retrying(self) -> Mapping[str, TickwireError]:
        """The topics that the server cannot give now, each with its (retryable) error.

        The client asks for them again, after growing pauses of up to 20 s.
        """
        known = self._retrying
        return {name: known[name] for name in self._reader.topics if name in known}

    @property
    def partial(self) -> tuple[str, ...]:
        """The patterns of which this client may see only a part, which it gets. So the server said
        when it answered; a later `Client.auth` may have changed that."""
        return tuple(name for name in self._reader.topics if name in self._partial)

    async def aclose(self) -> None:
        """Ends the subscription. It may be called more than once."""
        if self._joined:
            self._joined = False
            self._leave(self._reader)
        self._reader.end()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.aclose()  # the block is not entered, so nobody else would close it
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    def __iter__(self) -> NoReturn:
        raise TypeError("a subscription is iterated over with `async for`")

    def __await__(self) -> NoReturn:
        raise TypeError("subscribe() is no coroutine: use `async for update in c.subscribe(...):`")

    def __anext__(self) -> Coroutine[Any, Any, Update]:
        return self._reader.ring.step(self)

    def batches(self) -> "Batches":
        """The messages in lists, for ``async for batch in c.subscribe("ticker.*").batches():``.

        Each list holds what came since the last one: usually what one read of the socket gave, at
        least one message, and never more than four times `queue_max`.
        """
        return Batches(self)

    # The core's steps call these: where no message is there, and where there is room again.

    def _wait(self) -> Coroutine[Any, Any, None]:
        return self._reader.filled() if self._joined else self._begin()

    async def _begin(self) -> None:
        await self._start()
        await self._reader.filled()

    def _room(self) -> None:
        self._reader.room()

    async def _start(self) -> None:
        if not self._joined and not self._reader.ended:
            self._joined = True
            await self._join(self._reader)

    def __del__(self) -> None:
        if self._joined:
            self._abandon(self._reader)


class Batches:
    """What `Subscription.batches` returns. It keeps its subscription, which ends with it."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, list[Update]]:
        subscription = self._subscription
        return subscription._reader.ring.batch(subscription)
