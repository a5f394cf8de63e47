"""`Server.revoke`, also where a plugin judges the tokens, and by a plugin itself."""

import pytest
from websockets.exceptions import ConnectionClosed

import tickwire
from tickwire import Deny, authenticator, feed
from tickwire.errors import ConfigError, DeniedError, ServerError


@authenticator
def names(client):
    """The token is the subject."""
    return {"sub": client.token} if client.token.isalpha() else Deny("no name")


def end_of(client):
    try:
        while True:
            client.receive_any()
    except ConnectionClosed as closed:
        return closed.rcvd.code, closed.rcvd.reason


def test_the_sessions_of_a_subject_end_and_no_others(start_server, remote):
    server = start_server(names)
    mia, paul = remote(server), remote(server)
    for client, name in ((mia, "mia"), (paul, "paul")):
        client.send(type="auth", id=1, token=name)
        assert client.receive("ack")["id"] == 1
    revoked = server.revoke(subject="mia")
    assert (revoked["subject"], revoked["sessions"], revoked["kept_in"]) == ("mia", 1, "memory")
    assert revoked["until"] > 0
    assert end_of(mia) == (4502, "revoked")
    paul.send(type="ping", id=2)
    assert paul.receive("pong")["id"] == 2


def test_one_session_ends_by_its_name(start_server, remote):
    server = start_server()
    client = remote(server)
    name = client.receive("welcome")["session"]
    assert server.revoke(session=name) == {"session": name, "sessions": 1}
    assert end_of(client) == (4502, "revoked")
    assert server.revoke(session=name)["sessions"] == 0


def test_a_client_of_a_revoked_subject_does_not_come_back(start_server):
    server = start_server(names)
    with tickwire.sync.connect(server.url, token="mia", backoff_s=0.01) as client:
        updates = client.subscribe("a.b")
        server.publish("a.b", {})
        assert updates.get(timeout_s=60) is not None
        assert server.revoke(subject="mia")["sessions"] == 1
        with pytest.raises(DeniedError, match="4502"):
            list(updates)


def test_who_is_to_be_revoked_is_said_in_one_way(start_server):
    server = start_server()
    for named in ({}, {"subject": "a", "session": "b"}, {"subject": ""}, {"session": "x" * 8_193}):
        with pytest.raises(ConfigError, match=r"subject|session"):
            server.revoke(**named)
    assert server.revoke(subject="x" * 8_192)["sessions"] == 0
    server.stop()
    with pytest.raises(ServerError):
        server.revoke(subject="a")


def test_a_plugin_may_revoke(start_server, remote, eventually):
    done = []
    server = start_server(names)

    @feed("a.*")
    async def judge(pub):
        done.append(server.revoke(subject="mia"))

    client = remote(server)
    client.send(type="auth", id=1, token="mia")
    client.receive("ack")
    server.add_plugin(judge)
    eventually(lambda: done)
    assert done[0]["sessions"] == 1
    assert end_of(client)[0] == 4502
