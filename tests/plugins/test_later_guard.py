"""An authorizer that is loaded while clients are there."""

import pytest

from tickwire import Allow, Deny, authorizer, sync


class Door:
    """Lets one topic of `vip.>` be seen."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @authorizer("vip.>")
    async def decide(self, client, topic):
        self.asked.append(topic)
        return Allow(only=["vip.open"])


TOPICS = ("vip.shut", "vip.open", "free.a")


@pytest.mark.parametrize("road", ["websocket", "sse", "poll"])
@pytest.mark.parametrize("asked", [TOPICS, (">",)], ids=["topics", "pattern"])
def test_it_holds_for_the_subscriptions_that_are_open(start_server, eventually, road, asked):
    server, door = start_server(), Door()
    for topic in TOPICS:
        server.publish(topic, {"n": 1})
    with sync.connect(server.url, transport=road) as client, client.subscribe(*asked) as updates:
        assert {updates.get(10).topic for _ in TOPICS} == set(TOPICS)
        server.add_plugin(door)
        if asked == TOPICS:
            # A poll is answered when something comes.
            eventually(lambda: server.publish("free.a", {}) and "vip.shut" in updates.refused)
        else:
            eventually(
                lambda: server.publish("free.a", {}) and not seen(server, updates, "vip.shut")
            )
        assert not seen(server, updates, "vip.shut")
        assert seen(server, updates, "vip.open")
    assert set(door.asked) <= {">", *TOPICS}


def seen(server, updates, topic):
    """Whether an update of the topic comes before those of another one that is published twice
    later: what comes at once, as the answer to a poll, is in no order."""
    server.publish(topic, {"n": 2})
    came = set()
    for _ in range(2):
        last = server.publish("free.a", {"n": 2})
        while (update := updates.get(10)).topic != "free.a" or update.seq < last:
            came.add(update.topic)
    return topic in came


def test_the_servers_own_program_is_not_asked_about(start_server):
    server = start_server()
    server.publish("vip.shut", {"n": 1})
    with server.subscribe("vip.*") as updates:
        assert updates.get(10).seq == 1
        server.add_plugin(shut)
        server.publish("vip.shut", {"n": 2})
        assert updates.get(10).seq == 2


@authorizer("vip.>")
def shut(client, topic):
    return Deny("members only")
