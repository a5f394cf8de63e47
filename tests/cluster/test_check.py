"""tickwire check in a cluster: connections that hop between servers, judged by one ledger."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from cluster.conftest import OPEN, Cluster
from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess


def test_connections_that_hop_between_servers_miss_nothing(
    cluster: Cluster,
    nodes: list[DaemonProcess],
    start_daemon: StartDaemon,
    ready: Callable[..., None],
    programs: Path,
    tmp_path: Path,
) -> None:
    serve = tmp_path / "serve"
    serve.write_text(f'#!/bin/sh\nexec {programs}/tickwire serve checked "$@"\n')
    serve.chmod(0o755)
    url = f"cluster.url={cluster.redis.url}"
    feed = start_daemon(*OPEN, "--set", url, "--set", "plugins.checked.rate=300", program=serve)
    ready(feed)
    urls = [option for node in nodes for option in ("--url", f"http://{node.address}")]
    command = [programs / "tickwire", "check", *urls, "--secs", "3", "--connections", "12"]
    done = subprocess.run(
        [*command, "--reconnects", "--json"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    total = json.loads(done.stdout.splitlines()[-1])
    assert total["violations"] == 0
    assert total["reconnects"] >= 12
    assert total["recovered"] > 0
    assert total["recovered"] >= 99 * total["not_recovered"]


def test_several_servers_are_for_websockets(programs: Path) -> None:
    urls = ["--url", "http://127.0.0.1:1", "--url", "http://127.0.0.1:2"]
    for road in (["--client"], ["--transport", "sse"]):
        command = [programs / "tickwire", "check", *urls, *road]
        refused = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert refused.returncode == 2
        assert "--url: several servers are for WebSockets" in refused.stderr
