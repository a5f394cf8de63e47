"""Requests over HTTP on the event loop, by aiohttp: one connection each, as the server has it.

A proxy of the environment may stand between, but for a server on this machine.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    ServerDisconnectedError,
    StreamReader,
    TCPConnector,
)
from yarl import URL

from tickwire._client.dial import MESSAGE_BYTES_MAX
from tickwire._reason import reason
from tickwire.errors import ConnectionFailedError, ConnectionLostError, ProtocolError
from tickwire.url import http_url, is_loopback, shown


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    place: str
    content: StreamReader

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes. `ConnectionLostError` if its end is missing."""
        try:
            async for some in self.content.iter_any():
                yield some
        except ClientError as e:
            what = reason(e) if isinstance(e, OSError) else "it ended within an answer"
            raise ConnectionLostError(f"{self.place}: the connection is lost: {what}") from e

    async def body(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for some in self.chunks():
            parts.append(some)
            size += len(some)
            if size > MESSAGE_BYTES_MAX:
                raise ProtocolError(f"{self.place}: an answer over {MESSAGE_BYTES_MAX:,} bytes")
        return b"".join(parts)


class Http:
    """Requests to one server."""

    def __init__(self, url: str, timeout_s: float, ssl: SSLContext | None) -> None:
        self.token: str | None = None
        """Sent with each request."""
        self._url = url
        self.timeout_s = timeout_s
        self._ssl = ssl

    @asynccontextmanager
    async def request(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait_s: float = 0.0,
    ) -> AsyncIterator[Reply]:
        """The answer to a request for `target`, once its head is there; closed at the end.

        wait_s: how long the server may wait before it answers, besides the client's own timeout.
        """
        url = http_url(self._url, target)
        place = shown(url)
        limit_s = self.timeout_s + wait_s
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(limit_s):
                    response = await self._begun(stack, url, headers or {}, body)
            except TimeoutError as e:
                raise ConnectionFailedError(f"{place}: no answer within {limit_s:g} s") from e
            except (ClientError, OSError, ValueError) as e:
                raise ConnectionFailedError(f"{place}: {_why(e)}") from e
            yield Reply(response.status, place, response.content)

    async def _begun(
        self, stack: AsyncExitStack, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> ClientResponse:
        more = {"Accept-Encoding": "identity"}  # so that nothing between holds a stream back
        if self.token is not None:
            more["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            more["Content-Type"] = "application/json"
        session = await stack.enter_async_context(
            ClientSession(
                connector=TCPConnector(force_close=True),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None),  # a stream has no end
                trust_env=not is_loopback(url),
            )
        )
        response = await session.request(
            "GET" if body is None else "POST",
            URL(url, encoded=True),
            headers={**headers, **more},
            data=body,
            ssl=self._ssl or True,
            allow_redirects=False,
        )
        stack.callback(_end, response)
        return response


def _end(response: ClientResponse) -> None:
    """Ends it, whatever of it was not read. TLS would wait for the other side's goodbye, and leave
    the socket open for so long."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


def _why(error: Exception) -> str:
    match error:
        case ClientHttpProxyError():
            return f"the proxy answered {error.status}"
        case InvalidURL():
            return f"the environment names the proxy {error}, which is no URL"
        case ClientConnectorError():
            return reason(error.os_error)
        case ServerDisconnectedError():
            return "the server answered nothing"
        case ClientResponseError() | ValueError():
            return "not HTTP"
    return reason(error)
