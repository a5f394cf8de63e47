"""The client and the command against a real server, end to end."""

import asyncio
import itertools
import json
import secrets
import signal
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tickwire
from tickwire.errors import (
    DeniedError,
    TopicError,
    UnknownTopicError,
)

if TYPE_CHECKING:
    from conftest import Commands, Eventually, ServedAt

Process = asyncio.subprocess.Process


@pytest.fixture
async def plant(tickwire_command: "Commands", served_at: "ServedAt") -> str:
    """A server to which everybody may publish."""
    args = ("--listen", "127.0.0.1:0", "--set", "auth.publish=open")
    return await served_at(await tickwire_command.start("serve", *args))


async def take(updates: tickwire.Subscription, count: int) -> list[tickwire.Update]:
    async with asyncio.timeout(60):
        return [await anext(updates) for _ in range(count)]


async def test_a_client_that_is_too_fast_waits_and_is_served(
    tickwire_command: "Commands", served_at: "ServedAt"
) -> None:
    rates = ("--set", "limits.commands_per_s=10", "--set", "limits.lists_per_s=2")
    args = ("--listen", "127.0.0.1:0", "--set", "auth.publish=open", *rates)
    url = await served_at(await tickwire_command.start("serve", *args))
    topics = [f"ticker.{number}" for number in range(25)]
    async with tickwire.connect(url, backoff_s=0.001) as c, asyncio.timeout(60):
        subscriptions = [c.subscribe(topic) for topic in topics]
        await asyncio.gather(*(subscription.__aenter__() for subscription in subscriptions))
        async with tickwire.connect(url) as writer:
            assert await writer.publish(topics[-1], {"n": 1}) == 1
        assert (await take(subscriptions[-1], 1))[0].topic == topics[-1]
        for _ in range(6):
            assert await c.list() == [topics[-1]]


async def test_what_one_publishes_the_other_gets_byte_for_byte(plant: str) -> None:
    async with tickwire.connect(plant) as writer, tickwire.connect(plant) as reader:
        assert await writer.publish("ticker.A", '{"last":"0.10","bid":1.00}') == 1
        async with reader.subscribe("ticker.*") as updates:
            assert await writer.publish("ticker.A", '{ "bid":null, "ask":1E+5}') == 2
            assert await writer.publish("ticker.B", {"first": Decimal("1.00")}) == 1
            first, second, third = await take(updates, 3)
            image = dict(reader.images["ticker.A"])
    assert (first.kind, first.seq, first.raw) == ("snapshot", 1, '{"last":"0.10","bid":1.00}')
    assert (second.kind, second.seq, second.raw) == ("update", 2, '{ "bid":null, "ask":1E+5}')
    assert (third.topic, third.seq, third.raw) == ("ticker.B", 1, '{"first":1.00}')
    assert image == {"last": "0.10", "ask": 1e5}


async def test_overlapping_subscriptions_come_and_go_without_a_hole(plant: str) -> None:
    async with tickwire.connect(plant) as c:
        for number in range(3):
            await c.publish(f"x.{number}", {"n": 0})
        wide, narrow = c.subscribe("x.*"), c.subscribe("x.1", "x.2")
        assert {u.topic for u in await take(wide, 3)} == {"x.0", "x.1", "x.2"}
        assert {u.topic for u in await take(narrow, 2)} == {"x.1", "x.2"}
        await narrow.aclose()
        for n in range(1, 4):
            for number in range(3):
                await c.publish(f"x.{number}", {"n": n})
        later = await take(wide, 9)
        for number in range(3):
            assert [u.seq for u in later if u.topic == f"x.{number}"] == [2, 3, 4]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x.1", "x.*"),
        ("x.>", "x.*"),
        ("x.*", "x.*"),
        ("x.*", "x.1"),
        ("x.1", "x.1"),
    ],
)
async def test_whoever_subscribes_second_gets_what_the_first_follows(
    plant: str, first: str, second: str
) -> None:
    async with tickwire.connect(plant) as c:
        await c.publish("x.1", {"n": 0})
        async with c.subscribe(first) as early, c.subscribe(second) as late:
            await take(early, 1)
            (begin,) = await take(late, 1)
            assert (begin.kind, begin.seq, begin.data) == ("snapshot", 1, {"n": 0})
            for n in range(1, 4):
                await c.publish("x.1", {"n": n})
            for updates in (early, late):
                assert [(u.kind, u.seq) for u in await take(updates, 3)] == [
                    ("update", n) for n in range(2, 5)
                ]


async def test_snapshot_list_and_ping(plant: str) -> None:
    async with tickwire.connect(plant) as c:
        await c.publish("t.a", {"last": Decimal("1.00")})
        await c.publish("t.b", {})
        assert (await c.snapshot("t.a")).raw == '{"last":1.00}'
        assert (await c.snapshot("t.a")).raw == '{"last":1.00}', "again on the same connection"
        with pytest.raises(UnknownTopicError):
            await c.snapshot("t.c")
        assert await c.list("t.*") == ["t.a", "t.b"]
        assert await c.list("u.*") == []
        states = await c.get("t.*", "t.c")
        assert [(u.topic, u.seq, u.raw) for u in states.values()] == [
            ("t.a", 1, '{"last":1.00}'),
            ("t.b", 1, "{}"),
        ]
        assert await c.ping() < 5
        assert c.server.startswith("tickwire/")
        assert c.epoch


async def test_errors_of_the_server_are_typed(plant: str, demo: str) -> None:
    async with tickwire.connect(plant) as c:
        with pytest.raises(TopicError, match="no such topic"):
            await take(c.subscribe("no such topic!"), 1)
        with pytest.raises(TopicError):
            await c.publish("not.*", {})
        with pytest.raises(TopicError):
            await c.list("a..b")
        await c.auth("nobody judges it")
    async with tickwire.connect(demo) as c:
        with pytest.raises(DeniedError, match="publish"):
            await c.publish("chat.lobby", {})
    async with tickwire.connect(demo, token="nobody judges it") as c:
        assert await c.list("ticker.*"), "what needs no token is given"


async def test_thousands_of_topics_in_one_subscription(plant: str) -> None:
    topics = [f"many.{n}" for n in range(12_000)]
    async with tickwire.connect(plant) as c, c.subscribe(*topics) as updates:
        assert len(updates.topics) == len(topics)
        await c.publish("many.0", {"n": 0})
        await c.publish("many.11999", {"n": 0})
        assert {u.topic for u in await take(updates, 2)} == {"many.0", "many.11999"}


async def test_a_reader_that_sleeps_is_conflated_and_ends_up_right(plant: str) -> None:
    last = 3000
    async with tickwire.connect(plant) as writer, tickwire.connect(plant) as reader:
        await writer.publish("busy", {"n": 1})
        async with reader.subscribe("busy", queue_max=4) as updates:
            await take(updates, 1)
            for n in range(2, last + 1):
                await writer.publish("busy", {"n": n, "noise": secrets.token_hex(5000)})
            seen = [await anext(updates)]
            async with asyncio.timeout(60):
                while seen[-1].seq < last:
                    seen.append(await anext(updates))
            assert reader.images["busy"]["n"] == last
    for before, after in itertools.pairwise(seen):
        assert after.seq == before.seq + 1 or after.kind == "snapshot", "a jump is a snapshot"
    assert len(seen) < last - 1, "15 MB, compressed, do not lie between two sockets"


async def test_a_drained_server_sends_its_clients_to_the_next(
    tickwire_command: "Commands", served_at: "ServedAt", tmp_path: Path, eventually: "Eventually"
) -> None:
    args = ("--set", f"store.path={tmp_path / 'plant.db'}", "--set", "auth.publish=open")
    first = await tickwire_command.start("serve", "--listen", "127.0.0.1:0", *args)
    url = await served_at(first)
    async with tickwire.connect(url, backoff_s=0.05) as c, c.subscribe("a.*") as updates:
        await c.publish("a.b", {"last": "1.00"})
        await take(updates, 1)
        epoch = c.epoch
        first.send_signal(signal.SIGTERM)
        ended = await tickwire_command.end(first)
        assert (ended.code, c.status["a.b"]) == (0, "stale"), ended.err
        listen = url.removeprefix("ws://").removesuffix("/ws")
        second = await tickwire_command.start("serve", "--listen", listen, *args)
        await served_at(second)
        (again,) = await take(updates, 1)
        assert (again.kind, again.recovered, again.missed) == ("resumed", True, 0)
        assert (c.epoch, c.images["a.b"]) == (epoch, {"last": "1.00"})
        await eventually(lambda: c.connected)


# --- the command ----------------------------------------------------------------------------------


async def test_publish_and_look_from_a_shell(plant: str, tickwire_command: "Commands") -> None:
    published = await tickwire_command("pub", "chat.lobby", '{"n":1.00}', "--url", plant)
    assert json.loads(published.out) == {"topic": "chat.lobby", "seq": 1}
    for _ in range(2):
        named = ("pub", "chat.once", "{}", "--once", "n1", "--url", plant)
        assert (await tickwire_command(*named)).out == '{"topic":"chat.once","seq":1}\n'
    snapshot = json.loads((await tickwire_command("snapshot", "chat.lobby", "--url", plant)).out)
    assert (snapshot["seq"], snapshot["status"], snapshot["data"]) == (1, "live", {"n": 1.0})
    printed = await tickwire_command("sub", "chat.lobby", "--count", "1", "--url", plant)
    assert printed.out.endswith('"data":{"n":1.00}}\n')
    (topic, _) = (await tickwire_command("topics", "--url", plant)).out.splitlines()
    assert json.loads(topic)["topic"] == "chat.lobby"
    health = await tickwire_command("health", "--url", plant.removeprefix("ws://"))
    assert (health.code, json.loads(health.out)["topics"]) == (0, 2)
    assert (await tickwire_command("snapshot", "not.there", "--url", plant)).code == 5
    assert (await tickwire_command("sub", "a!", "--url", plant)).code == 5


async def test_publishing_where_nobody_may_is_4(demo: str, tickwire_command: "Commands") -> None:
    ended = await tickwire_command("pub", "chat.lobby", "{}", "--url", demo)
    assert (ended.code, ended.out) == (4, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serve_drains_and_ends_with_0(
    tickwire_command: "Commands", served_at: "ServedAt", number: signal.Signals
) -> None:
    process = await tickwire_command.start("serve", "--demo", "--listen", "127.0.0.1:0")
    url = await served_at(process)
    reader = await tickwire_command.start("sub", "ticker.*", "--url", url)
    assert reader.stdout is not None
    await asyncio.wait_for(reader.stdout.readline(), 20)
    process.send_signal(number)
    ended = await tickwire_command.end(process)
    assert ended.code == 0, ended.err
    assert reader.returncode is None, "it waits for the server to come back"


async def test_a_second_signal_does_not_wait_for_the_drain(
    tickwire_command: "Commands", served_at: "ServedAt"
) -> None:
    args = ("--listen", "127.0.0.1:0", "--set", "server.drain_s=30")
    process = await tickwire_command.start("serve", *args)
    url = await served_at(process)
    host, _, port = url.removeprefix("ws://").removesuffix("/ws").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"welcome")
    process.send_signal(signal.SIGTERM)
    await reader.readuntil(b"drain")
    assert process.returncode is None, "it waits for a client that does not go"
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        assert await process.wait() == -signal.SIGTERM
    writer.close()


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (("--set", "server.shard=2"), 2, "server.shards"),
        (("--set", "server.shards=many"), 2, "server.shards"),
        (("--config", "/nowhere/tickwire.toml"), 2, "tickwire.toml"),
        (("/nowhere/plugin.py",), 2, "/nowhere/plugin.py"),
        (("--set", "store.path=/nowhere/plant.db"), 10, "/nowhere"),
    ],
)
async def test_a_server_that_cannot_start_says_why(
    tickwire_command: "Commands", args: tuple[str, ...], code: int, word: str
) -> None:
    ended = await tickwire_command("serve", "--listen", "127.0.0.1:0", *args)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert word in ended.err


async def test_a_port_in_use_is_16(plant: str, tickwire_command: "Commands") -> None:
    listen = plant.removeprefix("ws://").removesuffix("/ws")
    ended = await tickwire_command("serve", "--listen", listen)
    assert (ended.code, ended.out) == (16, ""), ended.err
    assert listen.rpartition(":")[2] in ended.err


async def test_config_shows_where_each_value_came_from(
    tickwire_command: "Commands", tmp_path: Path
) -> None:
    file = tmp_path / "tickwire.toml"
    file.write_text('[store]\nflush_ms = 100\n[topics."trade.>"]\ndelivery = "event"\n')
    args = ("--config", str(file), "--set", "server.shards=2")
    shown = await tickwire_command("config", "show", *args, TICKWIRE_SERVER__DRAIN_S="3")
    assert shown.code == 0, shown.err
    lines = {line.split(" = ")[0]: line for line in shown.out.splitlines()}
    assert "--set" in lines["server.shards"]
    assert str(file) in lines["store.flush_ms"]
    assert "ms" in lines["store.flush_ms"]
    assert "TICKWIRE_SERVER__DRAIN_S" in lines["server.drain_s"]
    assert "default" in lines["server.listen"]
    assert '"event"' in lines['topics."trade.>".delivery']
    again = tmp_path / "again.toml"
    again.write_text(shown.out)
    checked = await tickwire_command("config", "check", "--config", str(again))
    assert (checked.code, checked.out) == (0, "the configuration is valid\n"), checked.err
    same = await tickwire_command("config", "show", "--config", str(again))

    def values(text: str) -> list[str]:
        return [line.partition("  # ")[0].rstrip() for line in text.splitlines()]

    assert values(same.out) == values(shown.out)


async def test_config_shows_of_a_rule_only_what_it_sets(
    tickwire_command: "Commands", tmp_path: Path
) -> None:
    file = tmp_path / "tickwire.toml"
    file.write_text('[topics]\n"a.*".ring = 64\n"a.>".ring = 5\n"a.>".delivery = "event"\n')
    shown = await tickwire_command("config", "show", "--config", str(file))
    rules = [line.split("  # ")[0].rstrip() for line in shown.out.splitlines()]
    assert [rule for rule in rules if rule.startswith("topics.")] == [
        'topics."a.*".ring = 64',
        'topics."a.>".delivery = "event"',
        'topics."a.>".ring = 5',
    ]


async def test_config_show_prints_no_secret(tickwire_command: "Commands") -> None:
    args = ("config", "show", "--set", "auth.admin_token=s3cret")
    shown = await tickwire_command(*args, TICKWIRE_TOKEN="a client's", TICKWIRE_URL="ws://x")
    assert 'auth.admin_token = "***"' in shown.out
    assert "s3cret" not in shown.out
    assert 'auth.admin_token = ""' in (await tickwire_command("config", "show")).out


async def test_version(tickwire_command: "Commands") -> None:
    ended = await tickwire_command("version")
    assert (ended.code, ended.out) == (0, f"tickwire {tickwire.__version__}\n")
