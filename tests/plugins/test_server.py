"""A server within a Python program."""

import asyncio
import json
import math
import os
import threading
import time
from collections import OrderedDict
from decimal import Decimal
from enum import IntEnum
from itertools import pairwise
from types import MappingProxyType

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickwire import Server
from tickwire._core import Config, Engine
from tickwire.errors import (
    ConfigError,
    DataError,
    ListenError,
    ServerError,
    TopicError,
    UnknownTopicError,
)
from tickwire.update import parse_message


@pytest.fixture(scope="module")
def engine():
    """An engine that is not started, because publishing needs no clients. An event topic's image is
    its last update."""
    topics = {">": {"delivery": "event"}}
    return Engine(Config.load(overrides={"server": {"listen": "127.0.0.1:0"}, "topics": topics}))


@pytest.fixture
def raw(engine):
    """The JSON text that `data` becomes."""

    def text_of(data):
        engine.publish("ticker.A", data)
        return parse_message(engine.snapshot("ticker.A")).raw

    return text_of


class Colour(IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "{}"),
        ({"a": 1, "b": None, "c": True, "d": False}, '{"a":1,"b":null,"c":true,"d":false}'),
        ({"a": 0.1, "b": 1.0, "c": -0.0, "d": 1e16}, '{"a":0.1,"b":1.0,"c":-0.0,"d":1e+16}'),
        ({"a": 1e-4, "b": 1e-5, "c": 123456.75}, '{"a":0.0001,"b":1e-05,"c":123456.75}'),
        ({"a": Decimal("1.00"), "b": Decimal("1E+5")}, '{"a":1.00,"b":1E+5}'),
        ({"a": Decimal("-0.10")}, '{"a":-0.10}'),
        (
            {"a": 2**63 - 1, "b": -(2**63), "c": 2**70},
            f'{{"a":{2**63 - 1},"b":{-(2**63)},"c":{2**70}}}',
        ),
        ({"a": [1, [2.5, "x"], (), {"b": []}]}, '{"a":[1,[2.5,"x"],[],{"b":[]}]}'),
        ({"q": 'a"\\\n\x01é😀'}, '{"q":"a\\"\\\\\\u000a\\u0001é😀"}'),
        ({"a": Colour.RED}, '{"a":1}'),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (MappingProxyType({"a": MappingProxyType({"b": 1})}), '{"a":{"b":1}}'),
        (b'{"a": 1.00 }', '{"a": 1.00 }'),
        ('{"a":"\\u00e9"}', '{"a":"\\u00e9"}'),
        (bytearray(b'{"a":1}'), '{"a":1}'),
        (memoryview(b'{"a":1}'), '{"a":1}'),
    ],
)
def test_what_is_published_is_this_text(data, text, raw):
    assert raw(data) == text


def test_numpy_numbers_are_numbers(raw):
    assert raw({"a": numpy.float64(0.5), "b": numpy.int64(7)}) == '{"a":0.5,"b":7}'


@settings(max_examples=2000, deadline=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_as_python_writes_it(number, engine):
    engine.publish("ticker.A", {"x": number})
    assert parse_message(engine.snapshot("ticker.A")).raw == json.dumps({"x": number}).replace(
        " ", ""
    )


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(data=st.dictionaries(st.text(), json_values, max_size=5))
def test_a_dict_comes_back_as_it_was(data, engine):
    engine.publish("ticker.A", data)
    assert parse_message(engine.snapshot("ticker.A")).data == data


@pytest.mark.parametrize(
    ("data", "field", "fault"),
    [
        ({"a": math.nan}, "data.a", "JSON has no NaN"),
        ({"a": {"b": [1, -math.inf]}}, "data.a.b[1]", "JSON has no infinity"),
        ({"a": Decimal("NaN")}, "data.a", "JSON has no NaN"),
        ({"a": Decimal("sNaN12")}, "data.a", "JSON has no sNaN12"),
        ({"a": Decimal("-Infinity")}, "data.a", "JSON has no -Infinity"),
        ({"a": {1, 2}}, "data.a", "JSON has no set"),
        ({"a": object()}, "data.a", "JSON has no object"),
        ({"a": [b"x"]}, "data.a[0]", "JSON has no bytes"),
        ({"a": {1: 2}}, "data.a", "a key must be a str, not 1"),
        ({"a": "\ud800"}, "data.a", "not valid Unicode"),
        ([1], "data", "must be a mapping"),
        (None, "data", "must be a mapping"),
        (7, "data", "must be a mapping"),
        (b"[1]", "data", ""),
        (b"{", "data", ""),
        (b'{"a":NaN}', "data", ""),
        ("\ud800", "data", "not valid Unicode"),
        (memoryview(b"abcdef")[::2], "data", "contiguous"),
    ],
)
def test_what_is_no_json_object_is_refused_by_its_field(data, field, fault, engine):
    with pytest.raises(DataError) as refused:
        engine.publish("ticker.A", data)
    assert refused.value.field == field
    assert fault in str(refused.value)


def test_depth_has_its_limit(raw, engine):
    def nested(depth):
        return {"a": nested(depth - 1)} if depth > 1 else {}

    assert raw(nested(16)).count("{") == 16
    with pytest.raises(DataError, match="deeper than 16"):
        engine.publish("ticker.A", nested(17))
    loop = {}
    loop["a"] = loop
    with pytest.raises(DataError, match="deeper than 16"):
        engine.publish("ticker.A", loop)


def test_an_exception_in_a_published_value_is_the_callers(engine):
    class Hostile:
        def __index__(self):
            raise LookupError("no")

    with pytest.raises(DataError, match="LookupError: no"):
        engine.publish("ticker.A", {"a": Hostile()})


def test_publish_many_publishes_all_that_can_be_and_says_which_is_faulty(start_server):
    server = start_server()
    count = server.publish_many((f"ticker.{n % 7}", {"n": n}) for n in range(1000))
    assert count == 1000
    assert server.snapshot("ticker.6").data == {"n": 1000 - 1 - (1000 - 1 - 6) % 7}
    pairs = [
        ("many.A", {"n": 1}),
        ["many.A", b'{"n":2}'],
        ("many.A", {"n": math.nan}),
        ("many.A", {}),
    ]
    with pytest.raises(DataError) as refused:
        server.publish_many(pairs)
    assert refused.value.field == "pairs[2].data.n"
    assert server.snapshot("many.A").seq == 3
    with pytest.raises(TopicError, match=r"pairs\[1\]"):
        server.publish_many([("many.A", {}), ("no topic!", {}), ("many.A", {})])
    assert server.snapshot("many.A").seq == 5
    for nonsense in (7, ("many.A",), ("many.A", {}, 1), (7, {})):
        with pytest.raises(DataError, match=r"pairs\[0\]: must be \(topic, data\)"):
            server.publish_many([nonsense])


def test_publish_says_the_seq_and_snapshot_the_image(start_server):
    server = start_server()
    assert server.snapshot("ticker.A") is None
    assert server.publish("ticker.A", {"last": "0.10", "bid": 1}) == 1
    assert server.publish("ticker.A", {"bid": None, "ask": Decimal("2.50")}) == 2
    image = server.snapshot("ticker.A")
    assert image.raw == '{"last":"0.10","ask":2.50}'
    assert (image.kind, image.seq, image.status) == ("snapshot", 2, "live")
    server.set_status("ticker.A", "halted")
    assert server.snapshot("ticker.A").status == "halted"
    assert server.topics("ticker.*") == ["ticker.A"]
    for call in (lambda: server.publish("no topic!", {}), lambda: server.snapshot("a..b")):
        with pytest.raises(TopicError):
            call()
    with pytest.raises(UnknownTopicError):
        server.set_status("ticker.B", "halted")
    with pytest.raises(ConfigError, match="is not one of live, stale, halted and closed"):
        server.set_status("ticker.A", "tired")


def test_topics_lists_more_than_one_page(start_server):
    server = start_server()
    names = [f"t.{n:05}" for n in range(10_001)]
    server.publish_many((name, b"{}") for name in names)
    assert server.topics() == names
    assert server.topics("t.*")[-1] == names[-1]


def test_subscribe_begins_with_snapshots_and_follows(start_server):
    server = start_server()
    server.publish("ticker.A", {"last": "1"})
    with server.subscribe("ticker.*", "other.B") as subscription:
        server.publish("ticker.A", {"last": "2"})
        server.publish("other.B", {"x": 1})
        seen = [(u.kind, u.topic, u.seq) for u in (subscription.get(5) for _ in range(3))]
        assert subscription.get(0) is None
        assert subscription.get(0.05) is None
    assert seen[0] == ("snapshot", "ticker.A", 1)
    assert ("update", "ticker.A", 2) in seen
    assert seen[2][1] == "other.B"


def test_subscribe_without_a_snapshot_takes_what_comes(start_server):
    server = start_server()
    server.publish("ticker.A", {"last": "1"})
    with server.subscribe("ticker.A", snapshot=False) as subscription:
        server.publish("ticker.A", {"last": "2"})
        assert subscription.get(5).seq == 2


def test_max_rate_conflates(start_server):
    server = start_server()
    with server.subscribe("ticker.A", max_rate=5) as subscription:
        began, seen = time.monotonic(), []
        while len(seen) < 5:
            last = server.publish("ticker.A", {"last": "1"})
            if update := subscription.get(0.002):
                seen.append(update.seq)
        while seen[-1] != last:
            seen.append(subscription.get(30).seq)
        took_s = time.monotonic() - began
    assert len(seen) <= 5 * took_s + 2
    assert last > len(seen), "some were left out"


@pytest.mark.parametrize(
    ("topics", "options"),
    [(["a..b"], {}), ([], {}), (["a"], {"max_rate": -1}), (["a"], {"max_rate": 9999})],
)
def test_a_subscription_that_makes_no_sense_is_refused(topics, options, start_server, eventually):
    server = start_server()
    with pytest.raises(Exception, match=r"topics|max_rate|a\.\.b") as refused:
        server.subscribe(*topics, **options)
    assert type(refused.value).__module__ == "tickwire.errors"
    eventually(lambda: server.health["sessions"] == 0)


def test_a_subscription_that_is_dropped_is_closed(start_server, eventually):
    server = start_server()
    for update in _first_updates(server):
        assert update.topic == "ticker.A"
        break
    eventually(lambda: server.health["sessions"] == 0)


def _first_updates(server):
    server.publish("ticker.A", {})
    return server.subscribe("ticker.A")


def test_iteration_ends_when_the_server_stops(start_server):
    server = start_server()
    server.publish("ticker.A", {})
    subscription = server.subscribe("ticker.A")
    timer = threading.Timer(0.2, server.stop)
    timer.start()
    assert [update.seq for update in subscription] == [1]
    timer.join()
    with pytest.raises(ServerError):
        subscription.get()


async def test_a_subscription_is_an_async_iterator_too(start_server):
    server = start_server()
    subscription = server.subscribe("ticker.A")

    async def publish():
        for n in range(20):
            server.publish("ticker.A", {"n": n})
            await asyncio.sleep(0.001)
        subscription.close()

    publishing = asyncio.create_task(publish())
    seen = [update.data["n"] async for update in subscription]
    await publishing
    assert seen == list(range(20))


def test_a_slow_reader_skips_states_and_ends_with_the_last(start_server):
    server = start_server()
    pad = "x" * 10_000
    with server.subscribe("ticker.A") as subscription:
        for n in range(2_000):
            server.publish("ticker.A", {"n": n, "pad": pad})
        seen = []
        while not seen or seen[-1].data["n"] != 1_999:
            seen.append(subscription.get(5))
    assert len(seen) < 1_000
    for before, after in pairwise(seen):
        assert after.kind == "snapshot" or after.seq == before.seq + 1


def test_the_environment_counts_under_what_the_program_says(monkeypatch):
    monkeypatch.setenv("TICKWIRE_SERVER__DRAIN_S", "3")
    monkeypatch.setenv("TICKWIRE_SERVER__LISTEN", "127.0.0.1:7")
    server = Server({"server": {"listen": "127.0.0.1:8"}})
    assert (server.config.listen, server.config.drain_s) == (["127.0.0.1:8"], 3)
    assert Server(listen="127.0.0.1:9").config.listen == ["127.0.0.1:9"]
    assert Server(server.config).config.listen == ["127.0.0.1:8"]


def test_a_file_is_read_and_wrong_settings_are_errors(tmp_path):
    path = tmp_path / "tickwire.toml"
    path.write_text("[server]\nshards = 2\n")
    assert Server(path).config.entries()[1].value == "2"
    with pytest.raises(ConfigError, match=r"server\.shard"):
        Server({"server": {"shard": 2}})
    with pytest.raises(ConfigError, match="no_such"):
        Server(tmp_path / "no_such.toml")


def test_a_port_in_use_is_a_listen_error(start_server):
    first = start_server()
    second = Server(listen=first.address)
    with pytest.raises(ListenError, match=first.address):
        second.start()
    assert not [t for t in threading.enumerate() if t.name == "plugins" and not t.daemon]
    first.publish("ticker.A", {})


def test_a_server_that_does_not_run_says_so():
    server = Server(listen="127.0.0.1:0")
    for call in (
        lambda: server.publish("ticker.A", {}),
        lambda: server.subscribe("ticker.A"),
        lambda: server.url,
        lambda: server.health,
    ):
        with pytest.raises(ServerError, match="not running"):
            call()
    server.stop()


def test_wait_returns_when_another_thread_stops_the_server(start_server):
    server = start_server()
    timer = threading.Timer(0.1, server.stop)
    timer.start()
    server.wait()
    timer.join()


def test_a_stopped_server_keeps_no_thread(eventually):
    before = set(os.listdir("/proc/self/task"))
    with Server({"server": {"listen": "127.0.0.1:0", "shards": 3}}):
        assert len(os.listdir("/proc/self/task")) > len(before) + 3
    eventually(lambda: set(os.listdir("/proc/self/task")) <= before)  # the kernel's list follows


def test_images_and_seq_survive_a_restart_with_a_store(tmp_path, start_server):
    store = {"path": str(tmp_path / "images.db")}
    first = start_server(store=store)
    first.publish("ticker.A", {"last": "1.50"})
    epoch = first.health["epoch"]
    first.stop()
    second = start_server(store=store)
    image = second.snapshot("ticker.A")
    assert (image.seq, image.raw, image.status) == (1, '{"last":"1.50"}', "stale")
    assert second.health["epoch"] == epoch
    assert second.publish("ticker.A", {"last": "2"}) == 2
