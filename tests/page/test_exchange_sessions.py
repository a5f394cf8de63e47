"""Sessions of exchanges through inflaters of others: Chromium's, and that of websockets.

Both receive every message as a connection without compression does: byte for byte, in one order.
Messages are published in portions that fit into one write, the next one when everybody has all of
the last and no socket is full: so nobody ever falls behind, and what is linked and against what is
the same in every run. The sessions are made by tests/exchange_sessions.py; where the folder
shared/captures with real ones lies beside the checkout, they are played, too.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from tickwire.feeds.replay import RecordedMessage, recorded
from websockets.sync.client import connect

import exchange_sessions
from page.browser import Browser, Page
from page.conftest import Serve, Site
from page.server_process import ServerProcess
from server.daemon_process import Wire
from tickwire.cli.admin import require

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
PORTION_BYTES = 32_000
"""Half of one write's 64 KiB, before compression; a larger message is a portion by itself."""
ENVELOPE_BYTES = 200
"""What a message has around its payload, at most."""

Recorded = tuple[str, str]
"""Topic and data."""


def topic_of(file: str, text: str) -> str:
    """What kind of message, and of which market, as the exchange says it."""
    message: Any = json.loads(text)
    if isinstance(message, list):  # Kraken's: [number, data..., channel, pair]
        parts = [str(part) for part in message[-2:]]
    else:
        names = ("stream", "channel", "type", "event", "channelName", "product_id", "pair")
        parts = [str(message[name]) for name in names if isinstance(message.get(name), str)]
    tokens = [re.sub(r"[^A-Za-z0-9_:-]", "_", part) or "_" for part in (file.split(".")[0], *parts)]
    return ".".join(tokens)


def sessions() -> list[Any]:
    """Where sessions come from: always made, and recorded where those are at hand."""
    recorded_ones = [pytest.param(CAPTURES, id="recorded")] if CAPTURES.exists() else []
    return [pytest.param(None, id="made"), *recorded_ones]


def all_messages(files: Iterable[Path]) -> list[Recorded]:
    """Arrays and objects alike lie in a field, with their bytes as the exchange wrote them."""
    found = []
    for file in files:
        of_file = list(recorded(file))
        assert len(of_file) > 200, file
        for message in of_file:
            assert isinstance(message, RecordedMessage), message
            found.append((topic_of(file.name, message.text), f'{{"message":{message.text}}}'))
    return found


def portions(messages: list[Recorded]) -> Iterator[list[Recorded]]:
    portion: list[Recorded] = []
    size = 0
    for topic, data in messages:
        more = len(data.encode()) + ENVELOPE_BYTES
        if portion and size + more > PORTION_BYTES:
            yield portion
            portion, size = [], 0
        portion.append((topic, data))
        size += more
    yield portion


class Receiver(Protocol):
    def take(self, count: int) -> list[str]:
        """The next updates, as they came."""


class PythonReceiver:
    def __init__(self, wire: Wire, topics: list[str]) -> None:
        self.wire = wire
        assert wire.ask({"type": "subscribe", "id": 1, "topics": topics})["type"] == "ack"

    def take(self, count: int) -> list[str]:
        texts = [self.wire.connection.recv(timeout=60, decode=True) for _ in range(count)]
        assert all(text.startswith('{"type":"update",') for text in texts)
        return texts


class PageReceiver:
    def __init__(self, page: Page, address: str, topics: list[str]) -> None:
        self.page = page
        page.eval(f"""(() => {{
            const updates = [], waiting = [];
            const hand_out = () => {{
              while (waiting.length && updates.length >= waiting[0].count)
                waiting[0].resolve(updates.splice(0, waiting.shift().count));
            }};
            globalThis.take = (count) => new Promise((resolve) => {{
              waiting.push({{ count, resolve }});
              hand_out();
            }});
            globalThis.socket = new WebSocket("ws://{address}/ws", "tickwire.v1.json");
            socket.onmessage = ({{ data }}) => {{
              if (data.startsWith('{{"type":"ack"')) globalThis.subscribed = true;
              if (data.startsWith('{{"type":"update"')) updates.push(data), hand_out();
            }};
            socket.onopen = () => socket.send(JSON.stringify(
              {{ type: "subscribe", id: 1, topics: {json.dumps(topics)} }}));
        }})()""")
        page.wait("globalThis.subscribed")

    def take(self, count: int) -> list[str]:
        texts: list[str] = self.page.eval(f"take({count})")
        return texts


def publish(publisher: Wire, portion: list[Recorded]) -> None:
    for topic, data in portion:
        publisher.send(f'{{"type":"publish","id":1,"topic":"{topic}","data":{data}}}')
    for _ in portion:
        assert publisher.receive()["type"] == "ack"


def told(server: ServerProcess) -> dict[str, Any]:
    return require(server.address, None, None).get("v1", "sessions").object


def wait_until_nobody_is_behind(server: ServerProcess) -> None:
    deadline = time.monotonic() + 10
    while any(one["behind_ms"] for one in told(server)["sessions"]):
        assert time.monotonic() < deadline, "somebody stays behind"


@pytest.mark.parametrize("by", ["topics", "pattern"])
@pytest.mark.parametrize("folder", sessions())
def test_every_message_of_an_exchange_arrives_as_it_is(
    browser: Browser, serve: Serve, site: Site, tmp_path: Path, folder: Path | None, by: str
) -> None:
    made = exchange_sessions.write(tmp_path / "sessions") if folder is None else {}
    messages = all_messages(made.values() if folder is None else sorted(folder.glob("*.xz")))
    topics = sorted({topic for topic, _ in messages}) if by == "topics" else [">"]
    settings = ("auth.publish=open", "server.shards=1", "topics.>.delivery=event")
    server = serve(*(word for setting in settings for word in ("--set", setting)))
    with ExitStack() as stack:

        def python(compression: str | None) -> PythonReceiver:
            url = f"ws://{server.address}/ws"
            wire = Wire(connect(url, max_size=None, max_queue=None, compression=compression))
            return PythonReceiver(stack.enter_context(wire), topics)

        publisher = stack.enter_context(server.publisher())
        plain, deflate = python(None), python("deflate")
        page = browser.open(site(""))
        chromium = PageReceiver(page, server.address, topics)
        assert "permessage-deflate" in page.eval("socket.extensions")

        for portion in portions(messages):
            publish(publisher, portion)
            expected = plain.take(len(portion))
            assert deflate.take(len(portion)) == expected
            assert chromium.take(len(portion)) == expected
            for text, (topic, data) in zip(expected, portion, strict=True):
                assert f'"topic":"{topic}"' in text
                assert text.endswith(f'"data":{data}}}')
            wait_until_nobody_is_behind(server)

        check_what_the_server_counted(told(server), len(messages))
        assert page.faults() == []
        page.close()


def check_what_the_server_counted(told: dict[str, Any], count: int) -> None:
    counters, sessions = told["counters"], told["sessions"]
    assert (counters["conflated"], counters["gaps"]) == (0, 0)
    assert counters["messages"] == 3 * count
    assert counters["linked"] + counters["standalone"] == 2 * count
    assert counters["linked"] > 0.9 * 2 * count, "so each of the two got linked ones"
    got = {
        kind: [one["bytes"] for one in sessions if one["compression"] == kind and one["messages"]]
        for kind in ("none", "context")
    }
    (plain,) = got["none"]
    first, second = got["context"]
    assert first < 0.5 * plain
    assert second < 0.5 * plain
