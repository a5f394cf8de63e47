"""HAProxy with TLS in front of a plant, as a server to measure."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.programs import SERVER_CORE, Answer, Program, raise_descriptor_limit

START_S = 20
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CONFIGURATION = """
global
    nbthread 1
    maxconn 5000
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen plant
    bind 127.0.0.1:{port} ssl crt {pair}
    server plant 127.0.0.1:{plant}
"""
"""It forwards bytes, which is the least that it can do, on one thread: the plant has one loop."""


def haproxy_path() -> str | None:
    return shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")


class Fronted:
    """A plant behind HAProxy: its answers, with the CPU seconds of both together."""

    def __init__(self, plant: Program, pid: int, port: int) -> None:
        self.hello: Answer = {"port": port}
        self._plant = plant
        self._pid = pid

    def ask(self, command: str, *numbers: float) -> Answer:
        answer = self._plant.ask(command, *numbers)
        if "cpu_s" in answer:
            answer["cpu_s"] += self._cpu_s()
        return answer

    def _cpu_s(self) -> float:
        user, system = Path(f"/proc/{self._pid}/stat").read_text().rsplit(")")[1].split()[11:13]
        return (int(user) + int(system)) / TICKS_PER_S


@contextmanager
def haproxy(plant: Program, pair: Path) -> Iterator[Fronted]:
    """pair: a file with a certificate and its key."""
    path = haproxy_path()
    assert path is not None
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "haproxy.cfg")
        text = CONFIGURATION.format(port=port, pair=pair, plant=plant.hello["port"])
        configuration.write_text(text)

        def prepare() -> None:
            os.sched_setaffinity(0, {SERVER_CORE})
            raise_descriptor_limit()

        process = subprocess.Popen(
            [path, "-db", "-q", "-f", configuration],
            preexec_fn=prepare,  # noqa: PLW1509 - this process has one thread
        )
        try:
            wait_until_open(port)
            yield Fronted(plant, process.pid, port)
        finally:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_until_open(port: int) -> None:
    give_up = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), START_S).close()
        except ConnectionRefusedError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return
