"""The admin listener of a server: where it is, and a request to it.

A plant on this machine is found by its epoch: it is the one whose admin socket names the epoch
that its public port names, so that a tunnel or a mapped port leads to no other plant.
"""

import os
import re
import socket
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from tickwire._http import JSON_TYPE, Response, get, json_body, query_text, read_answer
from tickwire._reason import reason
from tickwire.cli.outcome import write_line
from tickwire.errors import ConnectionFailedError, TickwireError
from tickwire.url import http_url, is_loopback, shown

TIMEOUT_S: Final = 10.0
LOOK_S: Final = 5.0
"""The time in seconds for each socket that is tried. A socket that does not answer is skipped."""
GOOD_HEALTH: Final = (200, 503)


@dataclass(frozen=True, slots=True)
class Admin:
    """`place`: the path of a socket, or host:port, which takes `token`."""

    place: str
    token: str | None = None

    @classmethod
    def named(cls, place: str, token: str | None) -> Self:
        """Reads the value of ``--admin``: a path contains a slash."""
        return cls(place, None if "/" in place and "://" not in place else token)

    @property
    def is_socket(self) -> bool:
        return "/" in self.place and "://" not in self.place

    def get(
        self,
        *path: str,
        good: tuple[int, ...] = (200,),
        timeout_s: float = TIMEOUT_S,
        as_text: bool = False,
        body: Mapping[str, Any] | None = None,
        **query: str,
    ) -> Response:
        """As `_http.get`. Raises `ConnectionFailedError`, or the error that the server names."""
        if not self.is_socket:
            return get(
                self.place, *path, good=good, token=self.token, as_text=as_text, body=body, **query
            )
        target = "/" + "/".join(path) + query_text(query)
        connection = _SocketConnection(self.place, timeout_s)
        try:
            if body is None:
                connection.request("GET", target)
            else:
                headers = {"Content-Type": JSON_TYPE}
                connection.request("POST", target, json_body(body), headers)
            reply = connection.getresponse()
            status, said = reply.status, reply.read()
        except (OSError, HTTPException) as e:
            raise ConnectionFailedError(f"{self.place}: {reason(e)}") from e
        finally:
            connection.close()
        return read_answer(f"{self.place}: {target}", status, said, good, as_text=as_text)


def find(url: str) -> Admin | None:
    """Returns the admin socket of the plant at `url`, if it runs on this machine. Raises
    `ConnectionFailedError` if nobody answers at `url`."""
    port = urlsplit(http_url(url, "")).port
    try:
        epoch = get(url, "health", good=GOOD_HEALTH).object.get("epoch")
    except ConnectionFailedError:
        if is_loopback(url) and (drained := _find_drained(port)) is not None:
            return drained
        raise
    if not epoch:
        return None
    for path in sorted(sockets(), key=lambda path: f":{port}." not in path.name):
        admin = Admin(str(path))
        with suppress(TickwireError):
            health = admin.get("health", good=GOOD_HEALTH, timeout_s=LOOK_S).object
            if health.get("epoch") == epoch:
                return admin
    return None


def _find_drained(port: int | None) -> Admin | None:
    """Returns the admin socket of a plant that has closed this port of its own, because it
    drains."""
    for path in sockets():
        admin = Admin(str(path))
        with suppress(TickwireError):
            health = admin.get("health", good=GOOD_HEALTH, timeout_s=LOOK_S).object
            if health["status"] == "draining" and health["address"].endswith(f":{port}"):
                return admin
    return None


def require(url: str, place: str | None, token: str | None) -> Admin:
    """Returns the listener that is named, or else the one that is found. A `ConnectionFailedError`
    says how to name one."""
    if place is not None:
        return Admin.named(place, token)
    if (found := find(url)) is not None:
        return found
    raise ConnectionFailedError(
        f"no admin socket of the server at {shown(url)} is found here: name it with --admin PATH"
        " (the server's log says where it is), or, where its admin.listen is HOST:PORT, with"
        " --admin HOST:PORT and --token, which is its auth.admin_token"
    )


def act(
    action: str, body: Mapping[str, Any], url: str, place: str | None, token: str | None
) -> dict[str, Any]:
    """Has the server act, and prints its answer, which is returned. Raises what `require` and
    `Admin.get` do."""
    answer = require(url, place, token).get("v1", action, body=body)
    write_line(answer.text)
    return answer.object


def sockets() -> Iterator[Path]:
    """Yields the sockets in the folders that servers choose by themselves: this user's and, for
    root, those of all users."""
    seen: set[Path] = set()
    for folder, owner in _folders():
        with suppress(OSError):
            if folder.stat(follow_symlinks=False).st_uid != owner:
                continue
            for path in sorted(folder.glob("*.sock")):
                if path.is_socket() and path not in seen:
                    seen.add(path)
                    yield path


def _folders() -> Iterator[tuple[Path, int]]:
    """Yields each folder with the user who must own it; core/engine/admin_door.h chooses among the
    same ones."""
    user = os.geteuid()
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "tickwire"), user
    yield Path(f"/run/user/{user}/tickwire"), user
    temporary = {Path(tempfile.gettempdir()), Path("/tmp")}
    for folder in temporary:
        yield folder / f"tickwire-{user}", user
    if user != 0:
        return
    for path in Path("/run/user").glob("*/tickwire"):
        if path.parent.name.isdigit():
            yield path, int(path.parent.name)
    for folder in temporary:
        for path in folder.glob("tickwire-*"):
            if owner := re.fullmatch(r"tickwire-(\d+)", path.name):
                yield path, int(owner[1])


class _SocketConnection(HTTPConnection):
    """HTTP over a UNIX socket served by us or root; for root, also by the socket's owner."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
        told = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, user, _ = struct.unpack("3i", told)
        trusted = {0, os.geteuid()}
        if os.geteuid() == 0:
            trusted.add(Path(self._path).stat().st_uid)
        if user not in trusted:
            raise PermissionError(f"it is served by user {user}")
