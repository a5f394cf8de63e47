"""Who may subscribe and publish, as authorizers say."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from tickwire import Allow, Deny, authorizer
from tickwire.errors import ConfigError


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


def test_a_pattern_that_overlaps_a_guarded_one_is_asked_about_and_filtered(start_server, remote):
    door = Door()
    server = start_server(door)
    client = remote(server)
    assert client.subscribe(">")[0]["partial"]
    assert client.denial("ticker.>") == ""
    assert "subscription required" in client.denial("premium.*")
    assert door.asked == [("subscribe", ">"), ("subscribe", "premium.*")]
    for topic in ("premium.open", "premium.shut", "ticker.A"):
        server.publish(topic, {})
    assert client.receive("update")["topic"] == "ticker.A"


class Desk:
    """Lets each client see its own topics of a guarded pattern."""

    @authorizer("desk.>")
    def decide(self, client, topic):
        return Allow(only=["desk.euro.*"], max_rate=1000)

    @authorizer("*.*.secret")
    def hide(self, client, topic):
        return Deny("secret")


def test_only_some_topics_of_a_pattern_are_allowed_also_those_that_appear_later(
    start_server, remote
):
    server = start_server(Desk())
    client = remote(server)
    topics = ("desk.>", "desk.euro.A", "desk.yen.A", "desk.euro.secret", "desk.yen.*")
    partial, one, other, secret, nothing = client.subscribe(*topics)
    assert partial["partial"]
    assert "error" not in one
    assert other["error"]["message"] == "desk.yen.A: not allowed"
    assert secret["error"]["message"] == "desk.euro.secret: secret"
    assert nothing["error"]["code"] == "denied"
    for topic in ("desk.yen.B", "desk.euro.secret", "desk.euro.B"):
        server.publish(topic, {})
    assert client.receive("snapshot")["topic"] == "desk.euro.B"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("only", "desk.>", "only: must be a list of patterns, not a str"),
        ("only", [1], "only: each pattern must be a str, not a int"),
        ("only", ["a..b"], "only: topic: 'a..b' has an empty token"),
        ("only", ["a"] * 1_001, "only: must be at most 1000 patterns"),
        ("max_rate", "1", "max_rate: must be a number, not a str"),
        ("max_rate", True, "max_rate: must be a number, not a bool"),
        ("max_rate", 0.01, "max_rate: must be 0.02 to 1000 messages a second, not 0.01"),
        ("max_rate", 1_001, "max_rate: must be 0.02 to 1000 messages a second, not 1001"),
        ("max_rate", 10**400, "max_rate: must be 0.02 to 1000 messages a second, not inf"),
        ("max_rate", float("nan"), "max_rate: must be 0.02 to 1000 messages a second, not nan"),
    ],
)
def test_a_value_of_allow_that_is_not_valid_is_an_error_that_says_so(field, value, message):
    with pytest.raises(ConfigError) as caught:
        Allow(**{field: value})
    assert str(caught.value) == message
    assert caught.value.field == field


def test_values_of_allow_at_their_limits():
    assert Allow(only=(f"a.{n}" for n in range(1_000))).only[-1] == "a.999"
    assert Allow(max_rate=0.02).max_rate == 0.02
    assert Allow(max_rate=1_000).max_rate == 1_000
    assert Allow(only=[]).only == ()


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


def test_a_renewal_that_fails_stops_the_data_at_its_end_and_the_server_asks_again(
    start_server, remote, eventually
):
    down = threading.Event()

    @authorizer("premium.>")
    async def lease(client, topic):
        if down.is_set():
            raise OSError("the user database is restarting")
        return Allow(ttl=1)

    server = start_server(lease)
    client = remote(server)
    assert client.denial("premium.A") == ""
    down.set()
    error = client.receive("error")
    assert (error["code"], error["topic"]) == ("unavailable", "premium.A")
    assert error["retryable"] is True
    server.publish("premium.A", {"n": 1})
    client.send(type="ping", id=7)
    assert client.receive_any()["type"] == "pong", "nothing is served past its end"
    down.clear()
    snapshot = client.receive("snapshot")
    assert snapshot["data"] == {"n": 1}
    server.publish("premium.A", {"n": 2})
    assert client.receive("update")["data"] == {"n": 2}


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


def test_over_http_the_authorizer_is_asked_about_each_request(start_server):
    door = Door()
    server = start_server(door)
    for topic in ("premium.open", "premium.shut"):
        server.publish(topic, {"n": 1})
    url = f"http://{server.address}/v1/snapshot/premium."
    for _ in range(2):
        with urllib.request.urlopen(url + "open", timeout=60) as answer:
            assert json.load(answer)["data"] == {"n": 1}
            assert answer.headers["Cache-Control"] == "private, no-store"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url + "shut", timeout=60)
    with refused.value as answer:
        assert answer.code == 403
        assert "subscription required" in json.load(answer)["error"]["message"]
    assert door.asked == [("subscribe", f"premium.{name}") for name in ("open", "open", "shut")]
