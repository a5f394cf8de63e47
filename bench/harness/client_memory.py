"""What a topic costs a client in memory, and what columns of all topics take.

    python client_memory.py TOPICS

Prints JSON: bytes of the process a topic, milliseconds for six columns of all topics.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
from pathlib import Path

FIELDS = ["last", "bid", "ask", "bid_size", "ask_size", "volume"]


def resident() -> int:
    status = Path("/proc/self/status").read_text()
    return next(
        int(line.split()[1]) * 1024 for line in status.split("\n") if line.startswith("VmRSS")
    )


async def measure(url: str, topics: int) -> dict[str, float]:
    import numpy  # noqa: F401 - before the first look at the memory

    import tickwire

    async with tickwire.connect(url) as c:
        await c.ping()
        gc.collect()
        before = resident()
        async with c.subscribe("ticker.>") as updates:
            seen = 0
            async for batch in updates.batches():
                seen += len(batch)
                if seen >= 2 * topics:
                    break
            del batch
            gc.collect()
            after = resident()
            took: list[float] = []
            for _ in range(5):
                start = time.process_time()
                columns = c.columns(FIELDS)
                took.append(time.process_time() - start)
                assert len(columns["bid"]) == topics
    return {"bytes_a_topic": (after - before) / topics, "columns_ms": min(took) * 1000}


def main() -> None:
    topics = int(sys.argv[1])
    command = [sys.executable, str(Path(__file__).with_name("client_feed.py"))]
    args = [str(50_000), "100", str(topics / 50_000), str(topics), "0"]
    with subprocess.Popen([*command, *args], stdout=subprocess.PIPE, text=True) as feed:
        try:
            assert feed.stdout is not None
            port = feed.stdout.readline().strip()
            print(json.dumps(asyncio.run(measure(f"ws://127.0.0.1:{port}/ws", topics))))
        finally:
            feed.kill()


if __name__ == "__main__":
    main()
