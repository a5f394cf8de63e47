"""An update with a name is sent again after a lost connection, and published once."""

from typing import TYPE_CHECKING, Any

import pytest

import tickwire
from tickwire.errors import ConfigError, ConnectionLostError

if TYPE_CHECKING:
    from conftest import Peer, Scripted


async def test_it_is_sent_again_until_it_is_answered(server: "Scripted") -> None:
    came: list[dict[str, Any]] = []

    async def breaks(peer: "Peer") -> None:
        await peer.welcome()
        came.append(await peer.expect("publish"))
        await peer.ws.close()

    async def answers(peer: "Peer") -> None:
        await peer.welcome()
        came.append(command := await peer.expect("publish"))
        results = [{"topic": "chat.a", "seq": 7, "duplicate": True}]
        await peer.send(type="ack", id=command["id"], results=results)
        await peer.idle()

    server.play(breaks, answers)
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        assert await c.publish("chat.a", {"n": 1}, once="n1") == 7
    assert [command["once"] for command in came] == ["n1", "n1"]


async def test_without_a_name_nobody_knows(server: "Scripted") -> None:
    async def breaks(peer: "Peer") -> None:
        await peer.welcome()
        assert "once" not in await peer.expect("publish")
        await peer.ws.close()

    server.play(breaks)
    async with tickwire.connect(server.url, backoff_s=0.01) as c:
        with pytest.raises(ConnectionLostError):
            await c.publish("chat.a", {"n": 1})


@pytest.mark.parametrize("once", ["", "x" * 65, 7])
async def test_a_wrong_name_is_refused_before_it_is_sent(server: "Scripted", once: Any) -> None:
    async def waits(peer: "Peer") -> None:
        await peer.welcome()
        await peer.idle()

    server.play(waits)
    async with tickwire.connect(server.url) as c:
        with pytest.raises(ConfigError, match="once"):
            await c.publish("chat.a", {"n": 1}, once=once)
