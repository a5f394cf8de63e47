"""A server of HTTP whose answers are scripts, for clients that ask over SSE and the long poll."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Asked:
    """One request, and the way to answer it."""

    def __init__(self, head: str, writer: asyncio.StreamWriter, over: asyncio.Event) -> None:
        self._over = over
        first, *lines = head.split("\r\n")
        self.method, target, _ = first.split(" ")
        parts = urlsplit(target)
        self.path = parts.path
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        self.names = [unquote(name) for name in self.query.get("topics", "").split(",")]
        self.cursor = self.headers.get("last-event-id") or self.query.get("cursor", "")
        self._writer = writer

    def answer(self, body: Any, status: int = 200) -> None:
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n"
        self._writer.write(head.encode() + text)

    def begin(self, *fields: str) -> None:
        """Begins an answer that ends with the connection."""
        self._writer.write("\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode())

    def block(self, text: str) -> None:
        self._writer.write(text.encode() + b"\n\n")

    def event(self, **message: Any) -> None:
        self.block("data: " + json.dumps(message, separators=(",", ":")))

    async def hold(self) -> None:
        """Keeps the answer back, or open."""
        await self._over.wait()

    def cut(self) -> None:
        self._writer.transport.abort()


Answering = Callable[[Asked], Awaitable[None]]


class Liar:
    """Answers each request by the handler of its path; then the connection ends."""

    def __init__(self, **handlers: Answering) -> None:
        self.handlers = {
            "/" + name.replace("_", "/"): handler for name, handler in handlers.items()
        }
        self.url = ""
        self._over = asyncio.Event()
        self.faults: list[Exception] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> "Liar":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"
        return self

    async def __aexit__(self, *_: object) -> None:
        for _ in range(10):  # asyncio loses who is accepted while the server closes
            await asyncio.sleep(0)
        self._server.close()
        await self._server.wait_closed()
        self._over.set()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        assert not self.faults

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        except Exception as e:
            self.faults.append(e)
            raise
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked = Asked(head.decode().removesuffix("\r\n\r\n"), writer, self._over)
        handler = self.handlers.get(asked.path)
        if handler is None:
            asked.answer({"error": {"code": "unknown_command", "message": asked.path}}, 404)
        else:
            await handler(asked)
