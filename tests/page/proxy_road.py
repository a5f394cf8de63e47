"""A road to a server through a proxy that lets no WebSocket through, as some networks have one."""

import socket
import threading
import time
from contextlib import suppress

from page.road import carry


class ProxyRoad:
    """Leads from a port of its own to `address` (host:port) until close()."""

    def __init__(self, address: str, *, holds_streams: bool = False) -> None:
        host, _, port = address.rpartition(":")
        self._far = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.holds_streams = holds_streams
        """Whether a stream of events is held back until it is complete, and so for ever."""
        self.heads: list[str] = []
        """Of the requests that got through."""
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def targets(self) -> list[str]:
        return [head.split(" ")[1] for head in self.heads]

    def await_target(self, part: str) -> None:
        """Waits until a request got through whose target holds this."""
        deadline = time.monotonic() + 60
        while not any(part in target for target in self.targets):
            assert time.monotonic() < deadline, f"nobody asked for {part}"
            time.sleep(0.02)

    def close(self) -> None:
        self._listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        head = b""
        with suppress(OSError):
            while b"\r\n\r\n" not in head and (some := near.recv(65536)):
                head += some
        path = head.split(b" ")[1].partition(b"?")[0].decode() if head.count(b" ") > 1 else ""
        if not path or b"upgrade: websocket" in head.lower():
            near.close()
            return
        self._ends.append(near)
        if self.holds_streams and path == "/sse":
            return
        self.heads.append(head.decode(errors="replace"))
        try:
            far = socket.create_connection(self._far)
        except OSError:  # the server is gone
            near.close()
            return
        far.sendall(head)
        self._ends.append(far)
        for a, b in ((near, far), (far, near)):
            threading.Thread(target=carry, args=(a, b), daemon=True).start()
