"""An answer over HTTP (RFC 9112), and the events in one: bytes in, what they say out."""

from typing import Final

HEAD_BYTES_MAX: Final = 16_384
CHUNK_BYTES_MAX: Final = 1 << 30


class HttpAnswer:
    """One answer, however it is cut: by its length, in chunks, or until the connection ends."""

    def __init__(self) -> None:
        self.status = ""
        """The three digits; empty until the head is there."""
        self.fault = ""
        """Why nothing more can be read."""
        self.ended = False
        self._head = b""
        self._left: int | None = None
        """Bytes of the body, or of this chunk, that have not come; None: until the end."""
        self._chunked = False
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Returns what of the body is new; `data` is empty once the connection has ended."""
        if not data:
            self._end()
            return b""
        if not self.status:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                if len(self._head) > HEAD_BYTES_MAX:
                    self.fault = "a head of an answer that does not end"
                return b""
            self._take_head(head.decode("latin-1"))
        if self.fault or self.ended:
            return b""
        return self._take_chunks(data) if self._chunked else self._take_some(data)

    def _take_head(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        parts = first.split(" ", 2)
        if not parts[0].startswith("HTTP/1.") or len(parts) < 2 or not parts[1].isdigit():
            self.fault = f"not HTTP: {first[:100]!r}"
            return
        self.status = parts[1]
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        self._chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        length = fields.get("content-length")
        if self._chunked:
            self._left = 0
        elif length is not None and length.isdigit():
            self._left = int(length)
            self.ended = self._left == 0
        elif length is not None:
            self.fault = f"Content-Length: {length[:100]!r}"

    def _take_some(self, data: bytes) -> bytes:
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.ended = self._left == 0
        return data

    def _take_chunks(self, data: bytes) -> bytes:
        data, body = self._rest + data, b""
        while not (self.ended or self.fault):
            if self._left:
                some, data = data[: self._left], data[self._left :]
                body += some
                self._left -= len(some)
                if self._left:
                    break
            line, found, after = data.partition(b"\r\n")
            if not found:
                break
            data = after
            if line:  # an empty one ends the chunk before
                self._begin_chunk(line.partition(b";")[0].strip())
        self._rest = data
        return body

    def _begin_chunk(self, size: bytes) -> None:
        try:
            self._left = int(size, 16)
        except ValueError:
            self._left = -1
        if not 0 <= self._left <= CHUNK_BYTES_MAX:
            self.fault = f"a chunk of the size {size[:20]!r}"
        self.ended = self._left == 0

    def _end(self) -> None:
        if self.fault or self.ended:
            return
        if self.status and self._left is None:
            self.ended = True
        else:
            self.fault = "the connection ended within an answer"


DATA: Final = b"data: "
ID: Final = b"id: "
RETRY: Final = b"retry: "
HEARTBEAT: Final = b":"


class EventBlocks:
    """A stream of events as docs/PROTOCOL.md has it: each block is one line, and only of these."""

    def __init__(self) -> None:
        self.fault = ""
        self._rest = b""

    def feed(self, body: bytes) -> list[tuple[bytes, bytes]]:
        """Returns names and values of the blocks that are whole, without heartbeats."""
        blocks = (self._rest + body).split(b"\n\n")
        self._rest = blocks.pop()
        found = []
        for block in blocks:
            name = next((n for n in (DATA, ID, RETRY) if block.startswith(n)), b"")
            if b"\n" in block or b"\r" in block or not (name or block == HEARTBEAT):
                self.fault = f"no block of a stream of events: {block[:100]!r}"
                break
            if name:
                found.append((name, block[len(name) :]))
        return found
