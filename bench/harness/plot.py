"""The figures as one SVG: CPU a message, bytes a message, and how both scalings go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT, GAP = 430, 250, 20
OURS, OTHER, FLOOR, INK, FAINT = "#0b7a75", "#e08e45", "#9aa5b1", "#1f2933", "#e4e7eb"
FONT = "font-family='Helvetica, Arial, sans-serif'"
Saved = dict[str, Any]
Bars = list[tuple[str, float, str]]  # label, value, color


def text(
    x: float, y: float, what: str, *, size: int = 12, anchor: str = "start", bold: bool = False
) -> str:
    weight = " font-weight='bold'" if bold else ""
    return (
        f"<text x='{x:.0f}' y='{y:.0f}' font-size='{size}' text-anchor='{anchor}'"
        f" fill='{INK}'{weight}>{escape(what)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, color: str, dashed: bool = False) -> str:
    dash = " stroke-dasharray='5 4'" if dashed else ""
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{color}'{dash}/>"


def bars(title: str, unit: str, rows: Bars) -> str:
    """Horizontal, on a logarithmic scale where the values are far apart."""
    top = max(value for _, value, _ in rows)
    low = min(value for _, value, _ in rows)
    left, room = 160, WIDTH - 250
    logarithmic = top > 20 * low
    base = low / 2

    def width(value: float) -> float:
        if logarithmic:
            return room * math.log(value / base) / math.log(top / base)
        return room * value / top

    step = min(30, (HEIGHT - 50) / len(rows))
    parts = [text(0, 16, title + (" (log)" if logarithmic else ""), size=14, bold=True)]
    for i, (label, value, color) in enumerate(rows):
        y = 32 + i * step
        parts.append(text(left - 8, y + step * 0.6, label, anchor="end"))
        parts.append(
            f"<rect x='{left}' y='{y:.1f}' width='{width(value):.1f}' height='{step * 0.75:.1f}'"
            f" rx='2' fill='{color}'/>"
        )
        parts.append(text(left + width(value) + 6, y + step * 0.6, f"{value:.3g} {unit}"))
    return "".join(parts)


def slope(title: str, points: Sequence[tuple[int, float]], limit: float) -> str:
    """The ratio to the floor over a size, which grows by decades; dashed: the goal."""
    left, right, top, bottom = 40, WIDTH - 20, 32, HEIGHT - 30
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])
    goal = points[0][1] * limit
    highest = max(goal, *(ratio for _, ratio in points)) * 1.15

    def x(size: float) -> float:
        return left + (math.log10(size) - first) / (last - first) * (right - left)

    def y(ratio: float) -> float:
        return bottom - ratio / highest * (bottom - top)

    parts = [text(0, 16, title, size=14, bold=True), line(left, bottom, right, bottom, INK)]
    for tick in (0.5 * n for n in range(1, int(highest / 0.5) + 1)):
        parts.append(line(left, y(tick), right, y(tick), FAINT))
        parts.append(text(left - 6, y(tick) + 4, f"{tick:g}", anchor="end"))
    parts.append(line(left, y(goal), right, y(goal), OTHER, dashed=True))
    parts.append(text(right, y(goal) - 5, f"goal: {limit}x the smallest", size=11, anchor="end"))
    path = " ".join(f"{x(size):.1f},{y(ratio):.1f}" for size, ratio in points)
    parts.append(f"<polyline points='{path}' fill='none' stroke='{OURS}' stroke-width='2'/>")
    for size, ratio in points:
        parts.append(f"<circle cx='{x(size):.1f}' cy='{y(ratio):.1f}' r='4' fill='{OURS}'/>")
        parts.append(text(x(size), y(ratio) + 18, f"{ratio:.2f}", size=11, anchor="middle"))
        parts.append(text(x(size), bottom + 16, f"{size:,}", size=11, anchor="middle"))
    return "".join(parts)


def us(windows: list[Saved]) -> float:
    return float(median(w["us_per_message"] for w in windows))


def ratio(found: dict[str, list[Saved]]) -> float:
    pairs = zip(found["ours"], found["floor"], strict=True)
    return float(median(a["us_per_message"] / b["us_per_message"] for a, b in pairs))


def cpu_panel(saved: dict[str, Saved]) -> str:
    rows: Bars = []
    if "plain" in saved:
        data = saved["plain"]["data"]
        rows += [
            ("bare epoll (floor)", us(data["floor"]), FLOOR),
            ("tickwire, plain", us(data["ours"]), OURS),
        ]
    if "deflate" in saved:
        data = saved["deflate"]["data"]
        if data["ours"]:
            rows.append(("tickwire, deflate", us(data["ours"]), OURS))
        rows.append(("zlib a connection", us(data["zlib"]), OTHER))
    return bars("CPU a message", "us", rows) if rows else ""


def bytes_panel(saved: dict[str, Saved]) -> str:
    if "codec" not in saved:
        return ""
    rows: Bars = []
    for name, found in saved["codec"]["data"]["bytes"].items():
        rows.append((f"{name}: zlib 1", float(found["zlib 1"]), OTHER))
        rows.append(("tickwire", float(found["2 bases"]), OURS))
    return bars("Bytes a message, deflate", "B", rows)


def slope_panel(saved: dict[str, Saved], case: str) -> str:
    if case not in saved:
        return ""
    points = [(int(size), ratio(found)) for size, found in saved[case]["data"].items()]
    return slope(f"CPU a message to the floor, by {case}", points, 1.2)


def plot(saved: dict[str, Saved]) -> str:
    panels = [
        cpu_panel(saved),
        bytes_panel(saved),
        slope_panel(saved, "connections"),
        slope_panel(saved, "topics"),
    ]
    panels = [panel for panel in panels if panel]
    lines = (len(panels) + 1) // 2
    width, height = 2 * WIDTH + 3 * GAP, lines * (HEIGHT + GAP) + GAP
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' {FONT}>",
        f"<rect width='{width}' height='{height}' fill='white'/>",
    ]
    for i, panel in enumerate(panels):
        x, y = GAP + i % 2 * (WIDTH + GAP), GAP + i // 2 * (HEIGHT + GAP)
        parts.append(f"<g transform='translate({x},{y})'>{panel}</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"
