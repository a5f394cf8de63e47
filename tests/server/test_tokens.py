"""Tokens that tickwired verifies itself, without Python, and the roads around them."""

import base64
import hashlib
import hmac
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.conftest import Run, StartDaemon
from server.daemon_process import DaemonProcess, Wire
from server.tokens import Issuer

GUARDED = "ticker.a"


@pytest.fixture
def plant(start_daemon: StartDaemon, issuer: Issuer) -> DaemonProcess:
    """Holds one guarded topic and one open one."""
    daemon = start_daemon(
        *("--set", issuer.setting, "--set", "auth.public=open.>", "--set", "auth.publish=grant")
    )
    with daemon.connect() as feeder:
        assert authenticate(feeder, issuer.token(publish=[">"]))["type"] == "ack"
        for topic in (GUARDED, "ticker.b", "open.a"):
            feeder.publish(topic, {"price": "1"})
    return daemon


def authenticate(client: Wire, token: str) -> dict[str, Any]:
    return client.ask({"type": "auth", "id": "a", "token": token})


def subscribed(client: Wire, *topics: str, **more: Any) -> list[str]:
    """The code for each topic; "" where it was allowed."""
    answer = client.ask({"type": "subscribe", "id": "s", "topics": list(topics), **more})
    while answer.get("id") != "s":
        answer = client.receive()
    return [result.get("error", {}).get("code", "") for result in answer["results"]]


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256", "EdDSA"])
def test_each_algorithm_is_verified_by_a_daemon_without_plugins(
    start_daemon: StartDaemon, tmp_path: Path, algorithm: str
) -> None:
    issuer = Issuer(algorithm, tmp_path)
    daemon = start_daemon("--set", issuer.setting, "--set", "server.shards=1")
    with daemon.connect() as client:
        assert subscribed(client, GUARDED) == ["denied"]
        accepted = authenticate(client, issuer.token("ticker.*"))
        assert accepted == {"type": "ack", "id": "a", "judged": True} or accepted["type"] == "ack"
        topics = [GUARDED, "ticker.*", ">", "trade.>", "other"]
        answer = client.ask({"type": "subscribe", "id": "s", "topics": topics})
        results = answer["results"]
        codes = [result.get("error", {}).get("code", "") for result in results]
        assert codes == ["", "", "", "denied", "denied"]
        assert [result.get("partial", False) for result in results[:3]] == [False, False, True]
    with daemon.connect(f"?token={issuer.token(GUARDED)}") as client:
        assert client.receive()["type"] == "ack"
        assert subscribed(client, GUARDED) == [""]
    assert daemon.stop() == 0


def part(data: Any) -> str:
    text = json.dumps(data).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forged(algorithm: str, secret: bytes | None) -> str:
    claims = {"exp": time.time() + 600, "tickwire": {"subscribe": [">"]}}
    text = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    if secret is None:
        return f"{text}."
    digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


BAD: dict[str, Callable[[Issuer, Issuer], str]] = {
    "expired": lambda own, _: own.token(">", ttl_s=-60),
    "not yet valid": lambda own, _: own.token(">", nbf=time.time() + 60),
    "of another key": lambda _, other: other.token(">"),
    "for somebody else": lambda own, _: own.token(">", aud="other"),
    "with a crit": lambda own, _: own.token(">", headers={"crit": ["x"], "x": 1}),
    "without an exp": lambda own, _: own.token(">", exp=None),
    "alg none": lambda *_: forged("none", None),
    "the public key as a secret": lambda own, _: forged("HS256", own.public_pem),
    "an empty secret": lambda *_: forged("HS256", b""),
    "no token": lambda *_: "x.y.z",
    "a part too many": lambda own, _: own.token(">") + ".AA",
    "padded": lambda own, _: own.token(">") + "=",
    "patterns that are none": lambda own, _: own.token("a..b"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_gives_nothing_and_is_not_logged(
    plant: DaemonProcess, issuer: Issuer, tmp_path: Path, kind: str
) -> None:
    token = BAD[kind](issuer, Issuer("EdDSA", tmp_path))
    with plant.connect() as client:
        answer = authenticate(client, token)
        assert (answer["type"], answer["code"]) == ("error", "denied"), answer
        assert token not in json.dumps(answer)
        assert subscribed(client, GUARDED, "open.a") == ["denied", ""]
    assert token not in plant.log()


def test_the_size_of_a_token_is_bounded(plant: DaemonProcess, issuer: Issuer) -> None:
    with plant.connect() as client:
        answer = authenticate(client, issuer.token(">", filler="x" * 8_192))
        assert answer["code"] == "bad_message"
        assert "8192" in answer["message"]


def test_no_road_leads_around_a_token(plant: DaemonProcess) -> None:
    roads: list[dict[str, Any]] = [
        {"topics": [GUARDED]},
        {"topics": [GUARDED], "since": {GUARDED: 0}, "epoch": "x"},
        {"topics": [GUARDED], "last": 10},
        {"topics": [GUARDED], "snapshot": False},
        *({"topics": [pattern]} for pattern in ("ticker.*", "ticker.>", "ticker.*.a")),
        {"topics": ["open.a", "ticker.>"], "since": {GUARDED: 0}, "epoch": "x"},
    ]
    partial: list[dict[str, Any]] = [
        *({"topics": [pattern]} for pattern in (">", "*.a", "*.*", "*.>")),
        {"topics": [">"], "since": {GUARDED: 0, "open.a": 0}, "epoch": "x"},
        {"topics": ["*.a"], "last": 10},
    ]
    with plant.connect() as client:
        epoch = client.welcome["epoch"]
        for road in roads:
            if "epoch" in road:
                road["epoch"] = epoch
            assert subscribed(client, *road.pop("topics"), **road)[-1] == "denied", road
        for road in partial:
            if "epoch" in road:
                road["epoch"] = epoch
            answer = answer_to(client, {"type": "subscribe", "id": "p", **road})
            assert all(result["partial"] for result in answer["results"]), road
            got = answer_to(client, {"type": "get", "id": "g", "topics": road["topics"]})
            assert [result["topic"] for result in got["results"]] == ["open.a"], road
        denied = client.ask({"type": "publish", "id": 1, "topic": GUARDED, "data": {}})
        while denied["type"] != "error":
            denied = client.receive()
        assert denied["code"] == "denied"
        client.send({"type": "list", "id": "l", "pattern": ">"})
        while (answer := client.receive()).get("id") != "l":
            assert answer.get("topic", "open.a") == "open.a"
        assert answer["topics"] == ["open.a"]
        assert "next" not in answer
    assert plant.http(f"/v1/snapshot/{GUARDED}").status == 403
    assert plant.http("/v1/snapshot/ticker.unknown").status == 403
    assert plant.http("/v1/snapshot/open.a").status == 200
    assert [row["topic"] for row in plant.http("/v1/topics").json["topics"]] == ["open.a"]
    assert plant.http("/v1/topics?limit=1").json["next"] is None


def answer_to(client: Wire, message: dict[str, Any]) -> dict[str, Any]:
    """What answers a message by its id; what comes before it is skipped."""
    client.send(message)
    while (answer := client.receive()).get("id") != message["id"]:
        pass
    return answer


def test_no_road_of_http_leads_around_a_token(plant: DaemonProcess, issuer: Issuer) -> None:
    path, other = f"/v1/snapshot/{GUARDED}", issuer.token("open.>")
    forged = f"{issuer.token('>')[:-8]}AAAAAAAA"
    for refused in (path, f"{path}?x=1", f"{path}?wait=1", f"/v1/history/{GUARDED}"):
        assert [plant.http(refused, method).status for method in ("GET", "HEAD")] == [403, 403]
        for token in (other, forged):
            answer = plant.http(refused, headers={"Authorization": f"Bearer {token}"})
            assert answer.status == 403
            assert answer.headers["Cache-Control"] == "private, no-store"
    assert plant.admin(path).status == 403
    for several in ("/v1/snapshot?topics=", "/poll?wait=0&topics="):
        for topic in (GUARDED, "ticker.*"):
            (result,) = plant.http(several + topic).json["results"]
            assert result["error"]["code"] == "denied", several + topic
        for topic in (">", "*.a"):
            answer = plant.http(several + topic)
            assert b"open.a" in answer.body, several + topic
            assert b"ticker" not in answer.body, several + topic
            assert answer.headers["Cache-Control"] == "private, no-store"
    message = json.dumps({"topic": GUARDED, "data": {}}).encode()
    as_json = {"Content-Type": "application/json"}
    assert plant.http("/v1/publish", "POST", as_json, message).status == 403
    bearer = {"Authorization": f"Bearer {issuer.token('>')}"}
    assert plant.http(path, headers=bearer).status == 200
    assert plant.http(path, headers=bearer).headers["Cache-Control"] == "private, no-store"
    for query in ("pattern=ticker.*", "after=open.a", "after=ticker.&limit=1"):
        assert plant.http(f"/v1/topics?{query}").json == {"topics": [], "next": None}, query


def test_a_token_that_another_one_replaced_opens_nothing(
    plant: DaemonProcess, issuer: Issuer
) -> None:
    with plant.connect() as client:
        for token in (issuer.token(">"), issuer.token("open.>")):
            client.send({"type": "auth", "token": token})
        for after in ("open.a", "ticker.", GUARDED):
            listed = answer_to(client, {"type": "list", "id": after, "after": after})
            assert listed["topics"] == []
        answer = answer_to(client, {"type": "subscribe", "id": 1, "topics": [GUARDED, ">"]})
        assert answer["results"][0]["error"]["code"] == "denied"
        assert answer["results"][1]["partial"]
        answer_to(client, {"type": "auth", "id": 2, "token": issuer.token(">")})
        answer = answer_to(client, {"type": "subscribe", "id": 3, "topics": [GUARDED, ">", "*.b"]})
        assert not any("error" in result for result in answer["results"])
        answer_to(client, {"type": "auth", "id": 4, "token": issuer.token("open.>")})
        with plant.connect() as feeder:
            authenticate(feeder, issuer.token(publish=[">"]))
            for topic in (GUARDED, "ticker.b", "ticker.new", "open.a"):
                feeder.publish(topic, {"price": "9"})
        client.send({"type": "ping", "id": "end"})
        seen = []
        while (message := client.receive())["type"] != "pong":
            seen.append(message)
        assert {message["code"] for message in seen if message["type"] == "error"} == {"denied"}
        data = [message for message in seen if message["type"] not in ("error", "heartbeat")]
        assert {message["topic"] for message in data} == {"open.a"}, seen


def test_data_ends_with_the_token_and_goes_on_with_the_next(
    plant: DaemonProcess, issuer: Issuer
) -> None:
    with plant.connect() as client:
        # The leeway is 10 s.
        assert authenticate(client, issuer.token(GUARDED, ttl_s=-4))["type"] == "ack"
        assert subscribed(client, GUARDED) == [""]
        assert client.receive()["type"] == "snapshot"
        while (held := client.receive())["type"] == "heartbeat":
            pass
        assert (held["code"], held["topic"]) == ("unavailable", GUARDED)
        assert "expired" in held["message"]
        assert subscribed(client, "ticker.b") == ["unavailable"]
        client.send({"type": "auth", "token": issuer.token(GUARDED)})
        assert {client.receive()["type"] for _ in range(2)} == {"ack", "snapshot"}


def test_a_smaller_token_takes_away_at_once(plant: DaemonProcess, issuer: Issuer) -> None:
    with plant.connect() as client:
        authenticate(client, issuer.token("ticker.*"))
        assert subscribed(client, GUARDED, "ticker.b") == ["", ""]
        assert [client.receive()["type"] for _ in range(2)] == ["snapshot", "snapshot"]
        authenticate(client, issuer.token("ticker.b"))
        ended = client.receive()
        assert (ended["code"], ended["topic"]) == ("denied", GUARDED)
        with plant.connect() as feeder:
            authenticate(feeder, issuer.token(publish=[">"]))
            feeder.publish(GUARDED, {"price": "2"})
            feeder.publish("ticker.b", {"price": "2"})
        assert client.receive()["topic"] == "ticker.b"


def test_new_keys_hold_after_sighup_and_sessions_keep_what_they_have(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    old, new = Issuer("ES256", tmp_path), Issuer("RS256", tmp_path)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [old.jwk("old")]}))
    daemon = start_daemon("--set", f"auth.jwt.keys={keys}")

    def reload(text: str, said: str) -> None:
        before = daemon.log().count(said)
        keys.write_text(text)
        daemon.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while daemon.log().count(said) == before:
            assert time.monotonic() < deadline, daemon.log()
            time.sleep(0.01)

    with daemon.connect() as before:
        assert authenticate(before, new.token(">"))["code"] == "denied"
        assert authenticate(before, old.token(">", headers={"kid": "old"}))["type"] == "ack"
        reload("nonsense", "not reloaded: ")
        assert authenticate(before, old.token(">"))["type"] == "ack"
        reload(json.dumps({"keys": [new.jwk("new")]}), "keys of tokens read again: 1")
        assert subscribed(before, GUARDED) == [""]
        with daemon.connect() as after:
            assert authenticate(after, old.token(">"))["code"] == "denied"
            assert authenticate(after, new.token(">"))["type"] == "ack"
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"auth.public": "a"}, "auth.public: needs auth.jwt.keys"),
        ({"auth.jwt.issuer": "x"}, "auth.jwt.issuer: needs auth.jwt.keys"),
        ({"auth.jwt.keys": "missing.pem"}, "missing.pem cannot be read"),
        ({"auth.jwt.keys": "private.pem"}, "private.pem holds a private key"),
        ({"auth.jwt.keys": "empty.json"}, "empty.json has no key that can be used"),
        ({"auth.jwt.secret": "x" * 31}, "auth.jwt.secret: a secret of 31 bytes"),
        ({"auth.jwt.secret": "x" * 32, "auth.public": "a..b"}, "auth.public: "),
        ({"auth.jwt.secret": "x" * 32, "auth.jwt.claim": ""}, "auth.jwt.claim: is empty"),
    ],
)
def test_a_configuration_that_would_leave_topics_open_is_refused(
    run: Run, tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    (tmp_path / "private.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    (tmp_path / "empty.json").write_text('{"keys": []}')
    sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    done = run("--check", *sets)
    assert done.returncode == 2
    assert said in done.stderr
    assert "x" * 31 not in done.stderr
