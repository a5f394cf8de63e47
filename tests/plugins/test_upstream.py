"""A feed's connection to an exchange: silence, hang-ups, limits of commands, readers that flap."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tickwire import feed
from tickwire._backoff import Backoff
from tickwire.pub import Pub
from tickwire.upstream import Asked, Exchange, Limits, Pace, follow

# --- the parts, by the clock of the test ----------------------------------------------------------


def test_a_burst_is_free_and_what_follows_is_paced():
    pace = Pace(per_s=4, burst=3, now_s=10)
    assert [pace.take(10) for _ in range(3)] == [0, 0, 0]
    assert [pace.take(10) for _ in range(2)] == [0.25, 0.5]
    assert pace.take(10.5) == 0.25, "who waited as told is charged for nothing twice"
    assert [pace.take(1000) for _ in range(3)] == [0, 0, 0]
    assert pace.take(1000) == 0.25, "a pause earns no more than a burst"


def test_the_backoff_starts_anew_only_after_a_healthy_time():
    backoff = Backoff(0.5, lambda: 1.0, most_s=4, steady_s=60)
    held = [0, 1, 59, 0, 59.9, 60]
    assert [backoff.next_s(held_s) for held_s in held] == [0.5, 1, 2, 4, 4, 0.5]


def test_commands_take_many_topics_up_to_their_limit():
    asked = Asked(linger_s=5)
    for number in range(7):
        asked.change(f"t.{number}", True, 0)
    sizes = []
    while (command := asked.next(3, 0)) is not None:
        topics, wanted = command
        assert wanted
        sizes.append(len(topics))
        asked.sent(topics, wanted)
    assert sizes == [3, 3, 1]


def test_what_was_not_sent_is_said_again():
    asked = Asked(linger_s=5)
    asked.change("t.a", True, 0)
    assert asked.next(10, 0) == (["t.a"], True)
    assert asked.next(10, 0) == (["t.a"], True), "the sending may have failed"
    asked.sent(["t.a"], True)
    assert asked.next(10, 0) is None


def test_at_its_linger_and_not_before_a_topic_is_given_up():
    asked = Asked(linger_s=5)
    asked.change("t.a", True, 0)
    asked.sent(["t.a"], True)
    asked.change("t.a", False, 100)
    assert asked.next(10, 104.9) is None
    assert asked.due_s(104) == 1
    assert asked.next(10, 105) == (["t.a"], False)
    assert not asked.is_idle
    asked.sent(["t.a"], False)
    assert asked.is_idle
    assert asked.due_s(105) is None


def test_a_reader_who_comes_back_within_the_linger_costs_no_command():
    asked = Asked(linger_s=5)
    asked.change("t.a", True, 0)
    asked.sent(["t.a"], True)
    for at_s in range(10, 40, 4):
        asked.change("t.a", False, at_s)
        assert asked.next(10, at_s + 3) is None
        asked.change("t.a", True, at_s + 3)
        assert asked.next(10, at_s + 3) is None
    assert asked.next(10, 1000) is None


def test_a_topic_that_is_given_up_before_it_was_asked_for_costs_no_command():
    asked = Asked(linger_s=5)
    asked.change("t.a", True, 0)
    asked.change("t.a", False, 1)
    assert asked.next(10, 100) is None
    assert asked.is_idle


def test_a_topic_that_went_while_its_command_waited_is_given_up_at_once():
    asked = Asked(linger_s=5)
    asked.change("t.a", True, 0)
    topics, wanted = asked.next(10, 0) or ([], False)
    asked.change("t.a", False, 1)
    asked.sent(topics, wanted)
    assert asked.next(10, 1) == (["t.a"], False)


# --- against an exchange --------------------------------------------------------------------------


@dataclass
class FakeExchange:
    """Does with each connection what `behave` says; keeps what it was told."""

    behave: Callable[["FakeExchange", ServerConnection], Any]
    connections: int = 0
    commands: list[Any] = field(default_factory=list)
    subscribed: set[str] = field(default_factory=set)
    url: str = ""

    async def serve(self, connection: ServerConnection) -> None:
        self.connections += 1
        with suppress(ConnectionClosed):
            await self.behave(self, connection)

    async def obey(self, connection: ServerConnection) -> None:
        """Answers each subscription with a price."""
        async for text in connection:
            command = json.loads(text)
            self.commands.append(command)
            change = self.subscribed.update if command["on"] else self.subscribed.difference_update
            change(command["symbols"])
            for symbol in command["symbols"] if command["on"] else ():
                await connection.send(json.dumps({"symbol": symbol, "price": "1.00"}))


@contextmanager
def exchange(behave: Callable[[FakeExchange, ServerConnection], Any]) -> Iterator[FakeExchange]:
    fake, loop = FakeExchange(behave), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    async def begin() -> Any:
        return await serve(fake.serve, "127.0.0.1", 0)

    async def end() -> None:
        server.close()
        await server.wait_closed()

    server = call(begin())
    fake.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield fake
    call(end())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


QUICK = Limits(
    idle_s=0.3,
    linger_s=0.2,
    healthy_s=60,
    backoff_s_first=0.05,
    backoff_s_max=0.2,
    commands_per_s=1000,
    commands_burst=1000,
    topics_per_command=100,
)
NEVER_S = 3600.0


class Venue(Exchange):
    def __init__(self, pub: Pub, url: str, limits: Limits) -> None:
        super().__init__(pub)
        self.url = url
        self.limits = limits

    def command(self, topics: Any, wanted: bool) -> str:
        return json.dumps({"on": wanted, "symbols": [topic.removeprefix("t.") for topic in topics]})

    def take(self, message: bytes) -> None:
        self.pub.publish(f"t.{json.loads(message)['symbol']}", message)


def venue(url: str, limits: Limits = QUICK, topics: int = 300) -> object:
    @feed("t.*", topics=[f"t.{number}" for number in range(topics)])
    async def venue(pub: Pub) -> None:
        await follow(Venue(pub, url, limits))

    return venue


def test_prices_arrive_byte_for_byte_and_nothing_is_connected_that_nobody_wants(
    start_server, eventually
):
    with exchange(FakeExchange.obey) as fake:
        server = start_server(venue(fake.url))
        with server.subscribe("t.1") as updates:
            update = updates.get(20)
            assert update.raw == '{"symbol": "1", "price": "1.00"}'
            assert fake.subscribed == {"1"}
        eventually(lambda: server.snapshot("t.1").status == "stale")
        eventually(lambda: fake.subscribed == set())
        assert server.topics() == ["t.1"]


def test_an_exchange_that_says_nothing_is_given_up_and_its_topics_are_stale(
    start_server, eventually, caplog
):
    """Its connection answers pings all the time."""
    with exchange(FakeExchange.obey) as fake:
        server = start_server(venue(fake.url))
        with server.subscribe("t.1") as updates:
            while updates.get(20).status != "stale":
                pass
            eventually(lambda: fake.connections >= 3)
        assert "nothing came for 0.3 s" in caplog.text
        assert server.health["plugins"]["venue"]["errors"] == 0


def test_an_exchange_that_reads_nothing_is_given_up_in_bounded_time(
    start_server, eventually, monkeypatch
):
    """Its socket takes no close frame, so its answer to one never comes."""

    async def read_nothing(_: FakeExchange, connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    class Wordy(Venue):
        def command(self, topics: Any, wanted: bool) -> str:
            return "x" * 16_000_000

    monkeypatch.setattr("tickwire.upstream.CLOSE_S_MAX", 0.2)
    with exchange(read_nothing) as fake:

        @feed("t.*")
        async def wordy(pub: Pub) -> None:
            await follow(Wordy(pub, fake.url, QUICK))

        server = start_server(wordy)
        with server.subscribe("t.1"):
            eventually(lambda: fake.connections >= 2)


def test_an_exchange_that_hangs_up_at_once_is_not_stormed(start_server, eventually, caplog):
    async def hang_up(fake: FakeExchange, connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1013, "try again later")

    limits = Limits(backoff_s_first=0.01, backoff_s_max=NEVER_S)
    with exchange(hang_up) as fake:
        server = start_server(venue(fake.url, limits))
        caplog.set_level("WARNING", "tickwire.plugins.venue")
        with server.subscribe("t.1"):
            eventually(lambda: caplog.text.count("connecting again in") >= 5)
    delays = [float(text.rpartition(" in ")[2].split()[0]) for text in caplog.messages]
    assert all(0.005 * 2**n - 0.06 <= delay <= 0.01 * 2**n + 0.06 for n, delay in enumerate(delays))


def test_many_topics_are_few_commands_that_keep_to_the_limit(start_server, eventually):
    limits = Limits(commands_per_s=0.001, commands_burst=2, topics_per_command=100)
    with exchange(FakeExchange.obey) as fake:
        server = start_server(venue(fake.url, limits, topics=300))
        with server.subscribe("t.*"):
            eventually(lambda: len(fake.subscribed) == 200)
            assert [len(command["symbols"]) for command in fake.commands] == [100, 100]
    limits = Limits(commands_per_s=1000, commands_burst=3, topics_per_command=100)
    with exchange(FakeExchange.obey) as fake:
        server = start_server(venue(fake.url, limits, topics=300))
        with server.subscribe("t.*"):
            eventually(lambda: len(fake.subscribed) == 300)
            assert [len(command["symbols"]) for command in fake.commands] == [100, 100, 100]


def test_readers_that_come_and_go_cost_the_exchange_one_command(start_server, eventually):
    limits = Limits(linger_s=NEVER_S)
    with exchange(FakeExchange.obey) as fake:
        server = start_server(venue(fake.url, limits))
        for _ in range(20):
            with server.subscribe("t.1") as updates:
                assert updates.get(20)
        with server.subscribe("t.2"):
            eventually(lambda: fake.subscribed == {"1", "2"})
        assert len(fake.commands) == 2
        assert fake.connections == 1


def test_a_message_that_cannot_be_read_takes_no_other_with_it(start_server, eventually, caplog):
    async def garble(fake: FakeExchange, connection: ServerConnection) -> None:
        await connection.recv()
        for text in ("no JSON", "{}", b"\xff", '{"symbol":"1","price":"2.00"}'):
            await connection.send(text)
        await connection.wait_closed()

    with exchange(garble) as fake:
        server = start_server(venue(fake.url, Limits()))
        with server.subscribe("t.1") as updates:
            assert updates.get(20).data == {"symbol": "1", "price": "2.00"}
    assert caplog.text.count("a message was left out") == 3


@pytest.mark.parametrize("times", [3])
def test_a_greeting_opens_every_connection(times, start_server, eventually):
    class Polite(Venue):
        def greeting(self, topics: Any) -> list[str]:
            return [json.dumps({"on": False, "symbols": ["hello", *topics]})]

    with exchange(FakeExchange.obey) as fake:

        @feed("t.*")
        async def polite(pub: Pub) -> None:
            await follow(Polite(pub, fake.url, QUICK))

        server = start_server(polite)
        with server.subscribe("t.1"):
            eventually(lambda: fake.connections >= times)
        first = fake.commands[0]
        assert first == {"on": False, "symbols": ["hello", "t.1"]}
        assert fake.commands.count(first) >= times - 1
