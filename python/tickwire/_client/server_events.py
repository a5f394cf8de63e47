"""The messages in a stream of events (text/event-stream), however its bytes are cut. Pure."""

from tickwire._client.dial import MESSAGE_BYTES_MAX
from tickwire.errors import ProtocolError


class ServerEvents:
    """Comments, `retry` and `id` are passed over: the client knows itself where it is."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """Parts of a line whose end has not come."""
        self._data: list[bytes] = []
        """The lines of an event whose end has not come."""
        self._bytes = 0

    def feed(self, some: bytes) -> list[str]:
        """Returns the messages that are whole. `ProtocolError` for one that is too long."""
        first, *lines = some.split(b"\n")
        self._rest.append(first)
        self._bytes += len(some)
        texts: list[str] = []
        for line in lines:
            self._take(b"".join(self._rest).removesuffix(b"\r"), texts)
            self._rest = [line]
        if self._bytes > MESSAGE_BYTES_MAX:
            raise ProtocolError(f"an event over {MESSAGE_BYTES_MAX:,} bytes")
        return texts

    def _take(self, line: bytes, texts: list[str]) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            if self._data:
                try:
                    texts.append(b"\n".join(self._data).decode())
                except UnicodeDecodeError as e:
                    raise ProtocolError(f"an event that is not UTF-8: {e}") from e
            self._data, self._bytes = [], 0
