"""A session over HTTP that takes the commands of a WebSocket, and gives the messages of one.

What it follows is one request after the other: a stream of events (`sse`) or a poll, which ends
when something else is followed, and the next one goes on from there (`Following`). Every other
command is a request of its own. An answer that does not come ends the session, as a connection that
is lost; `Link` begins the next.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine
from typing import Any, Final

from tickwire._client.connection import Taker
from tickwire._client.dial import ended_error
from tickwire._client.following import Following
from tickwire._client.http import Http, Reply
from tickwire._client.server_events import ServerEvents
from tickwire._client.topics import TopicTable
from tickwire._client.transport import Transport
from tickwire._http import query_text
from tickwire.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    ProtocolError,
    ServerError,
    TickwireError,
    error_for,
)
from tickwire.update import raw_member, value_at

HEARTBEAT_S: Final = 15.0
"""Until the server has said its own; and so often a session that follows nothing asks for its
health."""
HEARTBEATS_MISSED_MAX: Final = 2
POLL_WAIT_S: Final = 25
WELCOME: Final = '{"type":"welcome"'

log = logging.getLogger("tickwire.client")


class HttpRoad:
    def __init__(
        self, http: Http, transport: Transport, topics: TopicTable, *, may_poll: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        self.transport = transport
        self.failure: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        """Never done: whatever ends it is a `failure`."""
        self._http = http
        self._topics = topics
        self._may_poll = may_poll
        """Whether to poll where no stream of events has brought anything."""
        self._stream_due: float | None = None
        """When a stream must have brought something, as the loop's time."""
        self._following = Following(topics)
        self._changed = asyncio.Event()
        self._gate = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._welcome = ""
        self._taker: Taker | None = None
        self._silence_s = HEARTBEAT_S * HEARTBEATS_MISSED_MAX
        self._looks = 0

    async def open(self) -> None:
        """Raises `ConnectionFailedError` where there is no tickwire that serves."""
        told = await self._health()
        welcome = {"type": "welcome", "session": "", "epoch": told["epoch"]}
        more = {"heartbeat_s": HEARTBEAT_S, "server": told["server"], "ts": 0}
        self._welcome = json.dumps(welcome | more)

    # --- as a WebSocket (`connection.StreamConnection`) -------------------------------------------

    def read(self, taker: Taker) -> None:
        self._taker = taker
        self._spawn(self._run())
        taker.message(self._welcome)

    async def send(self, text: str) -> None:
        command = json.loads(text)
        match command["type"]:
            case "subscribe":
                self._following.subscribe(command)
                self._changed.set()
            case "unsubscribe":
                self._message(self._following.unsubscribe(command))
                self._changed.set()
            case kind:
                self._spawn(self._answer(kind, command, text))

    def gate_changed(self) -> None:
        self._gate.set()

    @property
    def stopped(self) -> bool:
        """What had come was handed out before the `failure`."""
        return False

    @property
    def messages(self) -> int:
        """Changes with each look: its requests have limits of their own."""
        self._looks += 1
        return self._looks

    def cut(self) -> None:
        self._fail(ConnectionLostError("the connection was cut"))

    def ending(self) -> Exception:
        return ConnectionLostError("the connection ended")

    async def end(self, _code: int) -> None:
        self._taker = None
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.failure.cancel()
        if self.failure.done() and not self.failure.cancelled():
            self.failure.exception()  # seen

    # --- what is followed -------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            step = self._follow() if self._following.names else self._idle()
            following = asyncio.create_task(step)
            changed = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({following, changed}, return_when=asyncio.FIRST_COMPLETED)
                over = following.done()
            finally:
                changed.cancel()
                following.cancel()
                await asyncio.wait({following, changed})
            if over:
                following.result()

    async def _idle(self) -> None:
        """Nothing is followed, and so nothing comes."""
        await asyncio.sleep(HEARTBEAT_S)
        self._check_epoch((await self._health())["epoch"])

    async def _follow(self) -> None:
        await (self._stream() if self.transport is Transport.SSE else self._poll())

    async def _stream(self) -> None:
        # Half the time, so that a poll can answer in the rest what a command waits for; and counted
        # from the first stream, which may be over by then since something else is followed.
        limit_s = self._http.timeout_s / 2 if self._may_poll else self._http.timeout_s
        self._stream_due = self._stream_due or self._in(limit_s)
        try:
            async with asyncio.timeout_at(self._stream_due) as due:
                await self._events(due)
        except TimeoutError as e:
            if not self._may_poll:
                raise ConnectionLostError("the stream of events fell silent") from e
            log.warning("the stream of events brings nothing for %g s; polling instead", limit_s)
            self.transport = Transport.POLL

    async def _events(self, due: asyncio.Timeout) -> None:
        request = self._following.request()
        headers = {"Last-Event-ID": request.cursor} if request.cursor else {}
        events = ServerEvents()
        async with self._http.request("/sse" + query_text(request.query), headers) as response:
            if response.status != 200:
                await self._refused(response)
                return
            async for some in response.chunks():
                due.reschedule(None)  # until somebody reads, nobody waits for the server
                for text in events.feed(some):
                    await self._passed()
                    self._take(text)
                    self._may_poll = False
                    self._stream_due = None
                due.reschedule(self._stream_due or self._in(self._silence_s))
                await asyncio.sleep(0)
        raise ConnectionLostError("the stream of events ended")

    async def _poll(self) -> None:
        wait_s = 0 if self._following.asking else POLL_WAIT_S  # an answer to a command is news
        request = self._following.request()
        query = {**request.query, "cursor": request.cursor, "wait": str(wait_s)}
        async with self._http.request("/poll" + query_text(query), wait_s=wait_s) as response:
            if response.status != 200:
                await self._refused(response)
                return
            text = await self._text(response)
        told = _object(text, response)
        if told.get("cursor"):  # first: what is of another epoch goes on with nothing
            self._check_epoch(told["cursor"].partition(",")[0].removesuffix("!"))
        self._answered(told["results"])
        messages = raw_member(text, "messages")
        at = messages.index("[") + 1
        while (found := value_at(messages, at)) is not None:
            _, start, at = found
            await self._passed()
            self._hand_on(messages[start:at])

    async def _passed(self) -> None:
        """Waits until there is room for a message."""
        while self._taker is not None and not self._taker.reads_on:
            self._gate.clear()
            await self._gate.wait()

    async def _refused(self, response: Reply) -> None:
        error = await self._error(response)
        # The request as a whole is what cannot be answered: too many names, a wrong field.
        if response.status in (400, 413, 414, 431) and (texts := self._following.refuse(error)):
            for text in texts:
                self._message(text)
            return
        raise _raised(error, response)

    # --- messages ---------------------------------------------------------------------------------

    def _take(self, text: str) -> None:
        """Takes a message of a stream of events."""
        if text.startswith('{"type":"update"'):
            self._hand_on(text)
            return
        told = json.loads(text)
        match told["type"]:
            case "welcome":
                self._silence_s = told["heartbeat_s"] * HEARTBEATS_MISSED_MAX
                self._check_epoch(told["epoch"])
            case "ack":
                if "results" in told:
                    self._answered(told["results"])
            case "close":
                raise _ended(told["code"], told["reason"])
            case "error" if "topic" not in told and told.get("field") != "token":
                for answer in self._following.refuse(_without(told, "type", "id")):
                    self._message(answer)
            case _:
                self._hand_on(text)

    def _answered(self, results: list[dict[str, Any]]) -> None:
        for name in self._following.lost(results):
            raise ConnectionLostError(f"{name}: it can no longer be followed")
        for text in self._following.answers(results):
            self._message(text)

    def _hand_on(self, text: str) -> None:
        for message in self._following.messages(text):
            self._message(message)

    def _message(self, text: str) -> None:
        if self._taker is not None:
            self._taker.message(text)

    def _check_epoch(self, epoch: str) -> None:
        if epoch != self._topics.epoch:
            raise ConnectionLostError("the server began a new epoch")

    # --- other commands ---------------------------------------------------------------------------

    async def _answer(self, kind: str, command: dict[str, Any], text: str) -> None:
        head = f'{{"type":"ack","id":{command["id"]},'
        match kind:
            case "publish":
                names = [name for name in ("topic", "data", "once") if name in command]
                body = ",".join(f'"{name}":{raw_member(text, name)}' for name in names)
                answer = await self._ask(command, "/v1/publish", body=f"{{{body}}}".encode())
                if answer:
                    self._message(f'{head}"results":[{answer}]}}')
            case "get":
                query = {"topics": ",".join(command["topics"]), "after": command["after"]}
                if answer := await self._ask(command, "/v1/snapshot", query):
                    self._message(head + answer[1:])
            case "list":
                query = {"pattern": command["pattern"], "after": command["after"]}
                if answer := await self._ask(command, "/v1/topics", query):
                    told = json.loads(answer)
                    names = [topic["topic"] for topic in told["topics"]]
                    more = json.dumps({"topics": names, "next": told.get("next")})
                    self._message(head + more[1:])
            case "auth":
                self._http.token = command["token"]
                if await self._ask(command, "/v1/topics", {"limit": "1"}):
                    self._message(head[:-1] + "}")
                    self._changed.set()
            case "ping":
                await self._health()
                self._message(f'{{"type":"pong","id":{command["id"]}}}')

    async def _ask(
        self,
        command: dict[str, Any],
        path: str,
        query: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> str:
        """The text of a good answer. A refusal answers the command, and the result is empty."""
        async with self._http.request(path + query_text(query or {}), body=body) as response:
            if response.status == 200:
                return (await self._text(response)).strip()
            error = await self._error(response)
        self._message(json.dumps({"type": "error", "id": command["id"], **error}))
        return ""

    async def _health(self) -> dict[str, Any]:
        async with self._http.request("/health") as response:
            told = _object(await self._text(response), response)
        if response.status != 200 or "epoch" not in told:
            said = told.get("status", response.status)
            raise ConnectionFailedError(f"{response.place}: the server says {said}")
        return told

    # --- answers over HTTP ------------------------------------------------------------------------

    async def _text(self, response: Reply) -> str:
        try:
            async with asyncio.timeout(self._http.timeout_s):
                return (await response.body()).decode(errors="replace")
        except TimeoutError as e:
            within = f"within {self._http.timeout_s:g} s"
            raise ConnectionLostError(f"{response.place}: no whole answer {within}") from e

    async def _error(self, response: Reply) -> dict[str, Any]:
        told = _object(await self._text(response), response).get("error")
        if not isinstance(told, dict) or "code" not in told:
            raise ConnectionFailedError(f"{response.place}: answered {response.status}")
        return {"message": "", "retryable": False, **told}

    def _in(self, seconds: float) -> float:
        return asyncio.get_running_loop().time() + seconds

    # --- tasks ------------------------------------------------------------------------------------

    def _spawn(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, (LookupError, TypeError, ValueError, AttributeError)):
            error = ProtocolError(f"a message with a wrong field: {error!r}")
        if not self.failure.done():
            self.failure.set_exception(error)


def _object(text: str, response: Reply) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        what = f"{response.place}: answered {response.status}, but not as tickwire does"
        raise ConnectionFailedError(what)
    return told


def _raised(error: dict[str, Any], response: Reply) -> TickwireError:
    raised = error_for(error["code"], error["message"], retryable=error["retryable"])
    if response.status == 503:
        return ConnectionLostError(f"{response.place}: {raised}")
    return raised


def _ended(code: int, reason: str) -> TickwireError:
    """As `ended_error`; only a fault in the server's messages is a `ProtocolError` here."""
    error = ended_error(code, reason)
    if isinstance(error, ProtocolError):
        return ServerError(error.message, retryable=False)
    return error


def _without(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}
