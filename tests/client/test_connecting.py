"""Connecting, logging in, and what can be wrong with it."""

import asyncio
import itertools
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire.errors import (
    ConfigError,
    ConnectionFailedError,
    DeniedError,
    LimitError,
    ProtocolError,
    TickwireError,
    UnavailableError,
)

if TYPE_CHECKING:
    from conftest import Eventually, Peer, Scripted


async def test_the_token_comes_before_everything_else(server: "Scripted") -> None:
    tokens: list[str] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("auth")
        tokens.append(command["token"])
        await peer.send(type="ack", id=command["id"], results=[])
        await peer.accept()
        command = await peer.expect("auth")
        tokens.append(command["token"])
        await peer.send(type="ack", id=command["id"], results=[])
        await peer.ws.close(4001)

    async def again(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("auth")
        tokens.append(command["token"])
        await peer.send(type="ack", id=command["id"], results=[])
        await peer.accept()
        await peer.ack(await peer.expect("unsubscribe"))
        await peer.idle()

    server.play(play, again)
    async with tickwire.connect(server.url, token="old", backoff_s=0.01) as c, c.subscribe("a"):
        await c.auth("new")
        while len(tokens) < 3:  # noqa: ASYNC110 - of the other side
            await asyncio.sleep(0.01)
    assert tokens == ["old", "new", "new"]


def takes_token(tokens: list[str], close: int | None = None) -> Any:
    """A script: accepts a token and a subscription, and closes or stays."""

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("auth")
        tokens.append(command["token"])
        await peer.send(type="ack", id=command["id"], results=[])
        await peer.accept()
        if close is not None:
            await peer.ws.close(close, "the token has expired")
        async for text in peer.ws:
            command = json.loads(text)
            if command["type"] == "auth":
                tokens.append(command["token"])
            await peer.ack(command)

    return play


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_function_gets_a_fresh_token_for_each_connection(
    server: "Scripted", eventually: "Eventually", is_async: bool
) -> None:
    made = (f"t{i}" for i in itertools.count(1))
    sent: list[str] = []

    async def fetch() -> str:
        await asyncio.sleep(0)
        return next(made)

    server.play(takes_token(sent, close=4003), takes_token(sent))
    token = fetch if is_async else (lambda: next(made))
    async with tickwire.connect(server.url, token=token, backoff_s=0.01) as c, c.subscribe("a"):
        await eventually(lambda: len(sent) == 2)
        await eventually(lambda: c.connected)
        await c.auth()
        await c.auth("given")
    assert sent == ["t1", "t2", "t3", "given"]


async def test_a_function_that_fails_is_asked_again_by_a_client_that_was_connected(
    server: "Scripted", eventually: "Eventually"
) -> None:
    asked: list[int] = []
    sent: list[str] = []

    def fetch() -> str:
        asked.append(1)
        if len(asked) in (2, 3):
            raise OSError("no shop")
        return f"t{len(asked)}"

    server.play(takes_token(sent, close=4003), takes_token(sent))
    async with tickwire.connect(server.url, token=fetch, backoff_s=0.01) as c, c.subscribe("a"):
        await eventually(lambda: len(sent) == 2)
    assert sent == ["t1", "t4"]


async def test_a_function_that_fails_at_first_is_said_at_once(server: "Scripted") -> None:
    def fails() -> str:
        raise OSError("no shop")

    with pytest.raises(UnavailableError, match=r"token: .*no shop"):
        async with tickwire.connect(server.url, token=fails):
            pass
    wrong: Any = lambda: 7  # noqa: E731
    with pytest.raises(ConfigError, match="token: must be a str, not int"):
        async with tickwire.connect(server.url, token=wrong):
            pass
    assert server.connections == 0


async def test_auth_without_a_token_needs_a_function(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        with pytest.raises(ConfigError, match="nor a function"):
            await c.auth()


async def test_a_token_that_is_not_accepted_ends_the_attempt(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("auth")
        await peer.send(
            type="error", id=command["id"], code="denied", message="no", retryable=False
        )
        await peer.idle()

    server.play(play)
    with pytest.raises(DeniedError):
        async with tickwire.connect(server.url, token="t"):
            pass


# --- not connecting -------------------------------------------------------------------------------


async def test_nobody_listening_is_said_at_once() -> None:
    with pytest.raises(ConnectionFailedError, match=r"ws://127\.0\.0\.1:1/ws: ") as caught:
        async with tickwire.connect("127.0.0.1:1"):
            pass
    assert caught.value.retryable


async def test_a_server_that_says_nothing_is_not_waited_for_long(server: "Scripted") -> None:
    server.play(lambda peer: peer.idle())
    with pytest.raises(ConnectionFailedError, match=r"no welcome within 1 s"):
        async with tickwire.connect(server.url, timeout_s=1):
            pass


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (4500, DeniedError),
        (1009, LimitError),
        (4501, ProtocolError),
        (1013, ConnectionFailedError),
        (4001, ConnectionFailedError),
    ],
)
async def test_a_server_that_closes_before_its_welcome(
    server: "Scripted", code: int, expected: type[Exception]
) -> None:
    server.play(lambda peer: peer.ws.close(code, "because"))
    with pytest.raises(expected, match="because"):
        async with tickwire.connect(server.url):
            pass


async def test_a_server_that_begins_with_something_else(server: "Scripted") -> None:
    server.play(lambda peer: peer.send(type="heartbeat", ts=1))
    with pytest.raises(ProtocolError, match="begin with a welcome"):
        async with tickwire.connect(server.url):
            pass


async def test_arguments_are_checked_before_anything_is_sent() -> None:
    c = tickwire.connect("localhost")
    with pytest.raises(ConfigError, match="at least one"):
        c.subscribe()
    for rate in (0, 0.0199, -1, 1000.5, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="max_rate"):
            c.subscribe("a", max_rate=rate)
    for rate in (0.02, 1000):
        c.subscribe("a", max_rate=rate)
    with pytest.raises(ConfigError, match="url"):
        tickwire.connect("ftp://localhost")


@pytest.mark.parametrize(
    ("status", "expected", "word"),
    [
        (403, DeniedError, "the server answered 403"),
        (401, DeniedError, "the server answered 401"),
        (503, ConnectionFailedError, "answered 503, not a WebSocket"),
        (200, ConnectionFailedError, "answered 200, not a WebSocket"),
    ],
)
async def test_an_answer_that_is_no_websocket(
    server: "Scripted", status: int, expected: type[Exception], word: str
) -> None:
    server.pages["/elsewhere"] = (status, "")
    with pytest.raises(expected, match=word):
        async with tickwire.connect(server.url.replace("/ws", "/elsewhere")):
            pass


async def test_a_port_that_does_not_answer_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(ConnectionFailedError, match=r"no answer within 0\.1 s"):
            async with tickwire.connect(url, timeout_s=0.1):
                pass


async def test_a_port_that_speaks_something_else() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    listening = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        with pytest.raises(ConnectionFailedError, match="HTTP"):
            async with tickwire.connect(f"127.0.0.1:{port}"):
                pass


async def test_a_port_without_tls_is_said_as_openssl_says_it() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        with pytest.raises(ConnectionFailedError, match=r"wss://.*: \[SSL"):
            async with tickwire.connect(f"wss://127.0.0.1:{port}"):
                pass


async def test_no_error_repeats_what_stands_in_the_query(server: "Scripted") -> None:
    server.play(lambda peer: peer.idle(), lambda peer: peer.ws.close(1013))
    server.pages["/elsewhere?token=s3cret"] = (403, "")
    server.pages["/nowhere?token=s3cret"] = (404, "")
    elsewhere, nowhere = (server.url.replace("/ws", path) for path in ("/elsewhere", "/nowhere"))
    silent = wired = server.url
    for url in (silent, wired, elsewhere, nowhere, "127.0.0.1:1/ws"):
        with pytest.raises(TickwireError, match=url) as caught:
            async with tickwire.connect(f"{url}?token=s3cret", timeout_s=0.1):
                pass
        assert "s3cret" not in str(caught.value)
    c = tickwire.connect("ws://127.0.0.1:1/ws?token=s3cret")
    with pytest.raises(TickwireError, match="not connected to ws://127") as caught:
        await c.ping()
    assert "s3cret" not in str(caught.value)


async def test_a_client_may_be_closed_before_it_was_opened() -> None:
    c = tickwire.connect("localhost")
    assert c.url == "ws://localhost/ws"
    await c.aclose()
    subscription = c.subscribe("a")
    await subscription.aclose()
    assert [u async for u in subscription] == []


async def test_a_fault_of_the_client_is_an_error_and_not_a_silence(
    server: "Scripted", monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.idle()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    server.play(play)
    monkeypatch.setattr("tickwire._client.reader.Reader.put", broken)
    async with tickwire.connect(server.url) as c, c.subscribe("a") as subscription:
        with pytest.raises(tickwire.TickwireError, match="a bug"):
            await asyncio.wait_for(anext(subscription), 5)
    assert "ZeroDivisionError" in caplog.text


async def test_pings_of_a_server_that_reads_nothing_fill_no_memory_and_hold_up_no_end(
    server: "Scripted",
) -> None:
    heartbeat = b'{"type":"heartbeat","ts":1}'
    pings = b"\x89\x7d" + b"x" * 125
    left = asyncio.Event()
    some = pings * 1000 + bytes([0x81, len(heartbeat)]) + heartbeat

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        transport = peer.ws.transport
        transport.pause_reading()
        for _ in range(200):  # 25 MB, which no socket takes of the answers
            transport.write(some)
            while transport.get_write_buffer_size() > len(some):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await peer.update("a", 2)
        await left.wait()

    server.play(play)
    async with asyncio.timeout(60):
        async with tickwire.connect(server.url) as c, c.subscribe("a") as updates:
            assert [(await anext(updates)).seq, (await anext(updates)).seq] == [1, 2]
            ws = c._link._ws
            assert ws is not None
            assert ws.transport.get_write_buffer_size() < 256 * 1024
        left.set()
