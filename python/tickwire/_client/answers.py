"""Who waits for which answers of the server. Each wait ends: answered, failed, or out of time.

While somebody waits, the connection must be read from though a reader is full (`Gate`). Who waits
is served when the answer is handed over, before its task runs.
"""

import asyncio
from collections.abc import Callable, Iterable

from tickwire._client.events import Answer, Command
from tickwire._client.protocol import Protocol
from tickwire._client.reader import Gate
from tickwire.errors import ConnectionLostError, TickwireError


class Answers:
    def __init__(self, protocol: Protocol, gate: Gate, timeout_s: float) -> None:
        self._protocol = protocol
        self._gate = gate
        self._timeout_s = timeout_s
        self._asking: dict[int, asyncio.Future[Answer]] = {}
        self._settling: dict[asyncio.Future[None], set[str]] = {}
        """Futures, and the topics and patterns that each waits for."""
        self._next = asyncio.Event()

    async def to(self, command: Command, send: Callable[[], None]) -> Answer:
        """Sends the command and returns its answer. Raises the error that refuses all of it."""
        answer = asyncio.get_running_loop().create_future()
        self._asking[command.id] = answer
        try:
            self._gate.waits(answer)
            async with asyncio.timeout(self._timeout_s):
                send()
                found: Answer = await answer
        except TimeoutError as e:
            raise self._late(command.kind) from e
        finally:
            self._gate.served(answer)
            del self._asking[command.id]
        if found.error is not None:
            raise found.error
        return found

    async def next(self, kind: str) -> None:
        """Waits for the next answer about topics."""
        self._next = answered = asyncio.Event()
        self._gate.waits(answered)
        try:
            async with asyncio.timeout(self._timeout_s):
                await answered.wait()
        except TimeoutError as e:
            raise self._late(kind) from e
        finally:
            self._gate.served(answered)

    async def settled(self, kind: str, names: Iterable[str]) -> bool:
        """Waits until the server has answered for all names, or the connection is lost.

        Returns whether it has. Raises an error only if none of them was answered in time.
        """
        left = {name for name in names if not self._protocol.settled(name)}
        if not left:
            return True
        before = len(left)
        future = asyncio.get_running_loop().create_future()
        self._settling[future] = left
        self._gate.waits(future)
        try:
            async with asyncio.timeout(self._timeout_s):
                await future
        except TimeoutError as e:
            if len(left) == before:
                raise self._late(kind) from e
        finally:
            self._gate.served(future)
            del self._settling[future]
        return not left

    def hand_over(self, answer: Answer) -> None:
        waiting = self._asking.get(answer.command.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
            self._gate.served(waiting)
        if not answer.command.topics:
            return
        self._next.set()
        self._gate.served(self._next)
        settled = {name for name in answer.command.topics if self._protocol.settled(name)}
        for future, names in self._settling.items():
            names -= settled
            if not names and not future.done():
                future.set_result(None)
                self._gate.served(future)

    def fail(self, error: TickwireError) -> None:
        """Ends all waiting, because the connection is lost. Whoever waited for topics waits again
        on the next connection."""
        for answer in self._asking.values():
            if not answer.done():
                answer.set_exception(error)
        for future in self._settling:
            if not future.done():
                future.set_result(None)

    def _late(self, kind: str) -> ConnectionLostError:
        return ConnectionLostError(f"{kind}: no answer within {self._timeout_s:g} s")
