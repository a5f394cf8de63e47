"""The command's questions over HTTP, as processes, against a scripted server."""

import json
from typing import TYPE_CHECKING

import pytest

from client.terminal import on_a_terminal
from client.test_cli import SNAPSHOT, tells

if TYPE_CHECKING:
    from conftest import Commands, Peer, Scripted


async def test_snapshot_prints_the_answer_as_it_is(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    body = '{"topic":"a","epoch":"e","seq":3,"ts":1,"status":"live","data":{"last":1.00}}'
    server.pages["/v1/snapshot/a"] = (200, body)
    ended = await tickwire_command("snapshot", "a", "--url", server.url)
    assert (ended.code, ended.out, ended.err) == (0, body + "\n", "")


async def test_snapshot_with_a_token_asks_over_websocket(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("auth")
        await peer.send(type="ack", id=command["id"], results=[])
        await tells_after_welcome(peer)

    async def tells_after_welcome(peer: "Peer") -> None:
        await peer.accept()
        await peer.ws.send(SNAPSHOT)
        await peer.idle()

    server.play(play)
    ended = await tickwire_command("snapshot", "a", "--token", "t", "--url", server.url)
    assert (ended.code, ended.out) == (0, SNAPSHOT + "\n")


@pytest.mark.parametrize(
    ("status", "code", "exit_code"), [(404, "unknown_topic", 5), (403, "denied", 4)]
)
async def test_an_error_over_http_is_the_server_s_sentence(
    server: "Scripted", tickwire_command: "Commands", status: int, code: str, exit_code: int
) -> None:
    told = {"error": {"code": code, "message": "because", "retryable": False}}
    server.pages["/v1/snapshot/no%2Fsuch"] = (status, json.dumps(told))
    ended = await tickwire_command("snapshot", "no/such", "--wait", "0", "--url", server.url)
    assert (ended.code, ended.out, ended.err) == (exit_code, "", "tickwire: because\n")


async def test_snapshot_waits_for_the_first_value_of_a_topic_made_on_demand(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    told = {"error": {"code": "unknown_topic", "message": "never", "retryable": False}}
    body = '{"topic":"a","epoch":"e","seq":1,"ts":1,"status":"live","data":{"last":"7"}}'
    server.pages["/v1/snapshot/a"] = (404, json.dumps(told))

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        server.pages["/v1/snapshot/a"] = (200, body)
        await peer.update("a", 1, last="7")
        await peer.idle()

    server.play(play)
    ended = await tickwire_command("snapshot", "a", "--url", server.url)
    assert (ended.code, ended.out, ended.err) == (0, body + "\n", "")


async def test_a_snapshot_that_never_comes_is_an_unknown_topic(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    told = {"error": {"code": "unknown_topic", "message": "never", "retryable": False}}
    server.pages["/v1/snapshot/a"] = (404, json.dumps(told))

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.idle()

    server.play(play)
    ended = await tickwire_command("snapshot", "a", "--wait", "0.1", "--url", server.url)
    assert (ended.code, ended.out) == (5, "")
    assert "nothing was published within 0.1 s" in ended.err


async def test_topics_says_why_there_are_none(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    server.pages["/v1/topics?pattern=a.%3E"] = (200, '{"topics":[],"next":null}')
    ended = await tickwire_command("topics", "a.>", "--url", server.url)
    assert (ended.code, ended.out) == (0, "")
    assert "no topic that matches a.> has a value" in ended.err


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/", ""])
@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_slash_at_the_end_of_a_url_means_nothing(
    server: "Scripted", tickwire_command: "Commands", scheme: str, path: str
) -> None:
    server.play(tells)
    server.pages["/health"] = (200, '{"status":"ok"}')
    url = f"{scheme}{server.url.removeprefix('ws').removesuffix('/ws')}{path}"
    ended = await tickwire_command("sub", "a", "--count", "1", "--url", url)
    assert (ended.code, ended.out) == (0, SNAPSHOT + "\n")
    ended = await tickwire_command("health", "--url", url)
    assert (ended.code, ended.out) == (0, '{"status":"ok"}\n')


@pytest.mark.parametrize(
    "name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ws_proxy", "socks_proxy"]
)
async def test_a_server_on_this_machine_is_not_looked_for_behind_a_proxy(
    server: "Scripted", tickwire_command: "Commands", name: str
) -> None:
    server.play(tells)
    server.pages["/health"] = (200, '{"status":"ok"}')
    proxy = {name: "http://127.0.0.1:9"}
    ended = await tickwire_command("health", "--url", server.url, **proxy)
    assert (ended.code, ended.out) == (0, '{"status":"ok"}\n')
    ended = await tickwire_command("sub", "a", "--count", "1", "--url", server.url, **proxy)
    assert (ended.code, ended.out) == (0, SNAPSHOT + "\n")


async def test_topics_follows_the_pages(server: "Scripted", tickwire_command: "Commands") -> None:
    one, two = ({"topic": t, "seq": 3, "ts": 1, "status": "live"} for t in ("t.a", "t.b"))
    first, second = {"topics": [one], "next": "t.a"}, {"topics": [two], "next": None}
    server.pages["/v1/topics?pattern=t.%2A"] = (200, json.dumps(first))
    server.pages["/v1/topics?pattern=t.%2A&after=t.a"] = (200, json.dumps(second))
    ended = await tickwire_command("topics", "t.*", "--url", server.url)
    assert ended.code == 0
    assert [json.loads(text) for text in ended.out.splitlines()] == [one, two]


async def test_topics_draws_a_table_on_a_terminal(server: "Scripted") -> None:
    one = {"topic": "t.a", "seq": 3, "ts": 1, "status": "halted"}
    server.pages["/v1/topics?pattern=%3E"] = (200, json.dumps({"topics": [one], "next": None}))
    code, drawn = await on_a_terminal("topics", "--url", server.url)
    assert code == 0
    assert "t.a" in drawn
    assert "halted" in drawn
    assert "topic" in drawn


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 5)])
async def test_health_prints_the_answer_and_ends_as_it_says(
    server: "Scripted", tickwire_command: "Commands", status: int, exit_code: int
) -> None:
    body = '{"status":"draining","topics":1}'
    server.pages["/health"] = (status, body)
    ended = await tickwire_command("health", "--url", server.url)
    assert (ended.code, ended.out) == (exit_code, body + "\n")
    assert ended.err == ("tickwire: the server is draining\n" if exit_code else "")


async def test_health_is_readable_on_a_terminal(server: "Scripted") -> None:
    server.pages["/health"] = (200, '{"status":"ok","topics":1}')
    code, drawn = await on_a_terminal("health", "--url", server.url)
    assert code == 0
    assert '"status"' in drawn


@pytest.mark.parametrize("body", ["<html>", "[]", '{"error":"x"}'])
async def test_another_server_is_not_taken_for_one_of_ours(
    server: "Scripted", tickwire_command: "Commands", body: str
) -> None:
    server.pages["/health"] = (404, body)
    ended = await tickwire_command("health", "--url", server.url)
    assert (ended.code, ended.out) == (5, "")
    assert "/health: answered 404" in ended.err
