"""What elements take of a page's main thread, in Chromium, beside a client that draws nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.measure import Times
from harness.programs import Answer, Program, Programs
from harness.rows import CaseResult, Question, Row

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "web"
TOPICS, RATE = 500, 10_000
FRAME_MS_MAX = 4
CLIENT = """<script type=module>
  import { connect } from "/tickwire.js";
  window.updates = 0;
  connect(location.origin).subscribe("ticker.>", () => window.updates++);
</script>"""
ELEMENTS = {
    "<tick-er>, 500 rows": '<tick-er topics="ticker.>"></tick-er>',
    "<tick-table>, 500 rows": '<tick-table topics="ticker.>" columns="last change"></tick-table>',
    "500 <tick-price>": "".join(
        f'<tick-price topic="ticker.SYM{n:03d}-USD"></tick-price> ' for n in range(TOPICS)
    ),
}


def page(programs: Programs, times: Times) -> CaseResult:
    missing = missing_tool()
    if missing:
        return CaseResult([row(name, [], [], missing) for name in ELEMENTS], {})
    rounds = range(min(times.rounds, 3))
    with programs.plant(TOPICS) as plant, chromium() as browser:
        plant.ask("start", RATE)
        found: dict[str, list[Answer]] = {name: [] for name in ("client", *ELEMENTS)}
        for _ in rounds:
            found["client"].append(frames(browser, plant, times, CLIENT, "window.updates > 1000"))
            for name, element in ELEMENTS.items():
                body = f'<script type=module src="/tickwire.js"></script>{element}'
                found[name].append(frames(browser, plant, times, body, drawn(element)))
        plant.ask("stop")
    rows = [row(name, found[name], found["client"], "") for name in ELEMENTS]
    return CaseResult(rows, {"frames": found})


def drawn(element: str) -> str:
    """JavaScript: the last element of this kind shows a price."""
    name = element[1:].partition(" ")[0]
    return (
        rf"/\d\.\d/.test([...document.querySelectorAll('{name}')].at(-1).shadowRoot?.textContent)"
    )


def frames(browser: Program, plant: Program, times: Times, body: str, ready: str) -> Answer:
    asked = {
        "port": plant.hello["port"],
        "body": body,
        "ready": ready,
        "warm_up_s": times.warm_up,
        "seconds": times.window,
    }
    return browser.ask(json.dumps(asked))


def missing_tool() -> str:
    for tool, there in (
        ("node", shutil.which("node")),
        ("chromium", chromium_path()),
        ("`make page-tools`", (ROOT / "tests" / "page" / "node_modules").exists()),
    ):
        if not there:
            return f"{tool} is missing"
    return ""


def chromium_path() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextmanager
def chromium() -> Iterator[Program]:
    node, path = shutil.which("node"), chromium_path()
    assert node is not None
    assert path is not None
    script = str(Path(__file__).with_name("page_frames.mjs"))
    with Program(Path(node), None, script, path, str(MODULES)) as browser:
        yield browser


def per_frame(found: list[Answer]) -> list[float]:
    return [one["task_ms"] / one["frames"] for one in found]


def row(name: str, ours: list[Answer], client: list[Answer], note: str) -> Row:
    def middle(found: list[Answer]) -> str:
        return f"{sorted(per_frame(found))[len(found) // 2]:.2f} ms" if found else "-"

    return Row(
        f"{name} x 20/s: a frame",
        middle(ours),
        middle(client),
        per_frame(ours),
        unit="ms",
        at_most=FRAME_MS_MAX,
        note=note,
        question=Question.PAGE,
    )
