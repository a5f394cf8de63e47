"""`tickwire check --client`: the client passes, and a judge sees what a wrong one would do."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tickwire._tools.check.tally import Tally
from tickwire._tools.check_client import Judge
from tickwire.update import Update

if TYPE_CHECKING:
    from conftest import Commands, ServedAt


@pytest.mark.parametrize("road", ["websocket", "sse", "poll"])
async def test_the_python_client_passes_over_reconnects_and_stalls(
    tickwire_command: "Commands", served_at: "ServedAt", road: str
) -> None:
    sets = ("plugins.checked.rate=1000", 'topics.">".ring=32')
    args = [word for one in sets for word in ("--set", one)]
    serve = await tickwire_command.start("serve", "checked", "--listen", "127.0.0.1:0", *args)
    url = await served_at(serve)
    what = ("--client", "--reconnects", "--stalls", "--secs", "5", "--connections", "4")
    what += ("--transport", road)
    ended = await tickwire_command("check", "--json", "--url", url, *what)
    total = json.loads(ended.out.splitlines()[-1])
    assert (ended.code, ended.err, total["violations"]) == (0, "", 0)
    assert total["messages"] > 0
    assert total["reconnects"] >= 4  # each client once
    assert total["recovered"] + total["not_recovered"] > 0


async def test_it_runs_in_one_process(tickwire_command: "Commands") -> None:
    ended = await tickwire_command("check", "--client", "--processes", "2")
    assert ended.code == 2
    assert "--processes" in ended.err


async def test_a_road_is_named_where_the_server_is_checked(tickwire_command: "Commands") -> None:
    ended = await tickwire_command("check", "--transport", "auto")
    assert ended.code == 2
    assert "--transport" in ended.err


def image(n: int, x: int = 0) -> dict[str, Any]:
    return {"n": n, "run": 0, "x": x, "sum": -n - x}


def update(seq: int, kind: str = "update", n: int | None = None, **more: Any) -> Update:
    data = {} if kind in ("gap", "status") else image(seq if n is None else n)
    return Update(kind, "check.value.1", seq, data=data, **more)  # type: ignore[arg-type]


BEGIN = update(5, "snapshot")


@pytest.mark.parametrize(
    ("updates", "counter"),
    [
        ([BEGIN, update(6), update(8, "snapshot"), update(9)], None),
        ([BEGIN, update(9, "gap", missed=4), update(10)], None),
        ([BEGIN, update(7)], "silent_gaps"),
        ([BEGIN, update(6), update(6)], "duplicates"),
        ([BEGIN, update(4, "snapshot")], "duplicates"),
        ([BEGIN, update(9, "gap", missed=3)], "silent_gaps"),
        ([BEGIN, update(6, n=5)], "wrong_images"),
        ([BEGIN, Update("update", "check.value.1", 6, data={"x": 1})], "wrong_images"),
        ([BEGIN, update(8, "snapshot", delivery="event")], "silent_gaps"),
        ([Update("update", "other", 1, data=image(1))], "unwanted"),
    ],
)
def test_a_judge_sees_each_kind_of_fault(updates: list[Update], counter: str | None) -> None:
    tally = Tally()
    judge = Judge("check.value.*", "client 0", tally, {})
    for one in updates:
        judge.take(one, "e1")
    assert tally.violations == (0 if counter is None else 1), tally.faults
    if counter is not None:
        assert getattr(tally, counter) == 1
