"""Who is connected and how he keeps up, told by a real admin listener and by ``tickwire top``."""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets import Subprotocol
from websockets.sync.client import connect

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess, Wire
from server.raw_client import RawClient

OPEN = ("--set", "auth.publish=open")
LIMIT_MAX = 10_000


def sessions(daemon: DaemonProcess, query: str = "") -> dict[str, Any]:
    answer = daemon.admin(f"/v1/sessions{query}")
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.json
    return told


@contextmanager
def stalled(daemon: DaemonProcess, *topics: str) -> Iterator[str]:
    """A subscriber that reads nothing after the ack; its address."""
    with RawClient(daemon.address, receive_buffer=4096) as client:
        client.send_text(json.dumps({"type": "subscribe", "id": 1, "topics": topics}))
        client.read_until(b'"type":"ack"')
        yield client.address


def publish_until_behind(daemon: DaemonProcess, publisher: Wire, topic: str) -> dict[str, Any]:
    """The one who is behind."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for _ in range(10):
            publisher.publish(topic, {"noise": secrets.token_hex(40_000)})
        worst: dict[str, Any] = sessions(daemon, "?sort=behind&limit=1")["sessions"][0]
        if worst["behind"]:
            return worst
    raise AssertionError("nobody fell behind")


# --- GET /v1/sessions -----------------------------------------------------------------------------


def test_the_sessions_of_all_shards_are_told(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(*OPEN, "--set", "server.shards=2")
    with ExitStack() as stack:
        wires = [stack.enter_context(daemon.connect()) for _ in range(24)]
        wires[0].ask({"type": "subscribe", "id": 1, "topics": ["t.a", "t.b", "u.*"]})
        wires[1].publish("t.a", {})
        assert wires[0].receive()["type"] == "update"
        told = sessions(daemon, "?sort=messages")
        assert told["total"] == 24
        names = [one["session"] for one in told["sessions"]]
        assert sorted(names) == sorted(wire.welcome["session"] for wire in wires)
        assert {name.split("-")[0] for name in names} == {"0", "1"}
        first = told["sessions"][0]
        assert first["session"] == wires[0].welcome["session"]
        assert (first["exact"], first["patterns"], first["messages"]) == (2, 1, 1)
        assert (first["compression"], first["format"], first["state"]) == ("none", "json", "open")
        assert first["remote"] == "{}:{}".format(*wires[0].connection.local_address[:2])
        assert first["bytes"] > 0
        assert told["counters"]["messages"] == 1
    deadline = time.monotonic() + 30
    while sessions(daemon)["total"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sessions(daemon)["sessions"] == []


def test_compression_and_format_are_what_was_negotiated(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    agreed = [
        ("deflate", "json", "context"),
        (None, "json", "none"),
        ("deflate", "cbor", "context"),
    ]
    with ExitStack() as stack:
        expected = {}
        for offered, form, compression in agreed:
            subprotocol = Subprotocol(f"tickwire.v1.{form}")
            url = f"ws://{daemon.address}/ws"
            client = connect(url, subprotocols=[subprotocol], compression=offered)
            host, port = stack.enter_context(client).local_address[:2]
            expected[f"{host}:{port}"] = (form, compression)
        found = sessions(daemon)["sessions"]
        assert {one["remote"]: (one["format"], one["compression"]) for one in found} == expected


def test_the_limit_holds_at_its_ends(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.shards=2")
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(daemon.connect())
        for limit, told in ((1, 1), (2, 2), (3, 3), (LIMIT_MAX, 3)):
            answer = sessions(daemon, f"?limit={limit}")
            assert (len(answer["sessions"]), answer["total"]) == (told, 3)
    for field, value in (("limit", LIMIT_MAX + 1), ("limit", 0), ("sort", "remote")):
        answer = daemon.admin(f"/v1/sessions?{field}={value}")
        assert answer.status == 400
        assert answer.json["error"]["code"] == "bad_message"
        assert answer.json["error"]["message"].startswith(f"{field}: must be ")


def test_a_stalled_client_shows_until_it_has_gone(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(*OPEN)
    with daemon.connect() as publisher:
        with stalled(daemon, "busy") as address:
            worst = publish_until_behind(daemon, publisher, "busy")
            assert worst["remote"] == address
            assert (worst["behind"], worst["conflated"]) == (1, 1)
            time.sleep(0.05)
            later = sessions(daemon)
            assert later["sessions"][0]["behind_ms"] >= worst["behind_ms"] + 50
            assert later["counters"]["conflated"] == 1
            (healthy,) = [one for one in later["sessions"] if one["session"] != worst["session"]]
            assert (healthy["behind"], healthy["behind_ms"], healthy["conflated"]) == (0, 0, 0)
        deadline = time.monotonic() + 30
        while sessions(daemon)["total"] > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [one["behind"] for one in sessions(daemon)["sessions"]] == [0]


# --- tickwire top ---------------------------------------------------------------------------------


@pytest.fixture
def tops(programs: Path) -> Iterator[Any]:
    """tops(daemon, "--sort", "bytes"): a running top, of which lines are read."""
    running: list[subprocess.Popen[str]] = []

    def start(daemon: DaemonProcess, *args: str) -> Iterator[dict[str, Any]]:
        options = ("--url", daemon.address, "--interval", "0.2", *args)
        command = [programs / "tickwire", "top", *options]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout
        return map(json.loads, running[-1].stdout)

    yield start
    for process in running:
        process.terminate()
        assert process.wait(10) == 0
        assert process.stdout
        process.stdout.close()


def test_top_shows_who_is_behind_and_what_he_misses(start_daemon: StartDaemon, tops: Any) -> None:
    daemon = start_daemon(*OPEN)
    topics = [f"busy.{n}" for n in range(4)]
    with daemon.connect() as publisher, stalled(daemon, *topics) as address:
        publish_until_behind(daemon, publisher, topics[0])
        lines = tops(daemon)
        for missed in range(1, 4):
            report = next(one for one in lines if one["sessions"][0]["conflated"] == missed)
            worst = report["sessions"][0]
            assert worst["remote"] == address
            assert (worst["behind"], worst["exact"]) == (missed, 4)
            assert worst["behind_ms"] > 0
            assert report["total"] == 2
            publisher.publish(topics[missed], {})


def test_top_shows_what_is_busy(start_daemon: StartDaemon, tops: Any) -> None:
    daemon = start_daemon(*OPEN)
    with daemon.connect() as publisher, daemon.connect(max_queue=None) as reader:
        reader.ask({"type": "subscribe", "id": 1, "topics": ["t.*"]})
        for topic in ("t.a", "t.b"):
            publisher.publish(topic, {})
        lines = tops(daemon, "--sort", "messages")
        report: dict[str, Any] = {"messages_per_s": 0}
        while not report["messages_per_s"]:
            for _ in range(20):
                publisher.publish("t.b", {})
            report = next(lines)
        assert report["topics"][0]["topic"] == "t.b"
        assert report["topics"][0]["updates_per_s"] > 0
        assert report["topics"][1]["updates_per_s"] == 0
        assert report["sessions"][0]["session"] == reader.welcome["session"]
        assert report["sessions"][0]["messages_per_s"] > 0
        assert report["bytes_per_s"] > report["messages_per_s"]
