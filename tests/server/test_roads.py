"""The same topics without a WebSocket: a stream of events and a poll, also over a restart."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from server.conftest import StartDaemon
from server.daemon_process import Answer
from server.tokens import Issuer

ARGS = ("--set", "store.path=ticks.db", "--set", "auth.publish=open")


def events(response: HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Yields `("id", cursor)` and `("data", message)`."""
    for raw in response:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name == "id":
            yield name, value
        elif name == "data":
            yield name, json.loads(value)


def open_stream(
    address: str, topics: str, cursor: str = ""
) -> tuple[HTTPConnection, Iterator[Any]]:
    connection = HTTPConnection(address, timeout=60)
    headers = {"Last-Event-ID": cursor} if cursor else {}
    connection.request("GET", f"/sse?topics={urllib.parse.quote(topics)}", headers=headers)
    response = connection.getresponse()
    assert response.status == 200
    return connection, events(response)


def publish(address: str, *messages: tuple[str, Any]) -> list[Any]:
    body = "\n".join(json.dumps({"topic": topic, "data": data}) for topic, data in messages)
    request = urllib.request.Request(f"http://{address}/v1/publish", body.encode(), method="POST")
    request.add_header("Content-Type", "application/x-ndjson")
    with urllib.request.urlopen(request, timeout=60) as response:
        return [json.loads(line) for line in response]


def get(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=60) as response:
        return json.load(response)


@pytest.mark.parametrize("stop", ["clean", "killed"])
def test_a_stream_goes_on_over_a_restart_or_says_that_it_cannot(
    start_daemon: StartDaemon, stop: str
) -> None:
    first = start_daemon(*ARGS, "--set", "store.flush_ms=10")
    publish(first.address, ("a.1", {"n": 1}), ("b", {"n": 1}))
    connection, stream = open_stream(first.address, "a.*,b")
    with closing(connection):
        seen: dict[str, int] = {}
        cursor = ""
        while cursor.count("=") < 2:
            name, value = next(stream)
            if name == "id":
                cursor = value
            elif value["type"] == "snapshot":
                seen[value["topic"]] = value["seq"]
    assert seen == {"a.1": 1, "b": 1}
    if stop == "clean":
        assert first.stop() == 0
    else:
        first.kill()

    second = start_daemon(*ARGS)
    connection, stream = open_stream(second.address, "a.*,b", cursor)
    with closing(connection):
        messages = (value for name, value in stream if name == "data")
        assert next(messages)["type"] == "welcome"
        results = next(messages)["results"]
        assert [result["recovered"] for result in results] == [stop == "clean"] * 2


def test_polls_get_every_update_once_or_a_snapshot_instead(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(*ARGS)
    known: dict[str, int] = {}
    cursor = ""
    for n in range(30):
        if messages := [(f"t.{n % 3}", {"n": n})] * (n % 4):
            publish(daemon.address, *messages)
        answer = get(daemon.address, f"/poll?topics=t.*&wait=0&cursor={cursor}")
        cursor = answer["cursor"]
        for message in answer["messages"]:
            topic, seq = message["topic"], message["seq"]
            if message["type"] == "update":
                assert seq == known[topic] + 1
            elif message["type"] == "snapshot":
                assert topic not in known, "nothing of it was lost"
            known[topic] = seq
    states = get(daemon.address, "/v1/snapshot?topics=t.*")["results"]
    assert known == {state["topic"]: state["seq"] for state in states}


def test_a_page_of_another_origin_may_read_but_neither_publish_nor_stream(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon(*ARGS, "--set", 'server.origins=["https://ours"]')
    for path, method, status in (
        ("/v1/topics", "GET", 200),
        ("/sse?topics=a", "GET", 403),
        ("/poll?topics=a", "GET", 403),
        ("/v1/publish", "POST", 403),
    ):
        answer = daemon.http(path, method, {"Origin": "https://theirs"})
        assert answer.status == status, path


def test_a_line_that_is_over_a_rate_is_told_so_in_its_own_place(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "auth.publish=open", "--set", "limits.commands_per_s=1")
    large = {"text": "x" * 70_000}  # a worker would have read it
    results = publish(daemon.address, ("g.1", {}), ("g.2", {}), ("g.3", large), ("g.4", large))
    assert [result.get("topic") for result in results[:2]] == ["g.1", "g.2"]
    assert [result["error"]["code"] for result in results[2:]] == ["too_many", "too_many"]
    names = {one["topic"] for one in get(daemon.address, "/v1/topics")["topics"]}
    assert names == {"g.1", "g.2"}


def test_a_poll_whose_token_expires_keeps_its_place(
    start_daemon: StartDaemon, issuer: Issuer
) -> None:
    daemon = start_daemon(
        *("--set", issuer.setting, "--set", "auth.jwt.leeway_s=0"),
        *("--set", "auth.publish=grant", "--set", 'topics."ev.>".delivery=event'),
    )
    with daemon.connect() as feeder:
        writer = issuer.token(publish=[">"])
        assert feeder.ask({"type": "auth", "id": 1, "token": writer})["type"] == "ack"
        assert feeder.publish("ev.a", {"n": 1}) == 1

        def poll(token: str, cursor: str, wait_s: int) -> Answer:
            query = urllib.parse.urlencode({"topics": "ev.a", "wait": wait_s, "cursor": cursor})
            return daemon.http(f"/poll?{query}", "GET", {"Authorization": f"Bearer {token}"})

        first = poll(issuer.token("ev.*"), "", 0)
        assert first.status == 200, first.body
        late = poll(issuer.token("ev.*", ttl_s=2), first.json["cursor"], 60)
        assert late.status == 503, late.body
        assert late.json["error"]["code"] == "unavailable"
        assert "cursor" not in late.json
        for n in (2, 3):
            feeder.publish("ev.a", {"n": n})
        again = poll(issuer.token("ev.*"), first.json["cursor"], 0)
        assert [result.get("recovered") for result in again.json["results"]] == [True]
        assert [one["data"]["n"] for one in again.json["messages"] if "data" in one] == [2, 3]
