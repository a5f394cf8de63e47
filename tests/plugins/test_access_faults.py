"""Authorizers that fail, are late, or answer nonsense: only a Deny is final."""

import asyncio
import threading

import pytest

from tickwire import Allow, Deny, authenticator, authorizer
from tickwire._fault_log import BURST


@pytest.mark.parametrize("threaded", [False, True])
def test_an_authorizer_that_is_late_is_unavailable(
    threaded, start_server, remote, eventually, caplog
):
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
    assert client.refusal("premium.A") == (
        "unavailable",
        "premium.A: no answer within 200 ms",
    )
    assert client.denial("ticker.A") == "", "others are not held up"
    eventually(lambda: server.health["plugins"][guard.__name__]["errors"] == 1)
    release.set()


def test_a_blocked_plugin_loop_is_unavailable_too(start_server, remote):
    release = threading.Event()

    @authorizer("premium.>")
    async def blocks_the_loop(client, topic):
        release.wait()

    client = remote(start_server(blocks_the_loop, auth={"deadline_ms": 200}))
    assert client.refusal("premium.A")[0] == "unavailable"
    assert client.denial("ticker.A") == ""
    release.set()


def decorated(function):
    """A plain decorator, as people write them: what it makes is no coroutine function."""

    def plain(client, topic):
        return function(client, topic)

    return plain


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize(
    ("answer", "logged"),
    [
        (lambda: None, "answered None, which is not Allow or Deny"),
        (lambda: True, "answered True, which is not Allow or Deny"),
        (lambda: "yes", "answered 'yes', which is not Allow or Deny"),
        (lambda: {"user": "u"}, "which is not Allow or Deny"),
        (lambda: Allow(ttl=float("inf")), "ttl: must be more than 0 and at most"),
        (lambda: Allow(ttl=float("nan")), "ttl: must be more than 0 and at most"),
        (lambda: Allow(ttl=1e300), "ttl: must be more than 0 and at most"),
        (lambda: Allow(ttl=-1), "ttl: must be more than 0 and at most"),
        (lambda: Allow(ttl=0), "ttl: must be more than 0 and at most"),
        (lambda: Allow(ttl="60"), "ttl: must be seconds as a number, not a str"),
        (lambda: Allow(ttl=True), "ttl: must be seconds as a number, not a bool"),
        (lambda: Deny(None), "reason: must be a str, not a NoneType"),
        (lambda: raises(LookupError("no database")), "LookupError: no database"),
        (lambda: raises(SystemExit(3)), "SystemExit"),
        (lambda: raises(KeyboardInterrupt()), "KeyboardInterrupt"),
        (lambda: raises(asyncio.CancelledError()), "CancelledError"),
        (lambda: raises(BaseExceptionGroup("both", [SystemExit()])), "both"),
        (lambda: raises(StopIteration()), "StopIteration"),
    ],
)
def test_an_answer_that_is_none_is_unavailable_at_once_logged_and_counted(
    answer, logged, threaded, start_server, remote, caplog
):
    @authorizer("premium.>")
    async def in_loop(client, topic):
        return answer()

    @authorizer("premium.>")
    def in_thread(client, topic):
        return answer()

    guard = in_thread if threaded else in_loop
    server = start_server(guard, auth={"deadline_ms": 60_000})
    assert remote(server).refusal("premium.A") == (
        "unavailable",
        "premium.A: the authorizer failed",
    )
    assert server.health["plugins"][guard.__name__]["errors"] == 1
    assert caplog.records[-1].name == f"tickwire.plugins.{guard.__name__}"
    assert logged in caplog.text
    place = f"{__file__}:{guard.__code__.co_firstlineno}"
    assert place in caplog.records[-1].getMessage()


def raises(error):
    raise error


def test_an_async_authorizer_behind_a_plain_decorator_answers(start_server, remote):
    @authorizer("premium.>")
    @decorated
    async def behind(client, topic):
        await asyncio.sleep(0)
        return Allow() if topic == "premium.open" else Deny("shut")

    client = remote(start_server(behind))
    assert client.denial("premium.open") == ""
    assert "shut" in client.denial("premium.shut")


def test_what_a_client_sent_reaches_the_log_escaped_and_on_one_line(start_server, remote, caplog):
    @authenticator
    def check(client):
        raise LookupError(f"no such token: {client.token}")

    client = remote(start_server(check))
    client.send(type="auth", id=1, token="t\x1b[2J\nERROR forged line")
    assert client.receive("error")["code"] == "unavailable"
    assert r"no such token: t\x1b[2J\nERROR forged line" in caplog.text
    assert "\x1b" not in caplog.text
    assert "\nERROR forged" not in caplog.text


def test_a_client_cannot_fill_the_log(start_server, remote, caplog):
    @authorizer("premium.>")
    async def failing(client, topic):
        raise LookupError("no database")

    server = start_server(failing)
    client = remote(server)
    results = client.subscribe(*(f"premium.{n}" for n in range(500)))
    assert {result["error"]["code"] for result in results} == {"unavailable"}
    assert server.health["plugins"]["failing"]["errors"] == 500, "each is counted"
    assert len(caplog.records) <= 2 * BURST + 2
