"""One client must not take the calls to authorizers that all share."""

import asyncio
import threading

import pytest

from tickwire import Allow, authorizer
from tickwire._host.calls import SESSION_CALLS_MAX, STUCK_MAX, THREADS_MAX


@pytest.fixture
def hanging():
    """Lets everybody through, but for the topics `hang.*`: those it answers when told."""
    release = threading.Event()

    class Hanging:
        @authorizer("hang.>")
        @authorizer("premium.>")
        def decide(self, client, topic):
            if topic.startswith("hang."):
                release.wait()
            return Allow()

    yield Hanging()
    release.set()


@authorizer("premium.>")
async def ignores(client, topic):
    """Lets everybody through, but on `premium.hang.*` it hangs, also when it is cancelled."""
    while topic.startswith("premium.hang."):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue
    return Allow()


def test_calls_of_one_session_that_hang_leave_threads_for_the_others(hanging, start_server, remote):
    server = start_server(hanging, auth={"deadline_ms": 60_000})
    hostile = remote(server)
    hostile.send(type="subscribe", id=1, topics=[f"hang.{n}" for n in range(64)])
    honest = remote(server)
    for n in range(20):
        assert honest.denial(f"premium.{n}") == ""


def test_calls_of_one_address_that_hang_leave_threads_for_the_others(hanging, start_server, remote):
    server = start_server(hanging, auth={"deadline_ms": 60_000})
    for _ in range(10):
        hostile = remote(server, source_address=("127.0.0.2", 0))
        hostile.send(type="subscribe", id=1, topics=[f"hang.{n}" for n in range(16)])
    honest = remote(server)
    for n in range(20):
        assert honest.denial(f"premium.{n}") == ""


def test_threads_that_are_late_are_replaced(hanging, start_server, remote):
    server = start_server(hanging, auth={"deadline_ms": 100})
    for _ in range(THREADS_MAX // SESSION_CALLS_MAX):
        client = remote(server)
        refused = client.subscribe(*(f"hang.{n}" for n in range(8)))
        assert {result["error"]["code"] for result in refused} == {"unavailable"}
    assert remote(server).denial("premium.A") == ""


def test_a_plugin_of_which_too_many_calls_hang_is_blocked_until_they_end(
    start_server, remote, eventually
):
    release = threading.Event()

    @authorizer("hang.>")
    def hangs(client, topic):
        release.wait()
        return Allow()

    @authorizer("premium.>")
    def other(client, topic):
        return Allow()

    server = start_server(hangs, other, auth={"deadline_ms": 100})
    clients = [remote(server) for _ in range(STUCK_MAX // SESSION_CALLS_MAX)]
    for client in clients:
        client.subscribe(*(f"hang.{n}" for n in range(SESSION_CALLS_MAX)))
    eventually(lambda: server.health["plugins"]["hangs"]["state"] == "blocked")
    assert remote(server).refusal("hang.A") == (
        "unavailable",
        "hang.A: too many questions wait; try again later",
    )
    assert remote(server).denial("premium.A") == "", "the other plugin goes on"
    release.set()
    eventually(lambda: server.health["plugins"]["hangs"]["state"] == "running")
    assert remote(server).denial("hang.A") == ""


def test_an_async_authorizer_that_ignores_its_end_keeps_no_question_open(start_server, remote):
    server = start_server(ignores, auth={"deadline_ms": 100})
    refused = remote(server).subscribe(*(f"premium.hang.{n}" for n in range(40)))
    assert {result["error"]["code"] for result in refused} == {"unavailable"}
    assert remote(server).denial("premium.open") == ""


def test_async_calls_of_one_session_that_ignore_their_end_block_nobody_else(
    start_server, remote, eventually
):
    server = start_server(ignores, auth={"deadline_ms": 100})
    hostile = remote(server)
    hostile.subscribe(*(f"premium.hang.{n}" for n in range(STUCK_MAX + SESSION_CALLS_MAX)))
    full = "too many questions wait; try again later"
    eventually(lambda: hostile.refusal("premium.A") == ("unavailable", f"premium.A: {full}"))
    assert remote(server).denial("premium.A") == ""
    assert server.health["plugins"]["ignores"]["state"] == "running"
