"""Every exception that tickwire raises, in one tree.

.. code-block:: text

    TickwireError                   the root: catch this to catch them all
    ├── ConfigError                 a key, type or range in the configuration, or an argument
    ├── TopicError                  a topic or pattern outside its grammar or its limit
    │   ├── UnknownTopicError       nothing was ever published to it
    │   └── NotSubscribedError      nothing to unsubscribe
    ├── DataError                   not a JSON object, too deep or too long
    ├── LimitError                  a size or a count over its limit
    ├── DeniedError                 an authorizer, the authenticator or auth.publish said no
    ├── UnavailableError            nobody could say whether it is allowed; try again
    ├── NotConnectedError           the command needs a connection and there is none
    │   ├── ConnectionFailedError   it could not be made
    │   └── ConnectionLostError     it ended, or its answer did not come in time
    ├── ProtocolError               one side did not keep to docs/PROTOCOL.md
    ├── ServerError                 a fault of the server, or it is going away
    ├── PluginError                 a plugin could not be loaded
    ├── StoreError                  the server's store could not be opened
    └── ListenError                 the server's address could not be bound

Each exception has attributes for programs: ``code`` (one of the class's ``codes``), ``field`` (the
field or key with the fault, or None), ``topic`` (the topic that it is about, or None),
``retryable`` (whether the same can succeed later) and ``retry_after_ms`` (after how many
milliseconds the server takes the same; 0: it did not say). The message is one sentence for a
person: it names the field, the value and the limit.
"""

from typing import Final

from tickwire.codes import ERROR_CODES


class TickwireError(Exception):
    """The root of the tree. By default ``code`` is the first of the class's ``codes``."""

    codes: tuple[str, ...] = ("internal",)
    retry_helps = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        topic: str | None = None,
        retryable: bool | None = None,
        retry_after_ms: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.codes[0] if code is None else code
        self.field = field
        self.topic = topic
        known = ERROR_CODES.get(self.code, self.retry_helps)
        self.retryable = known if retryable is None else retryable
        self.retry_after_ms = retry_after_ms


class ConfigError(TickwireError):
    """A key, type or range in the configuration, or an argument."""

    codes = ("bad_config",)


class TopicError(TickwireError):
    """A topic or pattern outside its grammar or its limit."""

    codes = ("bad_topic",)


class UnknownTopicError(TopicError):
    """Nothing was ever published to the topic."""

    codes = ("unknown_topic",)


class NotSubscribedError(TopicError):
    """There is nothing to unsubscribe."""

    codes = ("not_subscribed",)


class DataError(TickwireError):
    """``data`` is not a JSON object, too deep or too long."""

    codes = ("bad_data",)


class LimitError(TickwireError):
    """A size or a count over its limit."""

    codes = ("too_large", "too_many")


class DeniedError(TickwireError):
    """An authorizer, the authenticator or ``auth.publish`` said no."""

    codes = ("denied",)


class UnavailableError(TickwireError):
    """Nobody could say whether it is allowed: an authorizer or the authenticator failed, was late,
    or had no room for the question. The same can succeed later."""

    codes = ("unavailable",)
    retry_helps = True


class NotConnectedError(TickwireError):
    """The command needs a connection and there is none at the moment."""

    codes = ("not_connected",)
    retry_helps = True


class ConnectionFailedError(NotConnectedError):
    """The connection could not be made."""

    codes = ("connection_failed",)


class ConnectionLostError(NotConnectedError):
    """The connection ended, or no answer came in time: whether the command was done is unknown."""

    codes = ("connection_lost",)


class ProtocolError(TickwireError):
    """One side did not keep to docs/PROTOCOL.md."""

    codes = ("bad_message", "unknown_command")


class ServerError(TickwireError):
    """A fault of the server, or it is going away."""

    codes = ("internal", "draining")


class PluginError(TickwireError):
    """A plugin could not be loaded."""

    codes = ("plugin",)


class StoreError(TickwireError):
    """The server's store could not be opened."""

    codes = (
        "store_missing",
        "store_locked",
        "store_foreign",
        "store_damaged",
        "store_newer",
        "store_io",
    )


class ListenError(TickwireError):
    """The server's address could not be bound."""

    codes = ("listen",)


def _by_code() -> dict[str, type[TickwireError]]:
    found: dict[str, type[TickwireError]] = {}
    waiting: list[type[TickwireError]] = TickwireError.__subclasses__()
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        found |= dict.fromkeys(cls.codes, cls)
    return found


CLASS_OF_CODE: Final = _by_code()
"""Code -> the class that stands for it."""


def error_for(
    code: str,
    message: str,
    *,
    field: str | None = None,
    topic: str | None = None,
    retryable: bool | None = None,
    retry_after_ms: int = 0,
) -> TickwireError:
    """The exception of a code from the wire or the core; an unknown one is a `ServerError`."""
    cls = CLASS_OF_CODE.get(code, ServerError)
    return cls(
        message,
        code=code,
        field=field,
        topic=topic,
        retryable=retryable,
        retry_after_ms=retry_after_ms,
    )
