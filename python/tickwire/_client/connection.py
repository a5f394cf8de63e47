"""A WebSocket whose messages are read by the core: `websockets` dials, closes and answers pings.

`websockets` gets the bytes up to the end of the handshake, and every control frame; the core's
`ClientStream` gets all others. It takes the messages that only go on with a topic, and hands out
the rest one by one, in their order. Reading stops in the middle of a buffer when a reader is full
(`Gate`), and goes on there.
"""

import asyncio
from typing import Any, Final, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.extensions.permessage_deflate import PerMessageDeflate

from tickwire._client.dial import CLOSE_S_MAX
from tickwire._closing import close_within
from tickwire._core import ClientStream, ClientTopics, UpdateRing
from tickwire.update import Decode

HEAD_BYTES: Final = 16_384
HEAD_END: Final = b"\r\n\r\n"
PING: Final = 0x89
SWITCHING: Final = b"HTTP/1.1 101"


class Taker(Protocol):
    """Who gets what a connection reads. An exception of `message` ends the reading."""

    def message(self, text: str) -> None:
        """Takes a message that the core did not."""

    def took(self, rings: list[UpdateRing]) -> None:
        """Is told which rings the core put messages into."""

    @property
    def reads_on(self) -> bool:
        """Whether to read on."""

    @property
    def crowded(self) -> bool:
        """Whether to ask `reads_on` after each message, because a reader is full."""


class StreamConnection(ClientConnection, asyncio.BufferedProtocol):
    """`read` begins the reading; until then nothing is read beyond the handshake."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.failure: asyncio.Future[None] = self.loop.create_future()
        """Ends with what ended the reading: an exception of the `Taker`."""
        self._buffer = bytearray(HEAD_BYTES)
        self._head = b""
        self._plain = False
        """Whether all bytes are for websockets: an HTTP answer that is no WebSocket."""
        self._open = False
        """Whether the handshake is over, and the server speaks WebSocket."""
        self._rest = b""
        """What came after it."""
        self._stream: ClientStream | None = None
        self._taker: Taker | None = None
        self._paused = False
        self._coalesce_s = 0.0
        self._again: asyncio.Handle | None = None
        """What will read on, soon."""
        self._judged = 0
        self._broken = False
        self._stops_each = False
        self._ping = b""
        """The last ping that came while the socket did not take what we send."""

    # --- before the reading -----------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer) if self._stream is None else self._stream.room()

    def buffer_updated(self, nbytes: int) -> None:
        if self._stream is None:
            self._take_head(bytes(self._buffer[:nbytes]))
            return
        self._stream.received(nbytes)
        self._pump()
        if self._coalesce_s and not self._paused and not self._stream.filled:
            self._pause()
            self._again = self.loop.call_later(self._coalesce_s, self._resume)

    def _take_head(self, data: bytes) -> None:
        if self._open:
            self._rest += data
            return
        self._head += data
        start = self._head[: len(SWITCHING)]
        if self._plain or not SWITCHING.startswith(start) or len(self._head) > 64 * HEAD_BYTES:
            self._plain = True
            head, self._head = self._head, b""
            self.data_received(head)
        elif (at := self._head.find(HEAD_END)) >= 0:
            head, self._rest = self._head[: at + len(HEAD_END)], self._head[at + len(HEAD_END) :]
            self._head = b""
            self.data_received(head)
            self._open = self.protocol.handshake_exc is None
            if self._open:
                self.transport.pause_reading()

    # --- reading ----------------------------------------------------------------------------------

    def read(
        self,
        taker: Taker,
        topics: ClientTopics,
        message_bytes_max: int,
        decode: Decode | None = None,
        coalesce_s: float = 0.0,
    ) -> None:
        """Begins to read.

        decode: makes the data of an update; None: as `tickwire.update.decode_data`.
        coalesce_s: read at most once in so many seconds.
        """
        deflate = next(
            (e for e in self.protocol.extensions if isinstance(e, PerMessageDeflate)), None
        )
        self._stream = ClientStream(
            topics,
            deflate is not None,
            15 if deflate is None else deflate.remote_max_window_bits,
            deflate is None or not deflate.remote_no_context_takeover,
            message_bytes_max,
            decode,
        )
        self._taker = taker
        self._coalesce_s = coalesce_s
        rest, self._rest = self._rest, b""
        while rest:
            room = self._stream.room()
            some, rest = rest[: len(room)], rest[len(room) :]
            room[: len(some)] = some
            self._stream.received(len(some))
        self._paused = True
        self._resume()

    def gate_changed(self) -> None:
        """Reads on, soon, if reading had stopped because a reader was full."""
        if self.stopped:
            self._again = self.loop.call_soon(self._resume)

    def _read_the_answer_only(self) -> None:
        """Reads on, but only for the answer to our close frame."""
        if self.failure.done():
            self.failure.exception()  # seen, or of no interest any more
        else:
            self.failure.cancel()
        self._taker = _NOBODY
        self._coalesce_s = 0.0
        if self._stream is not None and self._paused:
            self._forget_again()
            self._resume()

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done once the connection is gone; `ending` says why."""
        return self.connection_lost_waiter

    def ending(self) -> Exception:
        return self.close_exc

    def cut(self) -> None:
        """Breaks the connection as a network may."""
        self.transport.abort()

    async def end(self, code: int) -> None:
        """Closes in bounded time."""
        self._read_the_answer_only()
        await close_within(self, CLOSE_S_MAX, code)

    @property
    def stopped(self) -> bool:
        """Whether reading has stopped because a reader is full, until `gate_changed`."""
        return self._paused and self._again is None and not self.failure.done()

    @property
    def messages(self) -> int:
        """The number of messages that were read."""
        return self._judged + (0 if self._stream is None else self._stream.updates)

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _resume(self) -> None:
        self._again = None
        assert self._taker is not None
        if not self._taker.reads_on:
            return
        self._paused = False
        self._pump()
        if not self._paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _forget_again(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _pump(self) -> None:
        """Takes what was received, until all is read or a reader is full."""
        stream, taker = self._stream, self._taker
        assert stream is not None
        assert taker is not None
        if self._broken:
            return None
        try:
            while (found := self._next(stream, taker)) is not None:
                if type(found) is str:
                    self._judged += 1
                    taker.message(found)
                elif type(found) is bytes:
                    self._take_control(found)
                if not taker.reads_on:
                    return self._pause()
        except Exception as e:
            if not self.failure.done():
                self._pause()
                self.failure.set_exception(e)
        return None

    def _take_control(self, frame: bytes) -> None:
        """Passes a control frame on. While answers cannot leave, it keeps only the last ping, which
        RFC 6455 section 5.5.3 allows: else a server that reads nothing would fill our memory."""
        if frame[0] == PING and self.paused:
            self._ping = frame
        elif not self.connection_lost_waiter.done():
            self.data_received(frame)

    def resume_writing(self) -> None:
        super().resume_writing()
        frame, self._ping = self._ping, b""
        if frame:
            self._take_control(frame)

    def _next(self, stream: ClientStream, taker: Taker) -> str | bytes | bool | None:
        if (crowded := taker.crowded) is not self._stops_each:
            stream.stop_each = self._stops_each = crowded
        try:
            found = stream.next()
        except BaseException:
            self._broken = True  # what comes next cannot be inflated
            raise
        if rings := stream.take_touched():
            taker.took(rings)
        return found

    def connection_lost(self, exc: Exception | None) -> None:
        if self._again is not None:
            self._forget_again()
            self._resume()
        super().connection_lost(exc)


class _Nobody:
    """Takes nothing."""

    reads_on = True
    crowded = False

    def message(self, text: str) -> None:
        pass

    def took(self, rings: list[UpdateRing]) -> None:
        pass


_NOBODY: Final = _Nobody()
