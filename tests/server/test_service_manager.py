"""What the daemon tells the service manager (systemd), at a notify socket of the test's own."""

import ctypes
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Eventually
from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

PLUGIN = """
import os
from tickwire import feed

loading = open("loading")  # the other end of a pipe says when to go on
loading.read()

@feed("t.*", topics=["t.a"])
async def environment(pub):
    pub.publish("t.a", {"sees": sorted({"NOTIFY_SOCKET", "WATCHDOG_USEC"} & set(os.environ))})
"""


class Manager:
    """The end of the socket that systemd has."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address[0] == "@" else address)
        self._socket.settimeout(60)

    def receive(self) -> dict[str, str]:
        """The next message, each assignment of it."""
        text = self._socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def others(self) -> dict[str, str]:
        """The next one that is no sign of life."""
        while (message := self.receive()) == {"WATCHDOG": "1"}:
            pass
        return message

    def stops_within(self, messages: int) -> bool:
        """Whether at most so many more come until nothing does for a second."""
        self._socket.settimeout(1)
        try:
            for _ in range(messages + 1):
                self._socket.recv(4096)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(60)
        return False

    def is_silent(self) -> bool:
        self._socket.setblocking(False)
        try:
            return not self._socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(60)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    addresses = {"path": str(tmp_path / "notify"), "abstract": f"@tickwire-{os.getpid()}"}
    manager = Manager(addresses[request.param])
    yield manager
    manager.close()


def answers(daemon: DaemonProcess) -> bool:
    return daemon.http("/ready").status == 200


def test_it_is_ready_when_it_serves_and_a_reload_has_its_time(
    start_daemon: StartDaemon, manager: Manager, tmp_path: Path
) -> None:
    configuration = tmp_path / "tickwire.toml"
    configuration.write_text("")
    env = {"NOTIFY_SOCKET": manager.address}
    daemon = start_daemon("--config", "tickwire.toml", env=env)
    assert manager.receive() == {"READY": "1", "STATUS": "serving"}
    assert answers(daemon)

    before_us = time.monotonic_ns() // 1000
    daemon.process.send_signal(signal.SIGHUP)
    reloading = manager.receive()
    assert reloading.keys() == {"RELOADING", "MONOTONIC_USEC"}
    assert before_us <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert manager.receive() == {"READY": "1", "STATUS": "serving"}

    configuration.write_text("[server]\nlisen = 1\n")
    daemon.process.send_signal(signal.SIGHUP)
    assert "RELOADING" in manager.receive()
    failed = manager.receive()
    assert failed["READY"] == "1"
    assert re.match(r"serving; not reloaded: .*server\.lisen", failed["STATUS"])
    assert manager.is_silent(), "nobody asked for signs of life"
    assert daemon.stop() == 0


@pytest.mark.usefixtures("embeds_python")
def test_it_is_not_ready_while_plugins_load(start_daemon: StartDaemon, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(PLUGIN)
    os.mkfifo(tmp_path / "loading")
    manager = Manager(str(tmp_path / "notify"))
    silent = []

    def let_load() -> None:
        with (tmp_path / "loading").open("w"):  # opening it waits until the plugin loads
            silent.append(manager.is_silent())

    threading.Thread(target=let_load, daemon=True).start()
    daemon = start_daemon("slow.py", env={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1"})
    assert silent == [True], "it was ready before its plugin was"
    assert manager.others()["READY"] == "1"
    with daemon.connect() as client:
        client.ask({"type": "subscribe", "topics": ["t.a"]})
        while (message := client.receive())["type"] not in ("update", "snapshot"):
            pass
    assert message["data"] == {"sees": []}
    manager.close()


def test_signs_of_life_come_as_long_as_the_loops_turn(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    manager = Manager(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"}
    daemon = start_daemon(env=env | {"WATCHDOG_PID": "1"})
    assert manager.receive()["READY"] == "1"
    assert daemon.stop() == 0
    assert manager.is_silent(), "it was another process that was asked"

    daemon = start_daemon(env=env)
    assert manager.receive()["READY"] == "1"
    for _ in range(3):
        assert manager.receive() == {"WATCHDOG": "1"}
    manager.close()
    assert answers(daemon), "a manager that is gone harms nobody"
    assert daemon.stop() == 0


class Held:
    """One loop thread of a process, which stands still in this block, as in an endless system call:
    ptrace(2)."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, process: int, name: str) -> None:
        tasks = Path(f"/proc/{process}/task")
        (self._thread,) = [
            int(task.name) for task in tasks.iterdir() if (task / "comm").read_text() == f"{name}\n"
        ]
        self._libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self) -> None:
        if self._ask(self.SEIZE) != 0:
            pytest.skip(f"ptrace: {os.strerror(ctypes.get_errno())}")
        assert self._ask(self.INTERRUPT) == 0
        os.waitpid(self._thread, 0x40000000)  # __WALL

    def __exit__(self, *_: object) -> None:
        assert self._ask(self.DETACH) == 0

    def _ask(self, request: int) -> int:
        none = ctypes.c_void_p()
        answer: int = self._libc.ptrace(request, self._thread, none, none)
        return answer


def test_no_sign_of_life_comes_while_a_loop_stands_still(
    start_daemon: StartDaemon, tmp_path: Path, eventually: Eventually
) -> None:
    manager = Manager(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"}
    daemon = start_daemon("--set", "server.shards=2", env=env)
    assert manager.receive()["READY"] == "1"
    with Held(daemon.process.pid, "tickwire-1"):
        assert eventually(lambda: "stands still" in daemon.log())
        assert manager.stops_within(20)  # those sent before; the socket holds about ten
    assert manager.receive() == {"WATCHDOG": "1"}
    manager.close()


def test_an_address_that_is_none_is_said(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(env={"NOTIFY_SOCKET": "vsock:2:1234"})
    assert 'NOTIFY_SOCKET: "vsock:2:1234" is no path and no @name' in daemon.log()
    assert daemon.stop() == 0
