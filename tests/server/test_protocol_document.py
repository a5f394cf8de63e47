"""docs/PROTOCOL.md, replayed line by line against a real server.

`>` is sent, `<` must come back, `!` is done by the server's own program. "*" stands for any value,
the order of fields is free, and numbers must be spelled as in the document.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

import tickwire
from tickwire.cli.admin import Admin

# What the document's first subscriber finds.
PUBLISHED_BEFORE = [
    ("ticker.BTC-USD", '{"last":"101.20","bid":1.00}'),
    ("ticker.HALT", '{"last":"7"}'),
    ("chat.room", '{"text":"one"}'),
    ("chat.room", '{"text":"two"}'),
    ("chat.room", '{"text":"three"}'),
]
MESSAGE_TYPES = {
    *("subscribe", "unsubscribe", "publish", "list", "get", "auth", "ping"),
    *(
        "welcome",
        "ack",
        "snapshot",
        "update",
        "status",
        "gap",
        "heartbeat",
        "drain",
        "error",
        "pong",
    ),
}


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def document(checkout: Path) -> str:
    return (checkout / "docs" / "PROTOCOL.md").read_text()


@pytest.fixture
def server() -> Iterator[tickwire.Server]:
    config = {
        "server.listen": "127.0.0.1:0",
        "server.shards": 1,
        "auth.publish": "open",
        "topics": {"chat.room": {"delivery": "event"}},
    }
    with tickwire.Server(config) as server:
        for topic, data in PUBLISHED_BEFORE:
            server.publish(topic, data)
        yield server


def parse(text: str) -> Any:
    """Numbers stay as they are spelled."""
    return json.loads(text, parse_float=lambda spelled: ("number", spelled))


def matches(expected: Any, found: Any) -> bool:
    if expected == "*":
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            matches(value, found[key]) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(matches, expected, found))
    return bool(type(expected) is type(found) and expected == found)


def replay(line: str, client: ClientConnection, server: tickwire.Server) -> None:
    sign, _, rest = line.partition(" ")
    if sign == ">":
        client.send(rest.replace("$epoch", server.health["epoch"]))
    elif sign == "<":
        text = client.recv(timeout=60, decode=True)
        assert matches(parse(rest), parse(text)), f"\nexpected {rest}\ngot      {text}"
    elif rest.startswith("publish "):
        _, topic, data = rest.split(" ", 2)
        server.publish(topic, data)
    elif rest.startswith("status "):
        _, topic, status = rest.split(" ", 2)
        server.set_status(topic, status)
    else:
        raise AssertionError(f"not a line of a wire block: {line}")


def test_the_wire_blocks_are_what_the_server_does(document: str, server: tickwire.Server) -> None:
    lines = [line for block in blocks(document, "wire") for line in block.splitlines()]
    assert len(lines) > 20
    with connect(
        f"ws://{server.address}/ws", subprotocols=[Subprotocol("tickwire.v1.json")]
    ) as client:
        assert client.subprotocol == "tickwire.v1.json"
        for line in lines:
            replay(line, client, server)
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.2)


@pytest.mark.parametrize("form", ["msgpack", "cbor"])
def test_the_binary_blocks_are_what_the_server_does(
    document: str, server: tickwire.Server, form: str
) -> None:
    lines = [line for block in blocks(document, form) for line in block.splitlines()]
    assert [line[:2] for line in lines] == ["> ", "< "]
    subprotocol = Subprotocol(f"tickwire.v1.{form}")
    with connect(f"ws://{server.address}/ws", subprotocols=[subprotocol]) as client:
        client.recv(timeout=60)  # welcome
        for line in lines:
            if line.startswith(">"):
                client.send(bytes.fromhex(line[2:]))
            else:
                found = client.recv(timeout=60)
                assert isinstance(found, bytes)
                assert found.hex() == line[2:]


def test_the_http_blocks_are_what_the_server_answers(
    document: str, server: tickwire.Server
) -> None:
    public, admin = document.split("## The admin listener\n")
    # The admin's first: each request for topics opens a session, which it would count.
    found = [(server.admin_address, block) for block in blocks(admin, "http")]
    found += [(server.address, block) for block in blocks(public, "http")]
    assert len(found) == 9
    url = f"ws://{server.address}/ws"
    with connect(url, compression=None) as client, connect(url, compression=None):
        client.send('{"type":"subscribe","topics":["ticker.BTC-USD"]}')
        for kind in ("welcome", "ack", "snapshot"):
            assert json.loads(client.recv(timeout=60))["type"] == kind
        for place, block in found:
            request, _, expected = block.partition("\n")
            if request.startswith("POST "):
                replay_post(place, request, expected)
                continue
            path, _, query = request.removeprefix("GET ").partition("?")
            text = Admin(place).get(*path.split("/")[1:], **dict(parse_qsl(query))).text
            assert matches(parse(expected), parse(text)), f"\nexpected {expected}\ngot      {text}"


def replay_post(place: str, request: str, lines: str) -> None:
    """The lines with `>` are the body, the others the lines of the answer."""
    _, path, content_type = request.split(" ")
    body = "\n".join(line[2:] for line in lines.splitlines() if line.startswith("> "))
    expected = [line for line in lines.splitlines() if not line.startswith("> ")]
    post = urllib.request.Request(f"http://{place}{path}", body.encode(), method="POST")
    post.add_header("Content-Type", content_type)
    with urllib.request.urlopen(post, timeout=60) as response:
        found = response.read().decode().splitlines()
    assert len(found) == len(expected)
    for line, text in zip(expected, found, strict=True):
        assert matches(parse(line), parse(text)), f"\nexpected {line}\ngot      {text}"


def test_every_message_has_an_example(document: str) -> None:
    wire = [line[2:] for block in blocks(document, "wire") for line in block.splitlines()]
    examples = [text for text in (*wire, *blocks(document, "json")) if text.startswith("{")]
    assert {json.loads(text)["type"] for text in examples} >= MESSAGE_TYPES


def test_the_replay_notices_a_difference() -> None:
    assert matches(parse('{"a":"*","b":[1.00]}'), parse('{"b":[1.00],"a":{"x":1}}'))
    for other in ('{"a":1,"b":[1.0]}', '{"a":1,"b":[1.00],"c":1}', '{"a":1}', '{"a":1,"b":[]}'):
        assert not matches(parse('{"a":"*","b":[1.00]}'), parse(other))
    assert not matches(parse('{"x":1}'), parse('{"x":true}'))
