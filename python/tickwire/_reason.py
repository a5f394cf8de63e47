"""Why the system refused, in words."""

import os
import ssl
import stat
from pathlib import Path


def reason(error: object) -> str:
    """What a person wants to know of it."""
    if isinstance(error, ssl.SSLError):  # its errno is not the system's
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or type(error).__name__


def what_is_there(path: Path) -> str:
    """Where a file should be: ``"no such file"``, or ``"is a FIFO, not a file"``."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return "no such file"
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return f"is {kinds.get(stat.S_IFMT(mode), 'a device')}, not a file"
