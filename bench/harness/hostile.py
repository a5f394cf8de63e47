"""Canaries that watch the market, beside a client that sends the costliest commands to their loop.

Their p99 is counted from when an update was due. All they share with the hostile client is the
server's core: on the core of the clients its process yields to theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.measure import Shape, Times, Window, faults_of, loaded_plant, measure_plant
from harness.programs import Programs
from harness.rows import CaseResult, Question, Row

TOPICS = 87_000  # as many names as a command of 2 MiB can hold
COMMANDS = {
    "resume": "resume, 100 x {:,}",
    "list": "lists of nothing",
    "message": "2 MiB messages",
    "subscriptions": "100,000 subscriptions",
}
P99_MS_MAX = 5.0  # no client may make a loop work for longer at a time
WINDOW_S = 10


CANARIES = Shape(connections=20, topics=TOPICS, rate=2_000, check=1, snapshot=False)
Answers = dict[str, int]  # how many of which kind a hostile client got


def hostile(programs: Programs, times: Times) -> CaseResult:
    times = times.fewer(1).longer(WINDOW_S)
    topics = 2_000 if times.quick else TOPICS
    canaries = replace(CANARIES, topics=topics, each=topics // CANARIES.connections)
    alone, _ = beside(programs, canaries, times, None)
    rows: list[Row] = []
    data: dict[str, Any] = {"alone": alone.as_dict()}
    for command, title in COMMANDS.items():
        found, answers = beside(programs, canaries, times, command)
        goal = None if times.quick else P99_MS_MAX
        rows += rows_of("p99 beside " + title.format(topics), found, alone, answers, goal)
        data[command] = found.as_dict() | {"answers": answers}
    return CaseResult(rows, data)


def beside(
    programs: Programs, canaries: Shape, times: Times, command: str | None
) -> tuple[Window, Answers]:
    """What the canaries saw, and what the hostile client was answered meanwhile."""
    with loaded_plant(programs, canaries) as (plant, load):
        if command is None:
            return measure_plant(plant, load, canaries, times), {}
        args = (f"--topics={canaries.topics}", command)
        with programs.hostile(plant, *args) as client:
            client.ask("reset")
            found = measure_plant(plant, load, canaries, times)
            answers: Answers = client.ask("stats")["answers"]
    return found, answers


def rows_of(
    name: str, found: Window, alone: Window, answers: Answers, goal: float | None
) -> list[Row]:
    note = faults_of([found, alone])
    if not answers:
        note = "the hostile client got no answer in this time"

    def row(title: str, percentile: str, at_most: float | None) -> Row:
        mine, quiet = (w.latency_us[percentile] / 1000 for w in (found, alone))
        return Row(
            title,
            f"{mine:.1f} ms",
            f"{quiet:.1f} ms",
            [mine],
            unit="ms",
            at_most=at_most,
            note=note,
            question=Question.NEIGHBOURS,
        )

    return [row(name, "p99", goal), row("  worst", "max", None)]
