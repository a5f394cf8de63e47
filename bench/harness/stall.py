"""A fifth of the clients stop reading: what the others and the memory feel of it."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import replace
from typing import Any

from harness.measure import Shape, Times, Window, observe, wait_until_none
from harness.programs import Answer, Program, Programs
from harness.rows import CaseResult, Question, Row

ALL = Shape(connections=5_000, rate=1_000, check=1)
STALLED = 1_000
HEALTHY = replace(ALL, connections=ALL.connections - STALLED)
STALL_S = 60
WRITE_BYTES_MAX = 64 << 10  # SessionConfig::write_bytes_max: all that may wait for one socket
PATIENT = "server.behind_s=300"  # the age limit is not what is measured


def without_them(programs: Programs, times: Times) -> Window:
    with (
        programs.plant(HEALTHY.topics, PATIENT) as plant,
        programs.load(plant, *HEALTHY.load_args()) as load,
    ):
        plant.ask("start", HEALTHY.rate)
        return observe(plant, load, times)


def with_them(programs: Programs, warm_up: float, stall_s: float) -> dict[str, Any]:
    with (
        programs.plant(ALL.topics, PATIENT) as plant,
        programs.load(plant, *ALL.load_args()) as load,
    ):
        plant.ask("start", ALL.rate)
        time.sleep(warm_up)
        load.ask("stall", STALLED)
        before = plant.ask("stats")
        load.ask("reset")
        rss = [before["rss_bytes"]]
        for _ in range(int(stall_s)):
            time.sleep(1)
            rss.append(plant.ask("stats")["rss_bytes"])
        during = load.ask("stats")
        load.ask("resume")
        time.sleep(5)
        rss.append(plant.ask("stop")["rss_bytes"])
        wait_until_none(lambda: int(load.ask("verify")["wrong"]))
        verified = load.ask("verify")
        return {
            "rss_bytes": rss,
            "latency_us": during["latency_us"],
            "fell_behind": plant.ask("stats")["conflated"] - before["conflated"],
            "after": load.ask("stats"),
            "wrong": wrong_images(plant, verified),
        }


def wrong_images(plant: Program, found: Answer) -> int:
    """Images that a client holds otherwise than others do, or than the server says over HTTP."""
    wrong: int = found["wrong"]
    for topic, (seq, data_hash) in found["topics"].items():
        snapshot = get_snapshot(plant.hello["port"], topic)
        wrong += snapshot != (seq, int(data_hash))
    return wrong


def get_snapshot(port: int, topic: str) -> tuple[int, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/snapshot/{topic}") as response:
        text: bytes = response.read()
    seq: int = json.loads(text)["seq"]
    return seq, fnv1a(text.partition(b'"data":')[2][:-1])


def fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def stall(programs: Programs, times: Times) -> CaseResult:
    around = times.longer(10)
    windows = [without_them(programs, around)]
    stalled = with_them(programs, times.warm_up, times.longer(STALL_S).window)
    windows.append(without_them(programs, around))
    return CaseResult(
        rows(windows, stalled), {"without": [w.as_dict() for w in windows], "with": stalled}
    )


def rows(windows: list[Window], stalled: dict[str, Any]) -> list[Row]:
    rss = stalled["rss_bytes"]
    cap = rss[0] + STALLED * WRITE_BYTES_MAX
    p99 = stalled["latency_us"]["p99"]
    without = [w.latency_us["p99"] for w in windows]
    note = "" if stalled["fell_behind"] else "no client's socket filled up in this time"
    after: Answer = stalled["after"]
    if after["holes"] or after["closed"]:
        note = f"{after['holes']} holes in seq, {after['closed']} connections lost"
    return [
        Row(
            f"{STALLED:,} of {ALL.connections:,} stall: RSS, its cap",
            f"{max(rss) / 1e6:.0f} MB",
            f"{cap / 1e6:.0f} MB cap",
            [max(rss) / cap],
            at_most=1.0,
            note=note,
            question=Question.NEIGHBOURS,
        ),
        Row(
            "  p99 of the others, without them",
            f"{p99 / 1000:.1f} ms",
            f"{sum(without) / len(without) / 1000:.1f} ms",
            [p99 / value for value in without],
            at_most=1.2,
            note=note,
            question=Question.NEIGHBOURS,
        ),
        Row(
            "  wrong images after they resume",
            f"{stalled['wrong']}",
            f"of {ALL.connections * ALL.each:,}",
            [float(stalled["wrong"])],
            at_most=0,
            note=note,
            question=Question.NEIGHBOURS,
        ),
    ]
