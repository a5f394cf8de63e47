"""A feed hears what somebody wants, and of nothing else."""

import asyncio
import threading
from typing import Any

import pytest

from tickwire import Server, feed
from tickwire.errors import PluginError, TopicError
from tickwire.pub import Demand, Pub

TOPICS = ["ticker.A", "ticker.B", "ticker.C"]


class Recorder:
    """A feed that writes down the changes of demand."""

    def __init__(self, **options: Any) -> None:
        self.changes: list[str] = []
        self.pub: Pub

        @feed("ticker.*", **options)
        async def record(pub: Pub) -> None:
            self.pub = pub
            async for topic, wanted in pub.demand():
                self.changes.append(topic + ("+" if wanted else "-"))

        self.feed = record


def test_a_feed_hears_of_the_first_and_the_last_subscriber(start_server, remote, eventually):
    recorder = Recorder()
    server = start_server(recorder)
    first, second = remote(server), remote(server)
    first.subscribe("ticker.A")
    eventually(lambda: recorder.changes == ["ticker.A+"])
    second.subscribe("ticker.A", "ticker.B", "trade.A")
    eventually(lambda: recorder.changes == ["ticker.A+", "ticker.B+"])
    first.connection.close()
    second.send(type="unsubscribe", id=2, topics=["ticker.B"])
    eventually(lambda: recorder.changes == ["ticker.A+", "ticker.B+", "ticker.B-"])
    assert recorder.pub.wanted == {"ticker.A"}
    second.connection.close()
    eventually(lambda: recorder.changes[3:] == ["ticker.A-"])
    assert recorder.pub.wanted == frozenset()


def test_a_pattern_wants_all_topics_that_the_feed_names(start_server, eventually):
    recorder = Recorder(topics=TOPICS)
    server = start_server(recorder)
    with server.subscribe("ticker.>"):
        eventually(lambda: recorder.changes == [f"{topic}+" for topic in TOPICS])
    eventually(lambda: recorder.changes[3:] == [f"{topic}-" for topic in TOPICS])


def test_the_topics_may_be_a_function_of_the_plugins_settings(start_server, eventually):
    recorder = Recorder(topics=lambda config: [f"ticker.{name}" for name in config["names"]])
    server = start_server(recorder, plugins={"Recorder": {"names": ["X", "Y"]}})
    with server.subscribe("ticker.*"):
        eventually(lambda: recorder.changes == ["ticker.X+", "ticker.Y+"])
        recorder.pub.set_topics(["ticker.Y", "ticker.Z"])
        eventually(lambda: recorder.pub.wanted == {"ticker.Y", "ticker.Z"})


def test_a_feed_without_topics_hears_of_exact_subscriptions_only(start_server, eventually):
    recorder = Recorder()
    server = start_server(recorder)
    with server.subscribe("ticker.>"), server.subscribe("ticker.B"):
        eventually(lambda: recorder.changes)
        assert recorder.changes == ["ticker.B+"]


def test_demand_begins_with_what_is_wanted_already(start_server, eventually):
    server = start_server()
    with server.subscribe("ticker.A"):
        recorder = Recorder()
        server.add_plugin(recorder)
        eventually(lambda: recorder.changes == ["ticker.A+"])


def test_a_plain_def_feed_iterates_over_demand_in_its_thread(start_server, eventually):
    seen: list[tuple[str, bool, str]] = []
    ended = threading.Event()

    @feed("ticker.*")
    def plain(pub: Pub) -> None:
        for topic, wanted in pub.demand():
            seen.append((topic, wanted, threading.current_thread().name))
        ended.set()

    server = start_server(plain)
    with server.subscribe("ticker.A"):
        eventually(lambda: seen == [("ticker.A", True, "feed-plain")])
    eventually(lambda: len(seen) == 2)
    server.stop()
    assert ended.wait(2), "demand() must end when the server stops"


def test_a_feed_may_publish_within_its_pattern_only(start_server, eventually):
    faults: list[str] = []

    @feed("ticker.*")
    async def stray(pub: Pub) -> None:
        for publish in (
            lambda: pub.publish("trade.A", {}),
            lambda: pub.publish_many([("ticker.A", {}), ("trade.A", {})]),
            lambda: pub.status("trade.A", "halted"),
            lambda: pub.set_topics(["trade.A"]),
        ):
            with pytest.raises(TopicError) as fault:
                publish()
            faults.append(str(fault.value))

    server = start_server(stray)
    eventually(lambda: len(faults) == 4)
    assert all("trade.A: outside ticker.*, the pattern of feed stray" in fault for fault in faults)
    assert server.topics() == ["ticker.A"]


def test_a_feed_that_names_topics_outside_its_pattern_is_not_loaded():
    with pytest.raises(PluginError, match=r"trade\.A: outside ticker\.\*"):
        Server(
            {"server": {"listen": "127.0.0.1:0"}}, plugins=[Recorder(topics=["trade.A"])]
        ).start()


# --- who vouches for what nobody wants ------------------------------------------------------------


def test_what_nobody_wants_is_stale_and_live_again_with_its_next_update(start_server, eventually):
    @feed("ticker.*", topics=TOPICS)
    async def follows(pub: Pub) -> None:
        async for topic, wanted in pub.demand():
            if wanted:
                pub.publish(topic, {"last": "1"})

    server = start_server(follows, server={"listen": "127.0.0.1:0", "linger_s": 1})
    with server.subscribe("ticker.A") as updates:
        assert updates.get(20).status in ("live", None)
        eventually(lambda: server.snapshot("ticker.A").status == "live")
    eventually(lambda: server.snapshot("ticker.A").status == "stale")
    with server.subscribe("ticker.A") as late:
        assert late.get(20).status == "stale", "a late joiner sees the truth"
        assert late.get(20).kind == "update"
        assert server.snapshot("ticker.A").status == "live"


def test_a_feed_that_asks_for_no_demand_stays_live(start_server, eventually):
    @feed("ticker.*")
    async def regardless(pub: Pub) -> None:
        pub.publish("ticker.A", {"last": "1"})
        await asyncio.sleep(3600)

    @feed("other.*", topics=["other.A"])
    async def follows(pub: Pub) -> None:
        pub.publish("other.A", {"wanted": len(pub.wanted)})
        await asyncio.sleep(3600)

    server = start_server(regardless, follows, server={"listen": "127.0.0.1:0", "linger_s": 0})
    eventually(lambda: server.topics() == ["other.A", "ticker.A"])
    eventually(lambda: server.snapshot("other.A").status == "stale")
    assert server.snapshot("ticker.A").status == "live"


async def test_changes_that_bring_nothing_new_are_left_out():
    demand = Demand(["a"])
    for wanted in (False, True, False, True):
        demand.change("a", wanted)
        demand.change("b", wanted)
    demand.change("c", True)
    demand.change("c", False)
    demand.end()
    assert [change async for change in demand] == [("a", True), ("b", True)]


async def test_a_change_wakes_who_waits_for_one():
    demand = Demand([])
    waiting = asyncio.ensure_future(anext(aiter(demand)))
    await asyncio.sleep(0)
    demand.change("a", True)
    assert await asyncio.wait_for(waiting, 30) == ("a", True)
