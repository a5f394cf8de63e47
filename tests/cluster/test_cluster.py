"""Several servers as one: what is published at one reaches the clients of all, under one name."""

from collections.abc import Callable
from pathlib import Path

from cluster.conftest import Cluster, publish, seen, subscribe, until
from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

Ready = Callable[..., None]


def test_an_update_reaches_the_clients_of_all_nodes_as_the_same(nodes: list[DaemonProcess]) -> None:
    wires = [node.connect() for node in nodes]
    assert len({wire.welcome["epoch"] for wire in wires}) == 1
    for wire in wires:
        subscribe(wire, ["e.all", "v.all"])
    for nth, node in enumerate(nodes):
        assert publish(node, "v.all", {"n": nth, f"from{nth}": True}) == nth + 1
        assert publish(node, "e.all", {"n": nth}) == nth + 1
    heard = []
    for wire in wires:
        events = [until(wire, "update", topic="e.all") for _ in nodes]
        assert [event["seq"] for event in events] == [1, 2, 3]
        heard.append([(event["ts"], event["data"]) for event in events])
        wire.connection.close()
    assert heard[0] == heard[1] == heard[2]
    states = [seen(node, "v.all") for node in nodes]
    assert states[0] == states[1] == states[2]
    assert states[0]["data"] == {"n": 2, "from0": True, "from1": True, "from2": True}


def test_a_node_that_joins_late_has_the_state_and_what_led_to_it(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready
) -> None:
    for n in range(6):
        publish(nodes[n % 3], "e.late", {"n": n})
        publish(nodes[n % 3], "v.late", {f"f{n}": n})
    late = cluster.start()
    ready(late)
    assert seen(late, "v.late") == seen(nodes[0], "v.late")
    with late.connect() as wire:
        assert wire.welcome["epoch"] == nodes[0].http("/health").json["epoch"]
        since = {"e.late": 2, "v.late": 5}
        told = subscribe(wire, [*since], since=since, epoch=wire.welcome["epoch"])
        assert [topic["recovered"] for topic in told] == [True, True]
        assert [until(wire, "update", topic="e.late")["seq"] for _ in range(4)] == [3, 4, 5, 6]
    assert late.stop() == 0


def test_clients_of_a_killed_node_go_on_at_another_and_nobody_else_notices(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready
) -> None:
    doomed = cluster.start()
    ready(doomed)
    with nodes[0].connect() as calm, doomed.connect() as wire:
        epoch = wire.welcome["epoch"]
        subscribe(wire, ["e.kill", "v.kill"])
        subscribe(calm, ["e.kill"])
        publish(doomed, "e.kill", {"n": 1})
        publish(doomed, "v.kill", {"n": 1})
        until(wire, "update", topic="e.kill", seq=1)
        doomed.kill()
        publish(nodes[1], "e.kill", {"n": 2})
        publish(nodes[2], "v.kill", {"n": 2})
        heard = [calm.receive() for _ in range(2)]
        assert [(message["type"], message["seq"]) for message in heard] == [
            ("update", 1),
            ("update", 2),
        ]
    with nodes[1].connect() as wire:
        assert wire.welcome["epoch"] == epoch
        told = subscribe(wire, ["e.kill", "v.kill"], since={"e.kill": 1, "v.kill": 1}, epoch=epoch)
        assert [topic["recovered"] for topic in told] == [True, True]
        assert until(wire, "update", topic="e.kill")["seq"] == 2


def test_a_status_and_what_a_client_holds_ahead_of_a_node_are_kept(
    nodes: list[DaemonProcess],
) -> None:
    epoch = nodes[0].http("/health").json["epoch"]
    for n in range(1, 30):
        seq = publish(nodes[n % 3], "v.hop", {"n": n})
        assert seq == n
        # At once at a node that may not have it yet: it never says less.
        with nodes[(n + 1) % 3].connect() as wire:
            told = subscribe(wire, ["v.hop"], since={"v.hop": seq}, epoch=epoch)
            assert (told[0]["recovered"], told[0]["seq"]) == (True, seq)


def test_a_server_that_is_alone_has_nothing_of_it(start_daemon: StartDaemon) -> None:
    alone = start_daemon()
    assert "cluster" not in alone.http("/health").json
    names = [path.read_text() for path in Path(f"/proc/{alone.process.pid}/task").glob("*/comm")]
    assert names
    assert not [name for name in names if name.startswith("redis")]
    assert "\ntickwire_cluster_serving " not in alone.admin("/metrics").body.decode()


def test_metrics_say_how_far_a_node_is(nodes: list[DaemonProcess]) -> None:
    publish(nodes[0], "v.metrics", {"n": 1})
    text = nodes[0].admin("/metrics").body.decode()
    assert "\ntickwire_cluster_serving 1\n" in text
    assert "\ntickwire_cluster_outbox_bytes 0\n" in text
    told = nodes[0].admin("/health").json["cluster"]
    assert told["state"] == "following"
    assert told["position"] == told["head"] > 0
