"""The one format of log lines: that of the core (core/engine/logging.cc), for what Python logs."""

import logging
import time
from typing import Final

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


def to_stderr() -> None:
    """Unless the program has set logging up itself."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter())
    logging.basicConfig(handlers=[handler])
