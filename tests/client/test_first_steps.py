"""What people write at first, and what else goes wrong around a client: it works, or says why."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mypy import api

import tickwire
from tickwire.errors import ConfigError, NotConnectedError, TopicError
from tickwire.url import is_loopback, websocket_url

if TYPE_CHECKING:
    from conftest import Peer, Scripted


async def test_a_client_that_is_awaited_or_iterated_over_explains_itself() -> None:
    client: Any = tickwire.connect("localhost")
    with pytest.raises(TypeError, match=r"async with tickwire\.connect"):
        await client
    with pytest.raises(TypeError, match=r"async for update in c\.subscribe"):
        async for _ in client:
            pass
    with pytest.raises(TypeError, match="async for"):
        for _ in client.subscribe("a"):
            pass
    with pytest.raises(TypeError, match=r"async for update in c\.subscribe"):
        await client.subscribe("a")


async def test_a_client_that_was_not_entered_says_so() -> None:
    client = tickwire.connect("localhost")
    for step in (client.ping(), anext(client.subscribe("a")), client.snapshot("a")):
        with pytest.raises(NotConnectedError, match="use it in `async with") as caught:
            await asyncio.wait_for(step, 30)
        assert not caught.value.retryable


def test_a_list_of_topics_is_told_from_topics() -> None:
    client: Any = tickwire.connect("localhost")
    for wrong in (["a.x", "a.y"], ("a",), None, b"a"):
        with pytest.raises(ConfigError, match=r"did you mean subscribe\(\*topics\)\?") as caught:
            client.subscribe(wrong)
        assert caught.value.field == "topics"


async def test_what_the_server_would_not_read_is_not_sent(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        assert await peer.accept() == ["x" * 200]
        await peer.idle()

    server.play(play)
    token = "t" * 8193
    with pytest.raises(ConfigError, match="token: 8193 bytes, at most 8192"):
        tickwire.connect(server.url, token=token)
    async with tickwire.connect(server.url) as c:
        with pytest.raises(ConfigError, match="token: 8193"):
            await c.auth(token)
        with pytest.raises(ConfigError, match="epoch: 65 bytes, at most 64"):
            c.subscribe("a", since={"a": 1}, epoch="e" * 65)
        long = "x" * 201
        for step in (c.publish(long, {}), c.snapshot(long), c.list(long)):
            with pytest.raises(TopicError, match="201 bytes, a topic has at most 200"):
                await step
        with pytest.raises(TopicError, match="201 bytes"):
            c.subscribe(long)
        async with c.subscribe("x" * 200):
            pass


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "all_proxy", "ws_proxy"])
async def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    server: "Scripted", monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.idle()

    server.play(play)
    for spelled in (name, name.upper()):
        monkeypatch.setenv(spelled, "http://127.0.0.1:9")
    async with tickwire.connect(server.url) as c:
        assert c.connected


def test_this_machine_is_known_by_any_of_its_names() -> None:
    for host in ("127.0.0.1", "127.1.2.3", "[::1]", "localhost", "a.localhost", "0.0.0.0"):
        assert is_loopback(f"ws://{host}:80/ws")
    for host in ("127.0.0.1.example.com", "10.0.0.1", "localhost.example.com", "[::2]"):
        assert not is_loopback(f"ws://{host}:80/ws")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ws://h/ws/", "ws://h/ws"),
        ("ws://h/ws//", "ws://h/ws"),
        ("http://h/", "ws://h/ws"),
        ("h:1/prefix/ws/?token=x", "ws://h:1/prefix/ws?token=x"),
    ],
)
def test_a_slash_at_the_end_of_a_url_means_nothing(text: str, url: str) -> None:
    assert websocket_url(text) == url


def test_a_misspelt_name_fails_the_type_check(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import tickwire\n\ntickwire.conect('h')\n")
    out, _, status = api.run(["--strict", "--cache-dir", str(tmp_path / "cache"), str(program)])
    assert status == 1
    assert 'has no attribute "conect"' in out
    program.write_text("import tickwire\n\nc: tickwire.Client = tickwire.connect('h')\n")
    out, _, status = api.run(["--strict", "--cache-dir", str(tmp_path / "cache"), str(program)])
    assert (status, "Success" in out) == (0, True)
