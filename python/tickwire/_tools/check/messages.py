"""A server's texts, decoded. Many connections get the same bytes, so each is decoded once."""

import json
from typing import Any, Final, NamedTuple

UPDATE: Final = 0
SNAPSHOT: Final = 1
GAP: Final = 2
STATUS: Final = 3
OTHER: Final = 4
BROKEN: Final = 5

KEPT_MAX: Final = 50_000

Fields = dict[str, Any]


class Message(NamedTuple):
    kind: int
    topic: str = ""
    seq: int = 0
    """The sequence number; of a gap, the last one that is gone."""
    data: Fields = {}  # noqa: RUF012 - nobody changes it
    """The data of an update or a snapshot, or the whole of any other message."""
    deleted: tuple[str, ...] | None = None
    """Fields that an update of a value topic deletes; None: the message stands for itself."""


class Messages(dict[bytes, Message]):
    """A cache from text to message."""

    def __missing__(self, text: bytes) -> Message:
        message = decode(text)
        if message.kind < OTHER:
            if len(self) >= KEPT_MAX:
                self.clear()
            self[text] = message
        return message


def decode(text: bytes) -> Message:
    try:
        told = json.loads(text)
    except ValueError as e:
        return Message(BROKEN, data={"why": f"{e!r}: {text[:100]!r}"})
    return decode_object(told)


def decode_object(told: Any) -> Message:
    try:
        return message_of(told)
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        return Message(BROKEN, data={"why": f"{e!r}: {str(told)[:100]}"})


def message_of(told: dict[str, Any]) -> Message:
    match told["type"]:
        case "update":
            if told.get("delivery") == "event":
                return Message(UPDATE, str(told["topic"]), int(told["seq"]), numbers(told["data"]))
            deleted = tuple(name for name, value in told["data"].items() if value is None)
            fields = numbers(told["data"], *deleted)
            return Message(UPDATE, str(told["topic"]), int(told["seq"]), fields, deleted)
        case "snapshot":
            kind = None if told.get("delivery") == "event" else ()
            data = numbers(told["data"])
            return Message(SNAPSHOT, str(told["topic"]), int(told["seq"]), data, kind)
        case "gap":
            return Message(GAP, str(told["topic"]), int(told["to"]), {"from": int(told["from"])})
        case "status":
            return Message(STATUS, str(told["topic"]), int(told["seq"]))
    return Message(OTHER, data=told)


def numbers(data: Fields, *deleted: str) -> Fields:
    """The numbers of feeds/checked.py are whole, so that they can be added up."""
    for name, value in data.items():
        if type(value) is not int and name not in deleted:
            raise ValueError(f"data.{name}: {value!r} is no image of feeds/checked.py")
    return data
