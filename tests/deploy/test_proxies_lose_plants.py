"""What becomes of clients behind a real proxy that are silent for long, and of those whose plant is
gone where there are two."""

import asyncio
import http.client
import signal
from contextlib import ExitStack, closing

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from deploy.conftest import Front, Plant, StartFront
from server.daemon_process import Wire
from tickwire import connect as tickwire_connect
from tickwire.update import Update


def websocket(front: Front) -> Wire:
    return Wire(connect(f"wss://{front.host}/ws", ssl=front.tls))


def lines(front: Front, stack: ExitStack) -> http.client.HTTPResponse:
    """A stream of events, of which all has come that comes at once."""
    connection = http.client.HTTPSConnection(front.host, context=front.tls, timeout=60)
    stack.enter_context(closing(connection))
    connection.request("GET", "/sse?topics=quiet")
    response = connection.getresponse()
    while b'"ack"' not in response.readline():
        pass
    return response


def test_heartbeats_keep_a_connection_that_the_proxy_would_cut(
    start_front: StartFront, proxy: str
) -> None:
    """Both proxies wait for the same time; one plant has fewer heartbeats."""
    lively = start_front(proxy, "--set", "server.heartbeat_s=1", timeout="3s")
    quiet = start_front(proxy, "--set", "server.heartbeat_s=300", timeout="3s")
    with ExitStack() as stack:
        client = stack.enter_context(websocket(lively))
        events = lines(lively, stack)
        cut = stack.enter_context(websocket(quiet))
        cut_events = lines(quiet, stack)

        with pytest.raises(ConnectionClosed):
            cut.receive()
        try:
            while cut_events.readline():
                pass
        except http.client.IncompleteRead:
            pass
        assert client.publish("quiet", {"n": 1}) == 1
        for line in events:
            if b'"update"' in line or b'"snapshot"' in line:
                break
            quiet_line = line in (b":\n", b"\n") or line.startswith(b"id: ")
            assert quiet_line, "nothing but heartbeats and where the stream is came before"
        else:
            raise AssertionError("the stream was cut")


def with_clients(front: Front) -> list[Plant]:
    return [plant for plant in front.plants if plant.remotes()]


@pytest.mark.parametrize("end", ["killed", "drained"])
async def test_two_plants_and_one_goes(start_front: StartFront, proxy: str, end: str) -> None:
    """Without a cluster each has its own history, so the other one begins with a snapshot."""
    front = start_front(proxy, plants=2)
    for n, plant in enumerate(front.plants):
        with plant.daemon.connect() as feeder:
            feeder.publish("price.a", {"plant": n})
    options = {"ssl": front.tls, "backoff_s": 0.05}
    async with (
        tickwire_connect(f"wss://{front.host}/ws", **options) as client,
        client.subscribe("price.a") as updates,
    ):
        first = await anext(updates)
        for _ in range(4):  # a client comes back to its plant
            with await asyncio.to_thread(websocket, front):
                (plant,) = await asyncio.to_thread(with_clients, front)
        n = front.plants.index(plant)
        assert (first.kind, first.data) == ("snapshot", {"plant": n})

        if end == "killed":
            plant.daemon.kill()
        else:
            plant.daemon.process.send_signal(signal.SIGTERM)
        seen: list[Update] = []
        while not (seen and seen[-1].kind == "snapshot"):
            seen.append(await anext(updates))
    assert seen[-1].data == {"plant": 1 - n}
    (resumed,) = [update for update in seen if update.kind == "resumed"]
    assert resumed.recovered is False
