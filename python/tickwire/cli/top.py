"""``tickwire top``: a server's sessions and topics, live, as a screen or as lines."""

import itertools
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from tickwire.cli.admin import GOOD_HEALTH, Admin, require
from tickwire.cli.options import AdminPlace, AdminToken, Json, Url
from tickwire.cli.outcome import reported, write_line
from tickwire.url import DEFAULT_URL

ROWS: Final = 100
"""The greatest number of sessions, and of topics, in one report."""
TOPICS_MAX: Final = 10_000
"""The number of topics among which the busiest are looked for: as many as the server lists in one
answer."""
FIRST_S: Final = 0.5
"""The time before the first report: rates need two looks, and nobody should wait long."""

Report = dict[str, Any]


class Sort(StrEnum):
    """The numbers of a session in ``GET /v1/sessions``."""

    CONNECTED_S = "connected_s"
    EXACT = "exact"
    PATTERNS = "patterns"
    BEHIND = "behind"
    BEHIND_MS = "behind_ms"
    CONFLATED = "conflated"
    GAPS = "gaps"
    MESSAGES = "messages"
    BYTES = "bytes"
    OUTBOX_BYTES = "outbox_bytes"


@reported
def top(
    url: Url = DEFAULT_URL,
    interval: Annotated[
        float, typer.Option(min=0.1, metavar="S", help="Seconds between looks.")
    ] = 2.0,
    sort: Annotated[Sort, typer.Option(help="Sessions with most of it first.")] = Sort.BEHIND,
    as_json: Json = False,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after so many looks.")
    ] = None,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """Show who is connected, the worst off first, and which topics are busy.

    On the server's machine it finds the admin listener by itself; elsewhere name it with --admin.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell ignores SIGINT for its background jobs
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        reports = itertools.islice(look(require(url, admin, token), sort, interval), count)
        if sys.stdout.isatty() and not as_json:
            from tickwire.cli.top_screen import show

            show(reports, sort)
        else:
            for report in reports:
                write_line(json.dumps(report, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class Look:
    at: float
    health: dict[str, Any]
    told: dict[str, Any]
    topics: list[dict[str, Any]]


def look(admin: Admin, sort: str, interval: float) -> Iterator[Report]:
    """Yields what changed from one look to the next, for ever."""

    def now() -> Look:
        told = admin.get("v1", "sessions", sort=sort, limit=str(ROWS)).object
        topics = admin.get("v1", "topics", limit=str(TOPICS_MAX)).object["topics"]
        health = admin.get("health", good=GOOD_HEALTH).object
        return Look(time.monotonic(), health, told, topics)

    before = now()
    pause = min(FIRST_S, interval)
    while True:
        time.sleep(pause)
        pause = interval
        after = now()
        yield compare(before, after)
        before = after


def compare(before: Look, after: Look) -> Report:
    seconds = max(after.at - before.at, 0.001)

    def rate(new: int, old: int | None) -> float | None:
        """Adds rates, unless there was nothing to compare with, or another server answered."""
        return None if old is None or new < old else round((new - old) / seconds, 1)

    def total(name: str) -> float | None:
        return rate(after.told["counters"][name], before.told["counters"][name])

    known = {one["session"]: one for one in before.told["sessions"]}
    sessions = [
        one
        | {
            f"{name}_per_s": rate(one[name], known.get(one["session"], {}).get(name))
            for name in ("messages", "bytes", "conflated")
        }
        for one in after.told["sessions"]
    ]
    seqs = {one["topic"]: one["seq"] for one in before.topics}
    topics = [
        one | {"updates_per_s": rate(one["seq"], seqs.get(one["topic"]))} for one in after.topics
    ]
    topics.sort(key=lambda one: -(one["updates_per_s"] or 0))
    return {
        "ts": time.time_ns() // 1_000_000,
        "health": after.health,
        "total": after.told["total"],
        **{f"{name}_per_s": total(name) for name in ("messages", "bytes", "conflated")},
        "sessions": sessions,
        "topics": topics[:ROWS],
    }
