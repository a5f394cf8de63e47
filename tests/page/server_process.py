"""A `tickwire serve` that can be paused, killed, and started again where it was."""

import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from server.daemon_process import Wire

START_S = 60.0


class ServerProcess:
    """Running once made, on a free port that it keeps."""

    def __init__(self, program: Path, log: Path, args: tuple[str, ...], env: dict[str, str]):
        self._program = program
        self._log = log
        self._args = args
        self._env = env
        self.address = "127.0.0.1:0"
        self.start()

    @property
    def url(self) -> str:
        return f"http://{self.address}/"

    def start(self) -> None:
        command = [self._program, "serve", "--listen", self.address, *self._args]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self._env, cwd=self._log.parent
            )
        deadline = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            if found := re.search(r"serving http://(\S+:\d+)/", self._log.read_text()):
                self.address = found[1]
                return
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"tickwire serve did not start: {self._log.read_text()}")

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(START_S)

    def stop(self) -> None:
        """Politely: clients are told to come back."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_S)

    def publisher(self) -> Wire:
        """A client that publishes; it needs `auth.publish` to be `open`."""
        return Wire(connect(f"ws://{self.address}/ws", max_size=None, compression=None))

    def publish(self, updates: dict[str, dict[str, Any]]) -> None:
        with self.publisher() as wire:
            for topic, data in updates.items():
                wire.publish(topic, data)
