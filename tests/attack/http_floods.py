"""Floods over the roads of plain HTTP: streams of events, polls, reads and publishes."""

import asyncio
import contextlib
import json
import random
import socket

from attack import wire
from attack.sessions import FROM, connect

Address = tuple[str, int]
HOSTS = FROM[20:40]  # of a flood: few enough that each has many connections


def get(path: str, *more: str) -> bytes:
    return wire.head(["Host: localhost", *more], f"GET {path} HTTP/1.1")


def overlapping(rng: random.Random) -> str:
    """A hundred topics: patterns that all meet the same topics, and names that nobody published."""
    named = [f"flood.{rng.randrange(10**6)}" for _ in range(97)]
    return ",".join([">", "*.*", "canary.*", *named])


async def ask(address: Address, rng: random.Random, request: bytes, answer_s: float) -> None:
    """Sends it, and reads for so long at most."""
    loop = asyncio.get_running_loop()
    with await connect(address, rng.choice(HOSTS)) as client:
        await asyncio.wait_for(loop.sock_sendall(client, request), 2)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(answer_s):
                while await loop.sock_recv(client, 65536):
                    pass


async def event_streams(address: Address, rng: random.Random) -> None:
    cursor = f"Last-Event-ID: {rng.randbytes(rng.randrange(2000)).hex()}"
    await ask(address, rng, get(f"/sse?topics={overlapping(rng)}", cursor), 0.05)


async def unread_streams(address: Address, rng: random.Random) -> None:
    with await connect(address, rng.choice(HOSTS)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.get_running_loop().sock_sendall(client, get("/sse?topics=%3E"))
        await asyncio.sleep(0.3)


async def polls(address: Address, rng: random.Random) -> None:
    """Each leaves before its answer, or has it at once: what it holds must go with it."""
    wait = rng.choice([0, 60])
    await ask(address, rng, get(f"/poll?topics={overlapping(rng)}&wait={wait}"), 0.02)


async def reads(address: Address, rng: random.Random) -> None:
    path = rng.choice(
        [
            f"/v1/snapshot?topics={overlapping(rng)}",
            f"/v1/snapshot/flood.{rng.randrange(10**6)}?wait=60",
            "/v1/history/canary.0?last=65536",
            "/v1/topics?pattern=%3E",
        ]
    )
    await ask(address, rng, get(path), 0.05)


async def posts(address: Address, rng: random.Random) -> None:
    """Lines that are messages, blank or broken; some bodies end before they were announced to."""
    good = json.dumps({"topic": f"flood.n{rng.randrange(50)}", "data": {"x": rng.random()}})
    body = "\n".join(rng.choices([good, "", "{", "[" * 500], k=2000)).encode()
    announced = len(body) + rng.choice([0, 0, 100])
    head = [
        "Host: localhost",
        "Content-Type: application/x-ndjson",
        f"Content-Length: {announced}",
    ]
    request = wire.head(head, "POST /v1/publish HTTP/1.1") + body
    await ask(address, rng, request, 0.2)
