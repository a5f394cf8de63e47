"""Frames of a WebSocket server, made by hand."""

import zlib

TEXT = 1
BINARY = 2
CLOSE = 8
PING = 9


def frame(payload: bytes, opcode: int = TEXT, *, fin: bool = True, rsv1: bool = False) -> bytes:
    first = opcode | (0x80 if fin else 0) | (0x40 if rsv1 else 0)
    if len(payload) < 126:
        return bytes([first, len(payload)]) + payload
    if len(payload) < 2**16:
        return bytes([first, 126]) + len(payload).to_bytes(2, "big") + payload
    return bytes([first, 127]) + len(payload).to_bytes(8, "big") + payload


class Deflater:
    """permessage-deflate with context takeover."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(1, zlib.DEFLATED, -15)

    def __call__(self, payload: bytes) -> bytes:
        packed = self._zlib.compress(payload) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4]
