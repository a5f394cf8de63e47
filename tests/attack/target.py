"""The server that is attacked, and what must be true of it afterwards."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

CONFIG = """
[server]
listen = "127.0.0.1:0"
shards = 2
drain_s = 1
[auth]
publish = "open"
[limits]
new_connections_per_s = 0        # what is behind the door is attacked, too
"""
GROWTH_MAX = 1.1
SLACK_BYTES = 8 << 20  # of an allocator's arenas, beside a level of some 40 MB


class Target:
    def __init__(
        self, process: subprocess.Popen[bytes], log: Path, address: tuple[str, int]
    ) -> None:
        self.process = process
        self.address = address
        self._log = log

    def memory_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def settled_bytes(self, at_most: float, within_s: float) -> int:
        """The memory, once it is back at that level, or after that time."""
        deadline = time.monotonic() + within_s
        while self.memory_bytes() > at_most and time.monotonic() < deadline:
            time.sleep(0.2)
        return self.memory_bytes()

    def complaints(self) -> list[str]:
        """What the server says of itself that it must never say, and that it lives."""
        found = [
            line for line in self._log.read_text(errors="replace").splitlines() if "fault" in line
        ]
        if self.process.poll() is not None:
            found.append(f"the server ended with {self.process.returncode}")
        return found


@contextlib.contextmanager
def server(tickwired: Path, folder: Path) -> Iterator[Target]:
    (folder / "tickwire.toml").write_text(CONFIG)
    log = folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [tickwired, "--config", folder / "tickwire.toml"],
            stderr=stderr,
            env={k: v for k, v in os.environ.items() if not k.startswith("TICKWIRE_")},
        )
    try:
        yield Target(process, log, listening(process, log))
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def listening(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        said = log.read_text().partition("listening on http://")[2]
        if "\n" in said:
            host, _, port = said.split()[0].rpartition(":")
            return host, int(port.rstrip("/"))
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    raise AssertionError(f"it does not start: {log.read_text()}")
