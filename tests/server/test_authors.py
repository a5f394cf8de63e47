"""Who wrote it, and updates that come twice: over a WebSocket and over HTTP."""

import json
from typing import Any

import pytest

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess
from server.tokens import Issuer

TOPIC = "chat.room"


@pytest.fixture
def plant(start_daemon: StartDaemon, issuer: Issuer) -> DaemonProcess:
    return start_daemon(
        *("--set", issuer.setting, "--set", "auth.public=chat.>", "--set", "auth.publish=grant")
    )


def post(plant: DaemonProcess, token: str, *messages: Any) -> list[Any]:
    headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {token}"}
    body = "\n".join(json.dumps(message) for message in messages).encode()
    answer = plant.http("/v1/publish", "POST", headers, body)
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.body.splitlines()]


def test_the_server_says_who_wrote_it(plant: DaemonProcess, issuer: Issuer) -> None:
    mia, nobody = issuer.token(publish=["chat.>"], sub="mia"), issuer.token(publish=["chat.>"])
    assert post(plant, mia, {"topic": TOPIC, "data": {"text": "hi"}}) == [
        {"topic": TOPIC, "seq": 1}
    ]
    assert plant.http(f"/v1/snapshot/{TOPIC}").json["data"] == {"author": "mia", "text": "hi"}
    for token in (mia, nobody):
        (refused,) = post(plant, token, {"topic": TOPIC, "data": {"author": "bob"}})
        assert refused["error"]["field"] == "data.author"
    with plant.connect(f"?token={mia}") as client:
        assert client.receive()["type"] == "ack"
        large = {"text": "x" * 200_000}
        assert client.publish("chat.large", large) == 1
    assert plant.http("/v1/snapshot/chat.large").json["data"] == large | {"author": "mia"}


def test_what_comes_again_by_any_road_is_published_once(
    plant: DaemonProcess, issuer: Issuer
) -> None:
    mia = issuer.token(publish=["chat.>"], sub="mia")
    message = {"topic": TOPIC, "data": {"text": "hi"}, "once": "6f1c"}
    first, again = post(plant, mia, message, message)
    assert first == {"topic": TOPIC, "seq": 1}
    assert again == {"topic": TOPIC, "seq": 1, "duplicate": True}
    with plant.connect(f"?token={issuer.token(publish=['chat.>'], sub='mia')}") as client:
        assert client.receive()["type"] == "ack"
        answer = client.ask({"type": "publish", "id": 1} | message)
        assert answer["results"] == [again]
    bob = issuer.token(publish=["chat.>"], sub="bob")
    assert post(plant, bob, message) == [{"topic": TOPIC, "seq": 2}], "his name is another one"
