"""The WebSocket of `tickwire check`: bytes in, texts out, however they are cut."""

import zlib

import pytest

from tickwire._tools.check.wire import CLOSE, CONTINUATION, PING, TEXT, Frames, dial, frame
from tickwire.errors import ConnectionFailedError

SIZES = [0, 1, 125, 126, 65_535, 65_536]


def told(first: int, payload: bytes) -> bytes:
    """A frame of a server: not masked."""
    whole = frame(0, payload)
    head = len(whole) - len(payload) - 4
    return bytes([first, whole[1] & 0x7F]) + whole[2:head] + payload


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("piece", [1, 2, 3, 1000, 1 << 20])
def test_texts_come_out_as_they_were_sent(deflate: bool, piece: int) -> None:
    compress = zlib.compressobj(wbits=-15)
    texts = [b"x" * size for size in (SIZES if piece > 3 else SIZES[:4])]
    wire = b""
    for text in texts:
        if deflate:
            packed = compress.compress(text) + compress.flush(zlib.Z_SYNC_FLUSH)
            wire += told(0xC1, packed[:-4])
        else:
            wire += told(0x81, text)
    frames = Frames(deflate)
    for at in range(0, len(wire), piece):
        frames.feed(wire[at : at + piece])
    assert frames.texts == texts
    assert (frames.fault, frames.close_code) == ("", None)


def test_a_message_in_parts_is_one_message() -> None:
    frames = Frames(False)
    frames.feed(told(TEXT, b"a") + told(0x80 | PING, b"?") + told(CONTINUATION, b"b"))
    assert frames.texts == []
    frames.feed(told(0x80, b"c"))
    assert frames.texts == [b"abc"]
    assert frames.replies == frame(0xA, b"?")


@pytest.mark.parametrize(("payload", "code"), [(b"\x0f\xa1why", 4001), (b"", 1005)])
def test_a_close_tells_its_code(payload: bytes, code: int) -> None:
    frames = Frames(False)
    frames.feed(told(0x80 | CLOSE, payload))
    assert frames.close_code == code


@pytest.mark.parametrize("wire", [told(0x82, b"binary"), told(0xC1, b"\xff\xff"), told(0xA1, b"")])
def test_what_it_cannot_read_is_said(wire: bytes) -> None:
    frames = Frames(True)
    frames.feed(wire)
    assert frames.fault


@pytest.mark.parametrize("first", [0xC1, 0x41])
def test_nothing_may_be_compressed_that_was_not_agreed_on(first: int) -> None:
    frames = Frames(False)
    frames.feed(told(first, b""))
    assert (frames.texts, bool(frames.fault)) == ([], True)


@pytest.mark.parametrize("url", ["wss://127.0.0.1:1/ws", "ws://127.0.0.1:1/ws"])
def test_what_fails_is_said_without_the_query(url: str) -> None:
    with pytest.raises(ConnectionFailedError, match=url) as caught:
        dial(f"{url}?token=s3cret", False, None)
    assert "s3cret" not in str(caught.value)
