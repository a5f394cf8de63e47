"""One message about a topic, as a client and as an in-process subscriber get it."""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, cast, get_args

from tickwire.errors import ProtocolError

Kind = Literal["snapshot", "update", "status", "gap", "resumed"]
WIRE_KINDS: Final[tuple[str, ...]] = get_args(Kind)[:4]
"""A server sends all of them but `resumed`, which is the client's own."""

_WHITESPACE = re.compile(r"[ \t\r\n]*")
_DATA_MEMBER = ',"data":'


@dataclass(frozen=True, slots=True)
class Update:
    """One message about a topic. Its values are shared with `Client.images`: do not change them."""

    kind: Kind
    """``snapshot`` replaces what you know of the topic. ``update`` merges into it (value topics) or
    follows it (event topics). ``status`` changes its health. ``gap`` says which messages you will
    not get. ``resumed`` says how a topic or pattern continues after a lost connection."""
    topic: str
    """The topic's name; in a ``resumed`` it may be a pattern."""
    seq: int
    """The topic's sequence number, one higher with each update; a jump at a snapshot is the number
    of conflated updates."""
    ts: int = 0
    """The server's Unix time in milliseconds; 0 in a gap, which has none."""
    status: str | None = None
    """``live``, ``stale``, ``halted`` or ``closed`` in a snapshot or a status, else None."""
    data: dict[str, Any] = field(default_factory=dict, hash=False)
    """What was published, decoded; empty in a status or a gap."""
    raw: str = ""
    """The JSON text of `data`, byte for byte as it was published."""
    missed: int | None = None
    """In a gap: how many messages up to `seq` are gone. In a resumed: how many updates there were
    meanwhile, or None if nobody knows."""
    delivery: str | None = None
    """``event`` in messages of event topics, else None."""
    text: str = field(default="", repr=False)
    """The whole message as the server sent it."""
    recovered: bool | None = None
    """In a resumed: whether every missed update follows. If not, a snapshot or a gap follows, if
    there is data."""

    @property
    def first_seq(self) -> int:
        """In a gap the sequence number of the first message that is gone, else `seq`."""
        return self.seq - self.missed + 1 if self.kind == "gap" and self.missed else self.seq


def stale(topic: str, seq: int) -> Update:
    """The client's own status: nobody vouches for the topic at the moment."""
    text = f'{{"type":"status","topic":"{topic}","seq":{seq},"ts":0,"status":"stale"}}'
    return Update("status", topic, seq, status="stale", text=text)


def parse_message(text: str) -> Update | dict[str, Any]:
    """A server's message: an `Update` when it is about a topic's state, else its decoded object.

    Raises `ProtocolError` for what docs/PROTOCOL.md does not allow.
    """
    try:
        message, raw = _split(text)
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
    return message, _raw_member(text, "data") if "data" in message else ""


def _raw_member(text: str, wanted: str) -> str:
    """The text of a member of `text`, which is known to parse; of a repeated one the last."""
    found = ""
    at = text.index("{") + 1
    while True:
        name, at = _decode(text, _skip(text, at))
        start = _skip(text, text.index(":", at) + 1)
        at = _decode(text, start)[1]
        if name == wanted:
            found = text[start:at]
        at = _skip(text, at)
        if text[at] == "}":
            return found
        at += 1


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
        first, last = _number(message, "from"), _number(message, "to")
        if last < first:
            raise ValueError(f"to: {last} is before from: {first}")
        return Update(kind, _string(message, "topic"), last, missed=last - first + 1, text=text)
    data = message.get("data", {})
    if not isinstance(data, dict) or (kind != "status" and not raw):
        raise ValueError("data: must be an object")
    return Update(
        kind,
        _string(message, "topic"),
        _number(message, "seq"),
        _number(message, "ts"),
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
    return value


def _number(message: dict[str, Any], name: str) -> int:
    value = message.get(name)
    if type(value) is not int or value < 0:
        raise ValueError(f"{name}: must be an integer of at least 0, not {value!r}")
    return value
