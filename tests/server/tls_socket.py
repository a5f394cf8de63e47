"""A TLS socket that one thread may read while another writes: websockets' sync client does."""

import select
import ssl
import threading
from typing import Any, Final, Self

LOOK_S: Final = 0.05
"""How often a reader looks whether the socket was closed."""


class SharedSSLSocket(ssl.SSLSocket):
    """An SSL object is for one thread at a time (SSL_read, SSL_write: OpenSSL's thread(7)), and
    Python 3.11 holds no lock around it: now and then a write failed with an internal error."""

    _turn: threading.Lock

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls, *args, **kwargs)
        self._turn = threading.Lock()
        return self

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        while True:
            with self._turn:
                timeout_s = self.gettimeout()
                self.settimeout(0)
                try:
                    return super().recv(buflen, flags)
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self.settimeout(timeout_s)
            select.select([self], [], [], LOOK_S)

    def send(self, data: Any, flags: int = 0) -> int:
        with self._turn:
            return super().send(data, flags)
