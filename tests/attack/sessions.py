"""Seeded sessions of broken and hostile clients, each on a connection of its own."""

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass

from attack import wire

AT_ONCE = 40
ANSWER_S_MAX = 0.1  # a client that gets no answer goes on; most are closed at once
FROM = [f"127.0.0.{host}" for host in range(2, 250)]  # addresses like any other, unlike 127.0.0.1


@dataclass
class Script:
    pieces: list[bytes]
    end: str = (
        "close"  # close, reset, half (no more is sent, but all is read), vanish (reset unread)
    )


def script(rng: random.Random) -> Script:
    end = rng.choice(["close", "close", "reset", "half", "vanish"])
    match rng.randrange(8):
        case 0:
            return Script([rng.randbytes(rng.randint(1, 600))], end)
        case 1:
            return Script(
                [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(80)], end
            )
        case 2 | 3:
            pieces = [wire.bad_head(rng)]
        case 4:  # pipelined
            pieces = [b"".join(wire.bad_head(rng) for _ in range(rng.randint(2, 5)))]
        case 5:
            pieces = [wire.upgrade(rng), *(wire.bad_frame(rng) for _ in range(rng.randint(1, 4)))]
        case 6:
            pieces = [wire.upgrade(rng), *(wire.bad_command(rng) for _ in range(rng.randint(1, 6)))]
        case _:
            offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
            pieces = [wire.upgrade(rng, offer), *(wire.bad_deflate(rng) for _ in range(2))]
    if rng.random() < 0.2:  # all at once, also what should wait for the handshake's answer
        pieces = [b"".join(pieces)]
    if rng.random() < 0.2:
        pieces = [part for piece in pieces for part in cut(rng, piece)]
    return Script(pieces, end)


def cut(rng: random.Random, data: bytes) -> list[bytes]:
    places = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(1, 3)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a < b]


async def connect(address: tuple[str, int], from_host: str = "127.0.0.1") -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Closing resets the connection, so a hundred thousand of them leave no port behind.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        client.bind((from_host, 0))
        await asyncio.get_running_loop().sock_connect(client, address)
    except OSError:
        client.close()
        raise
    return client


async def play(address: tuple[str, int], made: Script, from_host: str) -> bytes:
    """What the server answered."""
    loop = asyncio.get_running_loop()
    client = await connect(address, from_host)
    answer = b""
    try:
        for piece in made.pieces:
            await asyncio.wait_for(loop.sock_sendall(client, piece), 10)
        if made.end == "vanish":
            return answer
        if made.end == "half":
            client.shutdown(socket.SHUT_WR)
        deadline = loop.time() + ANSWER_S_MAX
        while made.end != "reset" or not answer:
            part = await asyncio.wait_for(loop.sock_recv(client, 65536), deadline - loop.time())
            if not part:
                break
            answer += part
    except (OSError, TimeoutError):
        pass  # the server hung up, or has nothing to say: both are in order
    finally:
        client.close()
    return answer


async def run(address: tuple[str, int], seed: int, count: int) -> dict[str, int]:
    """Plays `count` sessions. Returns how many were answered in which way."""
    seen: dict[str, int] = {}
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            rng = random.Random(f"{seed} {number}")
            made = script(rng)
            with contextlib.suppress(OSError):
                answer = await play(address, made, rng.choice(FROM))
                line = answer.split(b"\r\n", 1)[0][:12].decode("latin-1")
                kind = line if line.startswith("HTTP/1.1 ") else "closed" if not line else "other"
                seen[kind] = seen.get(kind, 0) + 1

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return dict(sorted(seen.items()))
