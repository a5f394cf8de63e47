"""A feed may follow topics of its server, and publish what a topic is instead of its changes."""

from typing import Any

import pytest

from tickwire import feed
from tickwire.pub import Pub


def test_a_feed_publishes_what_it_makes_of_other_topics(start_server):
    @feed("double.*")
    async def double(pub: Pub) -> None:
        async for update in pub.subscribe("single.*"):
            pub.publish("double." + update.topic.partition(".")[2], {"n": update.data["n"] * 2})

    server = start_server(double)
    with server.subscribe("double.*") as updates:
        server.publish("single.A", {"n": 21})
        assert updates.get(60).data == {"n": 42}
    server.stop()
    assert server.stopped.is_set()


def test_a_feed_goes_on_where_it_was_if_the_ring_still_knows(start_server, eventually):
    seen: list[tuple[str, int]] = []

    @feed("none.*")
    def follow(pub: Pub) -> None:
        assert pub.topics("made.>") == ["made.A"]
        snapshot = pub.snapshot("made.A")
        assert snapshot is not None
        with pub.subscribe("made.A", since={"made.A": 1}, epoch=pub.epoch) as updates:
            assert updates.epoch == pub.epoch
            seen.extend((update.kind, update.seq) for update in updates)

    server = start_server()
    for n in range(3):
        server.publish("made.A", {"n": n})
    server.add_plugin(follow)
    expected = [("update", 2), ("update", 3), ("status", 3)]
    eventually(lambda: seen == expected)


def test_what_a_feed_follows_ends_with_its_run(start_server, eventually):
    kept: list[Any] = []

    @feed("none.*")
    async def leave(pub: Pub) -> None:
        kept.append(pub.subscribe("made.A"))

    server = start_server(leave)
    eventually(lambda: server.health["plugins"]["leave"]["state"] == "finished")
    assert list(kept[0]) == []


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ('{"a":1.00,"c":null}', '{"a":1.00}'),
        ({"a": 1, "b": 3, "c": 2}, '{"a":1,"b":3,"c":2}'),
        ("{}", "{}"),
        (b' {"b": 1} ', '{"b": 1}'),
    ],
)
def test_an_image_replaces_all_fields(start_server, eventually, image, expected):
    @feed("whole.*")
    async def whole(pub: Pub) -> None:
        pub.publish("whole.A", {"a": 1, "b": 2})
        pub.publish_image("whole.A", image)

    server = start_server(whole)
    update = eventually(lambda: (found := server.snapshot("whole.A")) and found.seq == 2 and found)
    assert update.raw.replace(" ", "") == expected.replace(" ", "")
