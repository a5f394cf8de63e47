"""A running server and its store in the hands of others: deleted, replaced, copied, backed up."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server.conftest import Run, StartDaemon
from server.daemon_process import DaemonProcess

if TYPE_CHECKING:
    from conftest import Eventually

STORE = ("--set", "store.path=ticks.db", "--set", "store.flush_ms=20", "--set", "auth.publish=open")
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(clean_environment: dict[str, str], tmp_path: Path) -> Command:
    """command("backup", "copy.db"): `tickwire store` on ticks.db."""

    def run(*args: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tickwire", "store", *args],
            env=clean_environment | {"TICKWIRE_STORE__PATH": "ticks.db"} | env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def plant(start_daemon: StartDaemon, eventually: "Eventually") -> DaemonProcess:
    """A server with t.X = 1 in its store."""
    daemon = start_daemon(*STORE)
    publish(daemon, 1)
    eventually(lambda: store_of(daemon) == "ok")
    return daemon


def publish(daemon: DaemonProcess, number: int) -> None:
    with daemon.connect() as client:
        client.publish("t.X", {"n": number})


def store_of(daemon: DaemonProcess) -> Any:
    return daemon.http("/health").json["store"]


def value(daemon: DaemonProcess) -> Any:
    return daemon.http("/v1/snapshot/t.X").json["data"]["n"]


def test_files_deleted_under_a_running_server_are_written_anew(
    plant: DaemonProcess, start_daemon: StartDaemon, eventually: "Eventually", tmp_path: Path
) -> None:
    for path in tmp_path.glob("ticks.db*"):
        path.unlink()
    eventually(lambda: "all images are written anew" in plant.log())
    assert store_of(plant) == "ok"
    assert plant.stop() == 0
    assert value(start_daemon(*STORE)) == 1


def test_another_file_in_its_place_is_said_and_left_alone(
    plant: DaemonProcess, eventually: "Eventually", tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"precious")
    other.replace(tmp_path / "ticks.db")
    eventually(lambda: store_of(plant) == "degraded")
    assert "is left alone" in plant.log()
    publish(plant, 2)
    assert plant.stop() == 0
    assert (tmp_path / "ticks.db").read_bytes() == b"precious"


COPIES = """
import shutil
from tickwire import feed

@feed("none")
async def copies(pub):
    for name in ("ticks.db", "ticks.db-wal", "ticks.db.lock"):
        shutil.copy(name, "copied")
    open("done", "w").close()
"""


def test_a_plugin_that_copies_the_file_takes_no_lock_away(
    start_daemon: StartDaemon,
    run: Run,
    eventually: "Eventually",
    tmp_path: Path,
    embeds_python: None,
) -> None:
    (tmp_path / "copies.py").write_text(COPIES)
    daemon = start_daemon(*STORE, "copies.py")
    eventually((tmp_path / "done").exists)
    (tmp_path / "link.db").symlink_to("ticks.db")
    os.link(tmp_path / "ticks.db", tmp_path / "hard.db")
    for name in ("ticks.db", "link.db", "hard.db"):
        refused = run("--listen", "127.0.0.1:0", "--set", f"store.path={name}")
        assert (refused.returncode, name in refused.stderr) == (11, True), refused.stderr
    assert store_of(daemon) == "ok"


@pytest.mark.parametrize("name", ["ticks.db", "ticks.db.lock", "ticks.db-journal"])
def test_a_fifo_where_a_file_must_be_is_named_instead_of_waited_for(
    run: Run, command: Command, tmp_path: Path, name: str
) -> None:
    os.mkfifo(tmp_path / name)
    for refused in (
        run("--listen", "127.0.0.1:0", "--set", "store.path=ticks.db"),
        run("--listen", "127.0.0.1:0", "--config", str(tmp_path / name)),
    ):
        assert refused.returncode != 0
        assert f"{name} is a FIFO" in refused.stderr.replace(": is", " is")
    for args in (("backup", name), ("restore", name)):
        assert command(*args).returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_backup_that_is_refused_asks_no_server_for_a_copy(
    plant: DaemonProcess, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("precious")
    before = sorted(path.name for path in tmp_path.iterdir())
    for target in ("there", "no/such/folder.db", "ticks.db"):
        assert command("backup", target).returncode != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert "backed up" not in plant.log()


def test_a_backup_of_a_running_server_is_restored_with_a_new_epoch(
    plant: DaemonProcess, start_daemon: StartDaemon, command: Command, tmp_path: Path
) -> None:
    done = command("backup", "copy.db")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    publish(plant, 2)
    refused = command("restore", "copy.db")
    assert refused.returncode == 11
    assert "in use by another process" in refused.stderr
    epoch = plant.http("/health").json["epoch"]
    assert plant.stop() == 0

    restored = command("restore", "copy.db")
    assert restored.returncode == 0
    assert "the store that was there is now ticks.db.replaced-" in restored.stderr
    again = start_daemon(*STORE)
    assert value(again) == 1
    assert again.http("/health").json["epoch"] != epoch
    assert sorted(path.name.split("-")[0] for path in tmp_path.glob("*.db*")) == [
        "copy.db", "ticks.db", "ticks.db", "ticks.db.lock", "ticks.db.replaced",
    ]  # fmt: skip


def test_a_backup_onto_another_file_system(plant: DaemonProcess, command: Command) -> None:
    target = Path("/dev/shm") / f"tickwire-test-{os.getpid()}.db"
    try:
        assert command("backup", str(target)).returncode == 0
        assert target.stat().st_size > 0
    finally:
        target.unlink(missing_ok=True)
    assert store_of(plant) == "ok"


def test_a_backup_without_a_server(
    plant: DaemonProcess, start_daemon: StartDaemon, command: Command, tmp_path: Path
) -> None:
    assert plant.stop() == 0
    assert command("backup", "copy.db").returncode == 0
    shutil.move(tmp_path / "copy.db", tmp_path / "ticks.db")
    assert value(start_daemon(*STORE)) == 1


def test_a_backup_says_what_is_in_its_way(command: Command, tmp_path: Path) -> None:
    nothing = command("backup", "copy.db")
    assert nothing.returncode == 10
    assert "ticks.db does not exist" in nothing.stderr
    no_store = command("backup", "copy.db", TICKWIRE_STORE__PATH="")
    assert no_store.returncode == 2
    assert "--set store.path=FILE" in no_store.stderr
    (tmp_path / "text").write_text("no store")
    foreign = command("restore", "text")
    assert foreign.returncode == 12
    assert command("restore", "none").returncode == 10
