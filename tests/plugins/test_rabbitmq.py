"""Plants at one real RabbitMQ: what one sends the others take, each once, or they say so."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from plugins.rabbitmq_server import RabbitServer
from tickwire import Server

EVENTS = {"topics": {"chat.>": {"delivery": "event", "ring": 4096}}}


@pytest.fixture(scope="module")
def rabbitmq() -> Iterator[RabbitServer]:
    with tempfile.TemporaryDirectory(prefix="tickwire-mq-") as folder:
        Path(folder).chmod(0o755)
        server = RabbitServer(Path(folder) / "s")
        yield server
        server.stop()


@pytest.fixture
def serve(start_server, rabbitmq, request) -> Callable[..., Server]:
    """serve("london", take=[...], send=[...]): a plant at an exchange of the test's own."""

    def start(plant: str, sections: dict[str, Any] | None = None, **settings: Any) -> Server:
        name = request.node.name
        config = {
            "url": rabbitmq.url,
            "exchange": name,
            "plant": f"{name}.{plant}",
            **settings,
        }
        server: Server = start_server(
            "rabbitmq", plugins={"rabbitmq": config}, **{**EVENTS, **(sections or {})}
        )
        return server

    return start


def image(server: Server, topic: str) -> tuple[str, str | None]:
    update = server.snapshot(topic)
    return ("", None) if update is None else (update.raw, update.status)


def test_two_plants_take_and_send_the_same_topics(serve, remote, eventually):
    both = {"take": ["chat.>", "quote.*"], "send": ["chat.>", "quote.*"]}
    open_to_all = {"auth": {"publish": "open"}}
    london = serve("london", open_to_all, **both)
    london.publish("quote.A", '{"bid":1.00,"ask":2}')
    paris = serve("paris", open_to_all, **both)
    # Who comes later is given the images that are there.
    eventually(lambda: image(paris, "quote.A") == ('{"bid":1.00,"ask":2}', "live"))

    reader, writer = remote(paris), remote(london)
    reader.subscribe("chat.*")
    for n in range(1, 101):
        writer.send(type="publish", id=n, topic="chat.A", data={"n": n})
        writer.receive("ack", 60)
    taken = [reader.receive("update", 60)["data"]["n"] for _ in range(100)]
    assert taken == [*range(1, 101)]

    back = remote(london)
    back.subscribe("chat.A", snapshot=False)
    remote(paris).send(type="publish", id=1, topic="chat.A", data={"n": 101})
    assert back.receive("update", 60)["data"]["n"] == 101

    london.publish("quote.A", {"ask": None})
    eventually(lambda: image(paris, "quote.A") == ('{"bid":1.00}', "live"))
    london.set_status("quote.A", "halted")
    eventually(lambda: image(paris, "quote.A")[1] == "halted")
    # Nothing came back to who sent it.
    assert london.snapshot("chat.A").seq == paris.snapshot("chat.A").seq == 101
    assert london.snapshot("quote.A").seq == 2


def test_each_event_comes_once_over_a_restart_of_the_broker(serve, rabbitmq, eventually):
    london = serve("london", send=["chat.>"])
    paris = serve("paris", take=["chat.>"])
    seen: list[int] = []
    with paris.subscribe("chat.>") as updates:
        london.publish("chat.A", {"n": 0})
        eventually(lambda: image(paris, "chat.A")[1] == "live")
        rabbitmq.kill()
        london.publish_many(("chat.A", {"n": n}) for n in range(1, 501))
        eventually(lambda: image(paris, "chat.A")[1] == "stale")
        rabbitmq.start()
        while 500 not in seen:
            update = updates.get(120)
            assert update is not None
            if update.kind in ("snapshot", "update"):
                seen.append(update.data["n"])
    assert seen == [*range(501)]


def test_what_did_not_fit_into_the_queue_is_said(serve, rabbitmq, eventually, request, tmp_path):
    london = serve("london", send=["chat.>"])
    store = {"store": {"path": str(tmp_path / "paris.db")}}
    paris = serve("paris", store, take=["chat.>"], queue_messages=10)
    london.publish("chat.A", {"n": 0})
    eventually(lambda: image(paris, "chat.A")[1] == "live")
    paris.stop()

    async def waiting() -> int:
        async with await aio_pika.connect(rabbitmq.url) as connection:
            channel = await connection.channel()
            name = f"tickwire.{request.node.name}.paris"
            queue = await channel.declare_queue(name, passive=True)
            return queue.declaration_result.message_count or 0

    london.publish_many(("chat.A", {"n": n}) for n in range(1, 101))
    eventually(lambda: asyncio.run(waiting()) >= 10)
    london.publish("chat.A", {"n": 101})
    paris = serve("paris", store, take=["chat.>"], queue_messages=10)
    seen: list[int] = []
    with paris.subscribe("chat.>") as updates:
        first = updates.get(60)
        assert first is not None
        eventually(lambda: paris.snapshot("chat.A").data["n"] == 101)
        while 101 not in seen:
            update = updates.get(60)
            assert update is not None
            if update.kind in ("snapshot", "update"):
                seen.append(update.data["n"])
    assert seen == sorted(set(seen))
    assert len(seen) < 100


def test_a_message_of_another_program_is_an_update(serve, rabbitmq, eventually, request):
    plant = serve("london", take=["chat.>"])

    async def publish() -> None:
        connection = await aio_pika.connect(rabbitmq.url)
        async with connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(request.node.name)
            for key, body in (
                ("chat", b"{}"),
                ("chat.A", b"no JSON"),
                ("chat.a b", b"{}"),
                ("chat.A", b'{"price":1.50}'),
            ):
                await exchange.publish(aio_pika.Message(body), key)

    # What comes before the plant's queue is bound is for nobody.
    eventually(lambda: _succeeds(publish) and image(plant, "chat.A")[1] == "live", 120)
    assert image(plant, "chat.A") == ('{"price":1.50}', "live")
    assert plant.topics() == ["chat.A"]


def _succeeds(work: Callable[[], Any]) -> bool:
    try:
        asyncio.run(work())
    except aio_pika.exceptions.AMQPError:  # the exchange is not there yet
        return False
    return True


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "plugins.rabbitmq: neither take nor send is set"),
        ({"take": ["a"], "url": "http://x"}, "plugins.rabbitmq.url: must begin with amqp://"),
        ({"take": ["a"], "queue_messages": 0}, "plugins.rabbitmq.queue_messages: 0 is not"),
    ],
)
def test_wrong_settings_are_named(start_server, eventually, caplog, settings, fault):
    start_server("rabbitmq", plugins={"rabbitmq": settings})
    eventually(lambda: fault in caplog.text)
