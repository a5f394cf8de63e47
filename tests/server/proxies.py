"""What a proxy in front sends first to say who its client is: the PROXY protocol, written by hand
from its specification so that a wrong reader shows."""

import ipaddress
import socket
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL: Final = SIGNATURE + b"\x20\x00\x00\x00"


def text(client: str, port: int = 4711) -> bytes:
    """Version 1."""
    version = ipaddress.ip_address(client).version
    server = "192.0.2.80" if version == 4 else "2001:db8::80"
    return f"PROXY TCP{version} {client} {server} {port} 443\r\n".encode()


def binary(client: str, port: int = 4711, extra: bytes = b"") -> bytes:
    """Version 2; `extra` are its TLVs."""
    address = ipaddress.ip_address(client)
    ends = address.packed + bytes(len(address.packed)) + port.to_bytes(2, "big") + b"\x01\xbb"
    family = b"\x11" if address.version == 4 else b"\x21"
    return SIGNATURE + b"\x21" + family + len(ends + extra).to_bytes(2, "big") + ends + extra


def connected(address: str, first: bytes, source: str = "127.0.0.1") -> socket.socket:
    """A socket on which `first` was sent."""
    host, _, port = address.rpartition(":")
    client = socket.create_connection((host, int(port)), 60, (source, 0))
    client.sendall(first)
    return client


def ask(client: socket.socket, headers: str = "", path: str = "/health") -> int:
    """The status of a GET; 0: closed without an answer."""
    try:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        answer = client.makefile("rb").read()
    except ConnectionError:
        return 0
    return int(answer.split()[1]) if answer else 0
