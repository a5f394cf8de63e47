"""A server for one client, whose every byte is made before the first is sent, so that it can outrun
any reader. It speaks as much of docs/PROTOCOL.md as a subscribe takes.

    python client_feed.py RATE BURST SECONDS TOPICS DEFLATE(0|1)

It prints its port, serves one connection, and prints the seconds that the sending took.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import sys
import time
import zlib
from itertools import count
from typing import Any

WELCOME = b'{"type":"welcome","session":"s","epoch":"e","heartbeat_s":600,"server":"feed/1","ts":1}'
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(payload: bytes, rsv1: bool = False) -> bytes:
    first = 0xC1 if rsv1 else 0x81
    if len(payload) < 126:
        return bytes([first, len(payload)]) + payload
    return bytes([first, 126]) + len(payload).to_bytes(2, "big") + payload


class Market:
    """Tickers that walk; a message is as long as one of an exchange."""

    def __init__(self, topics: int, deflate: bool) -> None:
        self.names = [f"ticker.SYM{i:05d}-USD" for i in range(topics)]
        self._prices = [random.randint(10_000, 9_000_000) for _ in self.names]
        self._seqs = [1] * topics
        self._order = count()
        self._zlib = zlib.compressobj(1, zlib.DEFLATED, -15) if deflate else None

    def data(self, at: int) -> str:
        price = self._prices[at] = max(self._prices[at] + random.randint(-50, 50), 100)
        bid, ask = price - random.randint(1, 9), price + random.randint(1, 9)
        fields = [
            f'"last":"{price / 100:.2f}","bid":"{bid / 100:.2f}","ask":"{ask / 100:.2f}"',
            f'"bid_size":"{random.random():.8f}","ask_size":"{random.random():.8f}"',
            f'"volume":{random.randint(1000, 99999)}.{random.randint(0, 99999999):08d}',
            f'"high":"{price / 99:.2f}","low":"{price / 101:.2f}","trade_id":{700_000_000 + price}',
        ]
        return "{" + ",".join(fields) + "}"

    def message(self, text: str) -> bytes:
        if self._zlib is None:
            return frame(text.encode())
        packed = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
        return frame(packed[:-4], rsv1=True)

    def snapshot(self, at: int) -> bytes:
        head = f'{{"type":"snapshot","topic":"{self.names[at]}","seq":1,"ts":1790000000000'
        return self.message(f'{head},"status":"live","data":{self.data(at)}}}')

    def update(self) -> bytes:
        at = next(self._order) % len(self.names)
        self._seqs[at] += 1
        head = f'{{"type":"update","topic":"{self.names[at]}","seq":{self._seqs[at]}'
        return self.message(f'{head},"ts":1790000000000,"data":{self.data(at)}}}')


def handshake(client: socket.socket, deflate: bool) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(65536)
    lines = head.decode().split("\r\n")
    key = next(v.split(":")[1].strip() for v in lines if v.lower().startswith("sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()
    more = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n{more}".encode()
        + b"Sec-WebSocket-Protocol: tickwire.v1.json\r\n\r\n"
    )


def read_command(client: socket.socket) -> dict[str, Any]:
    """The one command of a client, which fits into one frame."""
    head = client.recv(2, socket.MSG_WAITALL)
    size = head[1] & 0x7F
    if size == 126:
        size = int.from_bytes(client.recv(2, socket.MSG_WAITALL), "big")
    elif size == 127:
        size = int.from_bytes(client.recv(8, socket.MSG_WAITALL), "big")
    mask = client.recv(4, socket.MSG_WAITALL)
    masked = client.recv(size, socket.MSG_WAITALL)
    payload = bytes(c ^ mask[i % 4] for i, c in enumerate(masked))
    if head[0] & 0x40:
        payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
    found: dict[str, Any] = json.loads(payload)
    return found


def main() -> None:
    rate, burst, seconds, topics = (
        float(sys.argv[1]),
        int(sys.argv[2]),
        float(sys.argv[3]),
        int(sys.argv[4]),
    )
    deflate = sys.argv[5] == "1"
    random.seed(7)
    market = Market(topics, deflate)
    snapshots = b"".join(market.snapshot(at) for at in range(topics))
    bursts = [
        b"".join(market.update() for _ in range(burst)) for _ in range(int(rate * seconds / burst))
    ]
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        client, _ = server.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handshake(client, deflate)
        client.sendall(frame(WELCOME))
        command = read_command(client)
        while command["type"] == "ping":
            client.sendall(frame(f'{{"type":"pong","id":{command["id"]},"ts":1}}'.encode()))
            command = read_command(client)
        results = json.dumps([{"topic": t} for t in command["topics"]])
        client.sendall(frame(f'{{"type":"ack","id":{command["id"]},"results":{results}}}'.encode()))
        client.sendall(snapshots)
        time.sleep(0.3)
        start = due = time.monotonic()
        for some in bursts:
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            client.sendall(some)
            due += burst / rate
        print(time.monotonic() - start, flush=True)
        client.recv(1)


if __name__ == "__main__":
    main()
