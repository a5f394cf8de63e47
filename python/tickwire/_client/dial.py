"""Opening a WebSocket, and what its failures and its end mean to a client of tickwire."""

from ssl import SSLContext
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
)
from websockets.typing import Subprotocol

from tickwire._reason import reason
from tickwire.codes import NO_CLOSE_FRAME, NOT_ALLOWED, REVOKED, should_reconnect
from tickwire.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    DeniedError,
    LimitError,
    ProtocolError,
    TickwireError,
)
from tickwire.url import is_loopback, shown

SUBPROTOCOL: Final = Subprotocol("tickwire.v1.json")
MESSAGE_BYTES_MAX: Final = 16 * 1_048_576
"""The longest message that is accepted. The server's longest ack (10,000 topics, each with an
error) is far shorter."""
CLOSE_S_MAX: Final = 1.0
HANDSHAKE_FAILURES: Final = (InvalidHandshake, ConnectionResetError, TimeoutError)
"""What the server, or a proxy before it, answers to who asks for a WebSocket and gets none."""


async def dial(
    url: str, timeout_s: float, ssl: SSLContext | None = None, **options: Any
) -> ClientConnection:
    """Connects. Raises `ConnectionFailedError`, or `DeniedError` if the server refuses this client.
    options: further arguments for `connect` of websockets."""
    place = shown(url)
    if ssl is not None:
        options["ssl"] = ssl
    try:
        return await connect_websocket(
            url,
            subprotocols=[SUBPROTOCOL],
            proxy=None if is_loopback(url) else True,
            max_size=MESSAGE_BYTES_MAX,
            open_timeout=timeout_s,
            close_timeout=CLOSE_S_MAX,
            ping_interval=None,  # heartbeats show that it lives; a pong would wait behind messages
            **options,
        )
    except InvalidStatus as e:
        status = e.response.status_code
        if status in (401, 403):
            raise DeniedError(f"{place}: the server answered {status}") from e
        raise ConnectionFailedError(
            f"{place}: the server answered {status}, not a WebSocket"
        ) from e
    except TimeoutError as e:
        raise ConnectionFailedError(f"{place}: no answer within {timeout_s:g} s") from e
    except (InvalidProxy, InvalidURI) as e:
        raise ConnectionFailedError(f"{place}: {e.msg}") from e
    except (OSError, InvalidHandshake) as e:
        raise ConnectionFailedError(f"{place}: {reason(e)}") from e


def close_error(closed: ConnectionClosed) -> TickwireError:
    """Returns why the connection ended; its `retryable` says whether to connect again."""
    if closed.rcvd is None:
        return ConnectionLostError(f"the connection ended ({NO_CLOSE_FRAME}): {closed}")
    return ended_error(closed.rcvd.code, closed.rcvd.reason)


def ended_error(code: int, reason: str) -> TickwireError:
    message = f"the server closed the connection ({code}): {reason or 'no reason given'}"
    if should_reconnect(code):
        return ConnectionLostError(message)
    kinds = {NOT_ALLOWED: DeniedError, REVOKED: DeniedError, 1009: LimitError}
    return kinds.get(code, ProtocolError)(message, retryable=False)
