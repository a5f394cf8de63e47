"""A server that cannot start says why, in one line, with an exit code of its own."""

import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from server.conftest import Run, StartDaemon

Refused = Callable[..., "tuple[int, str]"]


@pytest.fixture
def refused(run: Run) -> Refused:
    """The exit code and the message of a server that does not start."""

    def refused(*args: str, listen: str = "127.0.0.1:0") -> tuple[int, str]:
        done = run("--listen", listen, *args)
        assert done.stderr.startswith("tickwired: ")
        assert done.stderr.count("\n") == 1
        return done.returncode, done.stderr

    return refused


def store(path: str) -> list[str]:
    return ["--set", f"store.path={path}"]


def fill_store(start_daemon: StartDaemon, topics: int = 1) -> None:
    """ticks.db with as many images."""
    daemon = start_daemon("--set", "store.path=ticks.db", "--set", "auth.publish=open")
    with daemon.connect() as client:
        for number in range(topics):
            client.publish(f"t.{number}", {"text": "x" * 200})
    assert daemon.stop() == 0


def test_a_port_in_use(refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        code, message = refused(listen=address)
    assert code == 16
    assert address in message


def test_a_port_that_another_tickwired_serves(start_daemon: StartDaemon, refused: Refused) -> None:
    first = start_daemon()
    code, message = refused(listen=first.address)
    assert code == 16
    assert first.address in message
    assert first.http("/health").status == 200


def test_an_address_that_is_not_ours(refused: Refused) -> None:
    code, message = refused(listen="192.0.2.1:8080")
    assert code == 16
    assert "192.0.2.1:8080" in message


def test_the_folder_of_the_store_is_missing(refused: Refused, tmp_path: Path) -> None:
    code, message = refused(*store("no/such/ticks.db"))
    assert code == 10
    assert f"the folder {tmp_path / 'no/such'} does not exist" in message


def test_another_process_holds_the_store(start_daemon: StartDaemon, refused: Refused) -> None:
    first = start_daemon(*store("ticks.db"))
    code, message = refused(*store("ticks.db"))
    assert code == 11
    assert "ticks.db is in use by another process" in message
    assert first.http("/health").json["store"] == "ok"


@pytest.mark.parametrize("content", ["text", "sqlite"])
def test_the_store_is_somebody_elses_file(refused: Refused, tmp_path: Path, content: str) -> None:
    path = tmp_path / "ticks.db"
    if content == "text":
        path.write_text("my notes\n")
    else:
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE notes(text)")
        database.close()
    before = path.read_bytes()
    code, message = refused(*store("ticks.db"))
    assert code == 12
    assert "ticks.db is" in message
    assert path.read_bytes() == before


def test_the_store_is_damaged(start_daemon: StartDaemon, refused: Refused, tmp_path: Path) -> None:
    fill_store(start_daemon, topics=100)
    path = tmp_path / "ticks.db"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    code, message = refused(*store("ticks.db"))
    assert code == 13
    assert "ticks.db is damaged" in message


def test_a_damaged_store_is_set_aside_where_the_configuration_says_so(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    fill_store(start_daemon, 200)
    file = tmp_path / "ticks.db"
    damaged = file.read_bytes()[:-9000]
    file.write_bytes(damaged)
    daemon = start_daemon(*store("ticks.db"), "--set", "store.on_damage=start-empty")
    assert daemon.http("/health").json["topics"] == 0
    assert daemon.http("/health").json["store"] == "ok"
    (aside,) = tmp_path.glob("ticks.db.damaged-*")
    assert aside.read_bytes()[100:] == damaged[100:], "nothing is deleted"
    assert aside.name in daemon.log()
    assert daemon.stop() == 0


def test_the_store_is_of_a_newer_version(
    start_daemon: StartDaemon, refused: Refused, tmp_path: Path
) -> None:
    fill_store(start_daemon)
    database = sqlite3.connect(tmp_path / "ticks.db")
    database.execute("PRAGMA user_version = 1000")
    database.close()
    code, message = refused(*store("ticks.db"))
    assert code == 14
    assert "newer tickwire (schema 1000" in message


def test_the_store_is_a_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "ticks.db").mkdir()
    code, message = refused(*store("ticks.db"))
    assert code == 15
    assert "ticks.db is a folder" in message
