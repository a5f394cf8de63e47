"""Requests of the client over HTTP: how answers are framed, and each way in which they end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tickwire._client.http import Http
from tickwire.errors import ConnectionFailedError, ConnectionLostError, ProtocolError, TickwireError

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def server(*answers: bytes) -> AsyncIterator[tuple[Http, list[bytes]]]:
    """Answers one connection after the other, and ends it."""
    left, asked = [*answers], list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield Http(f"ws://127.0.0.1:{port}/base/ws", 30, None), asked


async def body_of(http: Http) -> bytes:
    async with http.request("/x?y=1") as reply:
        return await reply.body()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;why=not\r\nllo\r\n0\r\n\r\n",
    ],
)
async def test_a_body_is_whole_however_it_is_framed(answer: bytes) -> None:
    async with server(answer) as (http, asked), asyncio.timeout(60):
        http.token = "t"
        assert await body_of(http) == b"hello"
    assert asked[0].startswith(b"GET /base/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Bearer t\r\n" in asked[0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", ConnectionFailedError),
        (b"SSH-2.0\r\n", ConnectionFailedError),
        (b"HTTP/1.1 x\r\n\r\n", ConnectionFailedError),
        (OK + b"x: " + b"x" * 70_000, ConnectionFailedError),
        (OK + b"Content-Length: 5\r\n\r\nhell", ConnectionLostError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhell", ConnectionLostError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ConnectionLostError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", ConnectionFailedError),
        (OK + b"Content-Length: x\r\n\r\n", ConnectionFailedError),
    ],
)
async def test_an_answer_that_is_none_or_not_whole_is_said(
    answer: bytes, kind: type[TickwireError]
) -> None:
    async with server(answer) as (http, _), asyncio.timeout(60):
        with pytest.raises(kind, match=r"http://127\.0\.0\.1:\d+/base/x: "):
            await body_of(http)


async def test_a_body_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickwire._client.http.MESSAGE_BYTES_MAX", 5)
    async with server(OK + b"\r\nhello", OK + b"\r\nhello!") as (http, _), asyncio.timeout(60):
        assert await body_of(http) == b"hello"
        with pytest.raises(ProtocolError, match="over 5 bytes"):
            await body_of(http)


async def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(OK + b"\r\nhello", b"HTTP/1.1 407 x\r\n\r\n") as (near, asked):
        place = near._url.removeprefix("ws://").removesuffix("/base/ws")
        monkeypatch.setenv("http_proxy", f"http://{place}")
        monkeypatch.setenv("https_proxy", f"http://{place}")
        monkeypatch.delenv("no_proxy", raising=False)
        async with asyncio.timeout(60):
            assert await body_of(Http("ws://plant.example/ws", 30, None)) == b"hello"
            with pytest.raises(ConnectionFailedError, match="the proxy answered 407"):
                await body_of(Http("wss://plant.example/ws", 30, None))
            monkeypatch.setenv("https_proxy", place)
            with pytest.raises(ConnectionFailedError, match="which is no URL"):
                await body_of(Http("wss://plant.example/ws", 30, None))
    assert asked[0].startswith(
        b"GET http://plant.example/x?y=1 HTTP/1.1\r\nHost: plant.example\r\n"
    )
    assert asked[1].startswith(b"CONNECT plant.example:443 HTTP/1.1\r\n")
