"""tickwired runs plugins in the Python of the environment that it was installed beside."""

import shutil
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest

from server.conftest import Run, StartDaemon
from server.raw_client import RawClient

WALK = """
from tickwire import feed

@feed("ticker.*", every=0.02, topics=["ticker.A"])
async def walk(pub):
    for topic in pub.wanted:
        pub.publish(topic, {"last": pub.config.get("price", "none")})
"""

STUCK = """
import asyncio, time
from tickwire import feed

@feed("stuck.*", every=1)
def stuck(pub):
    time.sleep(1000)

@feed("waiting.*")
async def waiting(pub):
    open("begun", "w").close()
    await asyncio.to_thread(time.sleep, 1000)
"""


pytestmark = pytest.mark.usefixtures("embeds_python")


def test_a_feed_publishes_what_is_wanted_with_its_configuration(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    (tmp_path / "walk.py").write_text(WALK)
    daemon = start_daemon("--set", "plugins.walk.price='101.20'", "walk.py")
    with daemon.connect() as client:
        client.send({"type": "subscribe", "topics": ["ticker.>"]})
        assert client.receive()["type"] == "ack"
        assert client.receive()["data"] == {"last": "101.20"}
    assert daemon.admin("/health").json["plugins"]["walk"]["state"] == "running"
    assert daemon.stop() == 0


def test_the_files_of_the_configuration_come_before_those_of_the_command_line(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(WALK)
    daemon = start_daemon("--set", "plugins.files=one.py", "two.py")
    assert list(daemon.admin("/health").json["plugins"]) == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def (\n", "bad.py:1: SyntaxError"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("x = 1\n", "bad"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_ends_with_2(
    run: Run, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "bad.py").write_text(text)
    done = run("--listen", "127.0.0.1:0", "bad.py")
    assert done.returncode == 2
    assert done.stderr.startswith("tickwired: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_cannot_open_keeps_its_exit_code(run: Run, tmp_path: Path) -> None:
    (tmp_path / "walk.py").write_text(WALK)
    done = run(
        "--listen", "127.0.0.1:0", "--set", "store.path=no/such/x.db", "walk.py"
    )  # fmt: skip
    assert done.returncode == 10
    assert done.stderr.startswith("tickwired: store.path: no/such/x.db")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_plugins_that_do_not_end_do_not_hold_up_the_end(
    start_daemon: StartDaemon, tmp_path: Path, number: int
) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    daemon = start_daemon("stuck.py")
    deadline = time.monotonic() + 20
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert daemon.stop(number) == 0


def test_a_second_signal_ends_it_at_once(start_daemon: StartDaemon, tmp_path: Path) -> None:
    (tmp_path / "walk.py").write_text(WALK)
    daemon = start_daemon("--set", "server.drain_s=60", "walk.py")
    with RawClient(daemon.address) as client:
        daemon.process.send_signal(signal.SIGTERM)
        client.read_until(b'"drain"')
        assert daemon.process.poll() is None, "it waits for the client's close"
        assert daemon.stop() == -signal.SIGTERM


def test_what_plugins_leave_for_the_end_is_done(
    tickwired: Path, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bye.py").write_text(
        WALK + "\nimport atexit\natexit.register(lambda: print('goodbye'))\n"
    )
    process = subprocess.Popen(
        [tickwired, "--listen", "127.0.0.1:0", "bye.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment,
        cwd=tmp_path,
    )
    assert process.stderr is not None
    assert any(b"listening on" in line for line in process.stderr)
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, b"goodbye\n")


def test_away_from_its_environment_it_needs_to_be_told_where_the_packages_are(
    tickwired: Path, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_text("raise SystemExit('was imported')\n")
    lonely = tmp_path / "tickwired"
    shutil.copy(tickwired, lonely)
    done = run("--listen", "127.0.0.1:0", "bad.py", program=lonely)
    assert done.returncode == 2
    assert "plugins need the Python package tickwire" in done.stderr
    assert "plugins.python_path" in done.stderr
    packages = sysconfig.get_path("purelib")
    done = run(
        "--listen", "127.0.0.1:0", "--set", f"plugins.python_path={packages}", "bad.py",
        program=lonely,
    )  # fmt: skip
    assert "was imported" in done.stderr
