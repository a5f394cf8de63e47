"""A WebSocket client that shakes hands and then answers nothing: no close, no pong."""

import socket
from typing import Final

HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class RawClient:
    """Connected once made."""

    def __init__(self, address: str, receive_buffer: int | None = None) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.socket()
        self._socket.settimeout(60)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect((host, int(port)))
        self._socket.sendall(HANDSHAKE)
        assert self.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def address(self) -> str:
        """Its own, as the server sees it."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def send_text(self, text: str) -> None:
        payload = text.encode()
        assert len(payload) < 65_536
        size, mask = len(payload), bytes(4)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._socket.sendall(b"\x81" + length + mask + payload)

    def read_until(self, part: bytes) -> bytes:
        """What came, up to a piece with `part` in it."""
        text = b""
        while part not in text:
            more = self._socket.recv(4096)
            assert more, f"closed after {text[-200:]!r}"
            text += more
        return text
