"""The one format of log lines: that of the core (core/engine/logging.cc), for what Python logs."""

import io
import logging
import sys
import time
from typing import Final, TextIO

from tickwire._escape import printable

_LEVELS: Final = {"WARNING": "warning", "ERROR": "error", "INFO": "info", "DEBUG": "debug"}


class Formatter(logging.Formatter):
    """``2026-11-28T14:00:00.123 info tickwire.plugins.okx: connected``; local time.

    A feed's text may be in the message, so what a terminal would obey is escaped. Line breaks stay:
    tracebacks have them.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        level = _LEVELS.get(record.levelname, record.levelname.lower())
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.created))
        lines = "\n".join(printable(line) for line in text.split("\n"))
        return f"{at}.{int(record.msecs):03} {level} {record.name}: {lines}"


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to a copy of standard error, because a plugin may close `sys.stderr`. A line that
    cannot be written is lost."""

    def __init__(self) -> None:
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        out = io.FileIO(2, "wb", closefd=False)
        super().__init__(
            io.TextIOWrapper(
                io.BufferedWriter(out), encoding, errors="backslashreplace", line_buffering=True
            )
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


def to_stderr() -> None:
    """Sends logs to standard error, unless the program has set logging up itself."""
    handler = _Handler()
    handler.setFormatter(Formatter())
    logging.basicConfig(handlers=[handler])


def set_level(level: str) -> None:
    """Takes one of the levels of ``log.level``."""
    logging.getLogger("tickwire").setLevel("CRITICAL" if level == "off" else level.upper())
