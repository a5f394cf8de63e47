"""An image has a limit, which a server has, too: a broken or hostile one cannot fill our memory."""

import asyncio
import math
from typing import TYPE_CHECKING

import pytest

import tickwire
from tickwire._client.events import Data
from tickwire._client.text_image import IMAGE_BYTES_MAX, TextImage
from tickwire._core import number_in
from tickwire.errors import ProtocolError

if TYPE_CHECKING:
    from conftest import Peer, Scripted, Wire

DEEP = '{"a":' * 20 + "1" + "}" * 20
"""Nested deeper than the core takes."""
FIELD_BYTES = 1_000_000


def message(kind: str, seq: int, data: str) -> str:
    status = ',"status":"live"' if kind == "snapshot" else ""
    return f'{{"type":"{kind}","topic":"a","seq":{seq},"ts":1{status},"data":{data}}}'


def field(name: str, bytes_of_object: int) -> str:
    """An object with one field, of so many bytes."""
    return f'{{"{name}":"{"x" * (bytes_of_object - len(name) - 7)}"}}'


def fill(wire: "Wire", first: str) -> int:
    """Two fields, and what is left until the limit for another one with its comma."""
    wire.subscribe("a")
    for seq, kind, data in (
        (1, "snapshot", first),
        (2, "update", field("é", FIELD_BYTES)),
        (3, "update", field("c", FIELD_BYTES)),
    ):
        assert isinstance(wire.protocol.receive(message(kind, seq, data)), Data)
    text = f"{first[:-1]},{field('é', FIELD_BYTES)[1:-1]},{field('c', FIELD_BYTES)[1:]}"
    return IMAGE_BYTES_MAX - len(text.encode()) + 1


@pytest.mark.parametrize("first", ['{"n":1}', f'{{"deep":{DEEP}}}'], ids=["core", "python"])
def test_updates_grow_an_image_up_to_its_limit_and_not_past_it(wire: "Wire", first: str) -> None:
    left = fill(wire, first)
    before = wire.images["a"]
    with pytest.raises(ProtocolError, match=f"a: image_bytes_max: .* {IMAGE_BYTES_MAX + 1} bytes"):
        wire.protocol.receive(message("update", 4, field("d", left + 1)))
    assert (wire.images["a"], wire.protocol.topics.seq("a")) == (before, 3)
    assert isinstance(wire.protocol.receive(message("update", 4, field("d", left))), Data)
    assert len(wire.images["a"]) == 4
    assert isinstance(wire.protocol.receive(message("update", 5, '{"c":null}')), Data)
    assert isinstance(wire.protocol.receive(message("update", 6, field("e", left))), Data)


@pytest.mark.parametrize("deep", [False, True], ids=["core", "python"])
@pytest.mark.parametrize("event", [False, True])
def test_one_message_may_be_an_image_of_the_limit_and_no_longer(
    wire: "Wire", deep: bool, event: bool
) -> None:
    wire.subscribe("a", snapshot=not event)
    start = f'{{"deep":{DEEP},' if deep else "{"
    head = message("update" if event else "snapshot", 2, "?").replace(
        ',"data"', ',"delivery":"event","data"' if event else ',"data"'
    )
    for count in (IMAGE_BYTES_MAX + 1, IMAGE_BYTES_MAX):
        text = head.replace("?", start + field("x", count - len(start) + 1)[1:])
        if count > IMAGE_BYTES_MAX:
            with pytest.raises(ProtocolError, match="image_bytes_max"):
                wire.protocol.receive(text)
            assert "a" not in wire.images
            assert wire.protocol.topics.seq("a") <= 1
        else:
            assert isinstance(wire.protocol.receive(text), Data)
            assert "x" in wire.images["a"]


async def test_a_server_whose_image_is_too_long_is_left_with_an_error_that_says_so(
    server: "Scripted",
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        for seq in range(1, 10):
            kind = "snapshot" if seq == 1 else "update"
            await peer.ws.send(message(kind, seq, field(f"f{seq}", FIELD_BYTES)))
        await peer.ws.wait_closed()
        closed.set_result(peer.ws.close_code)

    closed: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    server.play(play)
    async with asyncio.timeout(60), tickwire.connect(server.url, reconnect=False) as c:
        updates = c.subscribe("a")
        with pytest.raises(ProtocolError, match="image_bytes_max"):
            async for _ in updates:
                pass
        assert await closed == 1002


def test_a_server_may_say_sixty_four_different_statuses_and_no_more(wire: "Wire") -> None:
    wire.subscribe("a")
    wire.snapshot("a", 1)
    for number in range(62):  # beside live and stale
        assert isinstance(wire.status("a", 1, f"s{number}"), Data)
    with pytest.raises(ProtocolError, match="status: more than 64 different ones"):
        wire.status("a", 1, "one more")
    assert wire.statuses["a"] == "s61"


def test_an_image_of_texts_merges_as_any_other() -> None:
    image = TextImage.of(' { "a" : 1 , "b":[ 2 ], "a":3 }')
    assert image.text == '{"a":3,"b":[ 2 ]}'
    image = image.merged('{"b":null,"c":"x","\\u0061":4,"never":null}')
    assert image.text == '{"\\u0061":4,"c":"x"}'
    assert (image.value("a"), image.value("b")) == ("4", None)
    assert TextImage.of("{}").text == TextImage.of("{ }").text == "{}"


@pytest.mark.parametrize(
    "text", ["nan", "NaN", "inf", "Infinity", "1_000", " 1", "1 ", "01", "1.", ".5", "0x1", "1e999"]
)
def test_what_json_calls_no_number_is_none_in_a_column(text: str) -> None:
    assert math.isnan(number_in(text))
    assert math.isnan(number_in(f'"{text}"'))
