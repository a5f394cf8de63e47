"""Subscribing within the server's process: the same messages as over the wire, without one."""

import asyncio
import json
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final, Self

from tickwire._core import LocalSession
from tickwire.errors import ConfigError, ServerError, TickwireError, error_for
from tickwire.update import Update, parse_message, stale

ANSWER_S_MAX: Final = 10.0
TIMEOUT_S_MAX: Final = 1e6
"""A longer timeout counts as none."""


class LocalSubscription:
    """The messages of some topics: ``for update in ...``, or ``async for`` on any event loop.

    `tickwire.Server.subscribe` makes it. The iteration ends when it is closed or the server stops.
    A reader that is too slow skips states, as any client does; no queue grows behind it.
    """

    def __init__(
        self,
        session: LocalSession,
        topics: Sequence[str],
        options: dict[str, Any],
        may_not_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        """may_not_wait: whether this thread is one that nothing may hold up."""
        self._session = session
        self._may_not_wait = may_not_wait
        self._seqs: dict[str, int] = {}
        self._epoch = ""
        command = {"type": "subscribe", "id": 1, "topics": list(topics), **options}
        try:
            session.send(json.dumps(command))
            self._await_ack()
        except BaseException:
            session.close()
            raise

    @property
    def epoch(self) -> str:
        """The name of the unbroken history that every `seq` belongs to."""
        return self._epoch

    def get(self, timeout_s: float | None = None) -> Update | None:
        """Returns the next update, or None after `timeout_s`. One thread at a time may call it.

        Args:
            timeout_s: The time to wait in seconds; None waits without a limit.

        Raises:
            ServerError: The subscription has ended; or `timeout_s` is None in an ``async`` plugin,
                whose event loop the call would hold up.
        """
        if timeout_s is None:
            self._check_waiting()
        elif math.isnan(timeout_s):
            raise ConfigError("timeout_s: NaN is no time", field="timeout_s")
        deadline = _Deadline(timeout_s)
        while (text := self._session.read(deadline.left_s())) is not None:
            message = parse_message(text)
            if isinstance(message, Update):
                self._seqs[message.topic] = message.seq
                return message
            if message["type"] == "error":
                error = _error_for(message)
                if not error.retryable:
                    raise error
                if error.topic in self._seqs:  # the server goes on by itself
                    return stale(error.topic, self._seqs[error.topic])
        return None

    def close(self) -> None:
        """Ends the subscription. It may be called more than once."""
        self._session.close()

    def __iter__(self) -> Iterator[Update]:
        self._check_waiting()
        try:
            while (update := self.get()) is not None:
                yield update
        except ServerError:
            return

    def __aiter__(self) -> AsyncIterator[Update]:
        return _Updates(self, self._session)

    def _check_waiting(self) -> None:
        if self._may_not_wait():
            raise ServerError(
                "get() without timeout_s, or a plain for, would hold up all plugins of this "
                "server: use async for"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _await_ack(self) -> None:
        deadline = _Deadline(ANSWER_S_MAX)
        while (text := self._session.read(deadline.left_s())) is not None:
            message = parse_message(text)
            if isinstance(message, Update):
                continue
            if message["type"] == "welcome":
                self._epoch = message["epoch"]
            if message["type"] == "error":
                raise _error_for(message)
            if message["type"] == "ack":
                refused = [result for result in message["results"] if "error" in result]
                if refused:
                    raise _error_for(refused[0]["error"], refused[0]["topic"])
                return
        raise ServerError(f"no answer to subscribe within {ANSWER_S_MAX} s")


class _Deadline:
    """Each heartbeat ends a read, so it is what is left of the time that the next one gets."""

    def __init__(self, timeout_s: float | None) -> None:
        endless = timeout_s is None or timeout_s > TIMEOUT_S_MAX
        self._at = None if endless else time.monotonic() + (timeout_s or 0.0)

    def left_s(self) -> float | None:
        return None if self._at is None else max(self._at - time.monotonic(), 0.0)


class _Updates(AsyncIterator[Update]):
    """Nothing of it outlives one step, so that an iteration that was left early does not hinder a
    later one."""

    def __init__(self, subscription: LocalSubscription, session: LocalSession) -> None:
        self._subscription = subscription
        self._session = session

    async def __anext__(self) -> Update:
        try:
            while (update := self._subscription.get(0)) is None:
                await self._readable()
        except ServerError:
            raise StopAsyncIteration from None
        return update

    async def _readable(self) -> None:
        """A copy of the descriptor: others may wait for the same one, on this loop or another."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        fd = os.dup(self._session.notify_fd())
        try:
            loop.add_reader(fd, readable.set)
            await readable.wait()
        finally:
            loop.remove_reader(fd)
            os.close(fd)


def _error_for(message: dict[str, Any], topic: str | None = None) -> TickwireError:
    return error_for(
        message["code"],
        message["message"],
        field=message.get("field"),
        topic=topic or message.get("topic"),
        retryable=message["retryable"],
    )
