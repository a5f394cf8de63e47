"""The table of codes of docs/PROTOCOL.md: what an error or a close means for a client.

core/protocol/codes.{h,cc}, web/codes.js and the document say the same; a test compares all four.
"""

from typing import Final

ERROR_CODES: Final[dict[str, bool]] = {
    "bad_message": False,
    "unknown_command": False,
    "bad_topic": False,
    "bad_data": False,
    "too_large": False,
    "too_many": True,
    "denied": False,
    "not_subscribed": False,
    "unavailable": True,
    "unknown_topic": False,
    "draining": True,
    "internal": True,
}
"""Error code -> can the same command succeed later?"""

CLOSE_CODES: Final[dict[int, bool]] = {
    1001: True,
    1002: False,
    1007: False,
    1008: True,
    1009: False,
    1013: True,
    4001: True,
    4002: True,
    4003: True,
    4500: False,
    4501: False,
    4502: False,
}
"""Close code -> reconnect?"""

NORMAL_CLOSE: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_CLOSE_FRAME: Final = 1006
DRAIN: Final = 4001
NOT_ALLOWED: Final = 4500
REVOKED: Final = 4502


def should_reconnect(code: int) -> bool:
    """Whether to reconnect after any close code, also one of a later server.

    4500 to 4999 mean no; an unknown code means yes.
    """
    return CLOSE_CODES.get(code, not 4500 <= code <= 4999)
