"""A road to a real server that can be cut."""

import asyncio
from contextlib import suppress


class Road:
    """Between a client and a real server; it can be cut, and closed."""

    def __init__(self, url: str) -> None:
        self.host, _, port = url.removeprefix("ws://").removesuffix("/ws").rpartition(":")
        self.port = int(port)
        self.open = True
        self.url = ""
        self._ends: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        self._ends += [writer, far_writer]
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
