"""A road to a server that can be cut: every byte goes through here."""

import socket
import threading
from contextlib import suppress


class Road:
    """Leads from a port of its own to `address` (host:port) until close()."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._far = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/ws"
        self._ends: list[socket.socket] = []
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends all connections; whoever comes is turned away until mend()."""
        self._open = False
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def mend(self) -> None:
        self._open = True

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._open:
                    near.close()
                    continue
                far = socket.create_connection(self._far)
                self._ends += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=(a, b), daemon=True).start()


def carry(source: socket.socket, target: socket.socket) -> None:
    """One direction; its thread owns the source."""
    with source, suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
