"""Where a server is: what people write, made into the one WebSocket URL that it means."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from tickwire.errors import ConfigError

DEFAULT_URL: Final = "ws://127.0.0.1:8080/ws"

_SECURE = {"ws": False, "http": False, "wss": True, "https": True}


def websocket_url(text: str) -> str:
    """`ws(s)://`, `http(s)://` or a bare `host:port`; without a path it is /ws. `ConfigError`.

    A slash at its end means nothing: /ws/ is /ws.
    """
    parts = _split(text)
    path = parts.path.rstrip("/") or "/ws"
    scheme = "wss" if _SECURE[parts.scheme] else "ws"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


def http_url(text: str, path: str) -> str:
    """`path` (with its slash) on the server whose WebSocket is at `text`."""
    parts = _split(text)
    scheme = "https" if _SECURE[parts.scheme] else "http"
    base = parts.path.rstrip("/").removesuffix("/ws")
    return urlunsplit((scheme, parts.netloc, base, "", "")) + path


def is_loopback(text: str) -> bool:
    """Whether the server runs on this machine: a proxy would look for it on its own."""
    host = (_split(text).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def shown(text: str) -> str:
    """What messages say of it: no query, no user and password, which may be secrets."""
    return re.sub(r"^([^/]*//)?[^/]*@", r"\1", re.split(r"[?#]", text, maxsplit=1)[0])


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text if "://" in text else f"ws://{text}")
        good = parts.scheme in _SECURE and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError as e:  # of a port that is no number, an IPv6 address without its end, a..b
        raise ConfigError(f"url: {shown(text)!r}: {e}", field="url") from e
    if "@" in parts.netloc:
        raise ConfigError(
            f"url: {shown(text)!r} has a user or password, which is not supported; a token is",
            field="url",
        )
    if not good:
        raise ConfigError(
            f"url: {shown(text)!r} is not ws://, wss://, http:// or https:// with a host,"
            " or host:port",
            field="url",
        )
    return parts
