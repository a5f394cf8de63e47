"""One message about a topic, as a client and as an in-process subscriber get it."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final, Literal, cast, get_args

from tickwire._core import Update, recognise, set_decode
from tickwire.errors import ProtocolError

__all__ = ["Kind", "Update", "parse_message", "stale"]

Kind = Literal["snapshot", "update", "status", "gap", "resumed"]
SEQ_MAX: Final = 2**64 - 1
WIRE_KINDS: Final[tuple[str, ...]] = get_args(Kind)[:4]
"""A server sends all of them but `resumed`, which is the client's own."""

_WHITESPACE = re.compile(r"[ \t\r\n]*")
_DATA_MEMBER = ',"data":'


def stale(topic: str, seq: int) -> Update:
    """The client's own status: nobody vouches for the topic at the moment."""
    text = f'{{"type":"status","topic":"{topic}","seq":{seq},"ts":0,"status":"stale"}}'
    return Update("status", topic, seq, status="stale", text=text)


def parse_message(text: str, decode: "Decode | None" = None) -> Update | dict[str, Any]:
    """A server's message: an `Update` when it is about a topic's state, else its decoded object.

    decode: makes `data` of its text; None: `decode_data`. Raises `ProtocolError` for what
    docs/PROTOCOL.md does not allow.
    """
    if (update := recognise(text, decode)) is not None:
        return update
    try:
        message, raw = _split(text)
        if decode is not None and raw:
            message["data"] = decode(raw)
        return _update(message, raw, text) if message.get("type") in WIRE_KINDS else message
    except (ValueError, RecursionError) as e:
        raise ProtocolError(f"a message that cannot be read: {e}: {text[:100]!r}") from e


def _split(text: str) -> tuple[dict[str, Any], str]:
    """The message as an object, and the text of its `data`.

    tickwire writes `data` last and without blanks, so the head is found by looking for the member's
    name: cut anywhere deeper, or within a string, it would not parse. Other spellings are walked.
    """
    at = text.find(_DATA_MEMBER)
    if at > 0:
        try:
            message = _decode(text[:at] + "}", 0)[0]
            start = at + len(_DATA_MEMBER)
            data, end = _decode(text, start)
        except ValueError:
            pass
        else:
            if isinstance(message, dict) and text[end:] == "}":
                message["data"] = data
                return message, text[start:end]
    message, end = _decode(text, _skip(text, 0))
    if not isinstance(message, dict) or text[end:].strip():
        raise ValueError("not one JSON object")
    return message, raw_member(text, "data") if "data" in message else ""


def raw_member(text: str, wanted: str) -> str:
    """The text of a member of `text`, which is known to parse; of a repeated one the last."""
    return next((raw for name, _, raw in reversed([*members_of(text)]) if name == wanted), "")


def members_of(text: str) -> Iterator[tuple[str, str, str]]:
    """The members of an object that is known to parse, each as its name, the name as it is spelled,
    and the text of its value."""
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        begin = _skip(text, at)
        name, end = _decode(text, begin)
        start = _skip(text, text.index(":", end) + 1)
        at = _decode(text, start)[1]
        yield name, text[begin:end], text[start:at]
        at = _skip(text, at)
        at += text[at] == ","


def value_at(text: str, at: int) -> tuple[Any, int, int] | None:
    """The next element of an array that is known to parse, with its start and end; None: its end.

    at: behind the array's bracket, or the end of the element before.
    """
    at = _skip(text, at)
    if text[at] == ",":
        at = _skip(text, at + 1)
    if text[at] == "]":
        return None
    value, end = _decode(text, at)
    return value, at, end


def _skip(text: str, at: int) -> int:
    match = _WHITESPACE.match(text, at)
    assert match  # it matches nothing, too
    return match.end()


def _big_int(digits: str) -> int | Decimal:
    """Python refuses to read very long integers; JSON, and so a feed, does not."""
    try:
        return int(digits)
    except ValueError:
        return Decimal(digits)


Decode = Callable[[str], dict[str, Any]]
"""Makes the data of a message of its JSON text."""


def decoder(parse_float: Callable[[str], Any] | None = None) -> Decode:
    """parse_float: makes numbers with a point or an exponent of their text, as in `json.loads`."""
    fast = json.JSONDecoder(parse_float=parse_float).raw_decode
    patient = json.JSONDecoder(parse_float=parse_float, parse_int=_big_int).raw_decode

    def decode(text: str) -> dict[str, Any]:
        data: dict[str, Any]
        try:
            data = fast(text)[0]
        except json.JSONDecodeError:
            raise
        except ValueError:
            data = patient(text)[0]
        return data

    return decode


decode_data = decoder()
set_decode(decode_data)

_fast = json.JSONDecoder().raw_decode
_patient = json.JSONDecoder(parse_int=_big_int).raw_decode


def _decode(text: str, at: int) -> tuple[Any, int]:
    try:
        return _fast(text, at)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _patient(text, at)


def _update(message: dict[str, Any], raw: str, text: str) -> Update:
    kind = cast(Kind, message["type"])
    if kind == "gap":
        first, last = number_of(message, "from"), number_of(message, "to")
        if last < first:
            raise ValueError(f"to: {last} is before from: {first}")
        return Update(kind, _string(message, "topic"), last, missed=last - first + 1, text=text)
    data = message.get("data", {})
    if not isinstance(data, dict) or (kind != "status" and not raw):
        raise ValueError("data: must be an object")
    return Update(
        kind,
        _string(message, "topic"),
        number_of(message, "seq"),
        number_of(message, "ts"),
        None if kind == "update" else _string(message, "status"),
        data,
        raw,
        None,
        message.get("delivery"),
        text,
    )


def _string(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be a string, not {value!r}")
    value.encode()  # half a surrogate pair is a ValueError
    return value


def number_of(message: dict[str, Any], name: str) -> int:
    """A whole number of a message, which must be from 0 to `SEQ_MAX`: ValueError."""
    value = message.get(name)
    if type(value) is not int or not 0 <= value <= SEQ_MAX:
        raise ValueError(f"{name}: must be an integer from 0 to 2^64 - 1, not {value!r}")
    return value
