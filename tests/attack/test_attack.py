"""Broken and hostile clients, while calm ones go on: the whole of it is `make attack N=100000`."""

import asyncio
import random
from pathlib import Path

import pytest

from attack import sessions, wire
from attack.canary import Nest
from attack.run import run
from attack.target import server

SESSIONS = 2_000
FLOOD_S = 0.5


@pytest.mark.timeout(300)
def test_a_server_under_attack_falls_not_forgets_nobody_and_keeps_nothing(
    tickwired: Path, tmp_path: Path
) -> None:
    with server(tickwired, tmp_path) as target:
        assert run(target, 7, SESSIONS, FLOOD_S, calm_s=1.0) == []


def test_a_seed_makes_the_same_sessions_again() -> None:
    def made(seed: int) -> list[sessions.Script]:
        return [sessions.script(random.Random(f"{seed} {number}")) for number in range(50)]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_the_generator_makes_handshakes_that_are_right(tickwired: Path, tmp_path: Path) -> None:
    """If its own bytes were all refused at the door, it would attack nothing behind it."""
    with server(tickwired, tmp_path) as target:
        made = sessions.Script([wire.upgrade(random.Random(1)), wire.command(type="ping", id=1)])
        answer = asyncio.run(sessions.play(target.address, made, "127.0.0.2"))
        assert answer.startswith(b"HTTP/1.1 101")
        assert b'"pong"' in answer


class Played:
    """A connection that gives a canary these messages."""

    def __init__(self, *texts: str) -> None:
        self._texts = iter(texts)

    def __aiter__(self) -> "Played":
        return self

    async def __anext__(self) -> str:
        for text in self._texts:
            return text
        raise StopAsyncIteration


def update(seq: int, kind: str = "update") -> str:
    return f'{{"type":"{kind}","topic":"canary.0","seq":{seq},"data":{{"t":0}}}}'


@pytest.mark.parametrize(
    ("texts", "gaps"),
    [
        ([update(4, "snapshot"), update(5), update(6)], 0),
        ([update(4, "snapshot"), update(6)], 1),
        ([update(4, "snapshot"), update(5), update(9, "snapshot")], 1),
    ],
)
def test_a_canary_notices_what_it_missed(texts: list[str], gaps: int) -> None:
    nest = Nest()
    asyncio.run(nest.listen(Played(*texts)))  # type: ignore[arg-type]
    assert nest.report().gaps == gaps
