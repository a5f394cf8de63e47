"""Patterns of which the server shows only a part."""

from typing import TYPE_CHECKING

import tickwire

if TYPE_CHECKING:
    from conftest import Peer, Scripted


async def test_a_subscription_names_the_patterns_of_which_it_sees_a_part(
    server: "Scripted",
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        for partial in (True, False):
            command = await peer.expect("subscribe")
            results = [{"topic": "a.>", "partial": True}, {"topic": "b.*"}]
            if not partial:
                results = [{"topic": topic} for topic in command["topics"]]
            await peer.send(type="ack", id=command["id"], results=results)
            await peer.snapshot("b.c", 1)
            if partial:
                await peer.ack(await peer.expect("unsubscribe"))
        await peer.idle()

    server.play(play)
    async with tickwire.connect(server.url) as c:
        async with c.subscribe("a.>", "b.*") as updates:
            assert (await anext(updates)).topic == "b.c"
            assert updates.partial == ("a.>",)
            assert updates.topics == ("a.>", "b.*")
        assert updates.partial == ()
        async with c.subscribe("a.>") as updates:
            assert updates.partial == ()
