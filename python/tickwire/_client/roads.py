"""The roads to a server: a WebSocket, a stream of events, polls; and which of them is taken."""

import logging
from dataclasses import dataclass
from ssl import SSLContext
from typing import TYPE_CHECKING, TypeAlias

from tickwire._client.connection import StreamConnection
from tickwire._client.dial import HANDSHAKE_FAILURES, dial
from tickwire._client.token_source import Token
from tickwire._client.topics import TopicTable
from tickwire._client.transport import Transport
from tickwire.errors import ConfigError, TickwireError
from tickwire.update import Decode
from tickwire.url import shown

if TYPE_CHECKING:
    from tickwire._client.http_road import HttpRoad

Road: TypeAlias = "StreamConnection | HttpRoad"

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
    transport: str = Transport.WEBSOCKET
    """One of `Transport`."""

    def __post_init__(self) -> None:
        if self.transport not in [*Transport]:
            raise ConfigError(
                f"transport: {self.transport!r} is none of {', '.join(Transport)}",
                field="transport",
            )
        if self.ssl is not None and not self.url.startswith("wss://"):
            raise ConfigError(f"ssl: {shown(self.url)} is not wss://", field="ssl")


class Roads:
    def __init__(self, options: LinkOptions, topics: TopicTable) -> None:
        self._options = options
        self._topics = topics
        self._http_transport = (
            Transport.POLL if options.transport == Transport.POLL else Transport.SSE
        )
        self._road: Road | None = None

    @property
    def transport(self) -> str:
        """The road of the connection, or of the last one; empty before the first."""
        match self._road:
            case None:
                return ""
            case StreamConnection():
                return Transport.WEBSOCKET
            case road:
                return road.transport

    async def open(self) -> Road:
        """Connects. Raises `ConnectionFailedError`, or `DeniedError` if the server refuses."""
        options = self._options
        if options.transport in (Transport.SSE, Transport.POLL):
            self._road = await self._open_http()
            return self._road
        try:
            road = await dial(
                options.url, options.timeout_s, options.ssl, create_connection=StreamConnection
            )
        except TickwireError as e:
            if options.transport != Transport.AUTO or not isinstance(
                e.__cause__, HANDSHAKE_FAILURES
            ):
                raise
            self._road = await self._fall_back(e)
        else:
            assert isinstance(road, StreamConnection)
            self._road = road
        return self._road

    async def _fall_back(self, error: TickwireError) -> Road:
        """The server was reached, but not as a WebSocket."""
        if not isinstance(self._road, StreamConnection | None):
            self._http_transport = self._road.transport  # a stream of events may bring nothing
        try:
            road = await self._open_http()
        except TickwireError:
            raise error from None
        log.warning("%s; going on by %s", error, road.transport)
        return road

    async def _open_http(self) -> "HttpRoad":
        # aiohttp takes 160 ms to import, and most clients have a WebSocket.
        from tickwire._client.http import Http
        from tickwire._client.http_road import HttpRoad

        options = self._options
        http = Http(options.url, options.timeout_s, options.ssl)
        may_poll = options.transport == Transport.AUTO
        road = HttpRoad(http, self._http_transport, self._topics, may_poll=may_poll)
        await road.open()
        return road
