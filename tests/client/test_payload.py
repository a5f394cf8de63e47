"""What can be published, and how it is spelled on the wire."""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tickwire
from tickwire._json import PAYLOAD_BYTES_MAX, data_text
from tickwire.errors import DataError

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | DECIMALS
VALUES = st.recursive(
    LEAVES.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(TEXTS, some, max_size=3),
    max_leaves=8,
)


def as_decimals(value: Any) -> Any:
    match value:
        case dict():
            return {name: as_decimals(one) for name, one in value.items()}
        case list():
            return [as_decimals(one) for one in value]
        case Decimal():
            return str(value)
        case _:
            return value


def spelled(text: str, decimals: set[str]) -> Any:
    """The text decoded, with those numbers that were decimals as they are spelled."""

    def number(digits: str) -> Any:
        return digits if digits in decimals else json.loads(digits)

    return json.loads(text, parse_float=number, parse_int=number)


@given(st.dictionaries(TEXTS, DECIMALS | TEXTS, max_size=4))
def test_decimals_keep_their_digits(data: dict[str, Any]) -> None:
    decimals = {str(value) for value in data.values() if isinstance(value, Decimal)}
    assert spelled(data_text(data), decimals) == as_decimals(data)


@given(st.dictionaries(TEXTS, VALUES.filter(lambda v: not isinstance(v, Decimal)), max_size=4))
def test_other_values_survive(data: dict[str, Any]) -> None:
    def plain(value: Any) -> Any:
        match value:
            case dict():
                return {name: plain(one) for name, one in value.items()}
            case list():
                return [plain(one) for one in value]
            case Decimal() | float() | int() if not isinstance(value, bool):
                return Decimal(str(value))
            case _:
                return value

    found = json.loads(data_text(data), parse_float=Decimal, parse_int=Decimal)
    assert found == plain(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": Decimal("1.00"), "b": [Decimal("-0")]}, '{"a":1.00,"b":[-0]}'),
        ({"a": Decimal("1E+5"), "b": Decimal("0E-10")}, '{"a":1E+5,"b":0E-10}'),
        ({"price": 0.1, "€": "€", "t": True, "n": None}, '{"price":0.1,"€":"€","t":true,"n":null}'),
        ({}, "{}"),
        (MappingProxyType({"a": OrderedDict(b=1)}), '{"a":{"b":1}}'),
        ({"a": MappingProxyType({"b": Decimal(1)})}, '{"a":{"b":1}}'),
        (' { "a" : 1.00 } ', ' { "a" : 1.00 } '),
        (b'{"a":"\xe2\x82\xac"}', '{"a":"€"}'),
        ('{"n":' + "1" * 309 + "}", '{"n":' + "1" * 309 + "}"),
    ],
)
def test_spelling(data: Any, text: str) -> None:
    assert data_text(data) == text


class Side(Enum):
    BUY = "buy"


class Level(IntEnum):
    TOP = 1


@dataclass
class Quote:
    bid: float


NUMPY = [
    (np.float64(1.5), "1.5"),
    (np.float32(0.1), "0.1"),
    (np.float16(0.1), "0.1"),
    (np.int64(-5), "-5"),
    (np.uint8(5), "5"),
    (np.bool_(True), "true"),
    (np.array(3.5), "3.5"),
    (np.array(0.1, "f4"), "0.1"),
    (np.array(7), "7"),
    (np.str_("x"), '"x"'),
    (np.array("x"), '"x"'),
]


@pytest.mark.parametrize(
    ("value", "text"),
    [*NUMPY, (Side.BUY, '"buy"'), (Level.TOP, "1"), ((1, [Side.BUY]), '[1,["buy"]]')],
)
def test_values_that_python_programs_have(value: object, text: str) -> None:
    assert data_text({"x": value}) == f'{{"x":{text}}}'


def nested(depth: int) -> dict[str, Any]:
    data: dict[str, Any] = {"a": 1}
    for _ in range(depth - 1):
        data = {"a": data}
    return data


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"ok": 1, "bid": float("nan")}, "data.bid", "JSON has no NaN"),
        ({"bid": np.float32("nan")}, "data.bid", "JSON has no nan"),
        ({"bid": {"x": [Decimal("Infinity")]}}, "data.bid.x[0]", "JSON has no Infinity"),
        ({"bid": Decimal("sNaN")}, "data.bid", "JSON has no sNaN"),
        ({"bid": object()}, "data.bid", "JSON has no object"),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, "data.at", r"datetime.*; isoformat\(\) makes"),
        ({"at": np.datetime64("2026-01-02")}, "data.at", "JSON has no numpy.datetime64"),
        ({"quote": Quote(1.0)}, "data.quote", r"Quote; dataclasses\.asdict\(\) makes a dict"),
        ({"x": np.array([1.5])}, "data.x", r"ndarray; tolist\(\) makes a list"),
        ({"x": np.complex64(1)}, "data.x", "JSON has no numpy.complex64"),
        ({"bid": {1.5: 2}}, "data.bid", r"a key must be a str, not 1\.5"),
        ({"a": {1: "a", "1": "b"}}, "data.a", "a key must be a str, not 1"),
        ({None: 3}, "data", "a key must be a str, not None"),
        ({Side.BUY: 3}, "data", "a key must be a str, not <Side.BUY"),
        ({"bid": 10**5000}, "data.bid", "Exceeds the limit"),
        ({"bid": 10**400}, "data.bid", "a number past a double"),
        ({"bid": Decimal("1E+400")}, "data.bid", "a number past a double"),
        ({"bid": "\ud800"}, "data.bid", "not valid Unicode"),
        (nested(17), "data" + ".a" * 16, "deeper than 16"),
        ("\ud800", "data", "not valid Unicode"),
        ('{"a":"\ud800"}', "data", "not valid Unicode"),
        ('{"a":"\\ud800"}', "data", "a lone surrogate"),
        ('{"a":1e400}', "data", "a number past a double"),
        ('{"a":' * 17 + "1" + "}" * 17, "data", "deeper than 16"),
        (b'{"a":"\xff"}', "data", "not UTF-8"),
        ('{"a":NaN}', "data", "expected a value"),
        ('{"a":1},"topic":"other"', "data", "text after the object's end"),
        ("[" * 100_000, "data", "must begin with '{'"),
        ("[1]", "data", "must begin with '{'"),
        ("null", "data", "must begin with '{'"),
        (7, "data", "must be a mapping, or a JSON object as bytes or str, not int"),
    ],
)
def test_what_is_not_a_json_object_is_an_error_that_names_the_field(
    data: Any, field: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        data_text(data)
    assert caught.value.field == field
    assert caught.value.code == "bad_data"


def test_what_a_mapping_raises_is_an_error_that_names_the_field() -> None:
    class Broken(dict[str, Any]):
        def __getattribute__(self, name: str) -> Any:
            raise ZeroDivisionError(name)

    class Reading(Mapping[str, Any]):
        def __getitem__(self, name: str) -> Any:
            raise OSError("the sensor is gone")

        def __iter__(self) -> Iterator[str]:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    assert data_text({"a": Broken()}) == '{"a":{}}'
    for data, field in ((Reading(), "data"), ({"x": [Reading()]}, "data.x[0]")):
        with pytest.raises(DataError, match="the sensor is gone") as caught:
            data_text(data)
        assert caught.value.field == field


def test_the_depth_at_the_limit_passes() -> None:
    assert json.loads(data_text(nested(16))) == nested(16)
    text = '{"a":' * 16 + "1" + "}" * 16
    assert data_text(text) == text


def test_a_payload_may_be_a_mebibyte_and_not_a_byte_more() -> None:
    most = "x" * (PAYLOAD_BYTES_MAX - len('{"a":""}'))
    assert len(data_text({"a": most})) == PAYLOAD_BYTES_MAX
    with pytest.raises(DataError, match="data: 1048577 bytes, at most 1048576"):
        data_text({"a": most + "x"})
    with pytest.raises(DataError, match="1048577 bytes"):
        data_text('{"a":"' + most + 'x"}')


# --- one value, however it is published -----------------------------------------------------------


SCALARS = st.sampled_from([value for value, _ in NUMPY] + [Side.BUY, Level.TOP, object()])
ODD = SCALARS | st.floats() | st.decimals() | st.integers() | TEXTS | st.none() | st.booleans()
ANY = st.recursive(
    ODD,
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(TEXTS | st.integers(0, 9), some, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def plant() -> Iterator[tickwire.Server]:
    with tickwire.Server({"server": {"listen": "127.0.0.1:0"}}) as server:
        yield server


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_the_same_value_is_taken_alike_by_every_way_to_publish(
    plant: tickwire.Server, value: Any
) -> None:
    def told(publish: Callable[[], object]) -> str:
        plant.publish("t.x", {"x": "before"})
        plant.publish("t.x", {"x": None})
        try:
            publish()
        except DataError:
            return "DataError"
        snapshot = plant.snapshot("t.x")
        assert snapshot is not None
        return snapshot.raw

    expected = told(lambda: plant.publish("t.x", {"x": value}))
    assert told(lambda: plant.publish_many([("t.x", {"x": value})])) == expected
    assert told(lambda: plant.publish_table(["t.x"], {"x": [value]})) == expected
    assert told(lambda: plant.publish("t.x", data_text({"x": value}))) == expected


def test_a_faulty_pair_loses_no_other(plant: tickwire.Server) -> None:
    pairs: list[Any] = [(f"many.{i}", {"n": i}) for i in range(1000)]
    pairs[3] = ("many.3", {"bid": float("nan")})
    pairs[500] = ("no topic!", {})
    pairs[700] = "not a pair"
    pairs[999] = ("many.999", '{"a":')
    told = r"^pairs\[3\]: data\.bid: .*996 .*3 more"
    with pytest.raises(tickwire.TickwireError, match=told) as caught:
        plant.publish_many(pairs)
    assert caught.value.field == "pairs[3].data.bid"
    assert len(plant.topics("many.*")) == 996


def test_an_iterable_that_raises_loses_none_of_those_before(plant: tickwire.Server) -> None:
    def pairs() -> Iterator[tuple[str, dict[str, int]]]:
        yield from ((f"before.{i}", {"n": i}) for i in range(300))
        raise OSError("the file ends here")

    with pytest.raises(OSError, match="the file ends here"):
        plant.publish_many(pairs())
    assert len(plant.topics("before.*")) == 300


def test_columns_of_a_table_may_hold_any_value(plant: tickwire.Server) -> None:
    columns = {
        "price": [Decimal("1.10"), None],
        "side": [Side.BUY, "sell"],
        "n": np.array([np.int64(1), 2.5], dtype=object),
    }
    plant.publish_table(["col.a", "col.b"], columns)
    shown = [snapshot.raw for name in ("col.a", "col.b") if (snapshot := plant.snapshot(name))]
    assert shown == ['{"price":1.10,"side":"buy","n":1}', '{"side":"sell","n":2.5}']
    with pytest.raises(DataError, match=r"^columns\.x\[1\]: JSON has no NaN"):
        plant.publish_table(["col.a", "col.b"], {"x": [1, float("nan")]})
    plant.publish_table(["col.a", "col.b"], {"x": [1, float("nan")]}, nan="null")
