"""What goes wrong around a server: no descriptors, bad plugins, stopped clients, a new clock."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess, Wire
from server.raw_client import HANDSHAKE, RawClient

if TYPE_CHECKING:
    from conftest import Eventually

MIB = 1 << 20


def rss_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def updates(client: Wire, topic: str, count: int) -> list[dict[str, Any]]:
    """The next so many messages of a topic."""
    seen: list[dict[str, Any]] = []
    while len(seen) < count:
        message = client.receive()
        if message.get("topic") == topic and "data" in message:
            seen.append(message)
    return seen


def seqs(messages: list[dict[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages]


# --- descriptors ----------------------------------------------------------------------------------


def test_without_descriptors_clients_wait_others_tick_on_and_nothing_spins(
    start_daemon: StartDaemon, eventually: "Eventually"
) -> None:
    daemon = start_daemon("--set", "server.shards=1", "--set", "auth.publish=open")
    pid = daemon.process.pid

    def allow(most: int) -> None:
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, hard))

    with daemon.connect() as viewer, daemon.connect() as source, ExitStack() as stack:
        viewer.send({"type": "subscribe", "topics": ["t.X"]})
        assert viewer.receive()["type"] == "ack"
        used = 1 + max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
        allow(used + 2)
        host, port = daemon.address.split(":")
        comers = []
        for _ in range(5):
            comer = stack.enter_context(socket.create_connection((host, int(port)), 10))
            comer.sendall(HANDSHAKE)
            comers.append(comer)
        eventually(lambda: "no more connections for now: Too many open files" in daemon.log())
        assert [b"101" in comer.recv(4096) for comer in comers[:2]] == [True, True]

        before_s, begun = cpu_s(pid), time.monotonic()
        for number in range(50):
            source.publish("t.X", {"n": number})
            time.sleep(0.02)
        assert seqs(updates(viewer, "t.X", 50)) == list(range(1, 51))
        assert cpu_s(pid) - before_s < (time.monotonic() - begun) / 2
        assert daemon.log().count("no more connections") == 1, (
            "said once, however often it is tried"
        )
        for comer in comers[2:]:
            comer.setblocking(False)
            with pytest.raises(BlockingIOError):
                comer.recv(1)
            comer.settimeout(60)

        comers[0].close()
        assert b"101" in comers[2].recv(4096), "one who leaves makes room for one"
        allow(used + 100)
        assert all(b"101" in comer.recv(4096) for comer in comers[3:])


# --- plugins --------------------------------------------------------------------------------------

BAD = """
import os, time
from pathlib import Path
from tickwire import feed

@feed("good.*", every=0.02)
def good(pub):
    pub.publish("good.A", {"at": time.time()})
"""
RAISES = """
@feed("bad.*", every=0.01)
def raises(pub):
    pub.publish("bad.A", {})
    raise LookupError("no exchange")
"""
BLOCKS = """
@feed("bad.*")
def blocks(pub):
    pub.publish("bad.A", {})
    while True:
        time.sleep(1000)
"""
FLOODS = """
@feed("bad.*")
def floods(pub):
    number = 0
    while not pub.wait(0.01):
        for _ in range(100 if Path("flood").exists() else 1):
            number += 1
            pub.publish("bad.A", {"n": number, "text": "x" * 1000})
"""
EXITS = """
@feed("bad.*")
def exits(pub):
    pub.publish("bad.A", {})
    while not Path("exit").exists():
        pub.wait(0.01)
    os._exit(7)
"""
StartWith = Callable[..., DaemonProcess]


@pytest.fixture
def start_with(start_daemon: StartDaemon, embeds_python: None, tmp_path: Path) -> StartWith:
    """start_with(RAISES, ...): beside a feed that ticks every 20 ms, `good.A`."""

    def start(plugin: str, *args: str) -> DaemonProcess:
        (tmp_path / "bad.py").write_text(BAD + plugin)
        return start_daemon(*args, "bad.py")

    return start


@pytest.mark.parametrize("plugin", [RAISES, BLOCKS])
def test_a_feed_that_raises_again_and_again_or_blocks_for_ever_stops_no_other(
    start_with: StartWith, eventually: "Eventually", plugin: str
) -> None:
    daemon = start_with(plugin)
    with daemon.connect() as client:
        client.send({"type": "subscribe", "topics": ["good.A", "bad.A"]})
        ticks = seqs(updates(client, "good.A", 50))
        assert ticks[1:] == list(range(ticks[1], ticks[1] + 49)), "not one is missing"
    if plugin is RAISES:
        eventually(lambda: daemon.admin("/health").json["plugins"]["bad"]["errors"] >= 2)
        assert daemon.admin("/health").json["plugins"]["bad"]["restarts"] >= 1
        assert "LookupError: no exchange" in daemon.log()
        eventually(lambda: daemon.http("/v1/snapshot/bad.A").json["status"] == "stale")
    assert daemon.stop() == 0


def test_a_feed_that_floods_costs_slow_clients_states_and_the_server_no_memory(
    start_with: StartWith, tmp_path: Path
) -> None:
    daemon = start_with(FLOODS, "--set", "server.shards=1")
    with daemon.connect() as client, RawClient(daemon.address, receive_buffer=4096) as slow:
        client.send({"type": "subscribe", "topics": ["good.A", "bad.A"]})
        slow.send_text('{"type":"subscribe","topics":["bad.A"]}')
        slow.read_until(b'"topic":"bad.A","seq"')
        updates(client, "bad.A", 10)
        before = rss_bytes(daemon.process.pid)
        (tmp_path / "flood").touch()
        first = updates(client, "bad.A", 1)[0]["data"]["n"]
        newest: dict[str, int] = {}
        while newest.get("bad.A", 0) < first + 12_000:
            message = client.receive()
            if "data" in message:
                known = newest.get(message["topic"])
                jumped = message["type"] == "snapshot"
                assert known is None or jumped or message["seq"] == known + 1
                newest[message["topic"]] = message["seq"]
        assert newest["good.A"] > 10, "the other feed ticks on"
        grown = rss_bytes(daemon.process.pid) - before
        assert grown < 6 * MIB, "of 12 MB that the slow one did not take"
        (tmp_path / "flood").unlink()
        sessions = {s["remote"]: s for s in daemon.admin("/v1/sessions").json["sessions"]}
        assert sessions[slow.address]["behind"] == 1


def test_os_exit_in_a_plugin_is_a_crash_after_which_nothing_means_two_things(
    start_with: StartWith, tmp_path: Path
) -> None:
    args = ("--set", "store.path=ticks.db", "--set", "store.flush_ms=20")
    daemon = start_with(EXITS, *args)
    with daemon.connect() as client:
        client.send({"type": "subscribe", "topics": ["good.A"]})
        last = updates(client, "good.A", 20)[-1]["seq"]
        epoch = client.welcome["epoch"]
        (tmp_path / "exit").touch()
        assert daemon.process.wait(10) == 7
    (tmp_path / "exit").unlink()
    after = start_with(EXITS, *args)
    assert after.http("/health").json["epoch"] != epoch
    assert after.http("/v1/snapshot/good.A").json["seq"] > last - 10, "all but the last flush"


# --- clients that stop ----------------------------------------------------------------------------


@pytest.mark.usefixtures("embeds_python")
def test_clients_that_are_stopped_cost_nothing_and_find_out_what_they_missed(
    start_daemon: StartDaemon,
    programs: Path,
    checkout: Path,
    request: pytest.FixtureRequest,
    eventually: "Eventually",
) -> None:
    """--stopped-s 60: as long as the server waits for one who takes nothing."""
    stopped_s = request.config.getoption("--stopped-s")
    daemon = start_daemon(
        str(checkout / "feeds/checked.py"), "--set", "plugins.checked.rate=3000"
    )  # fmt: skip

    @contextmanager
    def checking(secs: float) -> Iterator["subprocess.Popen[str]"]:
        command = [programs / "tickwire", "check", "--url", daemon.address, "--json"]
        command += ["--connections", "20", "--secs", str(secs)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            yield process

    def result(process: "subprocess.Popen[str]") -> dict[str, Any]:
        out, _ = process.communicate(timeout=60)
        lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
        assert process.returncode == 0, lines[-1]
        return lines[-1]

    def messages_of_others() -> int:
        return sum(s["messages"] for s in daemon.admin("/v1/sessions").json["sessions"])

    with checking(stopped_s + 6) as stopped, checking(stopped_s + 4) as healthy:
        eventually(lambda: daemon.http("/health").json["sessions"] == 40)
        eventually(lambda: messages_of_others() > 10_000)
        before = rss_bytes(daemon.process.pid)
        stopped.send_signal(signal.SIGSTOP)
        try:
            time.sleep(stopped_s)
            assert rss_bytes(daemon.process.pid) - before < 8 * MIB
        finally:
            stopped.send_signal(signal.SIGCONT)
        print("stopped:", result(stopped))  # for -s
        print("healthy:", result(healthy))


# --- the clock ------------------------------------------------------------------------------------


def test_a_wall_clock_that_jumps_moves_no_seq_takes_no_ts_back_and_makes_nothing_stale(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """The server is a real process: the library stands between it and the kernel's clock."""
    libraries = list(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "the package libfaketime is missing: make setup"
    clock = tmp_path / "clock"
    clock.write_text("+0")
    daemon = start_daemon(
        "--set", "auth.publish=open", "--set", "server.heartbeat_s=1",
        "--set", 'topics."t.>".stale_after_s=600',
        env={
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
    )  # fmt: skip
    day_ms = 86_400_000
    with daemon.connect() as viewer, daemon.connect() as source:
        viewer.send({"type": "subscribe", "topics": ["t.X"]})
        assert viewer.receive()["type"] == "ack"
        seen = []
        for offset in ("+0", "-1d", "+1d", "+0"):
            clock.write_text(offset)
            for _ in range(2):  # a second of nothing each: a tick between looks for stale topics
                assert viewer.receive()["type"] == "heartbeat"
            source.publish("t.X", {"at": offset})
            while (message := viewer.receive())["type"] == "heartbeat":
                pass
            seen.append(message)
        assert [message["type"] for message in seen] == ["update"] * 4, "and no status"
        assert seqs(seen) == [1, 2, 3, 4]
        now, back, ahead, again = (message["ts"] for message in seen)
        assert back == now, "it stays until the clock has passed it again"
        assert day_ms <= ahead - now < day_ms + 60_000
        assert again == ahead
    assert not re.search("error|critical", daemon.log())
