"""Why the system refused, in words."""

import os
import ssl


def reason(error: object) -> str:
    """What a person wants to know of it."""
    if isinstance(error, ssl.SSLError):  # its errno is not the system's
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or type(error).__name__
