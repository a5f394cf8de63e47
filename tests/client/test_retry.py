"""What the server cannot judge or give now ends neither a client nor a subscription."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire._client.retry_timer import RetryTimer
from tickwire.errors import DeniedError, LimitError, UnavailableError

if TYPE_CHECKING:
    from conftest import Peer, Scripted

LATER = {"code": "unavailable", "message": "the backend restarts", "retryable": True}
RATED: dict[str, Any] = {
    "code": "too_many",
    "message": "20 a second",
    "retryable": True,
    "retry_after_ms": 200,
}
NEVER = {"code": "denied", "message": "no", "retryable": False}


async def refuse(peer: "Peer", error: dict[str, Any]) -> dict[str, Any]:
    """The next command's topics, each with that error."""
    command = await peer.expect("subscribe")
    results = [{"topic": topic, "error": error} for topic in command["topics"]]
    await peer.send(type="ack", id=command["id"], results=results)
    return command


def now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000


async def accept_token(peer: "Peer") -> None:
    await peer.send(type="ack", id=(await peer.expect("auth"))["id"], results=[])


async def refuse_token(peer: "Peer", error: dict[str, Any]) -> None:
    await peer.send(type="error", id=(await peer.expect("auth"))["id"], **error)


async def take(subscription: tickwire.Subscription) -> tickwire.Update:
    async with asyncio.timeout(60):
        return await anext(subscription)


async def test_a_server_without_an_authenticator_is_asked_once(
    server: "Scripted", caplog: pytest.LogCaptureFixture
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.send(type="ack", judged=False)  # of a token in the URL
        await peer.send(type="ack", id=(await peer.expect("auth"))["id"], judged=False)
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.send(type="pong", id=(await peer.expect("ping"))["id"], ts=1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, token="t", backoff_s=0.001) as c:
        assert (await take(c.subscribe("a"))).seq == 1
        await c.ping()  # the next command: the token is not sent again
    assert "has no authenticator" in caplog.text
    assert server.connections == 1


@pytest.mark.parametrize("code", ["unavailable", "too_many", "internal", "of a later server"])
async def test_a_topic_is_asked_for_until_it_is_given(server: "Scripted", code: str) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        for _ in range(3):
            assert (await refuse(peer, LATER | {"code": code}))["topics"] == ["a"]
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a") as updates:
        assert (updates.topics, dict(updates.refused)) == (("a",), {})
        assert updates.retrying["a"].code == code
        assert updates.retrying["a"].retryable
        assert (await take(updates)).seq == 1
        assert updates.retrying == {}


async def test_the_others_go_on_meanwhile(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        results = [{"topic": "a", "error": LATER}, {"topic": "b", "seq": 1}]
        await peer.send(type="ack", id=command["id"], results=results)
        await peer.snapshot("b", 1)
        await refuse(peer, LATER)
        await peer.update("b", 2)
        assert await peer.accept() == ["a"]
        await peer.snapshot("a", 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a", "b") as updates:
        seen = [(u.topic, u.seq) for u in [await take(updates) for _ in range(3)]]
        assert seen == [("b", 1), ("b", 2), ("a", 1)]


async def test_a_denial_that_follows_is_the_last_word(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await refuse(peer, LATER)
        await refuse(peer, NEVER)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a") as updates:
        with pytest.raises(DeniedError):
            await take(updates)
        assert (updates.topics, updates.retrying) == ((), {})


async def test_what_is_left_is_not_asked_for_again(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        assert (await refuse(peer, LATER))["topics"] == ["a"]
        command = await peer.expect("subscribe")
        assert command["topics"] == ["b"]
        await peer.ack(command)
        await peer.snapshot("b", 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, backoff_s=30) as c:
        async with c.subscribe("a") as left:
            assert set(left.retrying) == {"a"}
        assert (await take(c.subscribe("b"))).topic == "b"


async def test_a_one_off_snapshot_raises_at_once(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await refuse(peer, LATER)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, backoff_s=30) as c:
        with pytest.raises(UnavailableError, match="the backend restarts"):
            await asyncio.wait_for(c.snapshot("a"), 5)


async def test_a_whole_command_that_is_one_too_many_is_sent_again(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        await peer.send(type="error", id=command["id"], **(LATER | {"code": "too_many"}))
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, backoff_s=0.01) as c, c.subscribe("a") as updates:
        assert isinstance(updates.retrying["a"], LimitError)
        assert (await take(updates)).seq == 1


async def test_a_renewal_that_nobody_can_judge_makes_stale_and_no_more(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 4)
        await peer.send(type="error", topic="a", **LATER)
        await peer.snapshot("a", 9)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a") as updates:
        got = [await take(updates) for _ in range(3)]
        assert [(u.kind, u.seq, u.status) for u in got] == [
            ("snapshot", 4, "live"),
            ("status", 4, "stale"),
            ("snapshot", 9, "live"),
        ]
        assert '"type":"status"' in got[1].text
        assert c.status == {"a": "live"}


# --- a rate ---------------------------------------------------------------------------------------


async def test_what_the_server_takes_only_later_is_not_sent_before(server: "Scripted") -> None:
    waits: list[float] = []
    done = asyncio.Event()

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        told = now_ms()
        await refuse_token(peer, RATED)
        subscribe = await peer.expect("subscribe")
        told_of_topics = now_ms()
        await peer.send(type="error", id=subscribe["id"], **(RATED | {"retry_after_ms": 400}))
        await accept_token(peer)  # with it, only what nobody could judge is asked for at once
        waits.append(now_ms() - told)
        await peer.accept()
        waits.append(now_ms() - told_of_topics - 200)
        await peer.snapshot("a", 1)
        unsubscribe = await peer.expect("unsubscribe")
        told = now_ms()
        await peer.send(type="error", id=unsubscribe["id"], **RATED)
        assert (await peer.expect("unsubscribe"))["topics"] == ["a"]
        waits.append(now_ms() - told)
        done.set()
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, token="t", backoff_s=0.001) as c:
        async with c.subscribe("a") as updates:
            assert (await take(updates)).seq == 1
        async with asyncio.timeout(60):
            await done.wait()
    assert min(waits) >= RATED["retry_after_ms"]


async def test_a_timer_keeps_to_the_latest_wish_and_ends_its_own_pause_early() -> None:
    due = asyncio.Event()
    timer = RetryTimer(3_600, due.set)
    start = now_ms()
    timer.start(0)
    timer.start(100)
    timer.start(10)
    timer.hasten()
    async with asyncio.timeout(60):
        await due.wait()
    assert now_ms() >= start + 100
    timer.hasten()
    assert due.is_set()


async def test_the_pages_of_a_list_go_no_faster_than_the_server_allows(server: "Scripted") -> None:
    waits: list[float] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        first = await peer.expect("list")
        await peer.send(type="ack", id=first["id"], topics=["a"], next="a")
        refused = await peer.expect("list")
        told = now_ms()
        await peer.send(type="error", id=refused["id"], **RATED)
        again = await peer.expect("list")
        waits.append(now_ms() - told)
        assert again["after"] == "a"
        await peer.send(type="ack", id=again["id"], topics=["b"])
        refused = await peer.expect("list")
        full = RATED | {"message": "too many commands are under way", "retry_after_ms": 0}
        await peer.send(type="error", id=refused["id"], **full)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        assert await c.list() == ["a", "b"]
        with pytest.raises(LimitError, match="under way"):
            await c.list()
    assert waits[0] >= RATED["retry_after_ms"]


async def test_a_publish_says_when_it_can_be_sent_again(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("publish")
        await peer.send(type="error", id=command["id"], **RATED)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        with pytest.raises(LimitError) as refused:
            await c.publish("a", {})
    assert refused.value.retryable
    assert refused.value.retry_after_ms == RATED["retry_after_ms"]


# --- the token ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False], ids=["at first", "after a lost connection"])
async def test_a_token_that_nobody_can_judge_is_handed_over_again(
    server: "Scripted", first: bool
) -> None:
    async def fine(peer: "Peer") -> None:
        await peer.welcome()
        await accept_token(peer)
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.ws.close(1001)

    async def unavailable(peer: "Peer") -> None:
        await peer.welcome()
        await refuse_token(peer, LATER)
        while (command := json.loads(await peer.ws.recv()))["type"] == "subscribe":
            results = [{"topic": topic, "error": LATER} for topic in command["topics"]]
            await peer.send(type="ack", id=command["id"], results=results)
        await peer.send(type="ack", id=command["id"], results=[])
        await peer.accept()
        await peer.snapshot("a", 2)
        await peer.idle()

    server.play(*([] if first else [fine]), unavailable)
    async with tickwire.connect(server.url, token="t", backoff_s=0.05) as c:
        updates = c.subscribe("a")
        while (await take(updates)).seq != 2:
            pass
        assert c.connected


async def test_a_token_that_is_denied_after_all_ends_the_client(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await refuse_token(peer, LATER)
        await peer.accept()
        await peer.snapshot("a", 1)
        await refuse_token(peer, NEVER)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, token="t", backoff_s=0.05) as c:
        updates = c.subscribe("a")
        assert (await take(updates)).seq == 1, "what needs no token is given"
        with pytest.raises(DeniedError):
            await take(updates)
    assert server.connections == 1
