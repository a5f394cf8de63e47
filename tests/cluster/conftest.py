"""Several real tickwired on one real redis-server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.redis_server import RedisServer
from server.conftest import (  # noqa: F401 - fixtures
    clean_environment,
    run,
    start_daemon,
)
from server.daemon_process import DaemonProcess, Wire

Eventually = Callable[[Callable[[], Any]], Any]
StartRedis = Callable[..., RedisServer]

OPEN = ("--set", "auth.publish=open", "--set", 'topics."e.>".delivery=event')
LOSS = ("--set", "cluster.loss_s=3")  # soon enough for tests, and no machine is that busy
SHORT_LOG = ("--set", "cluster.log_s=1", "--set", "cluster.checkpoint_ms=100")


class Cluster:
    """Nodes that come and go; the first are there once made."""

    def __init__(self, program: Path, folder: Path, *args: str) -> None:
        self.redis = RedisServer(folder / "redis")
        self._program = program
        self._folder = folder
        self._args = args
        self.all: list[DaemonProcess] = []
        self.nodes = [self.start() for _ in range(3)]

    def start(self) -> DaemonProcess:
        env = {key: text for key, text in os.environ.items() if not key.startswith("TICKWIRE_")}
        args = [*OPEN, *LOSS, *self._args, "--set", f"cluster.url={self.redis.url}"]
        log = self._folder / f"node-{len(self.all)}.log"
        self.all.append(DaemonProcess(self._program, log, args, env, self._folder))
        return self.all[-1]

    def end(self) -> None:
        for node in self.all:
            if node.process.poll() is None:
                node.kill()
        self.redis.kill()


@pytest.fixture(scope="module")
def cluster(tickwired: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests of a file: each uses topics of its own, and leaves three nodes."""
    made = Cluster(tickwired, tmp_path_factory.mktemp("cluster"))
    yield made
    made.end()


@pytest.fixture
def short_log(tickwired: Path, tmp_path: Path) -> Iterator[Cluster]:
    """One that keeps its log for a second."""
    made = Cluster(tickwired, tmp_path, *SHORT_LOG)
    yield made
    made.end()


@pytest.fixture
def nodes(cluster: Cluster, ready: Callable[..., None]) -> list[DaemonProcess]:
    if cluster.redis.process.poll() is not None:  # a test failed before it came back
        cluster.redis.start()
    ready(*cluster.nodes)
    return cluster.nodes


@pytest.fixture
def ready(eventually: Eventually) -> Callable[..., None]:
    """Waits until clients may come."""

    def wait(*nodes: DaemonProcess) -> None:
        eventually(lambda: all(node.http("/ready").status == 200 for node in nodes))

    return wait


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[StartRedis]:
    running: list[RedisServer] = []

    def start(*options: str) -> RedisServer:
        running.append(RedisServer(tmp_path / f"redis-{len(running)}", *options))
        return running[-1]

    yield start
    for redis in running:
        redis.kill()


def subscribe(wire: Wire, topics: list[str], **more: Any) -> list[dict[str, Any]]:
    """What each topic was told in the ack."""
    wire.send({"type": "subscribe", "id": "s", "topics": topics, **more})
    results: list[dict[str, Any]] = until(wire, "ack")["results"]
    return results


def until(wire: Wire, kind: str, **fields: Any) -> dict[str, Any]:
    """The next message of that type with these fields; those before it are dropped."""
    while True:
        message = wire.receive()
        if message["type"] == kind and all(message.get(k) == v for k, v in fields.items()):
            return message


def publish(node: DaemonProcess, topic: str, data: Any) -> int:
    """The seq it got."""
    with node.connect() as wire:
        wire.send({"type": "publish", "id": "p", "topic": topic, "data": data})
        seq: int = until(wire, "ack")["results"][0]["seq"]  # an epoch may come before it
        return seq


def seen(node: DaemonProcess, topic: str) -> Any:
    """What GET /v1/snapshot says of it."""
    return node.http(f"/v1/snapshot/{topic}").json
