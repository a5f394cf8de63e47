"""One connection that comes back by itself: connect, welcome, log in, subscribe again, read, wait.

States::

    away ──connected, welcome, auth, subscribed──> live ──lost──> away (a pause, then again)
    any ──an error that connecting again cannot help, or close()──> over

One task (`_run`) makes every step. `take` gets each event in order, `lost` is told of each end,
with the error when it is for good.

Whoever changes what is wanted calls `reconcile`, which hands what there is to send to the
connection's own task at once, and may then wait for the answers with `settle`: cancelled there, it
takes nothing back. What the server cannot judge or give now (a retryable refusal) is asked for
again after a pause with jitter, and not before the server's `retry_after_ms`: a token by
`_authenticate`, topics by `_ask_held_again`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from websockets.exceptions import ConnectionClosed

from tickwire._backoff import Backoff
from tickwire._client.answers import Answers
from tickwire._client.connection import StreamConnection
from tickwire._client.dial import MESSAGE_BYTES_MAX, close_error
from tickwire._client.events import Answer, Command, Drain, Event, Live, Welcome
from tickwire._client.protocol import Protocol
from tickwire._client.reader import Gate
from tickwire._client.retry_timer import RetryTimer
from tickwire._client.roads import LinkOptions, Road, Roads
from tickwire._client.together import first_failure
from tickwire._client.token_source import TokenSource
from tickwire._core import UpdateRing
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
SUBSCRIBES_UNDER_WAY_MAX: Final = 8
"""The server keeps 16 commands that wait for an authorizer, a publish's included."""

log = logging.getLogger("tickwire.client")


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
        self.tokens = TokenSource(options.token)
        self.roads = Roads(options, protocol.topics)
        self._options = options
        self._protocol = protocol
        self._gate = gate
        self._take = take
        self._lost = lost
        self._unsent: asyncio.Queue[str] | None = None
        """While there is a connection."""
        self._answers = Answers(protocol, gate, options.timeout_s)
        self._decided = asyncio.Event()
        """Live, or over."""
        self._failure: TickwireError | None = None
        self._live_since: float | None = None
        self._drain_ms: int | None = None
        self._greeted: asyncio.Future[None] | None = None
        """Done once this connection's welcome came."""
        self._ws: Road | None = None
        self._setting_up = False
        """Connected and logged in, and about to be live."""
        self._judged = False
        """The server accepted the token, or needs none."""
        self._retry = RetryTimer(options.backoff_s, self._release)
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
        self._decided.set()
        self._answers.fail(self._failure)

    def cut(self) -> None:
        """Breaks the connection as a network may, for tests."""
        if self._ws is not None:
            self._ws.cut()

    async def until_live(self) -> None:
        self._check_entered()
        await self._decided.wait()
        if self._failure is not None:
            raise self._failure

    def reconcile(self) -> None:
        """Sends what there is to send, if there is a connection that is ready for it."""
        if self._unsent is None or not (self.live or self._setting_up):
            return
        # One after the other at first: what goes on must be answered before what it may overlap.
        limit = SUBSCRIBES_UNDER_WAY_MAX if self.live else 1
        room = max(limit - self._protocol.subscribing, 0)
        self.post(self._protocol.reconcile(room))

    async def settle(self, kind: str, names: Iterable[str]) -> None:
        """Returns once the server answered for all of them, on this connection or a later one."""
        names = set(names)
        while True:
            await self.until_live()
            if await self._answers.settled(kind, names):
                return

    def judged(self) -> None:
        """The token was accepted, so what nobody could judge is asked for again."""
        self._judged = True
        self._retry.hasten()

    async def ask(self, command: Command) -> Answer:
        """Sends it and waits for its answer; the error that refuses all of it is raised."""
        if self._failure is not None:
            raise self._failure
        self._check_entered()
        if not self.live:
            raise NotConnectedError(f"{command.kind}: not connected to {shown(self._options.url)}")
        return await self._ask(command)

    async def _ask(self, command: Command) -> Answer:
        return await self._answers.to(command, lambda: self.post([command]))

    def post(self, commands: Iterable[Command]) -> None:
        """Sends them, in order with all others. Without a connection there is nothing to tell."""
        if self._unsent is not None:
            for command in commands:
                self._unsent.put_nowait(command.text)

    def _check_entered(self) -> None:
        if self._task is None and self._failure is None:
            url = shown(self._options.url)
            raise NotConnectedError(
                f"not connected to {url}: use it in `async with tickwire.connect(...) as c:`",
                retryable=False,
            )

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
        self._answers.fail(ConnectionLostError(f"no answer: {error}"))

    async def _connection(self) -> None:
        """One connection from its first to its last byte. Ends by raising why it ended."""
        self._drain_ms = None
        await self.tokens.fetch()
        self._ws = ws = await self.roads.open()
        code = NORMAL_CLOSE
        try:
            await self._greet(ws)
            unsent = self._unsent = asyncio.Queue()
            steps = (self._read(ws), self._write(ws, unsent), self._watch(ws), self._set_up())
            await first_failure(*steps)
        except ConnectionClosed as e:
            raise close_error(e) from e
        except ProtocolError as e:
            code = PROTOCOL_ERROR
            e.retryable = True  # this is about the server's message, not about ours
            raise
        finally:
            self._unsent = self._ws = None
            self._setting_up = False
            self._retry.stop()
            self._decided.clear()
            self._gate.on_change = lambda: None
            self._protocol.topics.disarm_all()
            await ws.end(code)

    async def _greet(self, ws: Road) -> None:
        self._greeted = asyncio.get_running_loop().create_future()
        options = self._options
        # A full reader may itself wait for this connection, or be read from much later.
        self._gate.waits(self._greeted)
        self._gate.on_change = ws.gate_changed
        if isinstance(ws, StreamConnection):
            states = self._protocol.topics.states
            ws.read(self, states, MESSAGE_BYTES_MAX, options.decode, options.coalesce_s)
        else:
            ws.read(self)
        try:
            async with asyncio.timeout(options.timeout_s):
                await _first(self._greeted, ws.failure, ws.lost)
        except TimeoutError as e:
            within = f"within {options.timeout_s:g} s"
            raise ConnectionFailedError(f"{shown(options.url)}: no welcome {within}") from e
        finally:
            self._gate.served(self._greeted)
        if self._greeted.done():
            return
        if ws.failure.done():
            ws.failure.result()
        closed = ws.ending()
        error = close_error(closed) if isinstance(closed, ConnectionClosed) else closed
        if isinstance(error, TickwireError) and error.retryable:
            raise ConnectionFailedError(f"{shown(options.url)}: {error}") from closed
        raise error from closed

    async def _set_up(self) -> None:
        self._judged = self.tokens.current is None
        told_ms = await self._authenticate()
        self._setting_up = True
        while not self._protocol.reconciled:
            self.reconcile()
            await self._answers.next("subscribe")
        self._setting_up = False
        self._live_since = asyncio.get_running_loop().time()
        self._decided.set()
        self._take(Live())
        self.reconcile()
        backoff = Backoff(self._options.backoff_s)
        while not self._judged:
            await asyncio.sleep(backoff.next_s(0, told_ms))
            told_ms = await self._authenticate()

    async def _authenticate(self) -> int:
        """Only a denial ends the client: what nobody could judge is tried again by `_set_up`, after
        the milliseconds that are returned, and more."""
        token = self.tokens.current
        if self._judged or token is None:
            return 0
        try:
            answer = await self._ask(self._protocol.auth(token))
        except NotConnectedError:
            raise
        except TickwireError as e:
            if not e.retryable:
                raise
            log.warning("the token could not be judged: %s; trying again", e)
            return e.retry_after_ms
        self.judged()
        if not answer.judged:
            log.warning("the server has no authenticator: its authorizers see the token as it is")
        return 0

    # --- what the server could not give -----------------------------------------------------------

    def _ask_held_again(self, told_ms: int) -> None:
        """Sets the timer for what is held, if there is any."""
        if self._protocol.wants.holding:
            self._retry.start(told_ms)
        elif self._protocol.reconciled:
            self._retry.begin_anew()

    def _release(self) -> None:
        self._protocol.wants.release()
        self.reconcile()

    # --- what the connection reads (`connection.Taker`) -------------------------------------------

    @property
    def reads_on(self) -> bool:
        return self._gate.open

    @property
    def crowded(self) -> bool:
        return self._gate.crowded

    def took(self, rings: list[UpdateRing]) -> None:
        self._gate.took(rings)

    def message(self, text: str) -> None:
        event = self._protocol.receive(text)
        if self._greeted is not None and not self._greeted.done():
            if not isinstance(event, Welcome):
                raise ProtocolError("the server did not begin with a welcome")
            self.welcome = event
            self._greeted.set_result(None)
            self._gate.served(self._greeted)
        elif isinstance(event, Drain):
            self._drain_ms = event.reconnect_after_ms
        elif event is not None:
            self._take(event)
        if isinstance(event, Answer):
            self._answers.hand_over(event)
            if event.command.topics:
                self._ask_held_again(event.retry_after_ms)
        if isinstance(event, Answer) or self._protocol.wants.changed:
            self.reconcile()

    async def _read(self, ws: Road) -> None:
        """Raises what ends the connection, once all that came before has been read."""
        await _first(ws.failure, ws.lost)
        while ws.stopped:
            await self._gate.passed()
            ws.gate_changed()
            await asyncio.sleep(0)
        if ws.failure.done():
            ws.failure.result()
        raise ws.ending()

    @staticmethod
    async def _write(ws: Road, unsent: asyncio.Queue[str]) -> None:
        """Apart from the reader, which must go on while the server does not take what we send."""
        while True:
            await ws.send(await unsent.get())

    async def _watch(self, ws: Road) -> None:
        """Looks several times: a loop of ours that stood still is not a silent server."""
        limit_s = self.welcome.heartbeat_s * HEARTBEATS_MISSED_MAX
        silent, heard = 0, ws.messages
        while silent < LOOKS_PER_LIMIT:
            await asyncio.sleep(limit_s / LOOKS_PER_LIMIT)
            silent = 0 if ws.messages > heard or not self._gate.open else silent + 1
            heard = ws.messages
        raise ConnectionLostError(f"the server said nothing for {limit_s:g} s")


async def _first(*futures: asyncio.Future[None]) -> None:
    """Waits until one of them is done; raises nothing of them, and cancels none."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
