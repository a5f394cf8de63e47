"""`tickwire bench`, as a process, against a real server and against one that misbehaves."""

import asyncio
import itertools
import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tickwire._tools.bench import Arrivals, percentiles
from tickwire.update import Update

if TYPE_CHECKING:
    from conftest import Commands, Peer, Scripted


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_it_reports_what_a_server_sends_to_all_its_connections(
    demo: str, tickwire_command: "Commands"
) -> None:
    args = ("--connections", "5", "--each", "2", "--duration", "2.5", "--url", demo)
    ended = await tickwire_command("bench", "ticker.*", *args)
    assert ended.code == 0, ended.err
    *so_far, total = lines(ended.out)
    assert {line["type"] for line in so_far} == {"so_far"}
    assert total["type"] == "total"
    assert total["connections"] == 5
    assert (total["lost"], total["holes"], total["gaps"]) == (0, 0, 0)
    assert total["messages"] >= so_far[0]["messages"] > 0
    assert total["bytes"] > 10 * total["messages"]
    assert 0 <= total["age_ms"]["p50"] <= total["age_ms"]["p99"] <= total["age_ms"]["max"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_its_total(
    demo: str, tickwire_command: "Commands", number: signal.Signals
) -> None:
    process = await tickwire_command.start("bench", "--duration", "60", "--url", demo)
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["type"] == "so_far"
    process.send_signal(number)
    ended = await tickwire_command.end(process)
    assert (ended.code, ended.err) == (0, "")
    total = lines(ended.out)[-1]
    assert (total["type"], total["holes"]) == ("total", 0)
    assert total["seconds"] < 60


async def test_a_signal_before_it_measures_ends_it_quietly(
    server: "Scripted", tickwire_command: "Commands", eventually: Any
) -> None:
    server.play(lambda peer: peer.idle())
    process = await tickwire_command.start("bench", "a", "--url", server.url)
    await eventually(lambda: server.connections > 0)
    process.send_signal(signal.SIGTERM)
    assert (await tickwire_command.end(process)).code == 0


async def test_max_rate_reaches_the_server(demo: str, tickwire_command: "Commands") -> None:
    args = ("--connections", "1", "--duration", "3", "--max-rate", "0.1", "--url", demo)
    ended = await tickwire_command("bench", "ticker.AAPL", *args)
    assert ended.code == 0, ended.err
    total = lines(ended.out)[-1]
    assert total["messages"] <= 1 + 0.1 * total["seconds"]


async def test_a_hole_in_a_sequence_is_counted_and_ends_it_with_5(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    async def skips(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.snapshot("a", 1, last=1)
        for seq in itertools.count(3, 2):  # nobody tells when it begins to count
            await peer.update("a", seq, last=seq)
            await asyncio.sleep(0.05)

    server.play(skips)
    args = ("--connections", "1", "--duration", "2.5", "--url", server.url)
    ended = await tickwire_command("bench", "a", *args)
    assert ended.code == 5
    holes = lines(ended.out)[-1]["holes"]
    assert holes > 0
    assert ended.err == f"tickwire: {holes} updates did not follow the one before\n"


async def test_a_refused_topic_ends_it(server: "Scripted", tickwire_command: "Commands") -> None:
    async def refuses(peer: "Peer") -> None:
        await peer.welcome()
        await peer.ack(await peer.expect("subscribe"), premium="denied")
        await peer.idle()

    server.play(refuses)
    args = ("--connections", "3", "--url", server.url)
    ended = await tickwire_command("bench", "a", "premium", *args)
    assert (ended.code, ended.out, ended.err) == (4, "", "tickwire: premium: denied\n")


async def test_a_server_that_hangs_up_on_all_ends_it(
    server: "Scripted", tickwire_command: "Commands"
) -> None:
    async def goes(peer: "Peer") -> None:
        await peer.welcome()
        await peer.accept()
        await peer.ws.close(1001, "bye")

    server.play(goes)
    args = ("--connections", "2", "--duration", "30", "--url", server.url)
    ended = await tickwire_command("bench", "a", *args)
    assert (ended.code, ended.err) == (3, "tickwire: the server closed every connection\n")


async def test_a_pattern_that_matches_nothing_is_said(
    demo: str, tickwire_command: "Commands"
) -> None:
    ended = await tickwire_command("bench", "no.such.>", "--each", "1", "--url", demo)
    assert (ended.code, ended.err) == (5, "tickwire: no.such.>: no topic of the server matches\n")


@pytest.mark.parametrize(
    ("messages", "holes", "gaps", "conflated"),
    [
        ([("snapshot", 5), ("update", 6), ("update", 7)], 0, 0, 0),
        ([("snapshot", 5), ("status", 5), ("update", 6)], 0, 0, 0),
        ([("snapshot", 5), ("snapshot", 9), ("update", 10)], 0, 0, 3),
        ([("snapshot", 5), ("snapshot", 5)], 0, 0, 0),
        ([("snapshot", 5), ("update", 7)], 1, 0, 0),
        ([("snapshot", 5), ("update", 5)], 1, 0, 0),
    ],
)
def test_what_a_jump_in_seq_means_depends_on_the_message(
    messages: list[tuple[Any, int]], holes: int, gaps: int, conflated: int
) -> None:
    arrivals, seqs = Arrivals(), {"b": 70}
    for kind, seq in messages:
        arrivals.take(Update(kind, "a", seq), seqs)
    assert (arrivals.messages, arrivals.holes, arrivals.gaps, arrivals.conflated) == (
        len(messages), holes, gaps, conflated,
    )  # fmt: skip


def test_a_gap_counts_what_is_gone_and_the_next_update_follows_it() -> None:
    arrivals, seqs = Arrivals(), {"a": 5}
    arrivals.take(Update("gap", "a", 9, missed=4), seqs)
    arrivals.take(Update("update", "a", 10), seqs)
    assert (arrivals.gaps, arrivals.holes) == (4, 0)


def test_percentiles_are_those_of_all_messages() -> None:
    arrivals = Arrivals()
    arrivals.ages_ms.update({1: 50, 7: 40, 20: 9, 500: 1})
    assert percentiles(arrivals.ages_ms) == {"p50": 1, "p90": 7, "p99": 20, "max": 500}
    assert percentiles(Arrivals().ages_ms) == {}
