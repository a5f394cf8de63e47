"""A client that sends the costliest commands there are, each once the one before is answered.

hostile_client.py --port=PORT --topics=TOPICS COMMAND: says {"ready": ...} when the first is
answered, then answers each line of its input with the answers it got since the line before.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import struct
import sys
from collections.abc import Iterator

PATTERNS = 100
MESSAGE_BYTES = 2 << 20  # message_bytes_max
PER_COMMAND = 10_000  # topics_per_command_max
SUBSCRIPTIONS = 100_000  # subscriptions_per_session_max
SMALL_COMMANDS = 200  # on a session that has all its subscriptions
BY_US = (b'{"type":"ack"', b'{"type":"error"', b'{"type":"pong"')  # answers to commands

Answered = Iterator[str]  # what the answer was, a command at a time


class Connection:
    """A WebSocket that reads no more of a message than it must."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(
            b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        self._file = self._socket.makefile("rb", 1 << 18)
        while self._file.readline().strip():
            pass
        self.epoch: str = json.loads(self._message())["epoch"]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, command: dict[str, object] | bytes) -> str:
        """The type of the answer; an error's with its code."""
        text = command if isinstance(command, bytes) else json.dumps(command).encode()
        self._send(0x81, text)
        while True:
            message = self._message()
            if message.startswith(BY_US):
                return kind_of(message)

    def _send(self, first: int, payload: bytes) -> None:
        """Masked with zero, which leaves the payload as it is."""
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", first, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", first, 0x80 | 126, size)
        else:
            head = struct.pack(">BBQ", first, 0x80 | 127, size)
        self._socket.sendall(head + bytes(4) + payload)

    def _message(self) -> bytes:
        while True:
            first, size = struct.unpack(">BB", self._read(2))
            if size >= 126:
                size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
            payload = self._read(size)
            if first & 0xF == 9:
                self._send(0x8A, payload)
            elif first & 0xF == 8:
                raise ConnectionError(f"closed by the server: {payload!r}")
            else:
                return payload

    def _read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if len(data) < size:
            raise ConnectionError("the server hung up")
        return data


def kind_of(message: bytes) -> str:
    if message.startswith(b'{"type":"error"'):
        return "error " + str(json.loads(message)["code"])
    return message[9:].partition(b'"')[0].decode()


def topic_names(count: int) -> list[str]:
    digits = max(len(str(count - 1)), 3)
    return [f"ticker.SYM{i:0{digits}}-USD" for i in range(count)]


def resume(port: int, topics: int) -> Answered:
    """Patterns over all topics, each of them named in `since`."""
    connection = Connection(port)
    patterns = [">", "*.*", "ticker.*", "*.>", "ticker.>"]
    patterns += [f"*.SYM{i}" for i in range(PATTERNS - len(patterns))]
    command = {
        "type": "subscribe",
        "id": 1,
        "topics": patterns,
        "epoch": connection.epoch,
        "since": dict.fromkeys(topic_names(topics), 1),
    }
    text = json.dumps(command, separators=(",", ":")).encode()
    while True:
        yield connection.ask(text)


def list_nothing(port: int, _topics: int) -> Answered:
    connection = Connection(port)
    while True:
        yield connection.ask({"type": "list", "id": 1, "pattern": "*.*.nothing"})
        yield connection.ask({"type": "list", "id": 1, "pattern": "*.nothing"})


def large_message(port: int, _topics: int) -> Answered:
    """Sends messages with as many values as one can hold."""
    connection = Connection(port)
    head, tail = b'{"type":"ping","id":1,"x":[', b"0]}"
    text = head + b"0," * ((MESSAGE_BYTES - len(head) - len(tail)) // 2) + tail
    while True:
        yield connection.ask(text)


def subscriptions(port: int, topics: int) -> Answered:
    """Subscribes to as many names as a session may have, then sends small commands, and ends with
    all of them."""
    names = topic_names(topics) + [f"other.{i}" for i in range(topics, SUBSCRIPTIONS)]
    while True:
        connection = Connection(port)
        for first in range(0, SUBSCRIPTIONS, PER_COMMAND):
            some = names[first : first + PER_COMMAND]
            yield connection.ask({"type": "subscribe", "id": 1, "topics": some, "snapshot": False})
        for name in names[:SMALL_COMMANDS]:
            yield connection.ask({"type": "unsubscribe", "id": 1, "topics": [name]})
        connection.close()


COMMANDS = {
    "resume": resume,
    "list": list_nothing,
    "message": large_message,
    "subscriptions": subscriptions,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topics", type=int, required=True)
    parser.add_argument("command", choices=COMMANDS)
    args = parser.parse_args()
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # the canary's clients come first
    answers: dict[str, int] = {}
    ready = False
    for kind in endlessly(args.command, args.port, args.topics):
        answers[kind] = answers.get(kind, 0) + 1
        if not ready:
            ready = True
            print(json.dumps({"ready": kind}), flush=True)
        if select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            print(json.dumps({"answers": answers}), flush=True)
            answers = {}


def endlessly(command: str, port: int, topics: int) -> Answered:
    while True:
        try:
            yield from COMMANDS[command](port, topics)
        except OSError as why:
            yield f"hung up on: {why}"


if __name__ == "__main__":
    main()
