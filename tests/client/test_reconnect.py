"""A connection that is lost comes back by itself, and says so where it cannot."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire.errors import (
    ConnectionLostError,
    DeniedError,
    LimitError,
    NotConnectedError,
    ProtocolError,
    TickwireError,
)

if TYPE_CHECKING:
    from conftest import Eventually, Peer, Scripted


async def take(subscription: tickwire.Subscription, count: int) -> list[tickwire.Update]:
    async with asyncio.timeout(60):
        return [await anext(subscription) for _ in range(count)]


def gives(seq: int, close: int | None = None, **more: Any) -> Any:
    """A script: accepts a subscription, sends its snapshot, and closes or stays."""

    async def play(peer: "Peer") -> None:
        await peer.welcome(**more)
        for topic in await peer.accept():
            await peer.snapshot(topic, seq)
        if close is None:
            await peer.idle()
        else:
            await peer.ws.close(close, "because")

    return play


@pytest.mark.parametrize("code", [1001, 1013, 4001, 4002, 4003, 4499, 1000, 1011])
async def test_it_subscribes_again_after_a_close_that_says_come_back(
    server: "Scripted", code: int
) -> None:
    server.play(gives(1, close=code), gives(7, epoch="e2"))
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a") as subscription:
        assert [(u.kind, u.seq) for u in await take(subscription, 3)] == [
            ("snapshot", 1),
            ("resumed", 1),
            ("snapshot", 7),
        ]
        assert c.epoch == "e2"
    assert server.connections == 2


async def test_it_comes_back_after_a_connection_that_just_broke(server: "Scripted") -> None:
    async def breaks(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        peer.ws.transport.abort()

    server.play(breaks, gives(7))
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        assert (await take(c.subscribe("a"), 1))[0].seq == 7


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (4500, DeniedError),
        (4999, ProtocolError),
        (1002, ProtocolError),
        (1007, ProtocolError),
        (1009, LimitError),
        (4501, ProtocolError),
        (4502, DeniedError),
    ],
)
async def test_a_close_that_says_stay_away_is_an_error_for_all(
    server: "Scripted", code: int, expected: type[TickwireError]
) -> None:
    server.play(gives(1, close=code))
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a") as subscription:
        await take(subscription, 1)
        with pytest.raises(expected, match="because") as caught:
            await take(subscription, 1)
        assert not caught.value.retryable
        with pytest.raises(expected):
            await c.ping()
        with pytest.raises(expected):
            await take(c.subscribe("b"), 1)
    assert server.connections == 1


async def test_without_reconnect_a_lost_connection_is_an_error(server: "Scripted") -> None:
    server.play(gives(1, close=1001))
    async with tickwire.connect(server.url, reconnect=False) as c:
        subscription = c.subscribe("a")
        await take(subscription, 1)
        with pytest.raises(ConnectionLostError, match="because"):
            await take(subscription, 1)
    assert server.connections == 1


async def test_it_waits_as_long_as_drain_says(
    server: "Scripted", caplog: pytest.LogCaptureFixture
) -> None:
    async def drains(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.send(type="drain", reconnect_after_ms=300)
        await peer.snapshot("a", 1)
        await peer.ws.close(4001)

    server.play(drains, gives(2))
    async with tickwire.connect(server.url, backoff_s=0.001) as c:
        assert [u.seq for u in await take(c.subscribe("a"), 2)] == [1, 2]
    assert "connecting again in 0.3 s" in caplog.text


async def test_while_away_nothing_is_live_and_commands_say_so(
    server: "Scripted", eventually: "Eventually"
) -> None:
    let_in = asyncio.Event()

    async def later(peer: "Peer") -> None:
        await let_in.wait()
        await gives(2)(peer)

    server.play(gives(1, close=1001), later)
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a") as subscription:
        await take(subscription, 1)
        await eventually(lambda: not c.connected)
        assert c.status == {"a": "stale"}
        assert c.images == {"a": {}}
        with pytest.raises(NotConnectedError, match="ping: not connected") as caught:
            await c.ping()
        assert caught.value.retryable
        let_in.set()
        await take(subscription, 1)
        await eventually(lambda: c.connected)
        assert c.status == {"a": "live"}


async def test_a_command_under_way_when_the_connection_ends_fails(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.expect("ping")
        await peer.ws.close(1001)

    server.play(play)
    async with tickwire.connect(server.url) as c:
        with pytest.raises(ConnectionLostError, match="no answer: the server closed"):
            await c.ping()


async def test_subscribing_while_away_waits_for_the_connection(
    server: "Scripted", eventually: "Eventually"
) -> None:
    let_in = asyncio.Event()

    async def goes(peer: "Peer") -> None:
        await peer.welcome()
        await peer.ws.close(1001)

    async def later(peer: "Peer") -> None:
        await let_in.wait()
        await gives(5)(peer)

    server.play(goes, later)
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        await eventually(lambda: not c.connected)
        taking = asyncio.create_task(take(c.subscribe("a"), 1))
        await asyncio.sleep(0)
        let_in.set()
        assert (await taking)[0].seq == 5


async def test_a_subscribe_that_the_connection_does_not_survive_is_done_on_the_next(
    server: "Scripted",
) -> None:
    async def goes(peer: "Peer") -> None:
        await peer.welcome()
        await peer.expect("subscribe")
        await peer.ws.close(1001)

    server.play(goes, gives(5))
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        assert (await take(c.subscribe("a"), 1))[0].seq == 5


async def test_a_topic_refused_after_a_reconnect_raises_in_its_iterator(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def refuses(peer: "Peer") -> None:
        await peer.welcome()
        await peer.ack(await peer.expect("subscribe"), a="denied")
        await peer.idle()

    server.play(gives(1, close=1001), refuses)
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        subscription = c.subscribe("a")
        await take(subscription, 1)
        with pytest.raises(DeniedError):
            await take(subscription, 1)
        await eventually(lambda: c.connected)


async def test_a_subscribe_refused_as_a_whole_ends_only_those_who_want_it(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def refuses(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        assert command["topics"] == ["a"]
        error = {"code": "too_large", "message": "since: too many", "retryable": False}
        await peer.send(type="error", id=command["id"], **error)
        assert await peer.accept(2) == ["b"]
        await peer.snapshot("b", 2)
        await peer.idle()

    async def first(peer: "Peer") -> None:
        await peer.welcome()
        for _ in range(2):
            for topic in await peer.accept():
                await peer.snapshot(topic, 1)
        await peer.ws.close(1001)

    server.play(first, refuses)
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        a, b = c.subscribe("a"), c.subscribe("b", max_rate=5)
        assert [(await take(s, 1))[0].seq for s in (a, b)] == [1, 1]
        with pytest.raises(LimitError, match="since: too many"):
            await take(a, 1)
        assert isinstance(a.refused["a"], LimitError)
        assert (await take(b, 1))[0].seq == 2
        await eventually(lambda: c.connected)
        assert set(c.images) == {"b"}
    assert server.connections == 2


async def test_a_silent_server_is_left_and_tried_again(server: "Scripted") -> None:
    server.play(gives(1, heartbeat_s=0.1), gives(2))
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        assert [u.seq for u in await take(c.subscribe("a"), 2)] == [1, 2]


class Beating:
    """A peer that sends nothing but heartbeats, ten of them in the time of one."""

    HEARTBEAT_S = 0.2
    sent = 0

    async def __call__(self, peer: "Peer") -> None:
        await peer.welcome(heartbeat_s=self.HEARTBEAT_S)
        while True:
            await peer.send(type="heartbeat", ts=1)
            self.sent += 1
            await asyncio.sleep(self.HEARTBEAT_S / 10)


async def test_heartbeats_keep_a_quiet_connection(
    server: "Scripted", eventually: "Eventually"
) -> None:
    beating = Beating()
    server.play(beating)
    async with tickwire.connect(server.url) as c:
        await eventually(lambda: beating.sent >= 60)  # thrice the limit of two heartbeats
        assert c.connected
    assert server.connections == 1


async def test_a_loop_of_ours_that_stood_still_is_no_silent_server(
    server: "Scripted", eventually: "Eventually"
) -> None:
    beating = Beating()
    server.play(beating)
    async with tickwire.connect(server.url) as c:
        time.sleep(6 * Beating.HEARTBEAT_S)  # noqa: ASYNC251 - the fault that is tested
        before = beating.sent
        await eventually(lambda: beating.sent >= before + 10)  # a watch by the clock would leave
        assert c.connected
    assert server.connections == 1


@pytest.mark.parametrize(
    "message",
    ["not JSON", '{"type":"update","topic":7}', '{"type":"drain"}', b"binary", "[]"],
    ids=["text", "update", "drain", "binary", "array"],
)
async def test_a_message_that_is_against_the_protocol_ends_the_connection_and_heals(
    server: "Scripted", message: str | bytes
) -> None:
    closed: list[int | None] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.ws.send(message)
        await peer.idle()
        closed.append(peer.ws.close_code)

    server.play(play, gives(2))
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        assert [u.seq for u in await take(c.subscribe("a"), 2)] == [1, 2]
    assert closed == [1002]


async def test_a_message_that_is_not_utf8_ends_the_connection_and_heals(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.ws.send(b"\xff\xfe", text=True)
        await peer.idle()

    server.play(play, gives(2))
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        assert (await take(c.subscribe("a"), 1))[0].seq == 2


async def test_a_hole_in_the_sequence_is_healed_without_being_seen(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        assert await peer.accept() == ["x.*"]
        await peer.snapshot("x.a", 1)
        await peer.update("x.a", 3)
        await peer.update("x.a", 4)
        assert await peer.accept() == ["x.a"]
        await peer.snapshot("x.a", 4, last=4)
        await peer.ack(await peer.expect("unsubscribe"))
        await peer.update("x.a", 5)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        seen = [(u.kind, u.seq) for u in await take(c.subscribe("x.*"), 3)]
        assert seen == [("snapshot", 1), ("snapshot", 4), ("update", 5)]
    assert server.connections == 1


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "unsubscribed"])
async def test_what_is_given_up_before_its_turn_to_be_asked_for_again_is_not_asked_for(
    server: "Scripted", eventually: "Eventually", closes: bool
) -> None:
    """Nothing has told the server of it on this connection, so nothing needs to be taken back."""
    asked, given_up = asyncio.Event(), asyncio.Event()

    async def again(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        assert command["topics"] == ["a"]
        asked.set()
        await given_up.wait()
        await peer.ack(command)
        command = await peer.expect("subscribe")
        assert (command["topics"], command["since"]) == (["c"], {"c": 1})
        await peer.ack(command)
        await peer.idle()

    async def first(peer: "Peer") -> None:
        await peer.welcome()
        for _ in range(3):
            for topic in await peer.accept():
                await peer.snapshot(topic, 1)
        await peer.ws.close(1001)

    server.play(first, again)
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a") as kept:
        b, last = c.subscribe("b", max_rate=5), c.subscribe("c", max_rate=5)
        await take(kept, 1)
        await take(b, 1)
        await take(last, 1)
        async with asyncio.timeout(60):
            await asked.wait()
            await (b.aclose() if closes else c.unsubscribe("b"))
            given_up.set()
        await eventually(lambda: c.connected)
