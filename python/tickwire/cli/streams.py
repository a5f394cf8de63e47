"""Standard input, output and error as a command finds them: open, closed, full, ASCII only."""

import errno
import io
import os
import sys
from typing import Any, Final

from tickwire._escape import is_ascii_only

_STANDARD: Final = {0: os.O_RDONLY, 1: os.O_WRONLY, 2: os.O_WRONLY}


class OutputError(Exception):
    """Standard output accepts nothing more."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.is_closed_pipe = number == errno.EPIPE
        """Whether the reader has closed the pipe, which is not a failure."""


def set_up() -> None:
    """Sets the streams up before anything is written or opened. A closed descriptor is opened on
    /dev/null, so that no socket and no store gets its number, and with it the log's text."""
    was_closed = [number for number in _STANDARD if not _is_open(number)]
    for number in was_closed:
        os.open(os.devnull, _STANDARD[number])  # takes the lowest number that is free
    encoding = "ascii" if is_ascii_only() else "utf-8"
    out = _Output(1, "wb", closefd=False)
    out.is_closed = 1 in was_closed
    sys.stdout = _text(out, encoding)
    sys.stderr = _text(_Errors(2, "wb", closefd=False), encoding)


def restore() -> None:
    """Sets the streams up again if a plugin has closed or replaced them."""
    if any(stream is None or stream.closed for stream in (sys.stdout, sys.stderr)):
        set_up()


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _text(raw: io.RawIOBase, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=raw.isatty()
    )


class _Output(io.FileIO):
    """Says once that it cannot write, as `OutputError`; what comes after goes nowhere."""

    is_closed = False
    _is_over = False

    def write(self, data: Any, /) -> int:
        if self._is_over:
            return len(data)
        try:
            if self.is_closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            return super().write(data)
        except OSError as e:
            self._is_over = True
            raise OutputError(e.errno or errno.EIO) from e


class _Errors(io.FileIO):
    """What cannot be written to standard error is lost; there is nowhere left to say so."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)
