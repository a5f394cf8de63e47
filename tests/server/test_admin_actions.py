"""What `tickwire admin` does to a real server that runs."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

import tickwire as client_package
from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess
from server.test_admin import Tickwire, tickwire
from server.test_revoke import end_of, is_let_in, signed_in
from server.tokens import Issuer

__all__ = ["tickwire"]

RUNS = """
import asyncio
import logging
from pathlib import Path
from tickwire import feed

def count(name):
    file = Path(name + ".runs")
    file.write_text((file.read_text() if file.exists() else "") + "x")

@feed("runs.forever", topics=["runs.forever"])
async def forever(pub):
    count("forever")
    pub.log.debug("a run begins")
    pub.publish("runs.forever", {"n": 1})
    await asyncio.Event().wait()

@feed("runs.once")
async def once(pub):
    count("once")

@feed("runs.broken")
async def broken(pub):
    count("broken")
    if len(Path("broken.runs").read_text()) < 3:
        raise RuntimeError("not yet")
    await asyncio.Event().wait()
"""


def eventually(probe: Callable[[], Any], within_s: float = 120) -> None:
    end = time.monotonic() + within_s
    while not probe():
        assert time.monotonic() < end
        time.sleep(0.02)


def audited(daemon: DaemonProcess) -> list[str]:
    return [line.split("audit: ")[1] for line in daemon.log().splitlines() if "audit: " in line]


def test_who_is_disconnected_comes_back_with_the_same_token(
    start_daemon: StartDaemon, issuer: Issuer, tickwire: Tickwire
) -> None:
    plant = start_daemon("--set", issuer.setting, "--set", "server.shards=2")
    clients = [signed_in(plant, issuer, "mia") for _ in range(3)]
    done = tickwire("admin", "disconnect", "--subject", "mia", "--url", plant.address)
    assert json.loads(done.stdout) == {"subject": "mia", "sessions": 3}, done.stderr
    assert [end_of(client)[0] for client in clients] == [4001] * 3
    assert is_let_in(plant, issuer.token(">", sub="mia", iat=int(time.time()) - 1))
    assert 'disconnect subject="mia" sessions=3' in audited(plant)[0]


async def test_the_python_client_goes_on_after_a_disconnect(
    start_daemon: StartDaemon, tickwire: Tickwire
) -> None:
    plant = start_daemon("--set", "auth.publish=open")
    url = f"ws://{plant.address}"
    async with client_package.connect(url, backoff_s=0.01) as client:
        async with client.subscribe("a.A"), client_package.connect(url) as other:
            await client.publish("a.A", {"n": 1})
            listed = plant.admin("/v1/sessions").json["sessions"]
            names = {one["session"] for one in listed}
            for name in names:
                done = await asyncio.to_thread(
                    tickwire, "admin", "disconnect", "--session", name, "--url", plant.address
                )
                assert json.loads(done.stdout)["sessions"] == 1
            async with asyncio.timeout(60):
                while not (client.connected and other.connected):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                assert await client.publish("a.A", {"n": 2}) == 2
        now = {one["session"] for one in plant.admin("/v1/sessions").json["sessions"]}
        assert not now & names


@pytest.mark.usefixtures("embeds_python")
def test_a_plugin_begins_anew_whatever_its_feeds_do(
    start_daemon: StartDaemon, tickwire: Tickwire, tmp_path: Path
) -> None:
    (tmp_path / "runs.py").write_text(RUNS)
    plant = start_daemon("runs.py", "--set", "log.level=info")

    def runs(name: str) -> int:
        file = tmp_path / f"{name}.runs"
        return len(file.read_text()) if file.exists() else 0

    eventually(lambda: (runs("forever"), runs("once")) == (1, 1) and runs("broken") >= 1)
    done = tickwire("admin", "log-level", "debug", "--url", plant.address)
    assert json.loads(done.stdout) == {"level": "debug"}, done.stderr
    with plant.connect() as client:
        client.ask({"type": "subscribe", "id": 1, "topics": ["runs.forever"]})
        assert client.receive()["status"] == "live"
        done = tickwire("admin", "restart-plugin", "runs", "--url", plant.address)
        assert json.loads(done.stdout) == {"plugin": "runs"}, done.stderr
        assert client.receive()["status"] == "stale"
        assert client.receive()["type"] == "update"
    eventually(lambda: (runs("forever"), runs("once")) == (2, 2) and runs("broken") >= 3)
    assert plant.admin("/health").json["plugins"]["runs"]["errors"] <= 2  # those of `broken`
    assert "a run begins" in plant.log()  # of the second run: the first was not at debug
    done = tickwire("admin", "restart-plugin", "run", "--url", plant.address)
    assert done.returncode != 0
    assert "there are: runs" in done.stderr
    assert audited(plant)[-1].endswith('no plugin has that name; there are: runs"')
    assert plant.stop() == 0


def test_a_level_that_is_none_is_told_which_there_are(
    start_daemon: StartDaemon, tickwire: Tickwire
) -> None:
    plant = start_daemon()
    done = tickwire("admin", "log-level", "loud", "--url", plant.address)
    assert done.returncode == 2, "a fault of the command line"
    assert "'debug', 'info', 'warning', 'error', 'off'" in done.stderr
    done = tickwire("admin", "log-level", "error", "--url", plant.address)
    assert done.returncode == 0, done.stderr
    assert 'log_level level="error"' in audited(plant)[-1]  # the audit log has no level


def test_a_drained_server_sends_its_clients_away_and_runs_on(
    start_daemon: StartDaemon, tickwire: Tickwire
) -> None:
    plant = start_daemon("--set", "server.reconnect_s=0")
    client = plant.connect()
    for _ in range(2):  # the second one changes nothing
        done = tickwire("admin", "drain", "--url", plant.address, "--admin", plant.admin_socket)
        assert json.loads(done.stdout) == {"draining": True}, done.stderr
    assert client.receive()["type"] == "drain"
    with pytest.raises(ConnectionClosed) as closed:
        client.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4001
    with pytest.raises(OSError, match="refused"):
        plant.connect()
    health = plant.admin("/health")
    assert health.status == 503
    assert health.json["status"] == "draining"
    assert plant.admin("/ready").status == 503
    # Its port is closed, and the command finds it all the same.
    assert tickwire("health", "--url", plant.address).returncode == 5
    done = tickwire("admin", "log-level", "error", "--url", plant.address)
    assert json.loads(done.stdout) == {"level": "error"}, done.stderr
    assert plant.stop() == 0
