"""Authorizers that fail, are late, or answer nonsense: only a Deny is final."""

import asyncio
import math
import subprocess
import sys
import threading

import pytest

from tickwire import Allow, Deny, authenticator, authorizer
from tickwire._fault_log import BURST
from tickwire.errors import ConfigError
from tickwire.plugins import TTL_S_MIN


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


def test_a_blocked_plugin_loop_is_unavailable_too(start_server, remote, eventually):
    release = threading.Event()

    @authorizer("premium.>")
    async def blocks_the_loop(client, topic):
        release.wait()

    server = start_server(blocks_the_loop, auth={"deadline_ms": 200})
    state = lambda: server.health["plugins"]["blocks_the_loop"]["state"]  # noqa: E731
    client = remote(server)
    assert client.refusal("premium.A")[0] == "unavailable"
    assert client.denial("ticker.A") == ""
    eventually(lambda: state() == "blocked")
    release.set()
    eventually(lambda: state() == "running")


def test_the_shortest_ttl_is_a_second():
    assert Allow(ttl=TTL_S_MIN).ttl == TTL_S_MIN == 1
    with pytest.raises(ConfigError):
        Allow(ttl=math.nextafter(TTL_S_MIN, 0))


CALLS_THAT_HANG = """
import asyncio, sys
from tickwire import Allow, Server, authorizer
from websockets.sync.client import connect

how, asked = sys.argv[1], []


@authorizer("premium.>")
async def hangs(client, topic):
    asked.append(topic)
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if how == "starts another":
                asyncio.create_task(asyncio.Event().wait())
            if how != "ignores it":
                raise


server = Server({"server": {"listen": "127.0.0.1:0"}}, plugins=[hangs])
with server, connect(server.url) as client:
    client.send('{"type":"subscribe","id":1,"topics":["premium.a","premium.b"]}')
    while len(asked) < 2:
        pass
"""


@pytest.mark.parametrize("how", ["ends", "starts another", "ignores it"])
def test_calls_that_hang_when_the_server_stops_are_ended_without_a_complaint(how):
    command = [sys.executable, "-W", "error", "-c", CALLS_THAT_HANG, how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "pending" not in done.stderr
    assert ("2 tasks of plugins ran on" in done.stderr) == (how == "ignores it"), done.stderr


def decorated(function):
    """A plain decorator, as people write them: what it makes is no coroutine function."""

    def plain(client, topic):
        return function(client, topic)

    return plain


class Panic(BaseException):
    """No `Exception`."""


class RaisesWhenShown:
    def __repr__(self):
        raise Panic


class RaisesWhenLookedAt:
    @property
    def __class__(self):
        raise Panic("looked at")


class RaisesWhenCompared(float):
    def __float__(self):
        raise SystemExit(3)


class RaisesWhenRead(Allow):
    @property
    def ttl(self):
        raise Panic("read")


def unchecked(kind, **fields):
    """Makes an answer as a subclass that skips the checks does."""
    answer = object.__new__(type("Unchecked", (kind,), {}))
    for name, value in fields.items():
        object.__setattr__(answer, name, value)
    return answer


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize(
    ("answer", "logged"),
    [
        (lambda: None, "answered None, which is not Allow or Deny"),
        (lambda: True, "answered True, which is not Allow or Deny"),
        (lambda: "yes", "answered 'yes', which is not Allow or Deny"),
        (lambda: {"user": "u"}, "which is not Allow or Deny"),
        (lambda: Allow(ttl=float("inf")), "ttl: must be 1 to 3153600000 seconds, not inf"),
        (lambda: Allow(ttl=float("nan")), "ttl: must be 1 to 3153600000 seconds, not nan"),
        (lambda: Allow(ttl=1e300), "ttl: must be 1 to 3153600000 seconds"),
        (lambda: Allow(ttl=-1), "ttl: must be 1 to 3153600000 seconds, not -1"),
        (lambda: Allow(ttl=0), "ttl: must be 1 to 3153600000 seconds, not 0"),
        (lambda: Allow(ttl=1e-9), "ttl: must be 1 to 3153600000 seconds, not 1e-09"),
        (lambda: Allow(ttl=0.999), "ttl: must be 1 to 3153600000 seconds, not 0.999"),
        (lambda: Allow(ttl="60"), "ttl: must be seconds as a number, not a str"),
        (lambda: Allow(ttl=True), "ttl: must be seconds as a number, not a bool"),
        (lambda: Deny(None), "reason: must be a str, not a NoneType"),
        (lambda: raises(LookupError("no database")), "LookupError: no database"),
        (lambda: raises(SystemExit(3)), "SystemExit"),
        (lambda: raises(KeyboardInterrupt()), "KeyboardInterrupt"),
        (lambda: raises(asyncio.CancelledError()), "CancelledError"),
        (lambda: raises(BaseExceptionGroup("both", [SystemExit()])), "both"),
        (lambda: raises(StopIteration()), "StopIteration"),
        (RaisesWhenShown, "answered a RaisesWhenShown, which is not Allow or Deny"),
        (RaisesWhenLookedAt, "Panic: looked at"),
        (lambda: object.__new__(RaisesWhenRead), "which cannot be read: Panic: read"),
        (lambda: unchecked(Allow, ttl="60"), "ttl: must be seconds as a number, not a str"),
        (lambda: unchecked(Allow, ttl=math.nan), "ttl: must be 1 to 3153600000 seconds, not nan"),
        (lambda: unchecked(Allow, ttl=RaisesWhenCompared(60)), "which cannot be read: SystemExit"),
        (lambda: unchecked(Deny, reason=None), "reason: must be a str, not a NoneType"),
        (lambda: unchecked(Deny), "which cannot be read: AttributeError"),
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
