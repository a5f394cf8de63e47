"""Requests over HTTP/1.1 on the event loop: one connection each, as the server has it.

A proxy of the environment may stand between, or one before the server that answers in chunks.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext, create_default_context
from typing import Final
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from tickwire._client.dial import MESSAGE_BYTES_MAX
from tickwire._reason import reason
from tickwire.errors import ConnectionFailedError, ConnectionLostError, ProtocolError
from tickwire.url import http_url, is_loopback, shown

READ_BYTES: Final = 65_536
HEADERS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """With small letters."""
    place: str
    reader: asyncio.StreamReader

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes. `ConnectionLostError` if its end is missing."""
        try:
            if self.headers.get("transfer-encoding", "").lower() == "chunked":
                while left := int((await self._line()).partition(b";")[0], 16):
                    async for some in self._some(left):
                        yield some
                    await self._line()
            elif (length := self.headers.get("content-length")) is not None:
                async for some in self._some(int(length)):
                    yield some
            else:
                while some := await self.reader.read(READ_BYTES):
                    yield some
        except ValueError as e:
            raise ProtocolError(f"{self.place}: not HTTP: {e}") from e
        except OSError as e:
            raise ConnectionLostError(f"{self.place}: {reason(e)}") from e

    async def _line(self) -> bytes:
        line = await self.reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionLostError(f"{self.place}: the connection ended within an answer")
        return line

    async def _some(self, left: int) -> AsyncIterator[bytes]:
        while left > 0:
            some = await self.reader.read(min(left, READ_BYTES))
            if not some:
                raise ConnectionLostError(f"{self.place}: the connection ended within an answer")
            left -= len(some)
            yield some

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
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self.timeout_s + wait_s):
                reader, writer, at = await self._connect(url)
                writer.write(self._head(url, at, headers or {}, body) + (body or b""))
                response = await _read_head(place, reader)
        except TimeoutError as e:
            _abort(writer)
            within = f"within {self.timeout_s + wait_s:g} s"
            raise ConnectionFailedError(f"{place}: no answer {within}") from e
        except (OSError, EOFError, ValueError) as e:
            _abort(writer)
            why = "not HTTP" if isinstance(e, ValueError) else reason(e)
            raise ConnectionFailedError(f"{place}: {why}") from e
        except BaseException:
            _abort(writer)
            raise
        try:
            yield response
        finally:
            _abort(writer)

    async def _connect(self, url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
        """Returns also what the request names: the path, or for a proxy the whole URL."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        ssl = (self._ssl or create_default_context()) if secure else None
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        proxy = _proxy_of(url, parts.scheme)
        if proxy is None:
            return *await asyncio.open_connection(host, port, ssl=ssl), path
        reader, writer = await asyncio.open_connection(proxy.hostname, proxy.port or 80)
        if ssl is None:
            return reader, writer, url
        writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        answer = await _read_head(shown(proxy.geturl()), reader)
        if answer.status != 200:
            _abort(writer)
            raise ConnectionFailedError(f"{answer.place}: the proxy answered {answer.status}")
        await writer.start_tls(ssl, server_hostname=host)
        return reader, writer, path

    def _head(self, url: str, at: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        lines = [
            f"{'GET' if body is None else 'POST'} {at} HTTP/1.1",
            f"Host: {urlsplit(url).netloc}",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self.token is not None:
            lines.append(f"Authorization: Bearer {self.token}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode()


def _proxy_of(url: str, scheme: str) -> SplitResult | None:
    parts = urlsplit(url)
    proxy = getproxies().get(scheme)
    if proxy is None or is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


async def _read_head(place: str, reader: asyncio.StreamReader) -> Reply:
    version, status, *_ = [*(await reader.readline()).split(b" ", 2), b"", b""]
    if not version.startswith(b"HTTP/1."):
        raise EOFError("the server answered nothing") if not version else ValueError("not HTTP")
    headers: dict[str, str] = {}
    while (line := (await reader.readline()).strip()) and len(headers) <= HEADERS_MAX:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Reply(int(status), headers, place, reader)


def _abort(writer: asyncio.StreamWriter | None) -> None:
    if writer is not None:
        writer.transport.abort()
