"""An operator halts topics of a real server, and clients are told on every road."""

import json
import socket
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from server.conftest import StartDaemon
from server.daemon_process import Answer, DaemonProcess
from server.test_admin import Tickwire, tickwire
from server.test_admin_actions import audited, eventually
from server.test_revoke import JSON
from server.test_roads import get, open_stream, publish

__all__ = ["tickwire"]

STORE = ("--set", "store.path=ticks.db")


@pytest.fixture
def plant(start_daemon: StartDaemon) -> DaemonProcess:
    plant = start_daemon("--set", "auth.publish=open", "--set", "server.shards=2", *STORE)
    publish(plant.address, ("a.A", {"n": 1}), ("a.B", {"n": 1}))
    return plant


def act(plant: DaemonProcess, action: str, body: Any) -> Answer:
    connection = HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with closing(connection):
        connection.sock.settimeout(60)
        connection.sock.connect(plant.admin_socket)
        connection.request("POST", f"/v1/{action}", json.dumps(body), JSON)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())


def done(plant: DaemonProcess, action: str, **body: Any) -> Any:
    answer = act(plant, action, body)
    assert answer.status == 200, answer.body
    return answer.json


def halted(message: Any) -> tuple[str, str, int | None]:
    assert message["status"] == "halted", message
    return message["type"], message["reason"], message.get("until")


def test_every_road_tells_of_it_and_of_its_end(plant: DaemonProcess) -> None:
    until = round(time.time() * 1000) + 3_600_000
    formats = [plant.connect() for _ in range(2)]  # over both loops
    for client, topics in zip(formats, (["a.A"], ["a.>"]), strict=True):
        client.ask({"type": "subscribe", "id": 1, "topics": topics})
        for _ in topics if topics == ["a.A"] else range(2):
            assert client.receive()["type"] == "snapshot"
    connection, stream = open_stream(plant.address, "a.*")
    cursor = get(plant.address, "/poll?topics=a.*")["cursor"]

    told = done(plant, "halt", topic="a.A", reason="price in doubt", until=until)
    assert told == {
        "topic": "a.A",
        "reason": "price in doubt",
        "until": until,
        "kept_in": "store",
    }
    for client in formats:
        assert halted(client.receive()) == ("status", "price in doubt", until)
    streamed = next(said for name, said in stream if name == "data" and said["type"] == "status")
    assert halted(streamed) == ("status", "price in doubt", until)
    polled = get(plant.address, f"/poll?topics=a.*&cursor={cursor}")
    assert halted(polled["messages"][0]) == ("status", "price in doubt", until)
    again = get(plant.address, f"/poll?topics=a.*&cursor={polled['cursor']}&wait=0")
    assert again["messages"] == [], "a poll is not answered for what it knows"
    with plant.connect() as late:
        late.ask({"type": "subscribe", "id": 1, "topics": ["a.A"]})
        assert halted(late.receive()) == ("snapshot", "price in doubt", until)
        got = late.ask({"type": "get", "id": 2, "topics": ["a.A"]})["results"][0]
        assert (got["reason"], got["until"]) == ("price in doubt", until)
        refused = late.ask({"type": "publish", "id": 3, "topic": "a.A", "data": {"n": 2}})
        assert refused["code"] == "denied"
        assert "a.A is halted for" in refused["message"]
        assert refused["message"].endswith("price in doubt")
        assert 0 < refused["retry_after_ms"] <= 3_600_000
    posted = publish(plant.address, ("a.A", {"n": 2}), ("a.B", {"n": 2}))
    assert posted[0]["error"]["code"] == "denied"
    assert posted[1]["seq"] == 2
    snapshot = get(plant.address, "/v1/snapshot/a.A")
    assert (snapshot["reason"], snapshot["until"], snapshot["seq"]) == ("price in doubt", until, 1)
    listed = {one["topic"]: one for one in get(plant.address, "/v1/topics")["topics"]}
    assert listed["a.A"]["reason"] == "price in doubt"
    assert "reason" not in listed["a.B"]
    halts = {"topic": "a.A", "reason": "price in doubt", "until": until, "withheld": 0}
    assert plant.admin("/v1/halts").json == {"halts": [halts]}

    assert done(plant, "end_halt", topic="a.A")["withheld"] == 0
    only, pattern = formats
    assert only.receive()["status"] == "live"
    assert [pattern.receive()["type"] for _ in range(2)] == ["update", "status"]
    publish(plant.address, ("a.A", {"n": 3}))
    assert [client.receive()["seq"] for client in formats] == [2, 2]
    assert plant.admin("/v1/halts").json == {"halts": []}
    assert [line.partition('" from="')[2].partition('" ')[2] for line in audited(plant)] == [
        f'halt topic="a.A" reason="price in doubt" until={until} kept_in=store',
        'end_halt topic="a.A" withheld=0 kept_in=store',
    ]
    connection.close()
    for client in formats:
        client.__exit__()


def test_the_tag_of_a_snapshot_changes_with_the_reason(plant: DaemonProcess) -> None:
    def tag() -> str:
        return plant.http("/v1/snapshot/a.A").headers["ETag"]

    tags = [tag()]
    for reason in ("first", "second"):
        done(plant, "halt", topic="a.A", reason=reason)
        tags.append(tag())
    assert len(set(tags)) == 3
    again = plant.http("/v1/snapshot/a.A", headers={"If-None-Match": tags[-1]})
    assert again.status == 304


def test_a_restart_keeps_it_where_there_is_a_store(start_daemon: StartDaemon) -> None:
    until = round(time.time() * 1000) + 3_600_000
    first = start_daemon("--set", "auth.publish=open", *STORE)
    publish(first.address, ("a.A", {"n": 1}))
    assert done(first, "halt", topic="a.A", reason="news", until=until)["kept_in"] == "store"
    first.kill()
    second = start_daemon("--set", "auth.publish=open", *STORE)
    assert get(second.address, "/v1/snapshot/a.A")["reason"] == "news"
    assert publish(second.address, ("a.A", {"n": 2}))[0]["error"]["code"] == "denied"
    done(second, "end_halt", topic="a.A")
    assert get(second.address, "/v1/snapshot/a.A")["status"] == "stale"
    second.kill()
    third = start_daemon("--set", "auth.publish=open", *STORE)
    assert get(third.address, "/v1/snapshot/a.A")["status"] == "stale"
    without = start_daemon("--set", "auth.publish=open")
    publish(without.address, ("a.A", {"n": 1}))
    assert done(without, "halt", topic="a.A", reason="news")["kept_in"] == "memory"


def test_it_ends_by_itself(plant: DaemonProcess) -> None:
    until = round(time.time() * 1000) + 300
    done(plant, "halt", topic="a.A", reason="an auction", until=until)
    eventually(lambda: get(plant.address, "/v1/snapshot/a.A")["status"] == "live")
    assert time.time() * 1000 >= until
    assert act(plant, "end_halt", {"topic": "a.A"}).status == 404


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({}, "bad_message", "topic: is required"),
        ({"topic": "a.A"}, "bad_message", "reason: is required; clients are shown it"),
        ({"topic": "a.A", "reason": ""}, "bad_message", "reason: is required"),
        ({"topic": "a.A", "reason": "x" * 201}, "bad_message", "201 bytes, at most 200"),
        ({"topic": "a.A", "reason": "a\nb"}, "bad_message", "one line without control"),
        ({"topic": "a.A", "reason": 7}, "bad_message", "reason: must be a text"),
        ({"topic": "a.*", "reason": "x"}, "bad_topic", "a.* is a pattern"),
        ({"topic": "a b", "reason": "x"}, "bad_topic", "a b"),
        ({"topic": "a.C", "reason": "x"}, "unknown_topic", "nothing was published to a.C yet"),
        ({"topic": "a.A", "reason": "x", "until": 1}, "bad_message", "after the server's time"),
        ({"topic": "a.A", "reason": "x", "until": 0}, "bad_message", "until: must be a time to"),
        ({"topic": "a.A", "reason": "x", "until": -5}, "bad_message", "until: must be a time to"),
        ({"topic": "a.A", "reason": "x", "until": "now"}, "bad_message", "until: must be a time"),
        ({"topic": "a.A", "reason": "x", "until": 2**63}, "bad_message", "until: must be a time"),
        ({"topic": "a.A", "reason": "x", "until": 2**62}, "bad_message", "at most 366 days"),
        ({"topic": "a.A", "reason": "x", "for": "1h"}, "bad_message", "topic, reason, until"),
    ],
)
def test_a_bad_halt_halts_nothing_and_is_told_why(
    plant: DaemonProcess, body: Any, code: str, words: str
) -> None:
    error = act(plant, "halt", body).json["error"]
    assert error["code"] == code
    assert words in error["message"]
    assert plant.admin("/v1/halts").json == {"halts": []}


def test_reasons_at_their_limit(plant: DaemonProcess) -> None:
    assert done(plant, "halt", topic="a.A", reason="x" * 200)["until"] is None
    assert act(plant, "end_halt", {"topic": "a.B"}).json["error"]["code"] == "unknown_topic"


def test_the_command_line_halts_and_ends(plant: DaemonProcess, tickwire: Tickwire) -> None:
    where = ("--url", plant.address)
    told = tickwire("admin", "halt", "a.A", "--reason", "news", "--for", "2h", *where)
    assert told.returncode == 0, told.stderr
    left_s = json.loads(told.stdout)["until"] / 1000 - time.time()
    assert 7_000 < left_s <= 7_201
    listed = json.loads(tickwire("admin", "halts", *where).stdout)["halts"]
    assert [(one["topic"], one["reason"]) for one in listed] == [("a.A", "news")]
    ended = tickwire("admin", "end-halt", "a.A", *where)
    assert json.loads(ended.stdout)["withheld"] == 0
    for bad in (["--for", "soon"], ["--until", "soon"], ["--for", "1h", "--until", "2999-01-01"]):
        assert tickwire("admin", "halt", "a.A", "--reason", "x", *bad, *where).returncode == 2
    past = tickwire("admin", "halt", "a.A", "--reason", "x", "--until", "2020-01-01T00:00Z", *where)
    assert past.returncode != 0
    assert "after the server's time" in past.stderr
