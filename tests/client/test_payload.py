"""What can be published, and how it is spelled on the wire."""

import json
from collections import OrderedDict
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ({1: "x"}, '{"1":"x"}'),
        (' { "a" : 1.00 } ', ' { "a" : 1.00 } '),
        (b'{"a":"\xe2\x82\xac"}', '{"a":"€"}'),
        ('{"n":' + "1" * 5000 + "}", '{"n":' + "1" * 5000 + "}"),
    ],
)
def test_spelling(data: Any, text: str) -> None:
    assert data_text(data) == text


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"ok": 1, "bid": float("nan")}, "data.bid", "not JSON compliant"),
        ({"bid": {"x": [Decimal("Infinity")]}}, "data.bid", "Infinity is not JSON"),
        ({"bid": Decimal("sNaN")}, "data.bid", "sNaN is not JSON"),
        ({"bid": object()}, "data.bid", "object cannot be written as JSON"),
        ({"bid": {1.5: {2}}}, "data.bid", "set cannot be written as JSON"),
        ({(1, 2): 3}, "data.(1, 2)", "keys must be"),
        ({"bid": 10**5000}, "data.bid", "Exceeds the limit"),
        ({"bid": "\ud800"}, "data", "half a surrogate pair"),
        ("\ud800", "data", "not JSON"),
        ('{"a":"\ud800"}', "data", "half a surrogate pair"),
        (b'{"a":"\xff"}', "data", "not JSON"),
        ('{"a":NaN}', "data", "NaN is not JSON"),
        ('{"a":1},"topic":"other"', "data", "not JSON: Extra data"),
        ("[" * 100_000, "data", "not JSON: maximum recursion"),
        ("[1]", "data", "must be a JSON object, not list"),
        ("null", "data", "must be a JSON object, not NoneType"),
        (7, "data", "must be a mapping, str or bytes, not int"),
        (bytearray(b"{}"), "data", "must be a mapping, str or bytes, not bytearray"),
    ],
)
def test_what_is_not_a_json_object_is_an_error_that_names_the_field(
    data: Any, field: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        data_text(data)
    assert caught.value.field == field
    assert caught.value.code == "bad_data"


def test_the_one_culprit_may_be_the_whole() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with pytest.raises(DataError, match=r"data\.a: Circular"):
        data_text(endless)


def test_a_payload_may_be_a_mebibyte_and_not_a_byte_more() -> None:
    most = "x" * (PAYLOAD_BYTES_MAX - len('{"a":""}'))
    assert len(data_text({"a": most})) == PAYLOAD_BYTES_MAX
    with pytest.raises(DataError, match="data: 1048577 bytes, at most 1048576"):
        data_text({"a": most + "x"})
    with pytest.raises(DataError, match="1048577 bytes"):
        data_text('{"a":"' + most + 'x"}')
