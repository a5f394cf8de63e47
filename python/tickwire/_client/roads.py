"""The roads to a server: a WebSocket, a stream of events, polls; and which of them is taken."""

import logging
from dataclasses import dataclass
from ssl import SSLContext
from typing import Final

from tickwire._client.connection import StreamConnection
from tickwire._client.dial import HANDSHAKE_FAILURES, dial
from tickwire._client.http import Http
from tickwire._client.http_road import HttpRoad
from tickwire._client.token_source import Token
from tickwire._client.topics import TopicTable
from tickwire.errors import ConfigError, TickwireError
from tickwire.update import Decode
from tickwire.url import shown

TRANSPORTS: Final = ("auto", "websocket", "sse", "poll")

Road = StreamConnection | HttpRoad

log = logging.getLogger("tickwire.client")


@dataclass(frozen=True, slots=True)
class LinkOptions:
    url: str
    token: Token | None
    reconnect: bool
    timeout_s: float
    backoff_s: float
    coalesce_s: float = 0.0
    decode: Decode | None = None
    ssl: SSLContext | None = None
    transport: str = "websocket"
    """One of `TRANSPORTS`."""

    def __post_init__(self) -> None:
        if self.transport not in TRANSPORTS:
            raise ConfigError(
                f"transport: {self.transport!r} is none of {', '.join(TRANSPORTS)}",
                field="transport",
            )
        if self.ssl is not None and not self.url.startswith("wss://"):
            raise ConfigError(f"ssl: {shown(self.url)} is not wss://", field="ssl")


class Roads:
    def __init__(self, options: LinkOptions, topics: TopicTable) -> None:
        self._options = options
        self._topics = topics
        self._http_transport = "poll" if options.transport == "poll" else "sse"
        self._road: Road | None = None

    @property
    def transport(self) -> str:
        """The road of the connection, or of the last one; empty before the first."""
        if isinstance(self._road, HttpRoad):
            return self._road.transport
        return "" if self._road is None else "websocket"

    async def open(self) -> Road:
        """Connects. Raises `ConnectionFailedError`, or `DeniedError` if the server refuses."""
        options = self._options
        if options.transport in ("sse", "poll"):
            self._road = await self._open_http()
            return self._road
        try:
            road = await dial(
                options.url, options.timeout_s, options.ssl, create_connection=StreamConnection
            )
        except TickwireError as e:
            if options.transport != "auto" or not isinstance(e.__cause__, HANDSHAKE_FAILURES):
                raise
            self._road = await self._fall_back(e)
        else:
            assert isinstance(road, StreamConnection)
            self._road = road
        return self._road

    async def _fall_back(self, error: TickwireError) -> Road:
        """The server was reached, but not as a WebSocket."""
        if isinstance(self._road, HttpRoad):
            self._http_transport = self._road.transport  # a stream of events may bring nothing
        try:
            road = await self._open_http()
        except TickwireError:
            raise error from None
        log.warning("%s; going on by %s", error, road.transport)
        return road

    async def _open_http(self) -> HttpRoad:
        options = self._options
        http = Http(options.url, options.timeout_s, options.ssl)
        may_poll = options.transport == "auto"
        road = HttpRoad(http, self._http_transport, self._topics, may_poll=may_poll)
        await road.open()
        return road
