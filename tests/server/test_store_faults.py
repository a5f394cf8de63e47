"""A disk that refuses holds nothing up: live data goes on, health says so, it heals by itself."""

import resource
import time
from collections.abc import Callable

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

FILE_BYTES_MAX = 64 * 1024


def limit_files(daemon: DaemonProcess, size: int) -> None:
    """From now on files of that process cannot grow past `size`, as on a full disk."""
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_full_disk_degrades_the_store_and_nothing_else(start_daemon: StartDaemon) -> None:
    args = ("--set", "store.path=ticks.db", "--set", "auth.publish=open")
    daemon = start_daemon(*args, "--set", "store.flush_ms=20")
    with daemon.connect() as client:
        client.publish("t.X", {"n": 1})
        limit_files(daemon, FILE_BYTES_MAX)
        client.publish("t.big", {"text": "x" * 2 * FILE_BYTES_MAX})
        wait_until(lambda: daemon.http("/health").json["store"] == "degraded")
        assert daemon.http("/health").json["status"] == "degraded"
        client.send({"type": "subscribe", "topics": ["t.X"]})
        assert [client.receive()["type"] for _ in range(2)] == ["ack", "snapshot"]
        client.send({"type": "publish", "topic": "t.X", "data": {"n": 2}})
        assert {client.receive()["type"] for _ in range(2)} == {"ack", "update"}
        time.sleep(0.3)
        assert daemon.log().count("degraded") == 1, "said once, however often it is tried"
        limit_files(daemon, resource.RLIM_INFINITY)
        wait_until(lambda: daemon.http("/health").json["store"] == "ok")
        epoch = client.welcome["epoch"]
    assert "store: works again" in daemon.log()
    assert daemon.stop() == 0

    after = start_daemon(*args)
    assert after.http("/v1/snapshot/t.X").json["data"] == {"n": 2}
    assert len(after.http("/v1/snapshot/t.big").json["data"]["text"]) == 2 * FILE_BYTES_MAX
    assert after.http("/health").json["epoch"] == epoch


def test_a_stop_on_a_full_disk_ends_and_the_next_start_has_a_new_epoch(
    start_daemon: StartDaemon,
) -> None:
    args = ("--set", "store.path=ticks.db", "--set", "auth.publish=open")
    daemon = start_daemon(*args)
    with daemon.connect() as client:
        client.publish("t.X", {"n": 1})
        limit_files(daemon, FILE_BYTES_MAX)
        client.publish("t.big", {"text": "x" * 2 * FILE_BYTES_MAX})
    assert daemon.stop() == 0
    assert "the last images could not be written" in daemon.log()
    assert start_daemon(*args).http("/health").json["epoch"] != client.welcome["epoch"]
