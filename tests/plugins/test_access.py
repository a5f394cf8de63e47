"""Who may subscribe and publish, as authorizers say."""

import asyncio
import threading
import time
import urllib.error
import urllib.request

import pytest

from tickwire import Allow, Deny, authenticator, authorizer
from tickwire.errors import PluginError


class Door:
    """Lets `open` topics through, asynchronously."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    @authorizer("premium.>")
    async def decide(self, client, topic):
        self.asked.append((client.action, topic))
        return Allow() if topic == "premium.open" else Deny("subscription required")


def test_an_authorizer_allows_and_denies_with_its_reason(start_server, remote):
    door = Door()
    client = remote(start_server(door))
    results = client.subscribe("premium.open", "premium.shut", "ticker.A")
    assert "error" not in results[0]
    assert results[1]["error"]["code"] == "denied"
    assert "subscription required" in results[1]["error"]["message"]
    assert "error" not in results[2]
    assert sorted(door.asked) == [("subscribe", "premium.open"), ("subscribe", "premium.shut")]


def test_a_pattern_that_overlaps_a_guarded_one_is_asked_about(start_server, remote):
    door = Door()
    client = remote(start_server(door))
    assert "subscription required" in client.denial(">")
    assert client.denial("ticker.>") == ""
    assert door.asked == [("subscribe", ">")]


def test_the_servers_own_program_needs_no_permission(start_server):
    server = start_server(Door())
    server.publish("premium.shut", {"a": 1})
    with server.subscribe("premium.shut") as subscription:
        assert subscription.get(5).data == {"a": 1}


def test_a_denied_topic_receives_nothing(start_server, remote):
    server = start_server(Door())
    client = remote(server)
    client.subscribe("premium.shut", "ticker.A")
    server.publish("premium.shut", {})
    server.publish("ticker.A", {})
    assert client.receive("update")["topic"] == "ticker.A"


@pytest.mark.parametrize("threaded", [False, True])
def test_an_authorizer_that_is_late_denies(threaded, start_server, remote, eventually, caplog):
    release = threading.Event()

    @authorizer("premium.>")
    async def sleeps(client, topic):
        await asyncio.sleep(60)

    @authorizer("premium.>")
    def blocks(client, topic):
        release.wait()

    guard = blocks if threaded else sleeps
    server = start_server(guard, auth={"deadline_ms": 200})
    client = remote(server)
    start = time.monotonic()
    assert "no answer within 200 ms" in client.denial("premium.A")
    assert 0.15 < time.monotonic() - start < 2
    assert client.denial("ticker.A") == "", "others are not held up"
    eventually(lambda: server.health["plugins"][guard.__name__]["errors"] == 1)
    release.set()


def test_a_blocked_plugin_loop_denies_too(start_server, remote):
    release = threading.Event()

    @authorizer("premium.>")
    async def blocks_the_loop(client, topic):
        release.wait()

    client = remote(start_server(blocks_the_loop, auth={"deadline_ms": 200}))
    assert "no answer within 200 ms" in client.denial("premium.A")
    assert client.denial("ticker.A") == ""
    release.set()


@pytest.mark.parametrize("answer", [None, True, "yes", LookupError("no database")])
@pytest.mark.parametrize("threaded", [False, True])
def test_an_authorizer_that_fails_denies_and_is_logged(
    answer, threaded, start_server, remote, eventually, caplog
):
    def decide():
        if isinstance(answer, Exception):
            raise answer
        return answer

    @authorizer("premium.>")
    async def in_loop(client, topic):
        return decide()

    @authorizer("premium.>")
    def in_thread(client, topic):
        return decide()

    guard = in_thread if threaded else in_loop
    server = start_server(guard)
    assert "the authorizer failed" in remote(server).denial("premium.A")
    assert server.health["plugins"][guard.__name__]["errors"] == 1
    assert caplog.records[-1].name == f"tickwire.plugins.{guard.__name__}"
    assert ("LookupError: no database" in caplog.text) == isinstance(answer, Exception)


def test_where_several_guards_match_all_must_allow(start_server, remote):
    class Doors:
        @authorizer("a.>")
        async def first(self, client, topic):
            return Allow()

        @authorizer("*.b")
        def second(self, client, topic):
            return Deny("the second says no")

    client = remote(start_server(Doors()))
    assert client.denial("a.c") == ""
    assert "the second says no" in client.denial("a.b")


def test_a_permission_is_asked_for_again_after_its_ttl(start_server, remote, eventually):
    asked: list[str] = []

    @authorizer("premium.>")
    async def lease(client, topic):
        asked.append(topic)
        return Allow(ttl=1) if len(asked) < 3 else Deny("the trial is over")

    server = start_server(lease)
    client = remote(server)
    assert client.denial("premium.A") == ""
    eventually(lambda: len(asked) == 2)
    server.publish("premium.A", {"still": "here"})
    assert client.receive("update")["data"] == {"still": "here"}
    ended = client.receive("error")
    assert ended["topic"] == "premium.A"
    assert ended["code"] == "denied"
    assert "the trial is over" in ended["message"]
    server.publish("premium.A", {"after": "it"})
    client.send(type="ping", id=9)
    assert client.receive("pong")["id"] == 9
    assert len(asked) == 3


def test_claims_of_the_authenticator_reach_the_authorizers(start_server, remote):
    seen = []

    class Tiers:
        @authenticator
        async def check(self, client):
            return {"tier": "pro"} if client.token == "good" else Deny("bad token")

        @authorizer("premium.>")
        def decide(self, client, topic):
            seen.append(client)
            return Allow() if client.claims.get("tier") == "pro" else Deny("pro only")

    client = remote(start_server(Tiers()))
    assert "pro only" in client.denial("premium.A")
    client.send(type="auth", id=2, token="forged")
    refused = client.receive("error")
    assert (refused["code"], refused["id"]) == ("denied", 2)
    assert "bad token" in refused["message"]
    client.send(type="auth", id=3, token="good")
    assert client.receive("ack")["id"] == 3
    assert client.denial("premium.A") == ""
    assert seen[-1].token == "good"
    assert seen[-1].claims == {"tier": "pro"}
    assert seen[-1].remote.startswith("127.0.0.1:")
    assert seen[-1].session


@pytest.mark.parametrize("claims", [None, 7, {"at": object()}, {"x": float("nan")}])
def test_an_authenticator_that_fails_denies(claims, start_server, remote, caplog):
    @authenticator
    def broken(client):
        return claims

    client = remote(start_server(broken))
    client.send(type="auth", id=1, token="t")
    assert client.receive("error")["code"] == "denied"


def test_a_token_without_an_authenticator_is_answered(start_server, remote):
    client = remote(start_server())
    client.send(type="auth", id=1, token="t")
    assert client.receive("error")["code"] == "unavailable"


def test_there_is_one_authenticator_at_most(start_server):
    @authenticator
    def first(client):
        return {}

    @authenticator
    def second(client):
        return {}

    with pytest.raises(PluginError, match="second: there can be one @authenticator only"):
        start_server(first, second)


@pytest.mark.parametrize(
    ("policy", "guarded", "free"),
    [("none", False, False), ("grant", True, False), ("open", True, True)],
)
def test_who_may_publish_is_auth_publish_and_then_the_authorizer(
    policy, guarded, free, start_server, remote
):
    @authorizer("chat.>", actions=["publish"])
    async def lobby_only(client, topic):
        return Allow() if (client.action, topic) == ("publish", "chat.lobby") else Deny("not here")

    client = remote(start_server(lobby_only, auth={"publish": policy}))

    def published(topic):
        client.send(type="publish", id=1, topic=topic, data={"text": "hello"})
        message = client.receive("error" if topic not in allowed else "ack")
        return message["type"] == "ack"

    allowed = {"chat.lobby"} if guarded else set()
    allowed |= {"ticker.A"} if free else set()
    assert published("chat.lobby") == guarded
    assert not published("chat.cellar")
    assert published("ticker.A") == free


def test_a_subscription_of_thousands_of_guarded_topics_is_decided(start_server, remote):
    count = 5_000

    @authorizer("premium.>")
    async def even(client, topic):
        return Allow() if int(topic.split(".")[1]) % 2 == 0 else Deny("odd")

    client = remote(start_server(even))
    results = client.subscribe(*(f"premium.{n}" for n in range(count)))
    assert len(results) == count
    assert all(("error" in result) == (n % 2 == 1) for n, result in enumerate(results))


def test_guarded_topics_are_not_served_over_http(start_server):
    server = start_server(Door())
    server.publish("premium.open", {})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{server.address}/v1/snapshot/premium.open", timeout=5)
    refused.value.close()
    assert refused.value.code == 403
