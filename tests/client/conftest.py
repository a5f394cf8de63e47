"""Two servers that do exactly what a test says: `wire` without I/O, `server` over real sockets."""

import asyncio
import json
import math
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import settings
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from client.road import Road
from tickwire._client.ask import SNAPSHOT, Start
from tickwire._client.events import Answer, Command
from tickwire._client.protocol import Protocol

settings.register_profile("here", database=None, deadline=None)
settings.load_profile("here")


class Wire:
    """A protocol and the messages a server would send it."""

    def __init__(self) -> None:
        self.protocol = Protocol()

    def subscribe(
        self,
        *topics: str,
        snapshot: bool = True,
        max_rate: float = math.inf,
        refused: str | None = None,
        seq: int = 1,
        start: Start = SNAPSHOT,
    ) -> Command:
        for topic in topics:
            self.protocol.want(topic, snapshot, max_rate, True, start)
        (command,) = self.protocol.reconcile()
        self.ack(command, refused, seq)
        return command

    def welcome(self, epoch: str = "e1") -> None:
        told = {"session": "s1", "heartbeat_s": 15, "server": "wire/1", "ts": 1}
        self.send(type="welcome", epoch=epoch, **told)

    def reconnect(self, epoch: str = "e1") -> list[dict[str, Any]]:
        """The commands that it goes on with, as far as they come before their acks."""
        self.protocol.connection_lost()
        self.welcome(epoch)
        return [json.loads(command.text) for command in self.protocol.reconcile()]

    def resumed(self, command: dict[str, Any], *results: tuple[bool, int | None]) -> Answer:
        """How the topics of a command go on: recovered, missed."""
        told = [
            {"topic": topic, "seq": 9, "recovered": recovered}
            | ({} if n is None else {"missed": n})
            for topic, (recovered, n) in zip(command["topics"], results, strict=True)
        ]
        answer = self.send(type="ack", id=command["id"], results=told)
        assert isinstance(answer, Answer)
        return answer

    def ack(self, command: Command, refused: str | None = None, seq: int = 1) -> Answer:
        results: list[dict[str, Any]] = []
        for topic in command.topics:
            if topic == refused:
                error = {"code": "denied", "message": "no", "retryable": False}
                results.append({"topic": topic, "error": error})
            else:
                results.append({"topic": topic, "seq": seq})
        answer = self.send(type="ack", id=command.id, results=results)
        assert isinstance(answer, Answer)
        return answer

    def send(self, **message: Any) -> object:
        return self.protocol.receive(json.dumps(message))

    def snapshot(
        self, topic: str, seq: int, data: dict[str, Any] | None = None, status: str = "live"
    ) -> object:
        data = {"last": seq} if data is None else data
        return self.send(type="snapshot", topic=topic, seq=seq, ts=1, status=status, data=data)

    def update(self, topic: str, seq: int, data: dict[str, Any] | None = None) -> object:
        return self.send(type="update", topic=topic, seq=seq, ts=1, data=data or {"last": seq})

    def status(self, topic: str, seq: int, status: str) -> object:
        return self.send(type="status", topic=topic, seq=seq, ts=1, status=status)

    def gap(self, topic: str, first: int, last: int) -> object:
        return self.send(**{"type": "gap", "topic": topic, "from": first, "to": last})

    def asked(self) -> list[tuple[str, list[str]]]:
        """What the protocol sent by itself since the last call."""
        return [(command.kind, [*command.topics]) for command in self.protocol.reconcile()]

    @property
    def images(self) -> dict[str, dict[str, Any]]:
        return self.protocol.topics.images

    @property
    def statuses(self) -> dict[str, str]:
        return self.protocol.topics.statuses


@pytest.fixture
def wire() -> Wire:
    return Wire()


Play = Callable[["Peer"], Awaitable[None]]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


class Peer:
    """One connection, seen from the server."""

    def __init__(self, ws: ServerConnection) -> None:
        self.ws = ws

    async def send(self, **message: Any) -> None:
        await self.ws.send(json.dumps(message, separators=(",", ":")))

    async def welcome(self, heartbeat_s: float = 15, **more: Any) -> None:
        told = {"session": "s1", "epoch": "e1", "server": "scripted/1", "ts": 1} | more
        await self.send(type="welcome", heartbeat_s=heartbeat_s, **told)

    async def expect(self, kind: str) -> dict[str, Any]:
        command: dict[str, Any] = json.loads(await self.ws.recv())
        assert command["type"] == kind, command
        return command

    async def ack(self, command: dict[str, Any], seq: int = 1, **refused: str) -> None:
        """Accepts the command's topics, but for those named with the code that refuses them."""
        results: list[dict[str, Any]] = []
        for topic in command.get("topics", ()):
            if code := refused.get(topic):
                error = {"code": code, "message": f"{topic}: {code}", "retryable": False}
                results.append({"topic": topic, "error": error})
            else:
                results.append({"topic": topic, "seq": seq})
        await self.send(type="ack", id=command["id"], results=results)

    async def accept(self, seq: int = 1) -> list[str]:
        """The next command must be a subscribe; what it asks for."""
        command = await self.expect("subscribe")
        await self.ack(command, seq)
        topics: list[str] = command["topics"]
        return topics

    async def snapshot(self, topic: str, seq: int, status: str = "live", **data: Any) -> None:
        await self.send(
            type="snapshot", topic=topic, seq=seq, ts=1_000 + seq, status=status, data=data
        )

    async def update(self, topic: str, seq: int, **data: Any) -> None:
        await self.send(type="update", topic=topic, seq=seq, ts=1_000 + seq, data=data)

    async def idle(self) -> None:
        """Answers nothing until the client goes."""
        await self.ws.wait_closed()


class Scripted:
    """Plays one script a connection, the last one for all that come after it."""

    def __init__(self) -> None:
        self.url = ""
        self.pages: dict[str, tuple[int, str]] = {}
        """Answers over HTTP: path with query -> status and body."""
        self.asked: list[Request] = []
        """What was asked over HTTP."""
        self.connections = 0
        self.faults: list[BaseException] = []
        self._scripts: list[Play] = []

    def play(self, *scripts: Play) -> None:
        self._scripts = list(scripts)

    def page(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0] == "/ws":
            return None
        self.asked.append(request)
        status, body = self.pages[request.path]
        return connection.respond(HTTPStatus(status), body)

    async def handle(self, ws: ServerConnection) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(ws))
        except ConnectionClosed:
            pass
        except Exception as e:
            self.faults.append(e)
            raise


def port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    scripted = Scripted()
    options: Any = {"compression": None, "close_timeout": 1, "process_request": scripted.page}
    async with serve(scripted.handle, "127.0.0.1", 0, **options) as listening:
        scripted.url = f"ws://127.0.0.1:{port_of(listening)}/ws"
        yield scripted
    assert not scripted.faults


@pytest.fixture
def eventually() -> Eventually:
    """Waits until a condition holds, at most 30 seconds."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(90):
            while not condition():  # noqa: ASYNC110 - a condition of another process, too
                await asyncio.sleep(0.005)

    return wait


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


class Commands:
    """Runs the command `tickwire` as a process of its own."""

    def __init__(self) -> None:
        self.started: list[asyncio.subprocess.Process] = []

    async def start(self, *args: str, **env: str) -> asyncio.subprocess.Process:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TICKWIRE_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tickwire", *args),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**clean, "COLUMNS": "200", "NO_COLOR": "1", **env},
        )
        self.started.append(process)
        return process

    async def end(self, process: asyncio.subprocess.Process) -> Ended:
        async with asyncio.timeout(90):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def __call__(self, *args: str, **env: str) -> Ended:
        return await self.end(await self.start(*args, **env))


@pytest.fixture
async def tickwire_command() -> AsyncIterator[Commands]:
    commands = Commands()
    yield commands
    for process in commands.started:
        if process.returncode is None:
            process.kill()
            await process.wait()


ServedAt = Callable[[asyncio.subprocess.Process], Awaitable[str]]


@pytest.fixture
def served_at() -> ServedAt:
    """The URL that a `tickwire serve` prints once it serves."""

    async def read(process: asyncio.subprocess.Process) -> str:
        assert process.stdout is not None
        async with asyncio.timeout(90):
            told = (await process.stdout.readline()).decode()
        if not told.startswith("serving "):
            _, err = await process.communicate()
            raise AssertionError(f"it did not start: {told}{err.decode()}")
        return told.split()[-1]

    return read


@pytest.fixture
async def demo(tickwire_command: Commands, served_at: ServedAt) -> str:
    """The URL of a real server with made-up prices."""
    return await served_at(
        await tickwire_command.start("serve", "--demo", "--listen", "127.0.0.1:0")
    )


EVENTS = ("--set", 'topics."e.>".delivery=event', "--set", 'topics.">".ring=8')


@pytest.fixture
async def road(tickwire_command: Commands, served_at: ServedAt) -> AsyncIterator[Road]:
    """A road to a server that keeps eight updates of each topic. Topics of `e.>` are event
    topics."""
    args = ("--listen", "127.0.0.1:0", "--set", "auth.publish=open", *EVENTS)
    road = Road(await served_at(await tickwire_command.start("serve", *args)))
    server = await asyncio.start_server(road.carry, "127.0.0.1", 0)
    road.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
    yield road
    road.cut()
    server.close()
