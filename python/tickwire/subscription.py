"""An iterator over the messages of some topics: what `Client.subscribe` returns."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Self

from tickwire._feed import Feed
from tickwire.errors import TickwireError
from tickwire.update import Update


class Subscription:
    """Iterate over it, in one task. It subscribes at the first step, or on entering ``async with``.

    Leaving the loop, closing it, or letting go of it unsubscribes what nobody else on the
    connection wants. It survives lost connections: each topic goes on where it was, or begins again
    with a snapshot.
    """

    def __init__(
        self,
        feed: Feed,
        join: Callable[[Feed], Awaitable[None]],
        leave: Callable[[Feed], None],
        abandon: Callable[[Feed], None],
    ) -> None:
        self._feed = feed
        self._join = join
        self._leave = leave
        self._abandon = abandon
        self._joined = False

    @property
    def topics(self) -> tuple[str, ...]:
        """What it still wants: the refused and the unsubscribed are gone."""
        return tuple(self._feed.topics)

    @property
    def refused(self) -> Mapping[str, TickwireError]:
        """The topics that the server does not give, each with its error."""
        return MappingProxyType(self._feed.refused)

    async def aclose(self) -> None:
        if self._joined:
            self._joined = False
            self._leave(self._feed)
        self._feed.end()

    async def __aenter__(self) -> Self:
        await self._start()
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

    async def __anext__(self) -> Update:
        await self._start()
        update = await self._feed.next()
        if update is None:
            raise StopAsyncIteration
        return update

    async def _start(self) -> None:
        if not self._joined and not self._feed.ended:
            self._joined = True
            await self._join(self._feed)

    def __del__(self) -> None:
        if self._joined:
            self._abandon(self._feed)
