"""A connection is cut and nothing is lost: over real sockets."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire.errors import ConfigError

if TYPE_CHECKING:
    from client.road import Road
    from conftest import Commands, Eventually, Peer, Scripted


async def take(subscription: tickwire.Subscription, count: int) -> list[tickwire.Update]:
    async with asyncio.timeout(60):
        return [await anext(subscription) for _ in range(count)]


def seen(updates: list[tickwire.Update]) -> list[tuple[str, int]]:
    return [(update.kind, update.seq) for update in updates]


async def test_a_cut_connection_goes_on_with_every_update(
    road: "Road", eventually: "Eventually"
) -> None:
    direct = f"ws://{road.host}:{road.port}/ws"
    async with (
        tickwire.connect(direct) as feed,
        tickwire.connect(road.url, backoff_s=0.02) as c,
        c.subscribe("v.*", "e.log") as updates,
    ):
        await feed.publish("v.a", {"n": 1, "first": True})
        await feed.publish("e.log", {"n": 1})
        await take(updates, 2)
        road.open = False
        road.cut()
        await eventually(lambda: not c.connected)
        for n in (2, 3):
            await feed.publish("v.a", {"n": n})
        for n in range(2, 12):
            await feed.publish("e.log", {"n": n})
        road.open = True
        got = await take(updates, 13)
        by_topic = {t: seen([u for u in got if u.topic == t]) for t in ("v.*", "v.a", "e.log")}
        events = [("update", n) for n in range(4, 12)]
        assert by_topic == {
            "v.*": [("resumed", 0)],
            "v.a": [("update", 2), ("update", 3)],
            "e.log": [("resumed", 11), ("gap", 3), *events],
        }
        told = {u.topic: (u.recovered, u.missed) for u in got if u.kind == "resumed"}
        assert told == {"v.*": (True, 2), "e.log": (False, 10)}
        assert c.images == {"v.a": {"n": 3, "first": True}, "e.log": {"n": 11}}
        assert (c.status["v.a"], c.holes) == ("live", 0)


async def test_a_program_goes_on_where_the_last_one_was(road: "Road") -> None:
    async with tickwire.connect(road.url) as c:
        for n in range(3):
            await c.publish("v.a", {"n": n})
        epoch = c.epoch
    async with tickwire.connect(road.url) as c:
        async with c.subscribe("v.a", since={"v.a": 1}, epoch=epoch) as updates:
            first, *rest = await take(updates, 3)
            assert (first.kind, first.recovered, first.missed) == ("resumed", True, 2)
            assert seen(rest) == [("update", 2), ("update", 3)]
        async with c.subscribe("v.a", since={"v.a": 1}, epoch="of-another-life") as updates:
            first, second = await take(updates, 2)
            assert (first.kind, first.recovered, first.missed) == ("resumed", False, None)
            assert seen([second]) == [("snapshot", 3)]


async def test_events_begin_with_the_last_of_them_for_each_who_asks(road: "Road") -> None:
    async with tickwire.connect(road.url) as c, c.subscribe("e.*") as live:
        for n in range(4):
            await c.publish("e.log", {"n": n})
        assert seen(await take(live, 4)) == [("update", n) for n in range(1, 5)]
        async with c.subscribe("e.log", last=2) as late:
            assert seen(await take(late, 2)) == [("update", 3), ("update", 4)]
            await c.publish("e.log", {"n": 5})
            assert seen(await take(live, 1) + await take(late, 1)) == [("update", 5)] * 2


async def test_last_on_the_command_line(road: "Road", tickwire_command: "Commands") -> None:
    async with tickwire.connect(road.url) as c:
        for n in range(5):
            await c.publish("e.log", {"n": n})
    ended = await tickwire_command("sub", "e.log", "--last", "3", "--count", "3", "--url", road.url)
    assert [line.split('"data":')[1] for line in ended.out.splitlines()] == [
        f'{{"n":{n}}}}}' for n in (2, 3, 4)
    ]


# --- with a server that does what the test says ---------------------------------------------------


async def test_one_that_joined_meanwhile_begins_with_a_snapshot(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def first(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        await peer.ws.close(1001)

    async def second(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("subscribe")
        assert command["since"] == {"a": 1}
        result = {"topic": "a", "seq": 2, "recovered": True, "missed": 1}
        await peer.send(type="ack", id=command["id"], results=[result])
        await peer.update("a", 2)
        await peer.send(type="status", topic="a", seq=2, ts=1, status="live")
        assert await peer.accept(2) == ["a"]
        await peer.snapshot("a", 2)
        await peer.idle()

    server.play(first, second)
    async with tickwire.connect(server.url, backoff_s=0.2) as c, c.subscribe("a") as old:
        await take(old, 1)
        await eventually(lambda: not c.connected)
        async with c.subscribe("a") as new:
            assert seen(await take(new, 1)) == [("snapshot", 2)]
        assert seen(await take(old, 2)) == [("resumed", 2), ("update", 2)]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"last": -1}, "last"),
        ({"last": 65_537}, "last"),
        ({"since": {"a": 1}}, "epoch"),
        ({"since": {"a": -1}, "epoch": "e1"}, "since"),
        ({"since": {"a": 2**64}, "epoch": "e1"}, "since"),
        ({"since": {"a": 1.0}, "epoch": "e1"}, "since"),
        ({"since": {"a": True}, "epoch": "e1"}, "since"),
    ],
)
async def test_where_to_begin_must_make_sense(
    server: "Scripted", options: dict[str, Any], field: str
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        c.subscribe("a", last=65_536, since={"a": 2**64 - 1, "b": 0}, epoch="e1")
        with pytest.raises(ConfigError, match=f"^{field}: ") as caught:
            c.subscribe("a", **options)
        assert caught.value.field == field
