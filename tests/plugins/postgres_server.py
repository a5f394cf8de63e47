"""A PostgreSQL of one's own: Debian's programs, a folder of its own, a UNIX socket, no service."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

START_S = 60.0


def programs() -> Path:
    """The folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    assert found, "no PostgreSQL: scripts/apt-install postgresql"
    return found[-1].parent


class PostgresServer:
    """Running once made. It refuses to run as root, so then it runs as nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._as = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if os.getuid() != 0:
            self._as = []
        folder.mkdir(mode=0o755)
        if self._as:
            shutil.chown(folder, 65534, 65534)
        self._run(
            *("initdb", "-D", str(folder / "data"), "-U", "tickwire", "-A", "trust"),
            *("-E", "UTF8", "--locale=C", "--no-sync"),
        )
        self.url = f"host={folder} port=5432 user=tickwire dbname=postgres"
        self._process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "20",
        }
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._as,
                    str(programs() / "postgres"),
                    *("-D", str(self._folder / "data")),
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            )
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                text = (self._folder / "log").read_text()
                assert self._process.poll() is None, text
                assert time.monotonic() < deadline, text
                time.sleep(0.02)
            else:
                return

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Runs it in a connection of its own, and returns its rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def kill(self) -> None:
        """As a crash: all connections end, what was committed stays."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(60)

    def stop(self) -> None:
        if self._process.poll() is None:
            self.kill()

    def _run(self, program: str, *args: str) -> None:
        command = [*self._as, str(programs() / program), *args]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)
