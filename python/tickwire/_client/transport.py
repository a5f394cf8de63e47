"""The roads to a server, by their names."""

from enum import StrEnum


class Transport(StrEnum):
    AUTO = "auto"
    """A WebSocket, or else a stream of events, or else polls."""
    WEBSOCKET = "websocket"
    SSE = "sse"
    POLL = "poll"
