"""Subscriptions of the client, against a scripted server."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire.errors import (
    ConfigError,
    ConnectionLostError,
    DeniedError,
    NotConnectedError,
    NotSubscribedError,
    TopicError,
)

if TYPE_CHECKING:
    from conftest import Eventually, Peer, Scripted


async def take(subscription: tickwire.Subscription, count: int) -> list[tickwire.Update]:
    async with asyncio.timeout(60):
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
        await peer.ack(asked[0], seq=4)
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


async def test_a_pattern_asks_only_for_snapshots_that_do_not_come_by_themselves(
    server: "Scripted",
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        assert await peer.accept() == ["x.*"]
        await peer.snapshot("x.a", 1)
        await peer.snapshot("x.b", 1)
        assert await peer.accept() == ["x.*"]
        await peer.snapshot("x.a", 1)
        await peer.snapshot("x.b", 1)
        assert await peer.accept() == ["x.b"]
        await peer.snapshot("x.b", 1)
        assert await peer.accept() == ["*.b"]
        assert await peer.accept() == ["x.b"], "another decides, and the server repeats nothing"
        await peer.snapshot("x.b", 1)
        await peer.update("x.b", 2)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        first, same, exact = c.subscribe("x.*"), c.subscribe("x.*"), c.subscribe("x.b")
        for subscription, count in ((first, 2), (same, 2), (exact, 1)):
            await take(subscription, count)
        got = await take(c.subscribe("*.b"), 2)
        assert [(u.kind, u.seq) for u in got] == [("snapshot", 1), ("update", 2)]


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
    await asyncio.wait_for(reader, 30)
    assert seen == [1]
    with pytest.raises(NotConnectedError, match="closed"):
        await c.ping()
    with pytest.raises(NotConnectedError, match="closed"):
        await take(c.subscribe("a"), 1)


async def test_unsubscribing_a_topic_whose_snapshot_somebody_waits_for_says_so(
    server: "Scripted",
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        first, second = await peer.expect("subscribe"), await peer.expect("unsubscribe")
        await peer.ack(first)
        await peer.ack(second)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        waiting = asyncio.create_task(c.snapshot("a"))
        await asyncio.sleep(0)
        await c.unsubscribe("a")
        with pytest.raises(ConnectionLostError, match="a: unsubscribed before its snapshot came"):
            await waiting


@pytest.mark.parametrize("queue_max", [-1])
async def test_a_queue_has_no_negative_length(server: "Scripted", queue_max: int) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        for topic in await peer.accept():
            await peer.snapshot(topic, 1)
            await peer.update(topic, 2)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        with pytest.raises(ConfigError, match=f"^queue_max: {queue_max} is not at") as caught:
            c.subscribe("a", queue_max=queue_max)
        assert caught.value.field == "queue_max"
        assert [u.seq for u in await take(c.subscribe("a", queue_max=1), 2)] == [1, 2]


async def test_a_topic_that_is_no_text_is_refused_here(server: "Scripted") -> None:
    """The server cannot read such a command, so nothing could say which one it was."""

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.idle()

    server.play(play)
    bad = "a\udcff"
    async with tickwire.connect(server.url) as c:
        with pytest.raises(TopicError, match="surrogate") as caught:
            c.subscribe("a", bad)
        assert caught.value.topic == bad
        for command in (c.publish(bad, {}), c.snapshot(bad), c.list(bad)):
            with pytest.raises(TopicError, match="surrogate"):
                await command
