"""A WebSocket over TCP or TLS (RFC 6455, RFC 7692), for reading much: bytes in, texts out."""

import base64
import resource
import secrets
import socket
import ssl
import struct
import zlib
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from tickwire._reason import reason
from tickwire.errors import ConnectionFailedError, DeniedError, TickwireError
from tickwire.url import shown

TIMEOUT_S: Final = 10.0
HEAD_BYTES_MAX: Final = 16_384
RECORD_BYTES_MAX: Final = 16_384
"""The plaintext of one TLS record (RFC 8446 section 5.1). A read with less room leaves bytes
behind in OpenSSL, and no selector tells of them."""
READ_BYTES: Final = 262_144
TAIL: Final = b"\x00\x00\xff\xff"
CONTINUATION, TEXT, CLOSE, PING = 0x0, 0x1, 0x8, 0x9


def dial(url: str, deflate: bool, receive_bytes: int | None) -> "tuple[socket.socket, Frames]":
    """A connected socket, and what reads from it; it may hold the first messages already."""
    parts = urlsplit(url)
    sock = connect(url, receive_bytes)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        sock.sendall(_request(parts.netloc, path, deflate))
        head, rest = _read_head(sock)
    except OSError as e:
        sock.close()
        raise ConnectionFailedError(f"{shown(url)}: {reason(e)}") from e
    status = head.split(" ", 2)[1] if head.startswith("HTTP/1.1 ") else "nothing"
    if status != "101":
        sock.close()
        raise refused(url, status, "not a WebSocket")
    frames = Frames("permessage-deflate" in head.lower())
    frames.feed(rest)
    return sock, frames


def refused(url: str, status: str, wanted: str) -> TickwireError:
    kind = DeniedError if status in ("401", "403") else ConnectionFailedError
    return kind(f"{shown(url)}: the server answered {status}, {wanted}")


def connect(url: str, receive_bytes: int | None) -> socket.socket:
    """A socket that is connected to where `url` leads, with TLS where it says so."""
    parts = urlsplit(url)
    secure = parts.scheme in ("wss", "https")
    try:
        sock = _connect(
            (parts.hostname or "", parts.port or (443 if secure else 80)), receive_bytes
        )
        return _tls().wrap_socket(sock, server_hostname=parts.hostname) if secure else sock
    except OSError as e:
        raise ConnectionFailedError(f"{shown(url)}: {reason(e)}") from e


def _connect(place: tuple[str, int], receive_bytes: int | None) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, proto)
    if receive_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.settimeout(TIMEOUT_S)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


@cache
def _tls() -> ssl.SSLContext:
    """Trusts what this machine trusts, or the certificates in the file that SSL_CERT_FILE names."""
    return ssl.create_default_context()


def receive(sock: socket.socket) -> bytes | None:
    """What a readable socket holds: b"" once the server has ended it, None if TLS has no bytes yet.

    Raises `OSError`.
    """
    if not isinstance(sock, ssl.SSLSocket):
        return sock.recv(READ_BYTES)
    parts: list[bytes] = []
    size, ended = 0, False
    sock.settimeout(0)
    try:
        while size < READ_BYTES and not ended:
            parts.append(sock.recv(RECORD_BYTES_MAX))
            size += len(parts[-1])
            ended = not parts[-1]
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        pass
    finally:
        sock.settimeout(TIMEOUT_S)
    return b"".join(parts) if parts else None


def _request(host: str, path: str, deflate: bool) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
        "Sec-WebSocket-Protocol: tickwire.v1.json",
        *(["Sec-WebSocket-Extensions: permessage-deflate"] if deflate else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _read_head(sock: socket.socket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(RECORD_BYTES_MAX)
        data += more
        if not more or len(data) > HEAD_BYTES_MAX:
            break
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame: masked by zeros, which changes nothing."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0xFF, size)
    return head + bytes(4) + payload


class Frames:
    """What a server sends, cut into texts."""

    def __init__(self, deflate: bool) -> None:
        self.texts: list[bytes] = []
        """Whole texts that nobody has taken yet."""
        self.replies = b""
        """Bytes that must be sent."""
        self.close_code: int | None = None
        self.fault = ""
        """Why nothing more can be read."""
        self._deflate = deflate
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS).decompress
        self._rest = b""
        self._parts: list[bytes] = []
        self._compressed = False

    def feed(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        texts, inflate = self.texts, self._inflate
        packed = 0xC1 if self._deflate else None
        at, end = 0, len(data)
        try:
            while True:
                first, size = data[at], data[at + 1]
                start = at + 2
                if size == 126:
                    size = data[at + 2] << 8 | data[at + 3]
                    start = at + 4
                elif size == 127:
                    size = int.from_bytes(data[at + 2 : at + 10], "big")
                    start = at + 10
                stop = start + size
                if stop > end:
                    break
                if first == packed:
                    texts.append(inflate(data[start:stop] + TAIL))
                elif first == 0x81:
                    texts.append(data[start:stop])
                else:
                    self._take_rare(first, data[start:stop])
                at = stop
        except IndexError:
            pass  # only a part of a frame's head is here
        except zlib.error as e:
            self.fault = f"a message that does not inflate: {e}"
        self._rest = data[at:]

    def _take_rare(self, first: int, payload: bytes) -> None:
        opcode = first & 0x0F
        if opcode == PING:
            self.replies += frame(PING + 1, payload)
        elif opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005
        elif opcode in (CONTINUATION, TEXT) and not first & (0x30 if self._deflate else 0x70):
            self._take_part(first, payload)
        elif opcode != PING + 1:
            self.fault = f"a frame that begins with {first:#x}"

    def _take_part(self, first: int, payload: bytes) -> None:
        if first & 0x0F == TEXT:
            self._parts, self._compressed = [], bool(first & 0x40)
        self._parts.append(payload)
        if first & 0x80:
            whole = b"".join(self._parts)
            self.texts.append(self._inflate(whole + TAIL) if self._compressed else whole)


def linger_zero(sock: socket.socket) -> None:
    """Makes close() a reset, as when the network is lost."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def open_files_wanted(count: int) -> None:
    """Raises this process's limit of descriptors as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
