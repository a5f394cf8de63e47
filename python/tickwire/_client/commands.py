"""The commands of a client that are no subscriptions: each waits for its answer."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from tickwire._backoff import told_s
from tickwire._client.arguments import check_once, check_token, check_topic, check_topics
from tickwire._client.ask import portions
from tickwire._client.events import Answer, Command
from tickwire._client.link import Link
from tickwire._client.protocol import Protocol
from tickwire._json import Payload, data_text
from tickwire.errors import (
    ConfigError,
    LimitError,
    NotConnectedError,
    UnavailableError,
    UnknownTopicError,
)
from tickwire.update import Update

ONCE_S: Final = 30.0
"""How long an update with a `once` is sent again; the server knows it for a minute."""

_ONCE_PAUSE_S: Final = 0.1


class Commands:
    """The part of a `Client` that asks the server something, and returns what it answers."""

    _link: Link
    _protocol: Protocol

    async def publish(self, topic: str, data: Payload, *, once: str | None = None) -> int:
        """Publishes an update, and returns its `seq`.

        `data` is a mapping (a `Decimal` keeps its digits), or a JSON object as `str` or `bytes`. A
        `DataError` names the field that cannot be sent and the limit, before anything is sent.
        After a `ConnectionLostError` nobody knows whether the update was published. With `once`, a
        name of 1 to 64 bytes that no other update has (``secrets.token_hex(16)``), the server takes
        it only once within a minute, so the client sends it again, for `ONCE_S` seconds.

        A `LimitError` with a ``retry_after_ms`` says when it can be sent again: the client does not
        do that itself, because a newer update may have gone before it by then.
        """
        check_topic(topic)
        if once is not None:
            check_once(once)
        answer = await self._publish(topic, data_text(data), once)
        for error in answer.refused.values():
            raise error
        return answer.seqs[topic]

    async def _publish(self, topic: str, text: str, once: str | None) -> Answer:
        loop = asyncio.get_running_loop()
        until = loop.time() + ONCE_S
        while True:
            try:
                return await self._link.ask(self._protocol.publish(topic, text, once))
            except (NotConnectedError, UnavailableError) as e:
                if once is None or not e.retryable or loop.time() >= until:
                    raise
                await asyncio.sleep(_ONCE_PAUSE_S)

    async def list(self, pattern: str = ">") -> list[str]:
        """Returns the names of all topics that exist and match `pattern`, in order.

        Goes no faster than the server allows: after a ``too_many`` it waits as long as it is told.
        """
        check_topic(pattern)
        names: list[str] = []
        after: str | None = ""
        while after is not None:
            answer = await self._answer(partial(self._protocol.list_topics, pattern, after))
            names += answer.names
            after = answer.next
        return names

    async def get(self, *topics: str) -> dict[str, Update]:
        """Returns the state of topics, and of all topics that match patterns, once.

        The result maps names to updates of the kind `snapshot`, in the order in which they were
        asked for, a pattern's in order of name. Topics to which nothing was published are missing.
        Nothing is subscribed, so a feed that only works on demand is not woken. If one of `topics`
        is refused, its error is raised: `DeniedError`, `TopicError` and others.
        """
        check_topics(topics)
        states: dict[str, Update] = {}
        for some in portions(topics):
            after: str | None = ""
            while after is not None:
                answer = await self._answer(partial(self._protocol.get, some, after))
                for error in answer.refused.values():
                    if not isinstance(error, UnknownTopicError):
                        raise error
                for update in answer.states:
                    states.setdefault(update.topic, update)
                after = answer.next
        return states

    async def _answer(self, command: Callable[[], Command]) -> Answer:
        while True:
            try:
                return await self._link.ask(command())
            except LimitError as e:
                if e.retry_after_ms == 0:
                    raise
                await asyncio.sleep(told_s(e.retry_after_ms))

    async def ping(self) -> float:
        """Returns the time in seconds until the server's answer came."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        await self._link.ask(self._protocol.ping())
        return loop.time() - start

    async def auth(self, token: str | None = None) -> None:
        """Sends a new token, now and with every later connection. `DeniedError` and others.

        Without `token`, the function is asked for one that `connect` was given.
        """
        tokens = self._link.tokens
        if token is not None:
            check_token(token)
        if (sent := token if token is not None else await tokens.fetch()) is None:
            raise ConfigError(
                "token: the client has none, nor a function that gets one", field="token"
            )
        await self._link.ask(self._protocol.auth(sent))
        if token is not None:
            tokens.use(token)
        self._link.judged()
