"""Text of others on a terminal: what it would obey instead of show is written as an escape.

A feed, a client that may publish, or whoever answers at a URL decides about these texts. Besides
control characters that is whatever Unicode does not print: bidirectional controls, zero-width and
other format characters, separators of lines, private and unassigned characters, lone surrogates.
"""

import os
import sys
from typing import Final

_WIDE: Final = 0x10000


def printable(text: str) -> str:
    r"""As Python would write it in a string: ESC is ``\x1b``, U+202E is ``\u202e``."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def printable_json(text: str, *, ascii_only: bool = False) -> str:
    """A JSON text with the same value; its line breaks stay, its strings have no raw ones."""
    if text.isprintable() and (text.isascii() or not ascii_only):
        return text

    def stays(c: str) -> bool:
        return c == "\n" or (c.isprintable() and (c.isascii() or not ascii_only))

    return "".join(c if stays(c) else _json_escaped(c) for c in text)


def is_ascii_only() -> bool:
    """Whether the locale says that the terminal shows ASCII only.

    Python itself takes the C locale for UTF-8 (PEP 538, PEP 540), but who sets it wants ASCII.
    """
    named = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return named in ("C", "POSIX") or not encoding.lower().startswith("utf")


def _escaped(c: str) -> str:
    return c if c.isprintable() else c.encode("unicode_escape").decode()


def _json_escaped(c: str) -> str:
    code = ord(c)
    if code < _WIDE:
        return f"\\u{code:04x}"
    high, low = divmod(code - _WIDE, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
