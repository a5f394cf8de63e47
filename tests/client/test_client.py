"""The client against a scripted server: subscribing, commands, errors."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire.errors import (
    AuthUnavailableError,
    ConfigError,
    ConnectionFailedError,
    ConnectionLostError,
    DataError,
    DeniedError,
    LimitError,
    NotConnectedError,
    NotSubscribedError,
    ProtocolError,
    TopicError,
    UnknownTopicError,
)

if TYPE_CHECKING:
    from conftest import Eventually, Peer, Scripted


async def take(subscription: tickwire.Subscription, count: int) -> list[tickwire.Update]:
    async with asyncio.timeout(5):
        return [await anext(subscription) for _ in range(count)]


async def test_updates_arrive_and_images_follow(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        assert await peer.accept() == ["ticker.*"]
        await peer.snapshot("ticker.A", 7, last="0.10", bid=1)
        await peer.update("ticker.A", 8, last="0.20", bid=None)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        assert (c.session, c.epoch, c.server, c.connected) == ("s1", "e1", "scripted/1", True)
        subscription = c.subscribe("ticker.*")
        first, second = await take(subscription, 2)
        assert (first.kind, first.seq, first.ts, first.status) == ("snapshot", 7, 1007, "live")
        assert (second.kind, second.raw) == ("update", '{"last":"0.20","bid":null}')
        assert c.images["ticker.A"] == {"last": "0.20"}
        assert c.status["ticker.A"] == "live"
    assert not c.connected
    assert (c.images["ticker.A"], c.status["ticker.A"]) == ({"last": "0.20"}, "stale")


async def test_options_reach_the_server(server: "Scripted") -> None:
    asked: list[dict[str, Any]] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        asked.append(await peer.expect("subscribe"))
        await peer.ack(asked[0])
        await peer.update("a", 5, last=1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        (update,) = await take(c.subscribe("a", max_rate=2, snapshot=False), 1)
    assert update.seq == 5
    assert asked[0]["max_rate"] == 2
    assert asked[0]["snapshot"] is False


async def test_refused_topics_are_reported_and_the_others_run(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.ack(await peer.expect("subscribe"), premium="denied")
        await peer.snapshot("a", 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a", "premium") as subscription:
        assert subscription.topics == ("a",)
        assert isinstance(subscription.refused["premium"], DeniedError)
        assert (await take(subscription, 1))[0].topic == "a"


async def test_when_all_topics_are_refused_it_is_an_error(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        await peer.ack(command, **{"premium": "denied", "b!": "bad_topic"})
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        with pytest.raises(TopicError, match="b!") as caught:
            await take(c.subscribe("premium", "b!"), 1)
    assert caught.value.topic == "b!"


async def test_a_subscription_that_the_server_ends_raises_why(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("premium", 1)
        await peer.send(type="error", code="denied", topic="premium", message="x", retryable=False)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        subscription = c.subscribe("premium")
        assert (await take(subscription, 1))[0].seq == 1
        with pytest.raises(DeniedError):
            await take(subscription, 1)


async def test_a_topic_that_ends_under_a_pattern_is_reported(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("x.a", 1)
        await peer.send(type="error", code="denied", topic="x.a", message="no", retryable=False)
        await peer.snapshot("x.b", 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        subscription = c.subscribe("x.*")
        assert [u.topic for u in await take(subscription, 2)] == ["x.a", "x.b"]
        assert isinstance(subscription.refused["x.a"], DeniedError)
        assert c.status == {"x.a": "stale", "x.b": "live"}


async def test_overlapping_subscriptions_each_get_what_they_match(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        assert await peer.accept() == ["x.*"]
        await peer.snapshot("x.a", 1)
        await peer.snapshot("x.b", 1)
        assert await peer.accept() == ["x.a"]
        await peer.snapshot("x.a", 1)
        await peer.update("x.b", 2)
        await peer.update("x.a", 2)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        wide, narrow = c.subscribe("x.*"), c.subscribe("x.a")
        early = await take(wide, 2)
        assert [(u.topic, u.kind) for u in await take(narrow, 2)] == [
            ("x.a", "snapshot"),
            ("x.a", "update"),
        ]
        late = await take(wide, 2)
        assert [(u.topic, u.seq) for u in early + late] == [
            ("x.a", 1),
            ("x.b", 1),
            ("x.b", 2),
            ("x.a", 2),
        ], "a snapshot repeated for the other is no news"


async def test_leaving_the_loop_unsubscribes_what_nobody_else_wants(server: "Scripted") -> None:
    told: asyncio.Queue[list[str]] = asyncio.Queue()

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        for _ in range(2):
            for topic in await peer.accept():
                await peer.snapshot(topic, 1)
        command = await peer.expect("unsubscribe")
        await peer.ack(command)
        told.put_nowait(command["topics"])
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        kept = c.subscribe("a")
        await take(kept, 1)
        async for _ in c.subscribe("a", "b"):
            break
        assert await asyncio.wait_for(told.get(), 5) == ["b"]
        assert set(c.images) == {"a"}


async def test_when_the_faster_of_two_leaves_the_pace_goes_down(server: "Scripted") -> None:
    rates: list[object] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        for _ in range(3):
            command = await peer.expect("subscribe")
            rates.append(command.get("max_rate"))
            await peer.ack(command)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a", max_rate=5):
        fast = await c.subscribe("a").__aenter__()
        await fast.aclose()
    assert rates == [5, None, 5]


async def test_unsubscribing_ends_iterators_that_have_nothing_left(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        for expected in (["a"], ["b"]):
            command = await peer.expect("unsubscribe")
            assert command["topics"] == expected
            await peer.ack(command)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a", "b") as subscription:
        await take(subscription, 1)
        await c.unsubscribe("a")
        assert subscription.topics == ("b",)
        with pytest.raises(NotSubscribedError, match="a: not subscribed"):
            await c.unsubscribe("a")
        await c.unsubscribe("b")
        assert [u async for u in subscription] == []


async def test_closing_the_client_ends_its_iterators(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.idle()

    server.play(play)
    seen: list[int] = []
    async with tickwire.connect(server.url) as c:
        subscription = c.subscribe("a")

        async def read() -> None:
            async for update in subscription:
                seen.append(update.seq)  # noqa: PERF401 - the loop is what is tested

        reader = asyncio.create_task(read())
        await eventually(lambda: bool(seen))
    await asyncio.wait_for(reader, 5)
    assert seen == [1]
    with pytest.raises(NotConnectedError, match="closed"):
        await c.ping()
    with pytest.raises(NotConnectedError, match="closed"):
        await take(c.subscribe("a"), 1)


# --- commands -------------------------------------------------------------------------------------


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


async def test_no_answer_in_time_is_an_error_and_the_connection_stays(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        late = await peer.expect("ping")
        command = await peer.expect("ping")
        await peer.send(type="pong", id=late["id"], ts=1)
        await peer.send(type="pong", id=command["id"], ts=1)
        await peer.expect("subscribe")
        await peer.ack(await peer.expect("unsubscribe"))
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, timeout_s=0.2) as c:
        with pytest.raises(ConnectionLostError, match=r"ping: no answer within 0\.2 s"):
            await c.ping()
        await c.ping()
        with pytest.raises(ConnectionLostError, match="subscribe: no answer"):
            await take(c.subscribe("a"), 1)
    assert server.connections == 1


# --- tokens ---------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("code", "expected"), [("denied", DeniedError), ("auth_unavailable", AuthUnavailableError)]
)
async def test_a_token_that_is_not_accepted_ends_the_attempt(
    server: "Scripted", code: str, expected: type[Exception]
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("auth")
        await peer.send(type="error", id=command["id"], code=code, message="no", retryable=False)
        await peer.idle()

    server.play(play)
    with pytest.raises(expected):
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
    with pytest.raises(ConnectionFailedError, match=r"no welcome within 0\.1 s"):
        async with tickwire.connect(server.url, timeout_s=0.1):
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
    for rate in (0, -1, 1000.5, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="max_rate"):
            c.subscribe("a", max_rate=rate)
    c.subscribe("a", max_rate=1000)
    with pytest.raises(ConfigError, match="url"):
        tickwire.connect("ftp://localhost")
