"""Whoever is cancelled at whatever await, and whatever overlaps, comes and goes: every subscription
sees each update of what it wants, and the server keeps what is wanted and nothing else."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

import tickwire
from client.model_server import ModelServer
from tickwire._pattern import matches

TOPICS = ("a.x", "a.y", "b.x")
WANTS = (*TOPICS, "a.*", "*.x", ">")
TURNS = st.integers(0, 25)
"""Turns of the loop after which a task is cancelled; what it waits for takes more, or fewer."""

Step = tuple[str, int, int]
KINDS = ("open", "publish", "turn", "cancel", "enter", "snapshot", "close", "unsubscribe", "cut")
WEIGHTS = (8, 6, 4, 3, 3, 2, 2, 1, 1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([k for k, n in zip(KINDS, WEIGHTS, strict=True) for _ in range(n)]),
        st.integers(0, 99),
        TURNS,
    ),
    min_size=12,
    max_size=40,
)
FEW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Plant(Protocol):
    """A server that the play publishes to."""

    async def publish(self, topic: str) -> None: ...
    async def cut(self) -> None: ...
    def seq(self, topic: str) -> int: ...


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def cancelled_after(count: int, step: Coroutine[Any, Any, Any]) -> None:
    """Done, or cancelled after so many turns of the loop."""
    task = asyncio.create_task(step)
    await turns(count)
    task.cancel()
    with suppress(asyncio.CancelledError, tickwire.TickwireError):
        await task


class Reader:
    """One subscription, and the task that reads it, which may be cancelled and begun again."""

    def __init__(self, subscription: tickwire.Subscription, want: str) -> None:
        self.subscription = subscription
        self.want = want
        self.seqs: dict[str, int] = {}
        self.seen: list[tuple[str, str, int]] = []
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for update in self.subscription:
            self.seen.append((update.kind, update.topic, update.seq))
            if update.kind == "resumed":
                continue
            if update.kind == "update":
                assert update.seq == self.seqs.get(update.topic, 0) + 1, self.seen
            self.seqs[update.topic] = update.seq

    async def again(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        self.task = asyncio.create_task(self._read())

    @property
    def ended(self) -> bool:
        return not self.subscription.topics or (self.task.done() and not self.task.cancelled())


class Play:
    def __init__(self, client: tickwire.Client, plant: Plant) -> None:
        self.client = client
        self.plant = plant
        self.readers: list[Reader] = []

    async def run(self, steps: list[Step]) -> None:
        for kind, what, count in steps:
            if kind in ("open", "enter", "unsubscribe"):
                await getattr(self, kind)(WANTS[what % len(WANTS)], count)
            elif kind in ("snapshot", "publish"):
                await getattr(self, kind)(TOPICS[what % len(TOPICS)], count)
            else:
                await getattr(self, kind)(what, count)
            self.readers = [reader for reader in self.readers if not reader.ended]
        for topic in TOPICS:
            await self.plant.publish(topic)

    async def open(self, want: str, count: int) -> None:
        self.readers.append(Reader(self.client.subscribe(want), want))
        await turns(count)

    async def enter(self, want: str, count: int) -> None:
        """Cancelled on its way into the block, or left again at once: nothing of it may stay."""

        async def block() -> None:
            async with self.client.subscribe(want) as updates:
                await anext(updates)

        await cancelled_after(count, block())

    async def cancel(self, index: int, count: int) -> None:
        if self.readers:
            await self.readers[index % len(self.readers)].again()
        await turns(count)

    async def snapshot(self, topic: str, count: int) -> None:
        await cancelled_after(count, self.client.snapshot(topic))

    async def close(self, index: int, count: int) -> None:
        if self.readers:
            reader = self.readers.pop(index % len(self.readers))
            await cancelled_after(count, reader.subscription.aclose())
            await reader.subscription.aclose()
            reader.task.cancel()

    async def unsubscribe(self, want: str, count: int) -> None:
        await turns(1)
        await cancelled_after(count, self.client.unsubscribe(want))

    async def publish(self, topic: str, count: int) -> None:
        for _ in range(count % 4):
            await self.plant.publish(topic)

    async def turn(self, _: int, count: int) -> None:
        """The other side, which may be another process, goes on."""
        for _turn in range(count % 5):
            await asyncio.sleep(0.001)

    async def cut(self, _: int, count: int) -> None:
        await self.plant.cut()
        await turns(count)

    def late(self) -> list[tuple[str, str, int | None, int, list[Any]]]:
        """Who has not got what yet."""
        return [
            (reader.want, topic, reader.seqs.get(topic), self.plant.seq(topic), reader.seen[-6:])
            for reader in self.readers
            for topic in TOPICS
            if matches(reader.want, topic) and reader.seqs.get(topic) != self.plant.seq(topic)
        ]

    async def settle(self, tidy: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(60):
                while self.late() or not tidy():  # noqa: ASYNC110 - of the other side, too
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"these wait: {self.late()}; tidy: {tidy()}") from None
        assert self.client.holes == 0
        for reader in self.readers:
            assert not reader.task.done(), reader.task
            await reader.subscription.aclose()
            await reader.task


class Modelled:
    def __init__(self, server: ModelServer) -> None:
        self.server = server

    async def publish(self, topic: str) -> None:
        with suppress(ConnectionClosed):
            await self.server.publish(topic)

    async def cut(self) -> None:
        await self.server.cut()

    def seq(self, topic: str) -> int:
        return self.server.seqs[topic]


@FEW
@given(STEPS)
def test_against_a_model(steps: list[Step]) -> None:
    async def main() -> None:
        server = ModelServer(TOPICS)
        async with serve(server.handle, "127.0.0.1", 0, compression=None) as listening:
            port = next(iter(listening.sockets)).getsockname()[1]
            async with tickwire.connect(f"127.0.0.1:{port}", backoff_s=0.001) as c:
                play = Play(c, Modelled(server))
                await play.run(steps)
                await play.settle(
                    lambda: set(server.kept) == {reader.want for reader in play.readers}
                )

    asyncio.run(main())


class Real:
    def __init__(self, server: tickwire.Server) -> None:
        self.server = server
        self.seqs = {topic: server.publish(topic, {"n": 0}) for topic in TOPICS}

    async def publish(self, topic: str) -> None:
        self.seqs[topic] = self.server.publish(topic, {"n": self.seqs[topic]})

    async def cut(self) -> None:
        """It has no such lever; `test_any_order.py` cuts the road."""

    def seq(self, topic: str) -> int:
        return self.seqs[topic]


@pytest.fixture(scope="module")
def real_server() -> Iterator[tickwire.Server]:
    with tickwire.Server({"server": {"listen": "127.0.0.1:0"}}) as server:
        yield server


@FEW
@given(STEPS)
def test_against_a_real_server(real_server: tickwire.Server, steps: list[Step]) -> None:
    async def main() -> None:
        async with tickwire.connect(real_server.url) as c:
            play = Play(c, Real(real_server))
            await play.run(steps)
            await play.settle(lambda: True)

    asyncio.run(main())


async def test_a_large_subscription_whose_first_step_is_cancelled_gets_every_topic(
    real_server: tickwire.Server,
) -> None:
    """It takes several commands, and the cancelled step was to wait for their answers."""
    names = [f"large.{i}" for i in range(25_000)]
    real_server.publish_many((name, {"a": 1}) for name in names)
    async with tickwire.connect(real_server.url) as c:
        updates = c.subscribe(*names)
        await cancelled_after(5, updates.__anext__())
        got: set[str] = set()
        async with asyncio.timeout(60):
            while len(got) < len(names):
                got.add((await anext(updates)).topic)
        assert c.holes == 0
