"""Floods: what many clients, or one that does not stop, can do to a server."""

import asyncio
import contextlib
import json
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable

from attack import http_floods, wire
from attack.sessions import FROM, connect

Address = tuple[str, int]
HOSTS = FROM[:20]  # of a flood: few enough that each has many connections
AT_ONCE = 30


async def opened(address: Address, rng: random.Random, *more: str) -> socket.socket:
    """A WebSocket whose handshake was answered."""
    client = await connect(address, rng.choice(HOSTS))
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, wire.upgrade(rng, *more))
    answer = await asyncio.wait_for(loop.sock_recv(client, 4096), 5)
    if not answer.startswith(b"HTTP/1.1 101"):
        client.close()
        raise ConnectionRefusedError(answer[:40])
    return client


async def send(client: socket.socket, data: bytes) -> None:
    await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(client, data), 2)


async def swallow(client: socket.socket) -> None:
    """Reads and forgets what is there now."""
    with contextlib.suppress(BlockingIOError):
        while client.recv(65536):
            pass


Step = Callable[[Address, random.Random], Awaitable[None]]


async def repeat(address: Address, seed: int, seconds: float, step: Step) -> int:
    """Many at a time do a step, again and again. Returns how often."""
    end = time.monotonic() + seconds
    done = 0

    async def worker(number: int) -> None:
        nonlocal done
        rng = random.Random(f"{seed} {number}")
        while time.monotonic() < end:
            with contextlib.suppress(OSError, TimeoutError):
                await step(address, rng)
            done += 1
            await asyncio.sleep(0)

    await asyncio.gather(*(worker(number) for number in range(AT_ONCE)))
    return done


async def connections(address: Address, rng: random.Random) -> None:
    (await connect(address, rng.choice(HOSTS))).close()


async def handshakes(address: Address, rng: random.Random) -> None:
    (await opened(address, rng)).close()


async def tls_handshakes(address: Address, rng: random.Random) -> None:
    client = await connect(address, rng.choice(HOSTS))
    try:
        hello = b"\x16\x03\x01\x00\x60\x01\x00\x00\x5c\x03\x03" + rng.randbytes(0x5A)
        await send(client, hello)
    finally:
        client.close()


async def slow_heads(address: Address, rng: random.Random) -> None:
    client = await connect(address, rng.choice(HOSTS))
    try:
        for byte in wire.upgrade(rng)[:60]:
            await send(client, bytes([byte]))
            await asyncio.sleep(0.01)
    finally:
        client.close()


async def slow_bodies(address: Address, rng: random.Random) -> None:
    client = await opened(address, rng)
    try:
        for byte in wire.frame(b'{"type":"ping","id":"' + b"x" * 40)[:60]:
            await send(client, bytes([byte]))
            await asyncio.sleep(0.01)
    finally:
        client.close()


async def burst(address: Address, rng: random.Random, data: bytes) -> None:
    client = await opened(address, rng)
    try:
        for _ in range(20):
            await send(client, data)
            await swallow(client)
    finally:
        client.close()


async def commands(address: Address, rng: random.Random) -> None:
    await burst(address, rng, wire.command(type="ping", id=1) * 100)


async def subscribes(address: Address, rng: random.Random) -> None:
    topics = [f"flood.{rng.randrange(10**6)}" for _ in range(200)]
    on = wire.command(type="subscribe", topics=topics)
    await burst(address, rng, on + wire.command(type="unsubscribe", topics=topics))


async def patterns(address: Address, rng: random.Random) -> None:
    topics = ["*", ">", "*.*", f"*.{rng.randrange(10**6)}"]
    await burst(address, rng, wire.command(type="subscribe", topics=topics))


async def pings(address: Address, rng: random.Random) -> None:
    await burst(address, rng, wire.frame(rng.randbytes(100), wire.PING) * 200)


async def publishes(address: Address, rng: random.Random) -> None:
    data = {f"f{number}": rng.random() for number in range(50)}
    topic = f"flood.p{rng.randrange(50)}"
    await burst(address, rng, wire.command(type="publish", topic=topic, data=data) * 50)


async def bombs(address: Address, rng: random.Random) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    client = await opened(address, rng, offer)
    try:
        await send(client, wire.frame(wire.deflated(b'{"a":"' + b"x" * 1_900_000), wire.TEXT, 0xC0))
        await send(client, wire.frame(b'{"id":1,"data":' + b"[" * 60_000))
        await send(client, wire.frame(b"[" + b"0," * 60_000, wire.TEXT, 0))
        await asyncio.sleep(0.02)
    finally:
        client.close()


async def unread_answers(address: Address, rng: random.Random) -> None:
    client = await opened(address, rng)
    try:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await send(client, wire.command(type="subscribe", topics=[">"]))
        for _ in range(40):
            await send(client, wire.command(type="list", id=1))
        await asyncio.sleep(0.5)
    finally:
        client.close()


async def unread_http(address: Address, rng: random.Random) -> None:
    client = await connect(address, rng.choice(HOSTS))
    try:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await send(client, wire.head(["Host: localhost"], "GET /tickwire.js HTTP/1.1"))
        await asyncio.sleep(0.3)
    finally:
        client.close()


async def vanishing(address: Address, rng: random.Random) -> None:
    """Some end in the midst of a message, some after half a close, some without a word."""
    client = await opened(address, rng)
    try:
        await send(client, wire.command(type="subscribe", topics=["canary.>"]))
        match rng.randrange(3):
            case 0:
                await send(client, wire.frame(b"x" * 100)[:50])
            case 1:
                await send(client, wire.frame(struct.pack(">H", 1000), wire.CLOSE)[:3])
            case 2:
                client.shutdown(socket.SHUT_WR)
        await asyncio.sleep(rng.random() * 0.05)
    finally:
        client.close()


FLOODS: dict[str, Step] = {
    step.__name__: step
    for step in (
        connections,
        handshakes,
        tls_handshakes,
        slow_heads,
        slow_bodies,
        commands,
        subscribes,
        patterns,
        pings,
        publishes,
        bombs,
        unread_answers,
        unread_http,
        vanishing,
        http_floods.event_streams,
        http_floods.unread_streams,
        http_floods.polls,
        http_floods.reads,
        http_floods.posts,
    )
}


async def answers(address: Address) -> bool:
    """Whether a calm client is served now."""
    loop = asyncio.get_running_loop()
    client = await connect(address)
    try:
        await loop.sock_sendall(client, wire.head(["Host: localhost"], "GET /health HTTP/1.1"))
        answer = await asyncio.wait_for(loop.sock_recv(client, 4096), 10)
    finally:
        client.close()
    return b" 200 " in answer and json.loads(answer.split(b"\r\n\r\n", 1)[1])["status"] == "ok"
