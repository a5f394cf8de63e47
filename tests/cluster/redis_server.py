"""A real redis-server on a free port of loopback, in a folder of its own."""

import subprocess
import time
from pathlib import Path

from loopback import free_port


class RedisServer:
    """Running once made."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir()
        self.port = free_port()
        self._folder = folder
        self._options = options
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self, keeps: bool = False) -> None:
        """With what SAVE wrote, or with nothing."""
        if not keeps:
            (self._folder / "dump.rdb").unlink(missing_ok=True)
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        where = ["--dir", str(self._folder), "--logfile", "redis.log", "--save", ""]
        self.process = subprocess.Popen([*command, *where, *self._options])
        deadline = time.monotonic() + 20
        while not self.ask("PING").startswith(("PONG", "NOAUTH")):
            assert self.process.poll() is None, (self._folder / "redis.log").read_text()
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ask(self, *words: str) -> str:
        command = ["redis-cli", "-p", str(self.port), *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        return done.stdout.strip()
