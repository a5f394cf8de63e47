"""The exit codes of tickwire's processes.

A test holds them against core/engine/exit_codes.h.
"""

from typing import Final

from tickwire.errors import (
    ConfigError,
    DeniedError,
    ListenError,
    NotConnectedError,
    PluginError,
    StoreError,
    TickwireError,
)

OK: Final = 0
USAGE: Final = 2
CANNOT_CONNECT: Final = 3
DENIED: Final = 4
SERVER_ERROR: Final = 5
CANNOT_WRITE: Final = 6
STORE_MISSING: Final = 10
STORE_LOCKED: Final = 11
STORE_FOREIGN: Final = 12
STORE_DAMAGED: Final = 13
STORE_NEWER: Final = 14
STORE_IO: Final = 15
CANNOT_LISTEN: Final = 16

STORE_EXITS: Final[dict[str, int]] = {
    "store_missing": STORE_MISSING,
    "store_locked": STORE_LOCKED,
    "store_foreign": STORE_FOREIGN,
    "store_damaged": STORE_DAMAGED,
    "store_newer": STORE_NEWER,
    "store_io": STORE_IO,
}


def exit_code(error: TickwireError) -> int:
    """The exit code of a process that ends because of `error`."""
    match error:
        case ConfigError() | PluginError():
            return USAGE
        case NotConnectedError():
            return CANNOT_CONNECT
        case DeniedError():
            return DENIED
        case StoreError():
            return STORE_EXITS[error.code]
        case ListenError():
            return CANNOT_LISTEN
        case _:
            return SERVER_ERROR
