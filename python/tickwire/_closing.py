"""The end of a WebSocket in bounded time."""

import asyncio

from websockets.asyncio.connection import Connection


async def close_within(connection: Connection, seconds: float, code: int = 1000) -> None:
    """Closes the connection, or breaks it off after so many seconds.

    `close` of websockets alone is not bounded where the peer reads nothing: there its close frame
    waits behind what the socket does not take, and the time for the peer's answer has not begun.
    """
    try:
        async with asyncio.timeout(seconds):
            await connection.close(code)
    except TimeoutError:
        connection.transport.abort()
        await asyncio.shield(connection.connection_lost_waiter)
