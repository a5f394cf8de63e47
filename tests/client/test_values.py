"""Readers of values: one, all, what changed, as columns and as a table; batches, and rare reads."""

import asyncio
import math
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy
import pyarrow as pa
import pytest

import tickwire
from tickwire.errors import ConfigError, TopicError

if TYPE_CHECKING:
    from conftest import Eventually, Peer, Scripted

DEEP = "{" + '"a":{' * 20 + '"last":3' + "}" * 21


async def prices(peer: "Peer") -> None:
    await peer.welcome()
    for topic in await peer.accept():
        await peer.snapshot(topic, 1, last="101.20", size=7, side="buy")
        await peer.update(topic, 2, last="+1e2", gone=True, side=None)
    await peer.idle()


async def test_a_follower_of_values_keeps_no_messages_and_never_stops_the_connection(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1, last=1)
        for seq in range(2, 5000):
            await peer.update("a", seq, last=seq)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a", queue_max=0) as updates:
        await eventually(lambda: c.value("a", "last") == 4999)
        assert c.images["a"] == {"last": 4999}
        assert (c.value("a", "none"), c.value("b", "last", 7)) == (None, 7)
        with pytest.raises(ConfigError, match="queue_max: 0 keeps no messages"):
            await anext(updates)


async def test_an_image_is_that_of_one_moment_and_decoded_once(
    server: "Scripted", eventually: "Eventually"
) -> None:
    go_on = asyncio.Event()

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1, x=1)
        await peer.update("a", 2, y=2)
        await go_on.wait()
        await peer.update("a", 3, y=3)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a", queue_max=0):
        await eventually(lambda: c.value("a", "y") == 2)
        looked = c.images["a"]
        assert c.images["a"] is looked
        go_on.set()
        await eventually(lambda: c.value("a", "y") == 3)
        assert (looked, c.images["a"]) == ({"x": 1, "y": 2}, {"x": 1, "y": 3})


async def test_what_changed_is_told_once(server: "Scripted", eventually: "Eventually") -> None:
    go_on = asyncio.Event()

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        for topic in await peer.accept():
            await peer.snapshot(topic, 1, x=1)
        await go_on.wait()
        await peer.update("b", 2, x=2)
        await peer.update("b", 3, x=3)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a", "b", queue_max=0):
        await eventually(lambda: len(c.images) == 2)
        assert sorted(c.changed()) == ["a", "b"]
        assert c.changed() == []
        go_on.set()
        await eventually(lambda: c.value("b", "x") == 3)
        assert c.changed() == ["b"]


async def test_columns_and_a_table_hold_numbers_however_they_are_spelled(
    server: "Scripted", eventually: "Eventually"
) -> None:
    server.play(prices)
    async with tickwire.connect(server.url) as c, c.subscribe("t.a", "t.b", "u", queue_max=0):
        await eventually(lambda: all(c.value(t, "gone") for t in ("t.a", "t.b", "u")))
        columns = c.columns(["last", "size", "side", "none", "gone"], "t.*")
        assert columns["topic"] == ["t.a", "t.b"]
        assert columns["last"].dtype == numpy.float64
        assert (list(columns["last"]), list(columns["size"])) == ([100.0] * 2, [7.0] * 2)
        assert all(math.isnan(x) for name in ("side", "none", "gone") for x in columns[name])
        table = pa.table(c.table(["last", "none"], "u"))
        assert table.to_pydict() == {"topic": ["u"], "last": [100.0], "none": [None]}
        assert table.validate(full=True) is None
        assert pa.table(c.table(["last"], "nothing.*")).num_rows == 0


async def test_an_image_that_the_core_does_not_take_is_in_the_columns_all_the_same(
    server: "Scripted", eventually: "Eventually"
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        head = '{"type":"snapshot","topic":"a","seq":1,"ts":1,"status":"live"'
        await peer.ws.send(f'{head},"data":{{"last":"5","deep":{DEEP}}}}}')
        await peer.update("a", 2, size=3)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, c.subscribe("a", queue_max=0):
        await eventually(lambda: c.value("a", "size") == 3)
        columns = c.columns(["last", "size", "deep"])
        assert (columns["last"][0], columns["size"][0]) == (5.0, 3.0)
        assert math.isnan(columns["deep"][0])


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("bid", "must be a list"),
        ([1], "each must be a str"),
        (["topic"], "column of the names"),
        (["a", "a"], "named twice"),
    ],
)
async def test_wrong_fields_are_refused_with_what_is_wrong(
    server: "Scripted", fields: list[str], why: str
) -> None:
    c = tickwire.connect(server.url)
    for ask in (c.columns, c.table):
        with pytest.raises(ConfigError, match=why):
            ask(fields)
        with pytest.raises(TopicError):
            ask(["a"], "not a pattern!")


async def test_batches_hold_every_message_in_order(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        for seq in range(2, 3000):
            await peer.update("a", seq)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c, asyncio.timeout(60):
        seqs: list[int] = []
        async for batch in c.subscribe("a", queue_max=100).batches():
            assert 1 <= len(batch) <= 400
            seqs += [update.seq for update in batch]
            if seqs[-1] == 2999:
                break
        assert seqs == list(range(1, 3000))


async def test_a_client_that_reads_rarely_misses_nothing(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1)
        for seq in range(2, 300):
            await peer.update("a", seq)
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, coalesce_ms=20) as c, asyncio.timeout(60):
        updates = c.subscribe("a")
        assert [(await anext(updates)).seq for _ in range(299)] == list(range(1, 300))


@pytest.mark.parametrize("coalesce_ms", [-1, 1000.1, math.nan])
def test_coalesce_ms_has_limits(coalesce_ms: float) -> None:
    with pytest.raises(ConfigError, match="is outside 0 to 1000"):
        tickwire.connect(coalesce_ms=coalesce_ms)


async def test_numbers_can_keep_their_digits(server: "Scripted", eventually: "Eventually") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        for kind in ('snapshot","topic":"a","seq":1,"ts":1,"status":"live"', None):
            head = kind or 'update","topic":"a","seq":2,"ts":1'
            await peer.ws.send(f'{{"type":"{head},"data":{{"x":0.10,"n":1}}}}')
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url, parse_float=Decimal) as c:
        updates = c.subscribe("a")
        for _ in range(2):
            assert str((await anext(updates)).data["x"]) == "0.10"
        assert str(c.images["a"]["x"]) == "0.10"
        assert str(c.value("a", "x")) == "0.10"
