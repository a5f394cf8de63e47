"""A disk that refuses holds nothing up: live data goes on, health says so, it heals by itself."""

import resource
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

if TYPE_CHECKING:
    from conftest import Eventually

FILE_BYTES_MAX = 64 * 1024


def limit_files(daemon: DaemonProcess, size: int) -> None:
    """Keeps the files of that process from growing past `size`, as on a full disk."""
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_files_that_cannot_grow_degrade_the_store_and_nothing_else(
    start_daemon: StartDaemon, eventually: "Eventually"
) -> None:
    args = ("--set", "store.path=ticks.db", "--set", "auth.publish=open")
    daemon = start_daemon(*args, "--set", "store.flush_ms=20")
    with daemon.connect() as client:
        client.publish("t.X", {"n": 1})
        limit_files(daemon, FILE_BYTES_MAX)
        client.publish("t.big", {"text": "x" * 2 * FILE_BYTES_MAX})
        eventually(lambda: daemon.http("/health").json["store"] == "degraded")
        health = daemon.admin("/health").json
        assert health["status"] == "degraded"
        assert health["store_stats"]["failures"] >= 1
        client.send({"type": "subscribe", "topics": ["t.X"]})
        assert [client.receive()["type"] for _ in range(2)] == ["ack", "snapshot"]
        client.send({"type": "publish", "topic": "t.X", "data": {"n": 2}})
        assert {client.receive()["type"] for _ in range(2)} == {"ack", "update"}

        def failures() -> int:
            count: int = daemon.admin("/health").json["store_stats"]["failures"]
            return count

        before = failures()
        eventually(lambda: failures() >= before + 5)
        assert daemon.log().count("degraded") == 1, "said once, however often it is tried"
        limit_files(daemon, resource.RLIM_INFINITY)
        eventually(lambda: daemon.http("/health").json["store"] == "ok")
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


def fill(rest: Path) -> None:
    with rest.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


MOUNT = """#!/bin/sh
exec unshare -m{mapped} sh -c 'mount -t tmpfs -o size=8m tmpfs disk && exec "$@"' sh \\
  {tickwired} "$@"
"""


def test_on_a_full_file_system_live_data_goes_on_and_the_store_heals_when_there_is_room(
    start_daemon: StartDaemon, eventually: "Eventually", tickwired: Path, tmp_path: Path
) -> None:
    """A file system of 8 MiB that only this server sees."""
    mapped = next(
        (flags for flags in ("", "Ur") if not subprocess.call(["unshare", f"-m{flags}", "true"])),
        None,
    )
    if mapped is None:
        pytest.skip("this machine lets us mount nothing")
    (tmp_path / "disk").mkdir()
    mounting = tmp_path / "mounting"
    mounting.write_text(MOUNT.format(mapped=mapped, tickwired=tickwired))
    mounting.chmod(0o755)
    daemon = start_daemon(
        "--set", "store.path=disk/ticks.db", "--set", "store.flush_ms=20",
        "--set", "auth.publish=open",
        program=mounting,
    )  # fmt: skip
    disk = Path(f"/proc/{daemon.process.pid}/root{tmp_path}/disk")

    def store() -> str:
        state: str = daemon.http("/health").json["store"]
        return state

    with daemon.connect() as source, daemon.connect() as viewer:
        source.publish("t.X", {"n": 0})
        viewer.send({"type": "subscribe", "topics": ["t.X"]})
        assert [viewer.receive()["type"] for _ in range(2)] == ["ack", "snapshot"]
        fill(disk / "rest")
        for number in range(1, 300):
            source.publish("t.X", {"n": number})
            source.publish(f"t.{number}", {"text": "x" * 1000})
        eventually(lambda: store() == "degraded")
        assert [viewer.receive()["seq"] for _ in range(299)] == list(range(2, 301))
        (disk / "rest").unlink()
        eventually(lambda: store() == "ok")
    assert "store: works again" in daemon.log()
    assert daemon.stop() == 0
