"""Bytes of clients that mean harm: heads of requests and frames, right ones and wrong ones.

Everything is made from a `random.Random`, so a seed is enough to see the same bytes again.
"""

import base64
import json
import random
import struct
import zlib

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def head(lines: list[str], first: str = "GET /ws HTTP/1.1") -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


def upgrade(rng: random.Random, *more: str) -> bytes:
    key = base64.b64encode(rng.randbytes(16)).decode()
    return head(
        [
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *more,
        ]
    )


def frame(payload: bytes, opcode: int = TEXT, flags: int = 0x80) -> bytes:
    """A masked frame. `flags`: 0x80 FIN, 0x40 RSV1, 0x20 RSV2, 0x10 RSV3."""
    mask = b"\x11\x22\x33\x44"
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = b"\xfe" + struct.pack(">H", size)
    else:
        length = b"\xff" + struct.pack(">Q", size)
    repeated = mask * (size // 4 + 1)
    masked = (int.from_bytes(payload) ^ int.from_bytes(repeated[:size])).to_bytes(size)
    return bytes([flags | opcode]) + length + mask + masked


def deflated(payload: bytes) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (machine.compress(payload) + machine.flush(zlib.Z_SYNC_FLUSH))[:-4]


def command(**fields: object) -> bytes:
    return frame(json.dumps(fields).encode())


def mutated(rng: random.Random, data: bytes) -> bytes:
    """A few bytes changed, lost, doubled or added."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(out) + 1)
        match rng.randrange(5):
            case 0:
                out[place : place + 1] = rng.randbytes(1)
            case 1:
                del out[place : place + rng.randint(1, 8)]
            case 2:
                out[place:place] = out[place : place + rng.randint(1, 20)]
            case 3:
                out[place:place] = rng.choice([b"\r\n", b"\n", b"\x00", b" ", b"\r", b",", b":"])
            case 4:
                out[place:place] = rng.randbytes(rng.randint(1, 8))
    return bytes(out)


HEAD_FAULTS = [
    "Host: other",
    "Host : x",
    " folded",
    "\tfolded",
    "NoColon",
    ": empty name",
    "X: \x00",
    "Content-Length: 5",
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Transfer-Encoding: chunked",
    "Sec-WebSocket-Version: 8",
    "Sec-WebSocket-Protocol: " + "x" * 300,
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    "Origin: null",
    "X-Long: " + "y" * 9_000,
    "Upgrade: h2c",
]
TARGETS = [
    "/",
    "/ws",
    "/health",
    "/v1/topics?limit=1",
    "/v1/topics?limit=1&limit=2",
    "/v1/snapshot/canary.0",
    "/v1/snapshot/%zz",
    "/../etc/passwd",
    "/%2e%2e/",
    "/ws%0a",
    "//ws",
    "*",
    "http://x/",
    "/" + "a" * 20_000,
]
FIRST_LINES = [
    "{0} {1} HTTP/1.1",
    "{0} {1} HTTP/1.0",
    "{0} {1} HTTP/2.0",
    "{0}  {1} HTTP/1.1",
    "{0} {1}",
]
METHODS = ["GET", "HEAD", "POST", "get", "OPTIONS", "PRI", "G\x00T"]


def bad_head(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return mutated(rng, upgrade(rng))
    first = rng.choice(FIRST_LINES).format(rng.choice(METHODS), rng.choice(TARGETS))
    lines = ["Host: localhost"] if rng.random() < 0.8 else []
    lines += rng.sample(HEAD_FAULTS, rng.randint(0, 3))
    if rng.random() < 0.02:
        lines += [f"H{number}: v" for number in range(200)]
    made = head(lines, first)
    return made.replace(b"\r\n", b"\n") if rng.random() < 0.1 else made


def bad_frame(rng: random.Random) -> bytes:
    payload = rng.randbytes(rng.randint(0, 40))
    match rng.randrange(12):
        case 0:
            return frame(payload, rng.choice([3, 7, 11, 15]))
        case 1:
            return frame(
                payload, rng.choice([TEXT, PING, CLOSE]), 0x80 | rng.choice([0x40, 0x20, 0x10])
            )
        case 2:
            return frame(payload, PING, 0)  # a control frame in pieces
        case 3:
            return frame(rng.randbytes(200), rng.choice([PING, PONG, CLOSE]))
        case 4:
            return frame(payload, CONTINUATION)
        case 5:
            return frame(b"\xff\xfe" + payload)
        case 6:
            return (
                bytes([0x81, 0xFF])
                + struct.pack(">Q", rng.choice([2**63, 2**40, 3 << 20]))
                + payload
            )
        case 7:
            return bytes([0x81, 0xFE]) + struct.pack(">H", 3) + b"abcd" + b"xyz"  # 3 in two bytes
        case 8:
            return bytes([0x81, len(payload)]) + payload  # unmasked
        case 9:
            return frame(
                struct.pack(">H", rng.choice([0, 999, 1004, 1005, 1006, 1015, 2999, 5000])), CLOSE
            )
        case 10:
            return frame(b"\x03", CLOSE)
        case _:
            return frame(b'{"type":', TEXT, 0) + frame(payload, TEXT)


COMMANDS: list[dict[str, object]] = [
    {"type": "subscribe", "id": 1, "topics": ["canary.>", "a.b"], "max_rate": 5},
    {"type": "subscribe", "id": 2, "topics": ["x"] * 50, "since": {"x": 1}, "epoch": "e"},
    {"type": "unsubscribe", "id": 3, "topics": ["canary.>"]},
    {"type": "publish", "id": 4, "topic": "attack.a", "data": {"a": [1, {"b": None}]}},
    {"type": "list", "id": 5, "limit": 3},
    {"type": "auth", "id": 6, "token": "t"},
    {"type": "ping", "id": 7},
]


def bad_command(rng: random.Random) -> bytes:
    text = json.dumps(rng.choice(COMMANDS)).encode()
    match rng.randrange(6):
        case 0:
            return frame(text)
        case 1:
            return frame(b'{"id":1,"data":' + b"[" * 5_000)
        case 2:
            return frame(text[: rng.randrange(len(text))])
        case 3:
            return frame(json.dumps({"type": "subscribe", "topics": ["y"] * 10_001}).encode())
        case _:
            return frame(mutated(rng, text))


def bad_deflate(rng: random.Random) -> bytes:
    match rng.randrange(3):
        case 0:
            return frame(deflated(b"x" * 3_000_000), TEXT, 0xC0)  # over message_bytes_max
        case 1:
            return frame(rng.randbytes(60), TEXT, 0xC0)
        case _:
            return frame(mutated(rng, deflated(json.dumps(COMMANDS[0]).encode())), TEXT, 0xC0)
