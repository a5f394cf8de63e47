"""SIGTERM: no new clients, `drain` and a close for those there are, then the end in time."""

import json
import signal
import socket

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from server.conftest import StartDaemon
from server.raw_client import RawClient


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("shards", [1, 3])
def test_every_client_is_told_and_then_closed(
    start_daemon: StartDaemon, number: int, shards: int
) -> None:
    daemon = start_daemon("--set", f"server.shards={shards}", "--set", "server.drain_s=300")
    clients = [daemon.connect() for _ in range(10)]
    daemon.process.send_signal(number)
    for client in clients:
        drain = client.receive()
        assert drain["type"] == "drain"
        assert 0 <= drain["reconnect_after_ms"] <= 10_000
        with pytest.raises((ConnectionClosedError, ConnectionClosedOK)) as closed:
            client.receive()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001
    assert daemon.process.wait(60) == 0, "clients that obey are not waited for"


def test_nobody_can_connect_any_more(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    assert daemon.stop() == 0
    host, _, port = daemon.address.rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=60)


def test_a_client_that_never_answers_holds_the_end_up_no_longer_than_drain_s(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--set", "server.drain_s=1", "--set", "store.path=ticks.db")
    with RawClient(daemon.address):
        assert daemon.stop() == 0


def test_a_second_signal_ends_it_at_once(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.drain_s=60")
    with RawClient(daemon.address) as client:
        daemon.process.send_signal(signal.SIGTERM)
        client.read_until(b'"drain"')
        assert daemon.process.poll() is None, "it waits for the client's close"
        assert daemon.stop() == -signal.SIGTERM


def test_what_was_published_last_is_in_the_store(start_daemon: StartDaemon) -> None:
    args = ("--set", "store.path=ticks.db", "--set", "auth.publish=open")
    daemon = start_daemon(*args, "--set", "store.flush_ms=60000")
    with daemon.connect() as client:
        for number in range(500):
            client.publish(f"t.{number}", {"n": number})
        assert daemon.stop() == 0
    after = start_daemon(*args)
    assert after.http("/health").json["topics"] == 500
    assert json.loads(after.http("/v1/snapshot/t.499").body)["data"] == {"n": 499}
