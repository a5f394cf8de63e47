"""One connection that comes back by itself: connect, welcome, log in, subscribe again, read, wait.

States::

    away ──connected, welcome, auth, subscribed──> live ──lost──> away (a pause, then again)
    any ──an error that connecting again cannot help, or close()──> over

One task (`_run`) makes every step. `take` gets each event in order, `lost` is told of each end,
with the error when it is for good.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tickwire._backoff import Backoff
from tickwire._dial import close_error, dial
from tickwire._events import Answer, Command, Drain, Event, Live, Welcome
from tickwire._feed import Gate
from tickwire._protocol import Protocol
from tickwire.codes import NORMAL_CLOSE, PROTOCOL_ERROR
from tickwire.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    NotConnectedError,
    ProtocolError,
    TickwireError,
)
from tickwire.url import shown

HEARTBEATS_MISSED_MAX: Final = 2
LOOKS_PER_LIMIT: Final = 4

log = logging.getLogger("tickwire.client")


@dataclass(frozen=True, slots=True)
class LinkOptions:
    url: str
    token: str | None
    reconnect: bool
    timeout_s: float
    backoff_s: float


class Link:
    def __init__(
        self,
        options: LinkOptions,
        protocol: Protocol,
        gate: Gate,
        take: Callable[[Event], None],
        lost: Callable[[TickwireError | None], None],
    ) -> None:
        self.welcome = Welcome("", "", 0, "")
        self.token = options.token
        self._options = options
        self._protocol = protocol
        self._gate = gate
        self._take = take
        self._lost = lost
        self._unsent: asyncio.Queue[str] | None = None
        """While there is a connection."""
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._decided = asyncio.Event()
        """Live, or over."""
        self._failure: TickwireError | None = None
        self._live_since: float | None = None
        self._drain_ms: int | None = None
        self._heard = False
        self._task: asyncio.Task[None] | None = None

    @property
    def live(self) -> bool:
        return self._decided.is_set() and self._failure is None

    async def open(self) -> None:
        """The first connection; why it failed is raised at once."""
        self._task = asyncio.create_task(self._run())
        try:
            await self.until_live()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._failure = self._failure or NotConnectedError("the client is closed", retryable=False)
        self._protocol.connection_lost()
        self._fail_answers(self._failure)
        self._decided.set()

    async def until_live(self) -> None:
        await self._decided.wait()
        if self._failure is not None:
            raise self._failure

    async def subscribe(self) -> None:
        """Returns when what the protocol wants was answered, on this connection or a later one."""
        if self.live:
            try:
                for command in self._protocol.subscribe_commands():
                    await self.ask(command)
            except NotConnectedError:
                if self.live:  # it is there, but gave no answer
                    raise
        await self.until_live()

    async def ask(self, command: Command) -> Answer:
        """Sends it and waits for its answer; the error that refuses all of it is raised."""
        if self._failure is not None:
            raise self._failure
        if not self.live:
            raise NotConnectedError(f"{command.kind}: not connected to {shown(self._options.url)}")
        return await self._ask(command)

    async def _ask(self, command: Command) -> Answer:
        answer = asyncio.get_running_loop().create_future()
        self._answers[command.id] = answer
        try:
            self._gate.waits(answer)
            async with asyncio.timeout(self._options.timeout_s):
                self.post([command])
                found: Answer = await answer
        except TimeoutError as e:
            within = f"within {self._options.timeout_s:g} s"
            raise ConnectionLostError(f"{command.kind}: no answer {within}") from e
        finally:
            self._gate.served(answer)
            del self._answers[command.id]
        if found.error is not None:
            raise found.error
        return found

    def post(self, commands: Iterable[Command]) -> None:
        """Sends them, in order with all others. Without a connection there is nothing to tell."""
        if self._unsent is not None:
            for command in commands:
                self._unsent.put_nowait(command.text)

    # --- the connection's task --------------------------------------------------------------------

    async def _run(self) -> None:
        backoff = Backoff(self._options.backoff_s)
        loop = asyncio.get_running_loop()
        was_live = False
        while True:
            self._live_since = None
            try:
                await self._connection()
            except TickwireError as e:
                error = e
            except Exception as e:
                log.exception("a fault of the client")
                error = TickwireError(f"a fault of the client: {e!r}", retryable=False)
            since = self._live_since
            held_s = 0.0 if since is None else loop.time() - since
            was_live = was_live or since is not None
            for_good = not (was_live and self._options.reconnect and error.retryable)
            self._away(error, for_good)
            if for_good:
                return
            pause_s = backoff.next_s(held_s, self._drain_ms)
            log.warning("%s; connecting again in %.1f s", error, pause_s)
            await asyncio.sleep(pause_s)

    def _away(self, error: TickwireError, for_good: bool) -> None:
        self._protocol.connection_lost()
        if for_good:
            self._failure = error
            self._decided.set()
        self._lost(error if for_good else None)
        self._fail_answers(ConnectionLostError(f"no answer: {error}"))

    def _fail_answers(self, error: TickwireError) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)

    async def _connection(self) -> None:
        """One connection from its first to its last byte. Ends by raising why it ended."""
        self._drain_ms = None
        ws = await dial(self._options.url, self._options.timeout_s)
        code = NORMAL_CLOSE
        try:
            await self._greet(ws)
            unsent = self._unsent = asyncio.Queue()
            steps = (self._read(ws), self._write(ws, unsent), self._watch(), self._set_up())
            await _first_failure(*steps)
        except ConnectionClosed as e:
            raise close_error(e) from e
        except ProtocolError as e:
            code = PROTOCOL_ERROR
            e.retryable = True  # this is about the server's message, not about ours
            raise
        finally:
            self._unsent = None
            self._decided.clear()
            await ws.close(code)

    async def _greet(self, ws: ClientConnection) -> None:
        try:
            async with asyncio.timeout(self._options.timeout_s):
                event = self._receive(await ws.recv())
        except TimeoutError as e:
            within = f"within {self._options.timeout_s:g} s"
            raise ConnectionFailedError(f"{shown(self._options.url)}: no welcome {within}") from e
        except ConnectionClosed as e:
            error = close_error(e)
            if error.retryable:
                raise ConnectionFailedError(f"{shown(self._options.url)}: {error}") from e
            raise error from e
        if not isinstance(event, Welcome):
            raise ProtocolError("the server did not begin with a welcome")
        self.welcome = event

    async def _set_up(self) -> None:
        if self.token is not None:
            await self._ask(self._protocol.auth(self.token))
        # One after the other: the server keeps few commands that wait for an authorizer.
        while self._protocol.waiting:
            for command in self._protocol.subscribe_commands():
                await self._ask_again(command)
        self._live_since = asyncio.get_running_loop().time()
        self._decided.set()
        self._take(Live())

    async def _ask_again(self, command: Command) -> None:
        """What the server refuses as a whole ends those who want it, not the connection of all."""
        try:
            await self._ask(command)
        except TickwireError as e:
            if e.retryable:
                raise
            self._take(self._protocol.refuse(command, e))

    async def _read(self, ws: ClientConnection) -> None:
        while True:
            event = self._receive(await ws.recv())
            self._heard = True
            if isinstance(event, Drain):
                self._drain_ms = event.reconnect_after_ms
            elif event is not None:
                self._take(event)
            if isinstance(event, Answer):
                self._hand_over(event)
            self.post(self._protocol.take_outbox())
            if not self._gate.open:
                await self._gate.passed()

    @staticmethod
    async def _write(ws: ClientConnection, unsent: asyncio.Queue[str]) -> None:
        """Apart from the reader, which must go on while the server does not take what we send."""
        while True:
            await ws.send(await unsent.get())

    def _receive(self, message: str | bytes) -> Event | None:
        if isinstance(message, bytes):
            raise ProtocolError("a binary message of the server")
        return self._protocol.receive(message)

    def _hand_over(self, answer: Answer) -> None:
        waiting = self._answers.get(answer.command.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
            self._gate.served(waiting)

    async def _watch(self) -> None:
        """Looks several times: a loop of ours that stood still is not a silent server."""
        limit_s = self.welcome.heartbeat_s * HEARTBEATS_MISSED_MAX
        silent = 0
        while silent < LOOKS_PER_LIMIT:
            self._heard = False
            await asyncio.sleep(limit_s / LOOKS_PER_LIMIT)
            silent = 0 if self._heard or not self._gate.open else silent + 1
        raise ConnectionLostError(f"the server said nothing for {limit_s:g} s")


async def _first_failure(*steps: Coroutine[Any, Any, None]) -> None:
    """Runs them together until one raises; then ends the others and raises that."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
