"""`tickwire check` against a real server that is right, and against one that is not."""

import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from server.certificates import CERTIFICATE, KEY, make_certificate
from tickwire._pattern import matches
from tickwire._tools.check.run import Checker, CheckPlan

if TYPE_CHECKING:
    from conftest import Commands, Peer, Scripted, ServedAt

TOPICS = "/v1/topics?pattern=check.%3E"


@pytest.fixture
async def plant(tickwire_command: "Commands", served_at: "ServedAt") -> str:
    """Small rings, so that not everything can be recovered."""
    sets = ("plugins.checked.rate=2000", 'topics.">".ring=32', "server.shards=2")
    args = [word for one in sets for word in ("--set", one)]
    return await served_at(
        await tickwire_command.start("serve", "checked", "--listen", "127.0.0.1:0", *args)
    )


async def check(
    tickwire_command: "Commands", url: str, *args: str
) -> tuple[int, dict[str, Any], str]:
    ended = await tickwire_command("check", "--json", "--url", url, *args)
    lines = ended.out.splitlines()
    return ended.code, json.loads(lines[-1]) if lines else {}, ended.err


async def test_a_server_that_is_right_passes(plant: str, tickwire_command: "Commands") -> None:
    args = ("--secs", "4", "--connections", "24", "--reconnects", "--stalls", "--processes", "2")
    code, total, err = await check(tickwire_command, plant, *args)
    assert (code, err, total["type"], total["violations"]) == (0, "", "total", 0)
    assert total["messages"] > 0
    for name in ("reconnects", "stalls", "recovered", "not_recovered", "updates_conflated"):
        assert total[name] > 0, name


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_a_server_with_tls_passes_if_its_certificate_is_trusted(
    tickwire_command: "Commands", served_at: "ServedAt", tmp_path: Path, processes: str
) -> None:
    make_certificate(tmp_path)
    certificate, key = tmp_path / CERTIFICATE, tmp_path / KEY
    sets = ("plugins.checked.rate=2000", f"tls.certificate={certificate}", f"tls.key={key}")
    args = [word for one in sets for word in ("--set", one)]
    url = await served_at(
        await tickwire_command.start("serve", "checked", "--listen", "https://127.0.0.1:0", *args)
    )
    secure = f"wss://{urlsplit(url).netloc}/ws"
    stranger = await tickwire_command("check", "--secs", "1", "--url", secure)
    assert (stranger.code, stranger.out) == (3, "")
    assert "certificate verify failed" in stranger.err
    args = ["--secs", "3", "--connections", "12", "--reconnects", "--stalls"]
    args += ["--processes", processes, "--json", "--url", secure]
    ended = await tickwire_command("check", *args, SSL_CERT_FILE=str(certificate))
    total = json.loads(ended.out.splitlines()[-1])
    assert (ended.code, ended.err, total["violations"]) == (0, "", 0)
    assert total["messages"] > 0
    assert total["reconnects"] > 0
    assert total["stalls"] > 0


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_what_it_found(
    plant: str, tickwire_command: "Commands", processes: str, number: signal.Signals
) -> None:
    args = ("--secs", "60", "--processes", processes, "--url", plant)
    process = await tickwire_command.start("check", *args)
    assert process.stdout is not None
    while json.loads(await process.stdout.readline())["messages"] == 0:
        pass
    process.send_signal(number)
    ended = await tickwire_command.end(process)
    total = json.loads(ended.out.splitlines()[-1])
    assert (ended.code, ended.err, total["type"], total["violations"]) == (0, "", "total", 0)
    assert total["messages"] > 0


async def test_when_it_is_killed_its_processes_end_quietly(
    plant: str, tickwire_command: "Commands"
) -> None:
    process = await tickwire_command.start("check", "--processes", "2", "--url", plant)
    assert process.stdout is not None
    while json.loads(await process.stdout.readline())["messages"] == 0:
        pass
    process.kill()
    ended = await tickwire_command.end(process)
    assert (ended.code, ended.err) == (-signal.SIGKILL, "")


def liar(*lies: tuple[int, dict[str, int]]) -> Any:
    """A server that lets everybody subscribe, and then sends these updates of check.value.0."""

    async def play(peer: "Peer") -> None:
        await peer.welcome()
        if any(matches(name, "check.value.0") for name in await peer.accept(0)):
            for seq, data in lies:
                await peer.update("check.value.0", seq, **data)
        await peer.idle()

    return play


RIGHT = (1, {"run": 1, "n": 1, "sum": -2})


@pytest.mark.parametrize(
    ("lies", "counter"),
    [
        ([], None),
        ([RIGHT], None),
        ([(2, {"run": 1, "n": 2, "sum": -3})], "silent_gaps"),
        ([RIGHT, RIGHT], "duplicates"),
        ([RIGHT, (2, {"n": 1})], "wrong_images"),
        ([(1, {"n": 2})], "wrong_images"),
    ],
)
async def test_a_server_that_is_not_is_found_out(
    server: "Scripted",
    tickwire_command: "Commands",
    lies: list[tuple[int, dict[str, int]]],
    counter: str | None,
) -> None:
    server.play(liar(*lies))
    seq = max((seq for seq, _ in lies), default=0)
    topics = [{"topic": "check.value.0", "seq": seq, "ts": 1, "status": "live"}]
    server.pages = {TOPICS: (200, json.dumps({"topics": topics, "next": None}))}
    code, total, err = await check(
        tickwire_command, server.url, "--secs", "0.3", "--connections", "4"
    )
    if counter is None:
        assert (code, total["violations"]) == (0, 0), err
    else:
        assert (code, total[counter]) == (5, total["violations"]), err
        assert "check.value.0" in err


async def test_updates_that_never_come_are_missing(
    server: "Scripted",
) -> None:
    server.play(liar(RIGHT))
    topics = [{"topic": "check.value.0", "seq": 2, "ts": 1, "status": "live"}]
    server.pages = {TOPICS: (200, json.dumps({"topics": topics, "next": None}))}
    plan = CheckPlan(server.url, 0.2, 4, settle_s=0.3)
    checker = await asyncio.to_thread(Checker, plan, lambda: False)
    tally = await asyncio.to_thread(checker.run, lambda tally, seconds: None)
    assert tally.missing == tally.violations > 0
    assert "check.value.0: not up to 2" in tally.faults[0]


async def test_without_its_feed_there_is_nothing_to_check(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    server.pages = {TOPICS: (200, '{"topics":[],"next":null}')}
    for processes in ("1", "2"):
        code, _, err = await check(tickwire_command, server.url, "--processes", processes)
        assert (code, "feeds/checked.py" in err) == (5, True)


@pytest.mark.parametrize(
    ("url", "code"), [("ws://127.0.0.1:1/ws", 3), ("wss://127.0.0.1:1/ws", 3), ("nowhere:x", 2)]
)
async def test_a_server_that_is_not_there_is_said(
    tickwire_command: "Commands", url: str, code: int
) -> None:
    ended = await tickwire_command("check", "--url", url)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert len(ended.err.splitlines()) == 1
