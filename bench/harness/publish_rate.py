"""Updates a second that one Python thread publishes into a server in its own process, as JSON.

publish_rate.py CORE_MODULE: the path of the extension module that is measured.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any

BATCH = 1_000  # topics, and pairs of one publish_many
ROWS = 10_000  # topics of one publish_table
SECONDS = 1.0


def load_core(path: str) -> None:
    """The module of the release build instead of the installed one."""
    spec = importlib.util.spec_from_file_location("tickwire._core", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tickwire._core"] = module
    spec.loader.exec_module(module)


FIELDS = ("last", "bid", "ask", "bid_size", "ask_size", "volume", "open")
COLUMNS = FIELDS[:6]


def dicts() -> list[dict[str, float]]:
    return [
        {name: 100 + i / 100 + n for n, name in enumerate(FIELDS)} for i in range(997)
    ]  # fmt: skip


def measured(batch: Callable[[int], int]) -> dict[str, float]:
    """`batch(i)` publishes and says how many. CPU: of the whole process, user and system."""
    for i in range(5):
        batch(i)
    done, i, start, cpu = 0, 0, time.perf_counter(), time.process_time()
    while (elapsed := time.perf_counter() - start) < SECONDS:
        done += batch(i)
        i += 1
    return {"per_s": done / elapsed, "cpu_us": (time.process_time() - cpu) / done * 1e6}


def rates(server: Any) -> Iterator[tuple[str, dict[str, float]]]:
    names = [f"ticker.SYM{i:05}-USD" for i in range(ROWS)]
    topics = names[:BATCH]
    data = dicts()
    pairs = [[(t, data[(i + k) % 997]) for i, t in enumerate(topics)] for k in range(10)]
    columns = [
        {name: array("d", (data[(i + k) % 997][name] for i in range(ROWS))) for name in COLUMNS}
        for k in range(10)
    ]

    def one_by_one(i: int) -> int:
        publish = server.publish
        for topic, row in pairs[i % 10]:
            publish(topic, row)
        return BATCH

    def many(i: int) -> int:
        server.publish_many(pairs[i % 10])
        return BATCH

    def table(i: int) -> int:
        return server.publish_table(names, columns[i % 10])

    yield "publish", measured(one_by_one)
    yield "publish_many", measured(many)
    yield "publish_table", measured(table)


def main() -> None:
    load_core(sys.argv[1])
    from tickwire import Server

    with Server({"server": {"listen": "127.0.0.1:0"}, "log": {"level": "warning"}}) as server:
        print(json.dumps(dict(rates(server))))


if __name__ == "__main__":
    main()
