"""The live table of ``tickwire sub``."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tickwire._escape import printable
from tickwire.cli.outcome import console as terminal
from tickwire.update import Update
from tickwire.url import shown

if TYPE_CHECKING:
    from tickwire.client import Client
    from tickwire.subscription import Subscription

FRAMES_PER_S: Final = 8
FIELD_COLUMNS: Final = 14
"""About how many columns of the terminal one field takes."""
FIXED_COLUMNS: Final = 56
CELL_CHARS_MAX: Final = 120
"""A longer text is cut, visibly. Shorter texts take as many lines as they need."""
LINES_AROUND: Final = 6


@dataclass(slots=True)
class Row:
    seq: int = 0
    seen: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)
    colors: dict[str, str] = field(default_factory=dict)
    """Field -> whether its value went up or down at its last change."""


class Board:
    """Keeps what the messages said, and shows it as a table of at most `height` lines."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._fields: dict[str, None] = {}

    def take(self, update: Update, now: float) -> None:
        if update.kind == "resumed":
            return
        row = self._rows.setdefault(update.topic, Row())
        row.seq, row.seen = update.seq, now
        for name, value in update.data.items():
            self._fields.setdefault(name)
            color = _direction(row.values.get(name), value)
            if color:
                row.colors[name] = color
        if update.kind == "snapshot":
            row.values.clear()
        _merge(row.values, update.data)

    def render(self, client: "Client", console: Console, now: float) -> Table:
        room = max(1, (console.width - FIXED_COLUMNS) // FIELD_COLUMNS)
        names = list(self._fields)[:room]
        lines = max(1, console.height - LINES_AROUND)
        table = Table(title=printable(shown(client.url)))
        table.add_column("topic", overflow="fold")
        table.add_column("status", overflow="fold")
        for name in ("seq", "age", *map(_shown, names)):
            table.add_column(name, justify="right", overflow="fold")
        for topic in sorted(self._rows)[:lines]:
            row = self._rows[topic]
            status = client.status.get(topic, "stale")
            style = "" if status == "live" else "dim"
            cells = [Text(_spelled(row.values.get(n)), row.colors.get(n, "")) for n in names]
            age = f"{now - row.seen:.1f} s"
            table.add_row(_shown(topic), _shown(status), str(row.seq), age, *cells, style=style)
        more = len(self._rows) - lines
        words = [f"{more} more" if more > 0 else "", "" if client.connected else "not connected"]
        if not self._rows:
            words.append("waiting for the first update")
        table.caption = ", ".join(word for word in words if word)
        return table


async def watch(client: "Client", updates: "Subscription", count: int | None) -> None:
    board, console = Board(), terminal()

    def frame() -> Table:
        return board.render(client, console, time.monotonic())

    async def draw() -> None:
        while True:
            live.update(frame(), refresh=True)
            await asyncio.sleep(1 / FRAMES_PER_S)

    with Live(frame(), console=console, auto_refresh=False) as live:
        drawing = asyncio.create_task(draw())
        try:
            left = count
            async for update in updates:
                board.take(update, time.monotonic())
                if left is not None:
                    left -= 1
                    if left == 0:
                        break
        finally:
            drawing.cancel()
            live.update(frame(), refresh=True)


def _spelled(value: Any) -> str:
    return "" if value is None else _shown(str(value))


def _shown(text: str) -> str:
    more = len(text) - CELL_CHARS_MAX
    return printable(text if more <= 0 else f"{text[:CELL_CHARS_MAX]}... and {more} more")


def _direction(old: Any, new: Any) -> str:
    try:
        change = float(new) - float(old)
    except (TypeError, ValueError):
        return ""
    return "green" if change > 0 else "red" if change < 0 else ""


def _merge(image: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Merges `data` into `image`; null deletes a field (RFC 7396, at the top level only)."""
    for name, value in data.items():
        if value is None:
            image.pop(name, None)
        else:
            image[name] = value
