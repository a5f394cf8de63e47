"""What a client gets through the real nginx and HAProxy, with TLS ended there."""

import asyncio
import json
import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPResponse, HTTPSConnection
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from deploy.conftest import Front
from server.daemon_process import Answer, Wire
from tickwire import connect as tickwire_connect

CLIENT = "127.0.0.9"
LIES = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.8"}


def wire(front: Front, **options: Any) -> Wire:
    url = f"wss://{front.host}/ws"
    return Wire(connect(url, ssl=front.tls, source_address=(CLIENT, 0), max_size=None, **options))


def ask(front: Front, path: str, body: Any = None, **headers: str) -> Answer:
    connection = HTTPSConnection(
        front.host, context=front.tls, timeout=60, source_address=(CLIENT, 0)
    )
    with closing(connection):
        text = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, text, headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())


def publish(front: Front, topic: str, data: Any) -> int:
    answer = ask(
        front,
        "/v1/publish",
        {"topic": topic, "data": data},
        **{"Content-Type": "application/json"},
    )
    assert answer.status == 200, answer.body
    seq: int = answer.json["seq"]
    return seq


def messages(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    for line in response:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


def stream(front: Front, stack: ExitStack, topics: str) -> Iterator[dict[str, Any]]:
    connection = HTTPSConnection(
        front.host, context=front.tls, timeout=60, source_address=(CLIENT, 0)
    )
    stack.callback(connection.close)
    connection.request("GET", f"/sse?topics={topics}", headers=LIES)
    response = connection.getresponse()
    assert response.status == 200
    return messages(response)


def test_a_websocket_and_who_its_client_is(front: Front) -> None:
    with wire(front, additional_headers=LIES) as client:
        assert client.publish("ws.a", {"n": 1}) == 1
        (remote,) = front.plant.remotes()
        assert remote.partition(":")[0] == CLIENT


def test_pages_of_the_same_host_and_of_no_other(front: Front) -> None:
    for origin in (f"https://{front.host}", None):
        with wire(front, origin=origin) as client:
            assert client.ask({"type": "ping", "id": 1})["type"] == "pong"
    with pytest.raises(InvalidStatus) as refused:
        wire(front, origin="https://theirs.example")
    assert refused.value.response.status_code == 403


def test_large_messages_both_ways(front: Front) -> None:
    text = "x" * 1_000_000
    with wire(front) as client:
        client.publish("large.a", {"text": text})
        client.ask({"type": "subscribe", "id": 1, "topics": ["large.a"]})
        assert client.receive()["data"] == {"text": text}
    assert publish(front, "large.a", {"text": text[1:]}) == 2
    assert ask(front, "/v1/snapshot/large.a").json["data"] == {"text": text[1:]}


def test_each_event_of_a_stream_comes_before_the_next_is_published(front: Front) -> None:
    with ExitStack() as stack:
        events = stream(front, stack, "sse.a")
        kinds = [next(events)["type"] for _ in range(2)]
        assert kinds == ["welcome", "ack"]
        for n in range(1, 4):
            publish(front, "sse.a", {"n": n})
            while (event := next(events))["type"] == "status":
                pass
            assert (event["seq"], event["data"]) == (n, {"n": n})
        assert CLIENT in [remote.partition(":")[0] for remote in front.plant.remotes()]


async def test_a_poll_is_answered_when_something_changes(front: Front) -> None:
    def poll(cursor: str) -> Any:
        query = urllib.parse.urlencode({"topics": "poll.a", "cursor": cursor, "wait": 60})
        return ask(front, f"/poll?{query}").json

    publish(front, "poll.a", {"n": 1})
    first = poll("")
    assert [one["data"] for one in first["messages"] if "data" in one] == [{"n": 1}]
    waiting = asyncio.create_task(asyncio.to_thread(poll, first["cursor"]))
    while not await asyncio.to_thread(front.plant.remotes):
        assert not waiting.done()
    publish(front, "poll.a", {"n": 2})
    second = await waiting
    assert [one["data"] for one in second["messages"] if "data" in one] == [{"n": 2}]
    assert second["results"][0]["recovered"] is True


def curl(front: Front, path: str) -> "subprocess.Popen[str]":
    options = ["--http2", "-sSN", "--max-time", "60", "--cacert", str(front.proxy.certificate)]
    command = ["curl", *options, "-w", "\nHTTP/%{http_version}\n", f"https://{front.host}{path}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_http2_towards_the_client(front: Front) -> None:
    publish(front, "h2.a", {"n": 1})
    said, _ = curl(front, "/v1/snapshot/h2.a").communicate(timeout=60)
    body, version = said.splitlines()
    assert (json.loads(body)["data"], version) == ({"n": 1}, "HTTP/2")
    with curl(front, "/sse?topics=h2.a") as stream:
        assert stream.stdout is not None
        try:
            data = (line for line in stream.stdout if line.startswith("data: "))
            events = (json.loads(line.removeprefix("data: ")) for line in data)
            assert [next(events)["type"] for _ in range(3)] == ["welcome", "ack", "snapshot"]
            publish(front, "h2.a", {"n": 2})
            assert next(events)["seq"] == 2
        finally:
            stream.kill()


@pytest.mark.parametrize("transport", ["websocket", "sse", "poll"])
async def test_a_plant_that_restarts(front: Front, transport: str) -> None:
    """Its clients go on where they were, since its store keeps the epoch."""
    topic = f"again.{transport}"
    await asyncio.to_thread(publish, front, topic, {"n": 1})
    options = {"transport": transport, "ssl": front.tls, "backoff_s": 0.05}
    async with (
        tickwire_connect(f"wss://{front.host}/ws", **options) as client,
        client.subscribe(topic) as updates,
    ):
        assert (await anext(updates)).kind == "snapshot"
        assert await asyncio.to_thread(front.plant.daemon.stop) == 0
        await asyncio.to_thread(front.plant.start)
        with front.plant.daemon.connect() as feeder:  # past the proxy, which may not know yet
            assert await asyncio.to_thread(feeder.publish, topic, {"n": 2}) == 2
        seen = [await anext(updates)]
        while seen[-1].kind != "update":
            seen.append(await anext(updates))
    assert seen[-1].seq == 2
    assert "snapshot" not in [update.kind for update in seen]
    # A poll that the proxy tried again does not even notice.
    assert all(update.recovered for update in seen if update.kind == "resumed")
