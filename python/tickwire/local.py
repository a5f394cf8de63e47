"""Subscribing within the server's process: the same messages as over the wire, without one."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final, Self

from tickwire._core import LocalSession
from tickwire.errors import ServerError, error_for
from tickwire.update import Update, parse_message

ANSWER_S_MAX: Final = 10.0


class LocalSubscription:
    """Updates of some topics: ``for update in ...``, or ``async for`` on any event loop.

    Ends when it is closed or the server stops. A reader that is too slow skips states, as any
    client does; nothing queues up behind it.
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
        command = {"type": "subscribe", "id": 1, "topics": list(topics), **options}
        try:
            session.send(json.dumps(command))
            self._await_ack()
        except BaseException:
            session.close()
            raise

    def get(self, timeout_s: float | None = None) -> Update | None:
        """The next update, or None after `timeout_s`. `ServerError` when it has ended, and without
        a `timeout_s` in an ``async`` plugin, whose event loop it would hold up."""
        if timeout_s is None:
            self._check_waiting()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            text = self._session.read(left_s)
            if text is None:
                return None
            message = parse_message(text)
            if isinstance(message, Update):
                return message
            if message["type"] == "error":
                raise _error_of(message)

    def close(self) -> None:
        self._session.close()

    def __iter__(self) -> Iterator[Update]:
        self._check_waiting()
        try:
            while (update := self.get()) is not None:
                yield update
        except ServerError:
            return

    async def __aiter__(self) -> AsyncIterator[Update]:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._session.notify_fd(), readable.set)
        try:
            while True:
                update = self.get(0)
                if update is not None:
                    yield update
                    continue
                readable.clear()
                await readable.wait()
        except ServerError:
            return
        finally:
            loop.remove_reader(self._session.notify_fd())

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
        while (text := self._session.read(ANSWER_S_MAX)) is not None:
            message = parse_message(text)
            if isinstance(message, Update):
                continue
            if message["type"] == "error":
                raise _error_of(message)
            if message["type"] == "ack":
                refused = [result for result in message["results"] if "error" in result]
                if refused:
                    raise _error_of(refused[0]["error"], refused[0]["topic"])
                return
        raise ServerError(f"no answer to subscribe within {ANSWER_S_MAX} s")


def _error_of(message: dict[str, Any], topic: str | None = None) -> Exception:
    return error_for(
        message["code"],
        message["message"],
        field=message.get("field"),
        topic=topic or message.get("topic"),
        retryable=message["retryable"],
    )
