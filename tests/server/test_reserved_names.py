"""Names of the plant itself: nobody publishes or declares them, by no road."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess
from server.test_roads import publish
from tickwire import Server, feed
from tickwire.errors import PluginError, TickwireError, TopicError
from tickwire.pub import Pub

NAMES = ["presence.chat.lobby", "presence_names.chat.lobby", "tickwire.health", "presence"]
FREE = ["presences.a", "chat.presence", "Presence.a", "tickwire-like"]


@pytest.fixture
def plant(start_daemon: StartDaemon) -> DaemonProcess:
    return start_daemon("--set", "auth.publish=open")


@pytest.mark.parametrize("road", ["websocket", "http"])
def test_no_client_publishes_there(plant: DaemonProcess, road: str) -> None:
    with plant.connect() as client:
        for name in NAMES + FREE:
            if road == "websocket":
                answer = client.ask({"type": "publish", "id": 1, "topic": name, "data": {"n": 1}})
                error = answer if answer["type"] == "error" else answer["results"][0].get("error")
            else:
                error = publish(plant.address, (name, {"n": 1}))[0].get("error")
            if name in FREE:
                assert error is None
            else:
                assert error["code"] == "bad_topic"
                assert f"'{name}' is reserved" in error["message"]
        client.ask({"type": "subscribe", "id": 2, "topics": ["presence.>", "presence.a"]})
        assert client.ask({"type": "ping", "id": 3})["type"] == "pong", "whoever likes may listen"


def test_no_program_publishes_there() -> None:
    with Server({}, listen="127.0.0.1:0") as server:
        for name in NAMES:
            with pytest.raises(TopicError, match="reserved"):
                server.publish(name, {"n": 1})
        for name in FREE:
            assert server.publish(name, {"n": 1}) == 1


async def test_no_feed_declares_or_publishes_them() -> None:
    refused: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    @feed(">")
    async def all_topics(pub: Pub) -> None:
        for name in NAMES:
            for call in (
                lambda name=name: pub.publish(name, {"n": 1}),
                lambda name=name: pub.declare(name, "event"),
            ):
                try:
                    call()
                except TickwireError as e:
                    loop.call_soon_threadsafe(refused.put_nowait, str(e))
        await asyncio.Event().wait()

    with Server({}, listen="127.0.0.1:0", plugins=[all_topics]):
        for name in NAMES:
            for _ in range(2):
                said = await asyncio.wait_for(refused.get(), 60)
                assert f"'{name}' is reserved" in said


async def test_a_name_that_no_topic_may_have_is_an_error_of_the_feed_that_declares_it() -> None:
    """And nothing that ends the server."""
    refused: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    @feed("a.>")
    async def some_topics(pub: Pub) -> None:
        for name in ("b.x", "a..x", ""):
            try:
                pub.declare(name, "event")
            except TickwireError as e:
                loop.call_soon_threadsafe(refused.put_nowait, str(e))
        pub.publish("a.x", {"n": 1})
        await asyncio.Event().wait()

    with Server({}, listen="127.0.0.1:0", plugins=[some_topics]):
        for _ in range(3):
            assert await asyncio.wait_for(refused.get(), 60)


@pytest.mark.parametrize(
    ("pattern", "topics"), [("presence.>", None), (">", ["tickwire.x"]), ("presence_names.*", None)]
)
def test_a_feed_of_them_is_refused_with_the_name(pattern: str, topics: list[str] | None) -> None:
    @feed(pattern, topics=topics)
    async def wrong(pub: Pub) -> None: ...

    with (
        pytest.raises(PluginError, match="reserved"),
        Server({}, listen="127.0.0.1:0", plugins=[wrong]),
    ):
        pass


def test_the_document_names_all_of_them(checkout: Path) -> None:
    header = (checkout / "core" / "model" / "topic_name.h").read_text()
    row = re.search(r"kReservedTokens\{(.*?)\}", header)
    assert row
    document = (checkout / "docs" / "PROTOCOL.md").read_text()
    for token in json.loads(f"[{row[1]}]"):
        assert f"`{token}.>`" in document
