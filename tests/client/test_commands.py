"""Commands of the client, against a scripted server."""

import asyncio
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

import tickwire
from tickwire.errors import (
    ConfigError,
    ConnectionLostError,
    DataError,
    DeniedError,
    TopicError,
    UnknownTopicError,
)

if TYPE_CHECKING:
    from conftest import Peer, Scripted


async def test_snapshot_gives_the_topic_as_it_is(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept(seq=3)
        await peer.snapshot("a", 3, last="1.00")
        await peer.ack(await peer.expect("unsubscribe"))
        await peer.accept(seq=0)
        await peer.ack(await peer.expect("unsubscribe"))
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        update = await c.snapshot("a")
        assert (update.seq, update.raw) == (3, '{"last":"1.00"}')
        with pytest.raises(UnknownTopicError, match="nothing was ever published"):
            await c.snapshot("b")
        with pytest.raises(TopicError, match="a pattern"):
            await c.snapshot("a.*")


async def test_publish_sends_digits_as_they_are_and_tells_the_seq(server: "Scripted") -> None:
    texts: list[str] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        for number in range(1, 5):
            texts.append(str(await peer.ws.recv()))
            result = {"topic": "chat", "seq": number}
            await peer.send(type="ack", id=number, results=[result])
        error = {"code": "denied", "message": "auth.publish is none", "retryable": False}
        command = await peer.expect("publish")
        await peer.send(type="ack", id=command["id"], results=[{"topic": "chat", "error": error}])
        command = await peer.expect("publish")
        await peer.send(type="error", id=command["id"], **error)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        assert await c.publish("chat", {"price": Decimal("1.00"), "deep": [Decimal("-1E+5")]}) == 1
        assert await c.publish("chat", '{ "a": 1e5 }') == 2
        assert await c.publish("chat", '{"a":"€"}'.encode()) == 3
        assert await c.publish("chat", {"a": "€"}) == 4
        for _ in range(2):
            with pytest.raises(DeniedError, match=r"auth\.publish is none"):
                await c.publish("chat", {})
        with pytest.raises(DataError):
            await c.publish("chat", "{}, 1")
    assert [text.partition('"data":')[2] for text in texts] == [
        '{"price":1.00,"deep":[-1E+5]}}',
        '{ "a": 1e5 }}',
        '{"a":"€"}}',
        '{"a":"€"}}',
    ]


async def test_list_follows_the_pages(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("list")
        assert (command["pattern"], command["after"]) == ("t.*", "")
        await peer.send(type="ack", id=command["id"], topics=["t.a", "t.b"], next="t.b")
        command = await peer.expect("list")
        assert command["after"] == "t.b"
        await peer.send(type="ack", id=command["id"], topics=["t.c"])
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        assert await c.list("t.*") == ["t.a", "t.b", "t.c"]


async def test_get_follows_the_pages_and_keeps_the_text_of_the_data(server: "Scripted") -> None:
    unknown = {"code": "unknown_topic", "message": "t.c: nothing", "retryable": False}
    denied = {"code": "denied", "message": "t.d: not yours", "retryable": False}

    def state(topic: str, data: str, more: str = "") -> str:
        return f'{{"topic":"{topic}","seq":3,"ts":5,{more}"status":"live","data":{data}}}'

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("get")
        assert (command["topics"], command["after"]) == (["t.*", "t.c"], "")
        results = state("t.a", '{"p":1.00,"results":[{"x":"]"}]}')
        head = f'{{"type":"ack","id":{command["id"]},"epoch":"e1"'
        await peer.ws.send(f'{head},"results":[{results}],"next":"0:t.a"}}')
        command = await peer.expect("get")
        assert command["after"] == "0:t.a"
        results = state("t.b", "{}", '"delivery":"event",')
        results += f', {{"topic":"t.c","error":{json.dumps(unknown)}}}'
        await peer.ws.send(
            f'{{"type":"ack","id":{command["id"]},"epoch":"e1","results":[ {results} ]}}'
        )
        command = await peer.expect("get")
        result = {"topic": "t.d", "error": denied}
        await peer.send(type="ack", id=command["id"], epoch="e1", results=[result])
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        states = await c.get("t.*", "t.c")
        assert list(states) == ["t.a", "t.b"]
        first, second = states.values()
        assert (first.kind, first.seq, first.ts, first.status) == ("snapshot", 3, 5, "live")
        assert first.raw == '{"p":1.00,"results":[{"x":"]"}]}'
        assert (second.delivery, second.data) == ("event", {})
        with pytest.raises(DeniedError, match="not yours"):
            await c.get("t.d")
        with pytest.raises(ConfigError, match="at least one"):
            await c.get()


async def test_ping_measures_the_way_there_and_back(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("ping")
        await asyncio.sleep(0.05)
        await peer.send(type="pong", id=command["id"], ts=1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        assert 0.05 <= await c.ping() < 2


async def test_answers_may_come_in_any_order(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        first, second = await peer.expect("ping"), await peer.expect("list")
        await peer.send(type="ack", id=second["id"], topics=["a"])
        await peer.send(type="pong", id=first["id"], ts=1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        _, names = await asyncio.gather(c.ping(), c.list())
        assert names == ["a"]


async def test_no_answer_in_time_is_an_error_and_the_connection_stays(
    server: "Scripted", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not answered at all is out of time, however busy the machine; nothing else is."""

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        late = await peer.expect("ping")
        given_up = await peer.expect("subscribe")
        assert given_up["topics"] == ["a"]
        assert (await peer.expect("unsubscribe"))["topics"] == ["a"]
        await peer.send(type="pong", id=late["id"], ts=1)
        await peer.accept()
        await peer.snapshot("b", 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        # Short only where nothing is answered, so that no busy machine is too slow for the rest.
        with monkeypatch.context() as short:
            short.setattr(c._link._answers, "_timeout_s", 0.1)
            with pytest.raises(ConnectionLostError, match=r"ping: no answer within 0\.1 s"):
                await c.ping()
            with pytest.raises(ConnectionLostError, match=r"subscribe: no answer within 0\.1 s"):
                await anext(c.subscribe("a"))
        assert (await anext(c.subscribe("b"))).topic == "b"
    assert server.connections == 1


async def test_a_snapshot_is_what_comes_after_a_status(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("x.a", 1)
        await peer.accept()
        await peer.send(type="status", topic="x.a", seq=1, ts=1, status="halted")
        await peer.snapshot("x.a", 1, status="halted")
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("x.*") as updates:
        assert (await anext(updates)).status == "live"
        assert (await c.snapshot("x.a")).kind == "snapshot"


async def test_a_snapshot_that_does_not_come_is_an_error(server: "Scripted") -> None:
    accepted = asyncio.Event()

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        accepted.set()
        await peer.ack(await peer.expect("unsubscribe"))
        await peer.idle()

    server.play(play, play)
    async with tickwire.connect(server.url, timeout_s=2) as c:
        with pytest.raises(ConnectionLostError, match=r"a: no snapshot within 2 s"):
            await c.snapshot("a")
    accepted.clear()
    async with tickwire.connect(server.url) as c:
        asking = asyncio.create_task(c.snapshot("a"))
        await accepted.wait()
        await c.unsubscribe("a")
        with pytest.raises(ConnectionLostError, match="unsubscribed before"):
            await asking
