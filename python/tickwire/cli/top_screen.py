"""The screen of ``tickwire top``."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from rich.console import Group, OverflowMethod
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tickwire._escape import is_ascii_only, printable
from tickwire.cli.outcome import console as terminal

LINES_AROUND: Final = 8
"""The lines of a screen that show no session: its head, the frame of a table, and the cursor."""


def show(reports: Iterable[dict[str, Any]], sort: str) -> None:
    console = terminal()
    with Live(console=console, auto_refresh=False, transient=False) as live:
        for report in reports:
            live.update(render(report, sort, console.height), refresh=True)


def render(report: dict[str, Any], sort: str, height: int) -> Group:
    room = max(2, height - LINES_AROUND)
    topics = report["topics"][: max(room // 2, room - len(report["sessions"]))]
    sessions = report["sessions"][: room - len(topics)]
    return Group(
        head(report),
        sessions_table(sessions, report["total"], sort),
        topics_table(topics, report["health"].get("topics", 0)),
    )


def head(report: dict[str, Any]) -> Text:
    health = report["health"]
    status, store = (printable(str(health.get(name, "?"))) for name in ("status", "store"))
    return Text.assemble(
        time.strftime("%H:%M:%S  "),
        (status, "green" if status == "ok" else "red"),
        f"  store {store}, {health.get('stale', 0):,} stale topics  ",
        f"{report['total']:,} sessions  {spelled(report['messages_per_s'])} msgs/s  ",
        f"{bytes_spelled(report['bytes_per_s'])}/s  ",
        (
            f"{spelled(report['conflated_per_s'])} conflated/s",
            "yellow" if report["conflated_per_s"] else "",
        ),
    )


def sessions_table(sessions: list[dict[str, Any]], total: int, sort: str) -> Table:
    numbers = "topics behind for conflated gaps msgs/s bytes/s since"
    table = table_of("session remote deflate", numbers, f"sessions, most {sort} first")
    for one in sessions:
        table.add_row(
            *(printable(str(one[name])) for name in ("session", "remote", "compression")),
            f"{one['exact']}+{one['patterns']}",
            spelled(one["behind"]),
            f"{one['behind_ms'] / 1000:.1f} s",
            spelled(one["conflated"]),
            spelled(one["gaps"]),
            spelled(one["messages_per_s"]),
            bytes_spelled(one["bytes_per_s"]),
            str(timedelta(seconds=one["connected_s"])),
            style="yellow" if one["behind_ms"] else "",
        )
    table.caption = more(total - len(sessions))
    return table


def topics_table(topics: list[dict[str, Any]], total: int) -> Table:
    table = table_of("topic status", "seq updates/s age", "topics, busiest first")
    for one in topics:
        age_s = max(0.0, time.time() - one["ts"] / 1000)
        cells = (str(one["seq"]), spelled(one["updates_per_s"]), f"{age_s:.1f} s")
        style = "" if one["status"] == "live" else "dim"
        names = (printable(str(one[name])) for name in ("topic", "status"))
        table.add_row(*names, *cells, style=style)
    table.caption = more(total - len(topics))
    return table


def table_of(words: str, numbers: str, title: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=title)
    table.title_justify = table.caption_justify = "left"
    cut: OverflowMethod = "crop" if is_ascii_only() else "ellipsis"
    for name in words.split():
        table.add_column(name, no_wrap=True, overflow=cut)
    for name in numbers.split():
        table.add_column(name, justify="right", no_wrap=True, overflow=cut)
    return table


def more(left: int) -> str:
    return f"{left:,} more" if left > 0 else ""


def spelled(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"


def bytes_spelled(number: float | None) -> str:
    if number is None:
        return "-"
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
