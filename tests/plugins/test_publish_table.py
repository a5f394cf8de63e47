"""Columns of numbers, a row a topic."""

import ctypes
import json
import math
import threading
import time
from array import array
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickwire import Server, feed
from tickwire._core import Config, Engine
from tickwire.errors import DataError, TopicError
from tickwire.update import parse_message


@pytest.fixture(scope="module")
def engine():
    """An engine that is not started, because publishing needs no clients. An event topic's image is
    its last update."""
    topics = {">": {"delivery": "event"}}
    return Engine(Config.load(overrides={"server": {"listen": "127.0.0.1:0"}, "topics": topics}))


@pytest.fixture
def texts(engine):
    """The JSON texts that the rows of `columns` become."""

    def texts_of(columns, rows, **options):
        names = [f"t.{row}" for row in range(rows)]
        assert engine.publish_table(names, columns, **options) == rows
        return [parse_message(engine.snapshot(name)).raw for name in names]

    return texts_of


def cells(texts) -> list[str]:
    """The values of the one column "a"."""
    return [text.removeprefix('{"a":').removesuffix("}") for text in texts]


def test_a_row_is_an_update_of_its_topic(start_server):
    server = start_server()
    server.publish("ticker.B", {"open": 5, "bid": 0})
    columns = {"bid": np.array([0.1, 2.0]), "size": np.array([7, -8]), "last": ["0.10", 'a"é']}
    with server.subscribe("ticker.A") as subscription:
        assert server.publish_table(["ticker.A", "ticker.B"], columns) == 2
        assert subscription.get(5).raw == '{"bid":0.1,"size":7,"last":"0.10"}'
    assert server.snapshot("ticker.A").seq == 1
    image = server.snapshot("ticker.B")
    assert (image.seq, image.raw) == (2, '{"open":5,"bid":2.0,"size":-8,"last":"a\\"é"}')


def test_a_topic_that_is_named_twice_gets_both_rows(start_server):
    server = start_server()
    assert server.publish_table(("t.A", "t.A"), {"n": array("i", [1, 2])}) == 2
    assert (server.snapshot("t.A").seq, server.snapshot("t.A").data) == (2, {"n": 2})


def test_tables_and_other_updates_of_a_topic_merge_in_their_order(start_server):
    server = start_server()
    one = ["t.A"]
    server.publish_table(one, {"a": array("d", [1]), "b": array("d", [2])})
    server.publish_table(one, {"a": array("d", [3]), "b": array("d", [4])})
    server.publish("t.A", {"c": "x", "a": None})
    assert server.snapshot("t.A").raw == '{"b":4.0,"c":"x"}'
    server.publish_table(one, {"a": array("d", [5]), "b": array("d", [6])})
    assert server.snapshot("t.A").raw == '{"b":6.0,"c":"x","a":5.0}'


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64"])
def test_integers_reach_from_their_lowest_to_their_highest(kind, texts):
    for name in (kind, "u" + kind):
        ends = [np.iinfo(name).min, np.iinfo(name).max]
        assert cells(texts({"a": np.array(ends, name)}, 2)) == [str(end) for end in ends]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (np.array([0.1, 1e16, -0.0]), ["0.1", "1e+16", "-0.0"]),
        (np.array([0.1, 1e16, -0.0], np.float32), ["0.1", "1e+16", "-0.0"]),
        (np.array([True, False, True]), ["true", "false", "true"]),
        (np.array([1.5, 9, 2.5, 9, 3.5])[::2], ["1.5", "2.5", "3.5"]),
        (np.array([1, 2, 3])[::-1], ["3", "2", "1"]),
        (np.array([[1, 9], [2, 9], [3, 9]])[:, 0], ["1", "2", "3"]),
        (np.array([(1, 0.5), (2, 1.5), (3, 2.5)], "i1,f8")["f1"], ["0.5", "1.5", "2.5"]),
        (np.broadcast_to(np.array([7]), 3), ["7", "7", "7"]),
        (memoryview(array("d", [1, 2, 3])), ["1.0", "2.0", "3.0"]),
        (array("Q", [0, 1, 2**64 - 1]), ["0", "1", str(2**64 - 1)]),
        (array("l", [-1, 0, 1]), ["-1", "0", "1"]),
        ((ctypes.c_int16 * 3)(1, 2, 3), ["1", "2", "3"]),
        (bytearray([1, 2, 255]), ["1", "2", "255"]),
        (pa.array([0.5, 1.5, 2.5]), ["0.5", "1.5", "2.5"]),
        (pa.array([9, 1, 2, 3])[1:], ["1", "2", "3"]),
        (pa.chunked_array([[1], [2, 3]]), ["1", "2", "3"]),
        (["0.10", "", 'é"\n'], ['"0.10"', '""', '"é\\"\\u000a"']),
        (("x", "y", "z"), ['"x"', '"y"', '"z"']),
    ],
)
def test_what_a_column_may_be(column, expected, texts):
    assert cells(texts({"a": column}, 3)) == expected


finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=300, deadline=None)
@given(numbers=st.lists(finite, min_size=1, max_size=50))
def test_a_float_is_written_as_python_writes_it(numbers, engine):
    names = [f"t.{row}" for row in range(len(numbers))]
    engine.publish_table(names, {"a": array("d", numbers)})
    raws = [parse_message(engine.snapshot(name)).raw for name in names]
    assert cells(raws) == [repr(number) for number in numbers]


@settings(max_examples=300, deadline=None)
@given(numbers=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_a_float32_reads_back_as_the_same_float32(numbers, engine):
    engine.publish_table([f"t.{row}" for row in range(len(numbers))], {"a": array("f", numbers)})
    for row, number in enumerate(numbers):
        read = json.loads(parse_message(engine.snapshot(f"t.{row}")).raw)["a"]
        assert np.float32(read) == np.float32(number)


def test_names_are_escaped_and_may_be_many_or_none(texts):
    assert texts({'a"\n': array("i", [1])}, 1) == ['{"a\\"\\u000a":1}']
    assert texts({}, 1) == ["{}"]
    many = {f"c{n}": array("i", [n]) for n in range(500)}
    assert json.loads(texts(many, 1)[0]) == {f"c{n}": n for n in range(500)}
    assert texts({"a": array("i")}, 0) == []


class Failing:
    def to_numpy(self):
        raise LookupError("no")


@pytest.mark.parametrize(
    ("values", "field", "fault"),
    [
        (np.array([1.0, math.nan]), "columns.a[1]", "JSON has no NaN"),
        (np.array([-math.inf, 1.0]), "columns.a[0]", "JSON has no infinity"),
        (np.array([1, math.nan], np.float32), "columns.a[1]", "JSON has no NaN"),
        (np.array([1.0]), "columns.a", "1 values for 2 topics"),
        (np.array([1.0, 2.0, 3.0]), "columns.a", "3 values for 2 topics"),
        (["x"], "columns.a", "1 values for 2 topics"),
        (np.zeros((2, 2)), "columns.a", "has 2 dimensions, must have 1"),
        (np.array(1.0), "columns.a", "has 0 dimensions, must have 1"),
        (np.array([1.0, 2.0], ">f8"), "columns.a", "format '>d'"),
        (np.array([1, 2], complex), "columns.a", "format 'Zd'"),
        (np.array(["x", object()]), "columns.a[1]", "JSON has no object"),
        (np.array(["2026-01-01", "2026-01-02"], "M8[s]"), "columns.a", "must be a one-dim"),
        (["x", object()], "columns.a[1]", "JSON has no object"),
        (["x", "\ud800"], "columns.a[1]", "not valid Unicode"),
        (pa.array([1, None]), "columns.a", "to_numpy() failed"),
        (Failing(), "columns.a", "LookupError: no"),
        (7, "columns.a", "not int"),
        ({1, 2}, "columns.a", "not set"),
        ("xy", "columns.a", "not str"),
        (None, "columns.a", "not NoneType"),
    ],
)
def test_a_faulty_column_is_named_and_nothing_is_published(values, field, fault, engine):
    columns = {"fine": array("d", [1, 2]), "a": values}
    with pytest.raises(DataError) as refused:
        engine.publish_table(["none.A", "none.B"], columns)
    assert refused.value.field == field
    assert str(refused.value).startswith(field)
    assert fault in str(refused.value)
    assert engine.topics("none.>") == []


def test_topics_and_columns_that_make_no_sense_are_refused(engine):
    one = {"a": array("d", [1])}
    for topics, columns, field, fault in [
        ("t", one, "topics", "not a str"),
        ([7], one, "topics[0]", "must be a str, not int"),
        (["\ud800"], one, "topics[0]", "not valid Unicode"),
        (["none.A"], [1], "columns", "must be a mapping, not list"),
        (["none.A"], {1: array("d", [1])}, "columns", "a name must be a str, not 1"),
        (["none.A"], {"\ud800": array("d", [1])}, "columns", "not valid Unicode"),
        (["none.A"], {"a": ["x" * 1_048_576]}, "columns", "at most 1048576"),
    ]:
        with pytest.raises(DataError) as refused:
            engine.publish_table(topics, columns)
        assert refused.value.field == field
        assert fault in str(refused.value)
    with pytest.raises(TopicError, match=r"topics\[1\]: .*no topic!") as refused:
        engine.publish_table(["none.A", "no topic!"], {"a": array("d", [1, 2])})
    assert refused.value.field == "topics[1]"
    with pytest.raises(DataError, match='"maybe" is not one of error and null'):
        engine.publish_table(["none.A"], one, "maybe")
    assert engine.topics("none.>") == []


def test_nan_may_be_published_as_null_which_removes_the_field(start_server):
    server = start_server()
    bid = np.array([1.0, math.nan])
    size = np.array([math.inf, 2], np.float32)
    topics = ["t.A", "t.B"]
    server.publish_table(topics, {"bid": np.ones(2), "size": np.ones(2)})
    with server.subscribe("t.>", snapshot=False) as subscription:
        assert server.publish_table(topics, {"bid": bid, "size": size}, nan="null") == 2
        raws = {update.topic: update.raw for update in (subscription.get(5), subscription.get(5))}
    assert raws == {"t.A": '{"bid":1.0,"size":null}', "t.B": '{"bid":null,"size":2.0}'}
    assert server.snapshot("t.A").raw == '{"bid":1.0}'
    assert server.snapshot("t.B").raw == '{"size":2.0}'
    missing = pa.array([1, None]).to_numpy(zero_copy_only=False)
    server.publish_table(topics, {"bid": missing}, nan="null")
    assert server.snapshot("t.A").raw == '{"bid":1.0}'


def test_an_image_past_its_limit_names_its_row(start_server):
    server = start_server()
    for field in ("big", "bigger"):
        server.publish("t.B", {field: "x" * 1_000_000})
    columns = {"text": ["y" * 100_000] * 3}
    with pytest.raises(DataError, match=r"topics\[1\]: data: the image of t\.B would have"):
        server.publish_table(["t.A", "t.B", "t.C"], columns)
    assert server.topics() == ["t.A", "t.B", "t.C"], "the row loses no other"
    assert server.snapshot("t.B").seq == 2


def test_a_buffer_is_held_while_it_is_published_and_no_longer(engine):
    values = bytearray(1)
    engine.publish_table(["t.A"], {"a": values})
    values.append(1)
    with pytest.raises(DataError):
        engine.publish_table(["t.A"], {"a": values})
    values.append(1)


def test_a_feed_publishes_tables_to_the_topics_of_its_pattern_only(start_server, eventually):
    refused = []

    @feed("ticker.*")
    async def quotes(pub):
        column = {"a": array("d", [1, 2])}
        assert pub.publish_table(["ticker.A", "ticker.B"], column) == 2
        try:
            pub.publish_table(["ticker.A", "trade.B"], column)
        except TopicError as e:
            refused.append(str(e))

    server = start_server(quotes)
    eventually(lambda: refused)
    assert refused[0].startswith("topics[1]: trade.B: outside ticker.*")
    assert server.topics() == ["ticker.A", "ticker.B"]
    assert server.snapshot("ticker.A").seq == 1


def test_other_threads_run_while_a_table_is_published(engine):
    """One call of hundreds of ms; a thread that ticks every ms has its share of them, as soon as
    the machine gives it one."""
    rows = 300_000
    topics = [f"gil.{row % 1000}" for row in range(rows)]
    columns = {"a": np.random.default_rng(1).random(rows)}
    moments = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            moments.append(time.perf_counter())
            time.sleep(0.001)

    def ticks_in_the_middle_of_a_call():
        began = time.perf_counter()
        engine.publish_table(topics, columns)
        ended = time.perf_counter()
        # The first and the last part of the call, in which it reads the names, holds the GIL.
        first, last = began + 0.3 * (ended - began), ended - 0.1 * (ended - began)
        return sum(first < moment < last for moment in list(moments))

    thread = threading.Thread(target=tick)
    thread.start()
    fair = any(ticks_in_the_middle_of_a_call() >= 5 for _ in range(20))
    done.set()
    thread.join()
    assert fair


def test_publish_many_lets_other_threads_run(start_server):
    server = start_server()
    ticks = 0
    done = threading.Event()

    def count():
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    pairs = [("ticker.A", b'{"a":1}')] * 100_000
    within = 0
    for _ in range(50):  # until the machine gives that thread a turn in the time of one call
        before = ticks
        server.publish_many(pairs)
        within = max(within, ticks - before)
        if within >= 3:
            break
    done.set()
    thread.join()
    assert within >= 3, "between the calls it can tick once"


def test_tables_of_several_threads_leave_no_hole(start_server):
    server = start_server()
    topics = [f"t.{n}" for n in range(200)]
    rounds, threads = 20, 3

    def publish(offset):
        for n in range(rounds):
            server.publish_table(topics, {"n": np.full(200, n), f"by{offset}": np.ones(200)})

    with server.subscribe("t.7") as subscription:
        workers = [threading.Thread(target=publish, args=(n,)) for n in range(threads)]
        for worker in workers:
            worker.start()
        seen = []
        while not seen or seen[-1].seq < rounds * threads:
            seen.append(subscription.get(10))
        for worker in workers:
            worker.join()
    for before, after in pairwise(seen):
        assert after.kind == "snapshot" or after.seq == before.seq + 1
    for topic in topics:
        image = server.snapshot(topic)
        assert image.seq == rounds * threads
        assert set(image.data) == {"n", "by0", "by1", "by2"}


def test_a_server_that_does_not_run_takes_no_table():
    with pytest.raises(Exception, match="not running"):
        Server(listen="127.0.0.1:0").publish_table(["t.A"], {})
