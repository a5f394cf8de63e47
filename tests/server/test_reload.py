"""SIGHUP: what can change while the server runs does, the rest is said to need a restart."""

import signal
import time
from pathlib import Path

import pytest

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

FILE = "tickwire.toml"
PLUGIN = """
from tickwire import feed

@feed("t.*", every=1)
def tick(pub):
    pub.publish("t.a", {})
"""
EVENTS = '[topics."chat.>"]\ndelivery = "event"\nring = 2\n'


def reload(daemon: DaemonProcess, said: str) -> None:
    before = daemon.log().count(said)
    daemon.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 30
    while daemon.log().count(said) == before:
        assert time.monotonic() < deadline, daemon.log()
        time.sleep(0.01)


def test_topics_and_the_log_level_change_at_once_and_the_rest_needs_a_restart(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    config = tmp_path / FILE
    config.write_text("[auth]\npublish = 'open'\n" + EVENTS)
    daemon = start_daemon("--config", FILE)
    with daemon.connect() as client:
        for number in range(5):
            client.publish("chat.a", {"n": number})
        config.write_text(
            "[auth]\npublish = 'none'\n[log]\nlevel = 'debug'\n" + EVENTS.replace("2", "3")
        )
        reload(daemon, "needs a restart: auth.publish\n")
        assert 'reloaded: log.level, topics."chat.>".ring' in daemon.log()
        for number in range(5, 10):
            client.publish("chat.a", {"n": number})
        client.send({"type": "subscribe", "topics": ["chat.a"], "last": 100})
        assert client.receive()["type"] == "ack"
        assert [client.receive()["data"]["n"] for _ in range(3)] == [7, 8, 9]
    reload(daemon, "reloaded: nothing changed")
    assert daemon.stop() == 0


def test_a_mistake_changes_nothing(start_daemon: StartDaemon, tmp_path: Path) -> None:
    config = tmp_path / FILE
    config.write_text("")
    daemon = start_daemon("--config", FILE)
    config.write_text("[topics.'chat.>']\nring = -1\n")
    reload(daemon, "not reloaded: tickwire.toml: ")
    assert daemon.http("/health").json["status"] == "ok"
    assert daemon.stop() == 0


@pytest.mark.parametrize("run_as", ["plain", "plugins"])
def test_it_never_ends_the_server(
    start_daemon: StartDaemon, tmp_path: Path, run_as: str, request: pytest.FixtureRequest
) -> None:
    if run_as == "plugins":
        request.getfixturevalue("embeds_python")
    (tmp_path / "plugin.py").write_text(PLUGIN)
    daemon = start_daemon(*(["plugin.py"] if run_as == "plugins" else []))
    reload(daemon, "reloaded: nothing changed")
    assert daemon.http("/health").status == 200
    assert daemon.stop() == 0
