"""A message that is costly to read is read beside the loops: other clients do not wait for it."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.sync.client import connect

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess, Wire

MESSAGE_BYTES_MAX = 2_097_152
PAYLOAD_BYTES_MAX = 1_048_576
MESSAGES = 6


def filled(head: str, tail: str, size: int, element: str) -> str:
    """Returns as many elements as fit into a text of this size in bytes."""
    count = (size - len(head) - len(tail)) // (len(element) + 1) - 1
    return head + (element + ",") * count + element + tail


def costly_to_read() -> str:
    return filled('{"type":"ping","id":1,"x":[', "]}", MESSAGE_BYTES_MAX, '"\\u0416"')


def costly_to_publish() -> str:
    fields = ",".join(f'"{i}":1e9' for i in range(PAYLOAD_BYTES_MAX // 13))
    return f'{{"type":"publish","id":1,"topic":"a.b","data":{{{fields}}}}}'


def costly_to_resume() -> str:
    since = ",".join(f'"t.x{i}":1' for i in range(90_000))
    return f'{{"type":"subscribe","id":1,"epoch":"e","topics":["a.none.>"],"since":{{{since}}}}}'


def cpu_ns(daemon: DaemonProcess, name: str) -> int:
    """What the server's threads of that name have computed, whatever else the machine does."""
    total = 0
    for task in Path(f"/proc/{daemon.process.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            total += int((task / "schedstat").read_text().split()[0])
    return total


@pytest.mark.parametrize("make", [costly_to_read, costly_to_publish, costly_to_resume])
@pytest.mark.parametrize("compression", ["deflate", None])
def test_a_worker_computes_and_the_loop_goes_on_for_others(
    start_daemon: StartDaemon, make: Callable[[], str], compression: str | None
) -> None:
    daemon = start_daemon("--set", "server.shards=1", "--set", "auth.publish=open")
    message = make()
    before = cpu_ns(daemon, "tickwire-0")
    stop = threading.Event()
    pongs = 0

    def ping() -> None:
        nonlocal pongs
        with daemon.connect() as canary:
            while not stop.is_set() or pongs == 0:
                assert canary.ask({"type": "ping", "id": 2})["type"] == "pong"
                pongs += 1
                stop.wait(0.01)

    canary = threading.Thread(target=ping)
    url = f"ws://{daemon.address}/ws"
    with Wire(connect(url, max_size=None, compression=compression)) as hostile:
        canary.start()
        for _ in range(MESSAGES):
            hostile.send(message)
            hostile.send({"type": "ping", "id": 3})
        answers = [hostile.receive() for _ in range(2 * MESSAGES)]
    stop.set()
    canary.join()
    assert [answer["id"] for answer in answers] == [1, 3] * MESSAGES, "in order"
    assert all(answer["type"] != "error" for answer in answers)
    assert pongs > 0
    worker = cpu_ns(daemon, "tickwire-work")
    loop = cpu_ns(daemon, "tickwire-0") - before
    assert worker > loop, f"{json.dumps({'worker_ms': worker / 1e6, 'loop_ms': loop / 1e6})}"
    assert daemon.stop() == 0


def test_a_server_may_stop_while_a_worker_reads(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--set", "server.shards=1", "--set", "server.drain_s=1")
    message = costly_to_read()
    with daemon.connect() as hostile:
        for _ in range(MESSAGES):
            hostile.send(message)
        assert daemon.stop() == 0
