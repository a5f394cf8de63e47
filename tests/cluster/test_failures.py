"""What fails in a cluster, and what clients see of it: the rows of docs/CLUSTER.md."""

import signal
from collections.abc import Callable

from cluster.conftest import Cluster, Eventually, publish, seen, subscribe, until
from server.daemon_process import DaemonProcess

Ready = Callable[..., None]


def is_cut_off(*nodes: DaemonProcess) -> bool:
    return all(node.http("/ready").json == {"status": "cut_off"} for node in nodes)


def reloads(node: DaemonProcess) -> int:
    count: int = node.admin("/health").json["cluster"]["reloads"]
    return count


def test_redis_comes_back_empty_and_the_nodes_keep_the_state(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready, eventually: Eventually
) -> None:
    publish(nodes[0], "v.empty", {"n": 1})
    with nodes[1].connect() as wire:
        before = wire.welcome["epoch"]
        subscribe(wire, ["v.empty"])
        cluster.redis.kill()
        until(wire, "status", topic="v.empty", status="stale")
        eventually(lambda: is_cut_off(*nodes))
        assert nodes[0].http("/ready").status == 503
        assert nodes[0].http("/health").status == 200
        assert nodes[0].http("/health").json["status"] == "degraded"
        with nodes[0].connect() as publisher:
            command = {"type": "publish", "id": "p", "topic": "v.empty", "data": {"n": 2}}
            assert "unavailable" in str(publisher.ask(command))
        assert seen(nodes[1], "v.empty")["data"] == {"n": 1}

        cluster.redis.start()
        ready(*nodes)
        until(wire, "status", topic="v.empty", status="live")  # Redis answers
        assert until(wire, "epoch")["epoch"] != before
        assert publish(nodes[0], "v.empty", {"n": 3}) == 2
        assert until(wire, "update", topic="v.empty")["seq"] == 2
    with nodes[2].connect() as wire:
        told = subscribe(wire, ["v.empty"], since={"v.empty": 1}, epoch=before)
        assert told[0]["recovered"] is True


def test_flushall_costs_an_epoch_and_no_snapshot(
    cluster: Cluster, nodes: list[DaemonProcess]
) -> None:
    publish(nodes[0], "v.flush", {"n": 1})
    with nodes[1].connect() as wire:
        subscribe(wire, ["v.flush"])
        until(wire, "snapshot")
        cluster.redis.ask("FLUSHALL")
        until(wire, "epoch")
        assert publish(nodes[2], "v.flush", {"n": 2}) == 2
        message = wire.receive()
        assert (message["type"], message["seq"]) == ("update", 2)


def test_a_cut_of_all_connections_is_not_noticed(
    cluster: Cluster, nodes: list[DaemonProcess]
) -> None:
    with nodes[1].connect() as wire:
        subscribe(wire, ["e.cut"])
        for n in range(1, 6):
            cluster.redis.ask("CLIENT", "KILL", "TYPE", "normal")
            assert publish(nodes[0], "e.cut", {"n": n}) == n
        heard = [wire.receive() for _ in range(5)]
        assert [message["type"] for message in heard] == ["update"] * 5
        assert [message["seq"] for message in heard] == [1, 2, 3, 4, 5]


def test_a_redis_that_stands_still_cuts_the_nodes_off_until_it_goes_on(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready, eventually: Eventually
) -> None:
    with nodes[0].connect() as wire:
        epoch = wire.welcome["epoch"]
        subscribe(wire, ["e.still"])
        publish(nodes[1], "e.still", {"n": 1})
        cluster.redis.signal(signal.SIGSTOP)
        eventually(lambda: is_cut_off(*nodes))
        cluster.redis.signal(signal.SIGCONT)
        ready(*nodes)
        assert publish(nodes[2], "e.still", {"n": 2}) == 2
        assert until(wire, "update", seq=2)["data"] == {"n": 2}
    assert nodes[0].http("/health").json["epoch"] == epoch


def test_a_node_takes_publishes_again_after_one_was_under_way_while_redis_stood_still(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready, eventually: Eventually
) -> None:
    publish(nodes[0], "v.flight", {"n": 1})
    with nodes[0].connect() as wire:
        cluster.redis.signal(signal.SIGSTOP)
        wire.send({"type": "publish", "id": "waits", "topic": "v.flight", "data": {"n": 2}})
        eventually(lambda: is_cut_off(*nodes))
        cluster.redis.signal(signal.SIGCONT)
        assert until(wire, "ack", id="waits")["results"][0]["seq"] == 2
    ready(*nodes)
    command = {"type": "publish", "id": "p", "topic": "v.flight", "data": {"n": 3}}

    def is_taken() -> bool:
        with nodes[0].connect() as wire:
            return wire.ask(command).get("type") == "ack"

    eventually(is_taken)


def test_a_redis_that_lost_its_last_entries_makes_the_nodes_begin_anew(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready, eventually: Eventually
) -> None:
    publish(nodes[0], "v.tail", {"n": 1})
    assert cluster.redis.ask("SAVE") == "OK"
    with nodes[1].connect() as wire:
        before = wire.welcome["epoch"]
        subscribe(wire, ["v.tail"])
        publish(nodes[0], "v.tail", {"lost": True})
        eventually(lambda: all(seen(node, "v.tail")["seq"] == 2 for node in nodes))
        cluster.redis.kill()
        cluster.redis.start(keeps=True)
        until(wire, "drain")
    eventually(lambda: all(reloads(node) == 1 for node in nodes))
    ready(*nodes)
    assert publish(nodes[2], "v.tail", {"other": True}) == 2
    with nodes[1].connect() as wire:
        assert wire.welcome["epoch"] != before
        told = subscribe(wire, ["v.tail"], since={"v.tail": 2}, epoch=before)
        assert told[0]["recovered"] is False
        assert until(wire, "snapshot")["data"] == {"n": 1, "other": True}
    states = [seen(node, "v.tail") for node in nodes]
    assert states[0] == states[1] == states[2]


def test_a_redis_without_memory_takes_no_updates_and_the_log_says_so(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready, eventually: Eventually
) -> None:
    node = nodes[0]
    publish(node, "v.full", {"n": 1})
    cluster.redis.ask("CONFIG", "SET", "maxmemory", "1")
    with node.connect() as first:
        first.send({"type": "publish", "id": "waits", "topic": "v.full", "data": {"n": 2}})

        def is_refused() -> bool:
            with node.connect() as wire:
                wire.send({"type": "publish", "id": "p", "topic": "v.other", "data": {}})
                wire.send({"type": "ping", "id": "i"})
                return "unavailable" in str(wire.receive())

        eventually(is_refused)
        assert "OOM" in node.log()
        assert seen(node, "v.full")["data"] == {"n": 1}
        cluster.redis.ask("CONFIG", "SET", "maxmemory", "0")
        assert until(first, "ack", id="waits")["results"][0]["seq"] == 2
    ready(*nodes)


def test_a_server_that_starts_without_redis_serves_nobody_until_it_is_there(
    cluster: Cluster, nodes: list[DaemonProcess], ready: Ready
) -> None:
    cluster.redis.kill()
    node = cluster.start()
    assert node.http("/ready").status == 503
    assert node.http("/ready").json == {"status": "joining"}
    for path in ("/v1/snapshot/v.x", "/v1/topics", "/sse?topics=v.x", "/poll?topics=v.x"):
        answer = node.http(path)
        assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable"), path
    kind = {"Content-Type": "application/json"}
    body = b'{"topic":"v.x","data":{}}'
    assert node.http("/v1/publish", "POST", kind, body).status == 503
    assert node.http("/index.html").status == 200
    cluster.redis.start()
    ready(node, *nodes)
    publish(node, "v.start", {"n": 1})
    assert node.stop() == 0


def test_a_node_that_stood_still_for_longer_than_the_log_is_kept_begins_anew(
    short_log: Cluster, ready: Ready, eventually: Eventually
) -> None:
    busy, frozen, _ = short_log.nodes
    ready(*short_log.nodes)
    publish(busy, "v.frozen", {"n": 1})
    eventually(lambda: seen(frozen, "v.frozen").get("seq") == 1)
    frozen.process.send_signal(signal.SIGSTOP)
    for n in range(2, 5):
        publish(busy, "v.frozen", {"n": n})

    def is_trimmed() -> bool:
        publish(busy, "v.other", {"n": 3})
        return not short_log.redis.ask("XRANGE", "{tw:tickwire}:log", "-", "4")

    eventually(is_trimmed)
    frozen.process.send_signal(signal.SIGCONT)
    eventually(lambda: reloads(frozen) >= 1)  # more, where the log is cut while it loads
    ready(frozen)
    assert seen(frozen, "v.frozen") == seen(busy, "v.frozen")
