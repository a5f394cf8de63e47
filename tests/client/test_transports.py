"""The client by each road to a real server, and the way from one road to the next."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

import tickwire
from client.http_liar import Asked, Liar
from client.road import pump
from tickwire.errors import (
    ConfigError,
    ConnectionFailedError,
    DataError,
    DeniedError,
    LimitError,
    TickwireError,
    TopicError,
)

if TYPE_CHECKING:
    from conftest import Commands, ServedAt

ROADS = pytest.mark.parametrize("road", ["websocket", "sse", "poll"])
HTTP = pytest.mark.parametrize("road", ["sse", "poll"])


@pytest.fixture
async def plant(tickwire_command: "Commands", served_at: "ServedAt") -> str:
    """A server to which everybody may publish."""
    sets = ("auth.publish=open", 'topics."event.>".delivery=event')
    args = [word for one in sets for word in ("--set", one)]
    return await served_at(await tickwire_command.start("serve", "--listen", "127.0.0.1:0", *args))


async def take(updates: tickwire.Subscription, count: int) -> list[tuple[str, str, int]]:
    async with asyncio.timeout(60):
        found = [await anext(updates) for _ in range(count)]
    return [(update.kind, update.topic, update.seq) for update in found]


@ROADS
async def test_commands_are_answered(plant: str, road: str) -> None:
    async with tickwire.connect(plant, transport=road) as c, asyncio.timeout(60):
        assert c.transport == road
        assert await c.publish("a.1", '{"last":1.00}') == 1
        assert await c.publish("a.2", {"last": "2"}) == 1
        assert await c.list("a.*") == ["a.1", "a.2"]
        states = await c.get("a.*", "none")
        assert {name: state.raw for name, state in states.items()} == {
            "a.1": '{"last":1.00}',
            "a.2": '{"last":"2"}',
        }
        assert (await c.snapshot("a.1")).raw == '{"last":1.00}'
        assert await c.ping() > 0
        assert c.server.startswith("tickwire/")
        with pytest.raises(TopicError):
            await c.publish("no such topic!", {})
        with pytest.raises(DataError):
            await c.publish("a.1", {"x": {"y": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}})
        with pytest.raises(TopicError):
            await anext(c.subscribe("no such topic!"))


@ROADS
async def test_subscriptions_come_and_go(plant: str, road: str) -> None:
    async with (
        tickwire.connect(plant) as writer,
        tickwire.connect(plant, transport=road) as c,
        asyncio.timeout(60),
    ):
        await writer.publish("a.1", {"n": 1})
        async with c.subscribe("a.*") as all_of_them:
            assert await take(all_of_them, 1) == [("snapshot", "a.1", 1)]
            await writer.publish("a.1", {"n": 2})
            assert await take(all_of_them, 1) == [("update", "a.1", 2)]
            async with c.subscribe("a.1") as one, c.subscribe("b", "no such!") as two:
                assert await take(one, 1) == [("snapshot", "a.1", 2)]
                assert [*two.refused] == ["no such!"]
                await writer.publish("b", '{"n":1.0}')
                assert [name for _, name, _ in await take(two, 1)] == ["b"]
                await writer.publish("a.1", {"n": 3})
                assert await take(one, 1) == [("update", "a.1", 3)]
            await c.unsubscribe("a.*")
        assert c.holes == 0


@ROADS
async def test_events_and_statuses_go_on_after_a_cut(plant: str, road: str) -> None:
    async with (
        tickwire.connect(plant) as writer,
        tickwire.connect(plant, transport=road, backoff_s=0.01) as c,
        asyncio.timeout(60),
    ):
        await writer.publish("event.1", {"n": 1})
        async with c.subscribe("event.*") as updates:
            assert await take(updates, 1) == [("snapshot", "event.1", 1)]
            for n in range(2, 5):
                c._link.cut()
                await writer.publish("event.1", {"n": n})
                kinds: list[str] = []
                while "update" not in kinds:
                    update = await anext(updates)
                    kinds.append(update.kind)
                    assert update.kind != "resumed" or update.recovered
                assert (update.seq, update.data) == (n, {"n": n})
        assert (c.holes, c.transport) == (0, road)


@HTTP
async def test_last_messages_and_a_pace_are_asked_for(plant: str, road: str) -> None:
    async with tickwire.connect(plant, transport=road) as c, asyncio.timeout(60):
        for n in range(5):
            await c.publish("event.1", {"n": n})
        async with c.subscribe("event.1", last=2, max_rate=50) as updates:
            assert await take(updates, 2) == [("update", "event.1", 4), ("update", "event.1", 5)]


@HTTP
async def test_more_names_than_a_request_holds_are_refused(plant: str, road: str) -> None:
    names = [f"{'x' * 190}.{number}" for number in range(100)]
    async with (
        tickwire.connect(plant, transport=road) as c,
        c.subscribe("a") as updates,
        asyncio.timeout(60),
    ):
        with pytest.raises(LimitError):
            await anext(c.subscribe(*names))
        await c.publish("a", {"n": 1})
        assert [name for _, name, _ in await take(updates, 1)] == ["a"]


@HTTP
async def test_a_server_that_is_not_there_is_said(road: str) -> None:
    with pytest.raises(ConnectionFailedError, match="refused"):
        async with tickwire.connect("127.0.0.1:1", transport=road):
            pass


async def test_a_road_that_is_none_is_said() -> None:
    with pytest.raises(ConfigError, match="transport: 'carrier pigeon' is none of auto"):
        tickwire.connect(transport="carrier pigeon")


@HTTP
async def test_who_is_denied_ends(road: str) -> None:
    error = {"code": "denied", "message": "the token is not accepted", "retryable": False}

    async def health(asked: Asked) -> None:
        asked.answer({"status": "ok", "epoch": "e1", "server": "tickwire/1"})

    async def topics(asked: Asked) -> None:
        assert asked.headers["authorization"] == "Bearer t"
        asked.answer({"error": error}, 403)

    async with Liar(health=health, v1_topics=topics) as server:
        with pytest.raises(DeniedError, match="not accepted"):
            async with tickwire.connect(server.url, token="t", transport=road):
                pass


@HTTP
@pytest.mark.parametrize("body", [{}, [], {"status": "starting", "epoch": "e1", "server": "s"}])
async def test_what_is_no_server_that_serves_is_said(road: str, body: object) -> None:
    async def health(asked: Asked) -> None:
        asked.answer(body, 503)

    async with Liar(health=health) as server:
        with pytest.raises(ConnectionFailedError):
            async with tickwire.connect(server.url, transport=road):
                pass


Carry = Callable[[bytes, asyncio.StreamWriter], Awaitable[bool]]


@asynccontextmanager
async def proxy(url: str, refuses: Carry) -> AsyncIterator[str]:
    """Before a server; `refuses` may deal with a request itself."""
    host, _, port = url.removeprefix("ws://").removesuffix("/ws").rpartition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not await refuses(head, writer):
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            far_writer.write(head)
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/ws"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 x\r\n\r\n", b"HTTP/1.1 502 x\r\n\r\n"])
async def test_auto_goes_on_where_no_websocket_is_to_be_had(
    plant: str, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuses(head: bytes, writer: asyncio.StreamWriter) -> bool:
        if not head.startswith(b"GET /ws"):
            return False
        writer.write(answer)
        await writer.drain()
        writer.close()
        return True

    with caplog.at_level(logging.WARNING, "tickwire.client"):
        async with proxy(plant, refuses) as url, asyncio.timeout(60):
            with pytest.raises(TickwireError):
                async with tickwire.connect(url):
                    pass
            async with tickwire.connect(url, transport="auto") as c:
                assert c.transport == "sse"
                await c.publish("a", {"n": 1})
                assert await take(c.subscribe("a"), 1) == [("snapshot", "a", 1)]
    assert "going on by sse" in caplog.text


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b""])
async def test_auto_polls_where_a_stream_brings_nothing(
    plant: str, head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """As a proxy does that keeps an answer back until it is whole. Nobody sees an error of it."""
    over = asyncio.Event()

    async def refuses(asked: bytes, writer: asyncio.StreamWriter) -> bool:
        if asked.startswith(b"GET /sse"):
            writer.write(head)
            await over.wait()
        return asked.startswith((b"GET /ws", b"GET /sse"))

    async with proxy(plant, refuses) as url, asyncio.timeout(60):
        async with tickwire.connect(url, transport="auto", timeout_s=4) as c:
            assert c.transport == "sse"
            await c.publish("a", {"n": 1})
            assert await take(c.subscribe("a"), 1) == [("snapshot", "a", 1)]
            assert c.transport == "poll"
        over.set()
    assert "polling instead" in caplog.text


async def test_auto_polls_though_other_topics_are_wanted_meanwhile(plant: str) -> None:
    """Each begins another stream: the time for the first to bring something goes on."""
    streams, over = 0, asyncio.Event()

    async def refuses(asked: bytes, _writer: asyncio.StreamWriter) -> bool:
        nonlocal streams
        if asked.startswith(b"GET /sse"):
            streams += 1
            await over.wait()
        return asked.startswith((b"GET /ws", b"GET /sse"))

    async with proxy(plant, refuses) as url, asyncio.timeout(60):
        async with tickwire.connect(url, transport="auto", timeout_s=4) as c:
            await c.publish("a", {"n": 1})
            wanted = asyncio.create_task(take(c.subscribe("a"), 1))
            others = []
            while c.transport == "sse":
                others.append(asyncio.create_task(take(c.subscribe(f"b{len(others)}"), 1)))
                await asyncio.sleep(0.3)
            assert streams > 1
            assert await wanted == [("snapshot", "a", 1)]
            for other in others:
                other.cancel()
        over.set()


async def test_auto_takes_a_websocket_where_it_can(plant: str) -> None:
    async with tickwire.connect(plant, transport="auto") as c:
        assert c.transport == "websocket"
    with pytest.raises(ConnectionFailedError, match="refused"):
        async with tickwire.connect("127.0.0.1:1", transport="auto"):
            pass


@HTTP
async def test_the_command_follows_by_it(
    plant: str, tickwire_command: "Commands", road: str
) -> None:
    async with tickwire.connect(plant) as c:
        await c.publish("a", {"n": 1})
    ended = await tickwire_command("sub", "a", "--count", "1", "--url", plant, "--transport", road)
    assert (ended.code, ended.err) == (0, "")
    assert '"seq":1' in ended.out


async def test_nothing_of_a_new_epoch_goes_on_with_the_old_one() -> None:
    """A server begins anew between two polls: what it says then is no later state of the same
    history."""
    epoch = "e1"

    def state(seq: int) -> dict[str, object]:
        told = {"type": "snapshot", "topic": "chat.a", "seq": seq, "ts": 1, "delivery": "event"}
        return {**told, "status": "live", "data": {"n": seq}}

    async def health(asked: Asked) -> None:
        asked.answer({"status": "ok", "epoch": epoch, "server": "tickwire/1"})

    async def poll(asked: Asked) -> None:
        nonlocal epoch
        seq = 5 if epoch == "e1" else 9
        if asked.cursor == f"e2,chat.a={seq}":
            await asked.hold()
        result = {"topic": "chat.a", "seq": seq}
        if asked.cursor.startswith("e1"):
            epoch, result["seq"] = "e2", 9
        known = {"recovered": False} if asked.cursor else {}
        cursor = f"{epoch},chat.a={result['seq']}"
        answer = {"results": [{**result, **known}], "messages": [state(result["seq"])]}
        asked.answer({**answer, "cursor": cursor})

    async with (
        Liar(health=health, poll=poll) as server,
        tickwire.connect(server.url, transport="poll", backoff_s=0.01) as c,
    ):
        updates = c.subscribe("chat.a")
        assert await take(updates, 1) == [("snapshot", "chat.a", 5)]
        async with asyncio.timeout(60):
            resumed, begun = [await anext(updates) for _ in range(2)]
        assert (resumed.kind, resumed.recovered) == ("resumed", False)
        assert (begun.kind, begun.seq, c.epoch) == ("snapshot", 9, "e2")
