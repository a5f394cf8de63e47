"""A message's data is found exactly, however it is spelled."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire.errors import ProtocolError
from tickwire.update import Update, parse_message

SPELLED_NUMBERS = st.sampled_from(["1.00", "1e5", "-0", "0.10", "1E-7", "12345678901234567890123"])
STRINGS = st.text().map(json.dumps) | st.sampled_from(['"\\u20ac"', '"},"', '",\\"data\\":{}"'])
LEAVES = SPELLED_NUMBERS | STRINGS | st.sampled_from(["true", "false", "null"])


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.tuples(STRINGS | st.just('"data"'), values).map(":".join)
    return st.lists(member, max_size=4).map(lambda some: "{" + ",".join(some) + "}")


VALUES = st.recursive(LEAVES, lambda v: objects(v) | st.lists(v).map(lambda x: f"[{','.join(x)}]"))
PAYLOADS = objects(VALUES)
BLANKS = st.text(" \t\r\n", max_size=2)


@given(PAYLOADS, st.integers(0, 2**64 - 1), st.sampled_from(["snapshot", "update"]))
def test_data_is_returned_byte_for_byte(payload: str, seq: int, kind: str) -> None:
    status = ',"status":"live"' if kind == "snapshot" else ""
    text = f'{{"type":"{kind}","topic":"a.b","seq":{seq},"ts":7{status},"data":{payload}}}'
    update = parse_message(text)
    assert isinstance(update, Update)
    assert (update.raw, update.seq, update.kind, update.text) == (payload, seq, kind, text)
    assert update.data == json.loads(payload)


@given(PAYLOADS, PAYLOADS, BLANKS, st.permutations(["type", "topic", "seq", "ts", "data", "new"]))
def test_data_is_found_in_any_place_and_spelling(
    payload: str, other: str, blank: str, order: list[str]
) -> None:
    members = {"type": '"update"', "topic": '"a"', "seq": "3", "ts": "7"}
    members |= {"data": payload, "new": other}
    inner = f"{blank},{blank}".join(f'"{name}"{blank}:{blank}{members[name]}' for name in order)
    update = parse_message(f"{blank}{{{blank}{inner}{blank}}}{blank}")
    assert isinstance(update, Update)
    assert update.raw == payload
    assert update.data == json.loads(payload)


def test_of_a_repeated_member_the_last_counts_as_json_says() -> None:
    update = parse_message('{"data":{"a":1},"type":"update","topic":"a","seq":1,"ts":1,"data":{}}')
    assert isinstance(update, Update)
    assert (update.raw, update.data) == ("{}", {})


def test_a_number_longer_than_python_reads_by_itself_is_kept() -> None:
    digits = "1" * 5000
    update = parse_message(
        f'{{"type":"update","topic":"a","seq":1,"ts":1,"data":{{"x":{digits},"y":2}}}}'
    )
    assert isinstance(update, Update)
    assert str(update.data["x"]) == digits
    assert update.data["y"] == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"type":"status","topic":"a","seq":4,"ts":9,"status":"halted"}',
            Update("status", "a", 4, 9, "halted"),
        ),
        ('{"type":"gap","topic":"a","from":18,"to":41}', Update("gap", "a", 41, missed=24)),
        (
            '{"type":"update","topic":"a","seq":1,"ts":2,"delivery":"event","data":{}}',
            Update("update", "a", 1, 2, raw="{}", delivery="event"),
        ),
    ],
)
def test_messages_without_state_to_merge(text: str, expected: Update) -> None:
    update = parse_message(text)
    assert isinstance(update, Update)
    fields = ("kind", "topic", "seq", "ts", "status", "data", "raw", "missed", "delivery")
    assert [getattr(update, f) for f in fields] == [getattr(expected, f) for f in fields]


def test_other_messages_come_as_they_are() -> None:
    assert parse_message('{"type":"pong","id":7,"ts":1}') == {"type": "pong", "id": 7, "ts": 1}


def test_an_update_is_a_value() -> None:
    text = '{"type":"update","topic":"a","seq":1,"ts":2,"data":{"x":1}}'
    one, two = parse_message(text), parse_message(text)
    assert one == two
    assert len({one, two}) == 1
    with pytest.raises(AttributeError):
        one.seq = 2  # type: ignore[union-attr, misc]


GOOD: dict[str, Any] = {
    "snapshot": {"topic": "a", "seq": 1, "ts": 1, "status": "live", "data": {}},
    "update": {"topic": "a", "seq": 1, "ts": 1, "data": {}},
    "status": {"topic": "a", "seq": 1, "ts": 1, "status": "live"},
    "gap": {"topic": "a", "from": 1, "to": 2},
}
MISSING = [(kind, field) for kind, fields in GOOD.items() for field in fields]


@pytest.mark.parametrize(("kind", "field"), MISSING)
@pytest.mark.parametrize("wrong", [None, True, -1, 2**64, 1.5, [], "\ud800", "missing"])
def test_a_missing_or_mistyped_field_is_a_protocol_error(
    kind: str, field: str, wrong: object
) -> None:
    message = {"type": kind, **GOOD[kind], field: wrong}
    if wrong == "missing":
        del message[field]
    with pytest.raises(ProtocolError, match=field):
        parse_message(json.dumps(message))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"type":"update"',
        '{"type":"pong"} x',
        '{"type":"gap","topic":"a","from":3,"to":2}',
        '{"type":"update","topic":"a","seq":1,"ts":1,"data":{}',
        '{"type":"update","topic":"a","seq":1,"ts":1,"data":{"a":}}',
        "[" * 100_000,
        '{"type":"update","topic":"a","seq":1,"ts":1,"data":' + '{"a":' * 100_000,
    ],
)
def test_what_is_no_message_is_a_protocol_error(text: str) -> None:
    with pytest.raises(ProtocolError, match="cannot be read"):
        parse_message(text)
