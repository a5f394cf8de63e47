"""The command's clients, as processes, against a scripted server."""

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from client.terminal import on_a_terminal

if TYPE_CHECKING:
    from conftest import Commands, Peer, Scripted

SNAPSHOT = (
    '{"type":"snapshot","topic":"a","seq":1,"ts":1,"status":"live",'
    '"data":{"last":"0.10","x":1.00,"€":"\\u20ac","n":1e5}}'
)
UPDATE = '{"type":"update","topic":"a","seq":2,"ts":2,"data":{"last":null}}'


async def tells(peer: "Peer") -> None:
    await peer.welcome()
    await peer.accept()
    await peer.ws.send(SNAPSHOT)
    await peer.ws.send(UPDATE)
    await peer.idle()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode()


# --- sub ------------------------------------------------------------------------------------------


async def test_in_a_pipe_sub_prints_what_the_server_sent_byte_for_byte(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    server.play(tells)
    ended = await tickwire_command("sub", "a", "--url", server.url, "--count", "2")
    assert (ended.code, ended.out, ended.err) == (0, f"{SNAPSHOT}\n{UPDATE}\n", "")


async def test_sub_passes_its_options_on(server: "Scripted", tickwire_command: "Commands") -> None:
    asked: list[dict[str, object]] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        auth = await peer.expect("auth")
        await peer.send(type="ack", id=auth["id"], results=[])
        asked.extend([auth, await peer.expect("subscribe")])
        await peer.ack(asked[1])
        await peer.ws.send(SNAPSHOT)
        await peer.idle()

    server.play(play)
    args = ("sub", "a", "b.*", "--no-snapshot", "--max-rate", "2.5", "--count", "1")
    ended = await tickwire_command(*args, TICKWIRE_URL=server.url, TICKWIRE_TOKEN="secret")
    assert ended.code == 0
    assert asked[0]["token"] == "secret"
    assert (asked[1]["topics"], asked[1]["max_rate"]) == (["a", "b.*"], 2.5)
    assert asked[1]["snapshot"] is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_sub_quietly(
    server: "Scripted", tickwire_command: "Commands", number: signal.Signals
) -> None:
    server.play(tells)
    process = await tickwire_command.start("sub", "a", "--url", server.url)
    assert json.loads(await line(process))["seq"] == 1
    process.send_signal(number)
    ended = await tickwire_command.end(process)
    assert (ended.code, ended.err) == (0, "")


async def test_a_closed_pipe_ends_sub_quietly_though_nothing_more_comes(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    server.play(tells)
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec "$@" | head -n 1', "sh"),
        *(sys.executable, "-m", "tickwire", "sub", "a", "--url", server.url),
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writing)
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    with os.fdopen(reading) as out:
        assert out.read() == SNAPSHOT + "\n"
    assert (process.returncode, err) == (0, b"")


async def test_sub_says_when_it_lost_the_server_and_goes_on(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    async def goes(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.ws.close(1001, "bye")

    server.play(goes, tells)
    ended = await tickwire_command("sub", "a", "--url", server.url, "--count", "1")
    assert (ended.code, ended.out) == (0, SNAPSHOT + "\n")
    assert "tickwire: the server closed the connection (1001): bye; connecting again" in ended.err


async def test_sub_names_the_topics_it_does_not_get(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.ack(await peer.expect("subscribe"), premium="denied")
        await peer.ws.send(SNAPSHOT)
        await peer.idle()

    server.play(play)
    ended = await tickwire_command("sub", "a", "premium", "--url", server.url, "--count", "1")
    assert (ended.code, ended.out) == (0, SNAPSHOT + "\n")
    assert ended.err == "tickwire: premium: denied\n"


async def test_sub_says_of_which_topics_nothing_comes(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.ack(await peer.expect("subscribe"), b="denied")
        await peer.ws.send(SNAPSHOT)
        await peer.idle()

    server.play(play)
    process = await tickwire_command.start("sub", "a", "b", "c", "d.*", "--url", server.url)
    assert process.stderr is not None
    assert await process.stderr.readline() == b"tickwire: b: denied\n"
    said = (await process.stderr.readline()).decode()
    assert said == "tickwire: c, d.*: nothing has come yet; waiting for the first update\n"


async def test_on_a_terminal_sub_draws_a_table(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("ticker.A", 41, last="101.20", bid=7)
        await peer.snapshot("ticker.B", 1, status="halted", last="7")
        await snapshots.wait()
        await peer.update("ticker.A", 42, last="101.25", bid=None)
        await peer.idle()

    snapshots = asyncio.Event()

    def on_drawn(drawn: bytes) -> None:
        if b"101.20" in drawn and b"halted" in drawn:
            snapshots.set()

    server.play(play)
    args = ("sub", "ticker.*", "--url", server.url, "--count", "3")
    code, drawn = await on_a_terminal(*args, on_drawn=on_drawn)
    assert code == 0
    for word in ("ticker.A", "41", "101.20", "bid", "ticker.B", "halted"):
        assert word in drawn
    last_frame = drawn[drawn.rindex("topic") :]
    assert "101.25" in last_frame
    assert "42" in last_frame
    assert "\x1b[32m" in last_frame, "up is green"


async def test_a_small_terminal_shows_how_many_there_are_beside(server: "Scripted") -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        for number in range(30):
            await peer.snapshot(f"t.{number:02}", 1, last=number)
        await peer.idle()

    server.play(play)
    args = ("sub", "t.*", "--url", server.url, "--count", "30")
    code, drawn = await on_a_terminal(*args, rows=12)
    assert code == 0
    assert "24 more" in drawn
    assert "t.29" not in drawn[drawn.rindex("topic") :]


async def test_the_table_shows_that_the_server_is_away(server: "Scripted") -> None:
    async def goes(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1, last="7")
        await peer.ws.close(1001)

    async def hesitates(peer: "Peer") -> None:
        await away.wait()
        await tells(peer)

    away = asyncio.Event()

    def on_drawn(drawn: bytes) -> None:
        if b"not connected" in drawn:
            away.set()

    server.play(goes, hesitates)
    args = ("sub", "a", "--url", server.url, "--count", "3")
    code, drawn = await on_a_terminal(*args, on_drawn=on_drawn)
    assert code == 0
    assert "stale" in drawn
    assert "not connected" in drawn
    last_frame = drawn[drawn.rindex("topic") :]
    assert "not connected" not in last_frame
    assert "live" in last_frame


async def test_the_table_does_not_show_the_query_of_its_url(server: "Scripted") -> None:
    server.play(tells)
    code, drawn = await on_a_terminal("sub", "a", "--url", f"{server.url}?t=s3cret", "--count", "1")
    assert code == 0
    assert server.url in drawn
    assert "s3cret" not in drawn


async def test_with_json_a_terminal_gets_lines_too(server: "Scripted") -> None:
    server.play(tells)
    code, drawn = await on_a_terminal("sub", "a", "--json", "--url", server.url, "--count", "1")
    assert (code, drawn) == (0, SNAPSHOT + "\r\n")


# --- pub ------------------------------------------------------------------------------------------


async def test_pub_sends_the_text_as_given_and_prints_the_seq(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    texts: list[str] = []

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        texts.append(str(await peer.ws.recv()))
        await peer.send(type="ack", id=1, results=[{"topic": "chat", "seq": 8}])
        await peer.idle()

    server.play(play)
    ended = await tickwire_command("pub", "chat", '{"a": 1.00}', "--url", server.url)
    assert (ended.code, ended.out) == (0, '{"topic":"chat","seq":8}\n')
    assert texts == ['{"type":"publish","id":1,"topic":"chat","data":{"a": 1.00}}']


@pytest.mark.parametrize(
    ("code", "exit_code"), [("denied", 4), ("bad_topic", 5), ("internal", 5), ("draining", 5)]
)
async def test_what_the_server_says_decides_the_exit_code(
    server: "Scripted", tickwire_command: "Commands", code: str, exit_code: int
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        command = await peer.expect("publish")
        await peer.send(type="error", id=command["id"], code=code, message="m", retryable=False)
        await peer.idle()

    server.play(play)
    ended = await tickwire_command("pub", "chat", "{}", "--url", server.url)
    assert (ended.code, ended.out, ended.err) == (exit_code, "", "tickwire: m\n")


# --- how it ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ("sub", "a"),
        ("pub", "a", "{}"),
        ("snapshot", "a"),
        ("snapshot", "a", "--token", "t"),
        ("topics",),
        ("health",),
    ],
)
async def test_nobody_listening_is_3(tickwire_command: "Commands", args: tuple[str, ...]) -> None:
    ended = await tickwire_command(*args, "--url", "127.0.0.1:1")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("tickwire: ")
    assert ended.err.endswith(": Connection refused; is `tickwire serve` running there?\n")


async def test_a_path_that_http_cannot_carry_is_3(tickwire_command: "Commands") -> None:
    ended = await tickwire_command("health", "--url", "http://127.0.0.1:1/\N{EURO SIGN}")
    assert (ended.code, len(ended.err.splitlines())) == (3, 1), ended.err


async def test_a_server_that_allows_nobody_is_4(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    server.play(lambda peer: peer.ws.close(4500, "not you"))
    ended = await tickwire_command("sub", "a", "--url", server.url)
    assert (ended.code, ended.out) == (4, "")
    assert "not you" in ended.err


@pytest.mark.parametrize(
    ("args", "word"),
    [
        ((), "Usage"),
        (("dance",), "No such command 'dance'. Did you mean 'check'?"),
        (("helth",), "Did you mean 'health'?"),
        (("config", "chek"), "Did you mean 'check'?"),
        (("config", "check", "a.toml", "--config", "b.toml"), "give one"),
        (("sub",), "TOPIC"),
        (("sub", "a", "--count", "0"), "count"),
        (("sub", "a", "--max-rate", "0"), "max_rate"),
        (("sub", "a", "--url", "ftp://x"), "url: 'ftp://x'"),
        (("health", "--url", "h:x"), "url: 'h:x'"),
        (("health", "--url", "http://a..b/"), "url: 'http://a..b/'"),
        (("sub", "a", "--url", "ws://a..b/"), "url: 'ws://a..b/'"),
        (("pub", "a", "nonsense"), "a JSON object must begin with"),
        (("pub", "a", "[1]"), "a JSON object must begin with"),
    ],
)
async def test_a_wrong_command_line_is_2_and_says_what_is_wrong(
    tickwire_command: "Commands", server: "Scripted", args: tuple[str, ...], word: str
) -> None:
    async def play(peer: "Peer") -> None:
        await peer.welcome()
        await peer.idle()

    server.play(play)
    ended = await tickwire_command(*args, TICKWIRE_URL=server.url)
    assert ended.code == 2
    assert word in ended.out + ended.err
