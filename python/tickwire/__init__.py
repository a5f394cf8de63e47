"""tickwire: a market-data server and its client.

Feeds publish to topics; every subscriber is up to date, or knows that it is not. `Server` runs a
server in this process, `connect` makes a client of a server anywhere, and `feed`, `authorizer` and
`authenticator` decorate the functions of plugins. Every exception is in `tickwire.errors`.
"""

# Names are loaded when they are first used, so that importing is quick.

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tickwire import errors as errors
    from tickwire import sync as sync
    from tickwire._core import version as __version__
    from tickwire.client import Client, connect
    from tickwire.errors import TickwireError
    from tickwire.plugins import Allow, Deny, authenticator, authorizer, feed
    from tickwire.server import Server
    from tickwire.subscription import Subscription
    from tickwire.update import Update

_HOME: Final = {
    "Allow": "plugins",
    "Client": "client",
    "Deny": "plugins",
    "Server": "server",
    "Subscription": "subscription",
    "TickwireError": "errors",
    "Update": "update",
    "authenticator": "plugins",
    "authorizer": "plugins",
    "connect": "client",
    "feed": "plugins",
}

__all__ = [
    "Allow",
    "Client",
    "Deny",
    "Server",
    "Subscription",
    "TickwireError",
    "Update",
    "__version__",
    "authenticator",
    "authorizer",
    "connect",
    "errors",
    "feed",
    "sync",
]


if not TYPE_CHECKING:  # a type checker takes it for every name, also for those misspelt

    def __getattr__(name: str) -> Any:
        if name in ("errors", "sync"):
            value = import_module(f"tickwire.{name}")
        elif name == "__version__":
            value = import_module("tickwire._core").version
        elif name in _HOME:
            value = getattr(import_module(f"tickwire.{_HOME[name]}"), name)
        else:
            raise AttributeError(f"module 'tickwire' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
