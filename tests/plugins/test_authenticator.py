"""What becomes of a token, and of the subscriptions that its claims allowed."""

import threading
from collections import UserDict
from contextlib import suppress

import pytest
from websockets.exceptions import InvalidStatus

from tickwire import Allow, Deny, authenticator, authorizer
from tickwire.errors import PluginError
from tickwire.plugins import Peer


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


def test_plugins_see_the_client_that_a_trusted_proxy_names(start_server, remote):
    seen = []

    @authorizer("premium.>")
    def decide(client, topic):
        seen.append(client.remote)
        return Allow()

    believes = {"trusted_proxies": ["127.0.0.1"], "proxy_header": "x-forwarded-for"}
    server = start_server(decide, server={"listen": "127.0.0.1:0"} | believes)
    for named, address in (("1.1.1.1, 203.0.113.7", "203.0.113.7"), ("[::7]:9", "[::7]:9")):
        client = remote(server, additional_headers={"X-Forwarded-For": named})
        assert client.denial("premium.A") == ""
        assert seen[-1] == address


def test_plugins_see_the_headers_and_cookies_that_are_listed(start_server, remote):
    seen = []

    @authorizer("premium.>")
    def decide(client, topic):
        seen.append(client)
        return Allow()

    lists = {"client_headers": ["X-User", "x-raw"], "client_cookies": ["sid"]}
    lists["deadline_ms"] = 60_000
    server = start_server(decide, auth=lists)
    sent = {"X-User": "mia", "X-Raw": "a\xff", "X-Other": "o", "Cookie": "sid=1; other=2"}
    page = server.url.replace("ws://", "http://").removesuffix("/ws")
    assert remote(server, additional_headers=sent, origin=page).denial("premium.A") == ""
    assert seen[-1].headers["x-user"] == "mia"
    assert seen[-1].headers["x-raw"].startswith("a")
    assert "x-other" not in seen[-1].headers
    assert seen[-1].cookies == {"sid": "1"}
    assert seen[-1].address == "127.0.0.1"
    assert remote(server, additional_headers=sent).denial("premium.A") == ""
    assert seen[-1].cookies == {}, "it is of no page"
    assert remote(server).denial("premium.A") == ""
    assert (seen[-1].headers, seen[-1].cookies) == ({}, {})


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("127.0.0.1:80", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("unknown", "unknown"),
    ],
)
def test_the_address_of_a_client_is_without_its_port(remote, address):
    assert Peer("s", remote, "", {}, "subscribe").address == address


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"in": value}
    return value


class RaisesWhenRead(UserDict):
    def __iter__(self):
        raise SystemExit(3)

    def keys(self):
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("claims", "logged"),
    [
        (None, "answered None, which is not a mapping of claims or Deny"),
        (7, "answered 7"),
        (Allow(), "answered Allow(ttl="),
        ({"at": object()}, "claims are not JSON: TypeError"),
        ({"x": float("nan")}, "claims are not JSON: ValueError"),
        (RaisesWhenRead(), "claims are not JSON: SystemExit: 3"),
        ({7: "seven"}, "the key 7 is not a string"),
        ({"a": [{None: 1}]}, "the key None is not a string"),
        (nested(100_000), "claims are not JSON: RecursionError"),
        ({"long": "x" * 100_000}, "bytes, at most 65536"),
    ],
)
def test_claims_that_are_none_are_unavailable_logged_and_counted(
    claims, logged, start_server, remote, caplog
):
    @authenticator
    def broken(client):
        return claims

    server = start_server(broken)
    client = remote(server)
    client.send(type="auth", id=1, token="t")
    error = client.receive("error")
    assert (error["code"], error["retryable"]) == ("unavailable", True)
    assert error["message"] == "token: the authenticator failed"
    assert server.health["plugins"]["broken"]["errors"] == 1
    assert logged in caplog.text


def test_texts_that_are_no_unicode_still_reach_the_client(start_server, remote):
    class Odd:
        @authenticator
        def check(self, client):
            return {"name": "\ud800"} if client.token == "t" else Deny("half \ud800 " + "x" * 5_000)

        @authorizer("premium.>")
        def decide(self, client, topic):
            return Allow() if client.claims["name"] == "\ud800" else Deny("other")

    client = remote(start_server(Odd()))
    client.send(type="auth", id=1, token="t")
    client.receive("ack")
    assert client.denial("premium.A") == ""
    client.send(type="auth", id=2, token="u")
    error = client.receive("error")
    assert error["code"] == "denied"
    assert error["message"].startswith("token: half ? xxx")
    assert len(error["message"]) < 1_100


def test_a_backend_that_fails_while_a_page_connects_denies_nothing_for_good(start_server, remote):
    down = threading.Event()
    down.set()

    class Doors:
        @authenticator
        async def check(self, client):
            if down.is_set():
                raise OSError("the user database is restarting")
            return {"user": "u"}

        @authorizer("premium.>")
        async def door(self, client, topic):
            return Allow() if client.claims else Deny("sign in")

    server = start_server(Doors())
    client = remote(server, server.url + "?token=abc")
    error = client.receive("error")
    assert (error["code"], error["retryable"]) == ("unavailable", True)
    assert client.refusal("premium.A")[0] == "unavailable"
    assert client.denial("ticker.A") == "", "what nobody guards is served"
    down.clear()
    client.send(type="auth", id=2, token="abc")
    client.receive("ack")
    assert client.denial("premium.A") == ""


def test_bytes_in_the_url_that_are_no_text_end_nothing(start_server, remote):
    seen = []

    @authenticator
    async def check(client):
        seen.append(client.token)
        return {"user": "u"}

    server = start_server(check)
    for _ in range(3):
        with suppress(InvalidStatus):  # refused at the door
            hostile = remote(server, server.url + "?token=%ff")
            assert hostile.receive("error")["code"] == "bad_message"
    client = remote(server, server.url + "?token=abc")
    client.receive("ack")
    assert seen == ["abc"]


def test_new_claims_are_held_against_every_subscription(start_server, remote, eventually):
    class Tiers:
        @authenticator
        async def check(self, client):
            return {"tier": client.token}

        @authorizer("premium.>")
        async def decide(self, client, topic):
            tier = client.claims.get("tier")
            return Allow() if tier == "pro" or topic == "premium.trial" else Deny("pro only")

    server = start_server(Tiers())
    for topic in ("premium.A", "premium.trial", "ticker.A"):
        server.publish(topic, {"n": 0})
    client = remote(server, server.url + "?token=pro")
    client.receive("ack")
    for topic in ("premium.A", "premium.trial", "ticker.A"):
        assert client.denial(topic) == ""
        client.receive("snapshot")
    client.send(type="auth", id=2, token="free")
    client.receive("ack")
    error = client.receive("error")
    assert (error["code"], error["topic"]) == ("denied", "premium.A")
    for topic in ("premium.A", "premium.trial", "ticker.A"):
        server.publish(topic, {"n": 1})
    assert client.receive("update")["topic"] == "premium.trial"
    assert client.receive("update")["topic"] == "ticker.A"


def test_a_token_without_an_authenticator_is_answered(start_server, remote):
    client = remote(start_server())
    client.send(type="auth", id=1, token="t")
    assert client.receive("ack")["judged"] is False


def test_there_is_one_authenticator_at_most(start_server):
    @authenticator
    def first(client):
        return {}

    @authenticator
    def second(client):
        return {}

    with pytest.raises(PluginError, match="second: there can be one @authenticator only"):
        start_server(first, second)
