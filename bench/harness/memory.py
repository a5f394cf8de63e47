"""What a connection, a subscription and a pattern hold in memory while they are live and idle."""

from __future__ import annotations

import time
from collections.abc import Sequence

from harness.measure import Times
from harness.programs import Answer, Programs
from harness.rows import CaseResult, Question, Row

FEW, MANY = 1_000, 11_000
FURTHER = 1_000  # subscriptions beyond the first ten
TOPICS = 2_000
MORE_TOPICS = 100_000
PATTERN_TOPICS = 100_000
PATTERN_CLIENTS = 150  # so that what the shard itself needs once (64 KiB) does not count for much
PATTERN_BYTES_MAX = 1_024  # beyond an exact subscription: not a hundredth of a byte a topic


def settled(programs: Programs, topics: int, *args: str, settings: Sequence[str] = ()) -> Answer:
    """The plant's statistics once these clients are connected and have all they are owed."""
    every = ("--check=1000000", *args)
    with programs.plant(topics, *settings) as plant, programs.load(plant, *every) as load:
        before = -1
        while (sent := plant.ask("stats")["messages"]) != before:
            before = sent
            time.sleep(0.5)
        return plant.ask("stats") | {"deflate": load.hello["deflate"]}


def each(many: Answer, few: Answer, by: float, what: str = "rss_bytes") -> float:
    return float(many[what] - few[what]) / by


def memory(programs: Programs, times: Times) -> CaseResult:
    def clients(count: int, topics_each: int) -> Answer:
        return settled(
            programs, TOPICS, f"--connections={count}", f"--topics={TOPICS}",
            f"--each={topics_each}", "--deflate",
        )  # fmt: skip

    def topics(count: int) -> Answer:
        with programs.plant(count) as plant:
            return plant.ask("stats")

    few, many, wide = clients(FEW, 10), clients(MANY, 10), clients(FEW, 10 + FURTHER)
    some, all_ = topics(FEW), topics(FEW + MORE_TOPICS)
    topic = each(all_, some, MORE_TOPICS)
    connection = each(many, few, MANY - FEW)
    subscription = each(wide, few, FEW * FURTHER)
    refused = "" if many["deflate"] else "without permessage-deflate, which was not negotiated"
    rows = [
        Row(
            "idle connection, 10 subscriptions",
            f"{connection:.0f} B",
            f"heap {each(many, few, MANY - FEW, 'heap_bytes'):.0f} B",
            [connection],
            unit="B",
            question=Question.MEMORY,
            at_most=3072,
            note=refused,
        ),
        Row(
            "each further subscription",
            f"{subscription:.1f} B",
            f"heap {each(wide, few, FEW * FURTHER, 'heap_bytes'):.1f} B",
            [subscription],
            unit="B",
            question=Question.MEMORY,
            at_most=40,
        ),
        Row(
            "each topic that nobody wants, one update",
            f"{topic:.0f} B",
            f"heap {each(all_, some, MORE_TOPICS, 'heap_bytes'):.0f} B",
            [topic],
            unit="B",
            question=Question.MEMORY,
        ),
    ]
    return CaseResult(
        rows, {"few": few, "many": many, "wide": wide, "some_topics": some, "all_topics": all_}
    )


def pattern(programs: Programs, times: Times) -> CaseResult:
    """Between one client and PATTERN_CLIENTS: what a live subscription of either kind adds."""

    def growth(*wanted: str) -> tuple[float, dict[str, Answer]]:
        topics = f"--topics={PATTERN_TOPICS}"
        one = settled(programs, PATTERN_TOPICS, topics, "--connections=1", *wanted)
        all_ = settled(
            programs, PATTERN_TOPICS, topics, f"--connections={PATTERN_CLIENTS}", *wanted
        )
        return each(all_, one, PATTERN_CLIENTS - 1, "heap_bytes"), {"one": one, "all": all_}

    by_pattern, pattern_data = growth("--pattern=>")
    by_name, name_data = growth("--pattern=ticker.SYM00000-USD")
    rows = [
        Row(
            f"one pattern over {PATTERN_TOPICS:,} topics",
            f"{by_pattern:.0f} B",
            f"{by_name:.0f} B one topic",
            [by_pattern - by_name],
            unit="B",
            question=Question.MEMORY,
            at_most=PATTERN_BYTES_MAX,
        )
    ]
    return CaseResult(rows, {"pattern": pattern_data, "exact": name_data})
