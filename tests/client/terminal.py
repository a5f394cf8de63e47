"""The command on a terminal of its own."""

import asyncio
import os
import pty
import sys
from collections.abc import Callable


async def on_a_terminal(
    *args: str,
    rows: int = 20,
    columns: int = 120,
    on_drawn: Callable[[bytes], None] = lambda _: None,
    **env: str,
) -> tuple[int, str]:
    """The command's exit code and what it drew. `on_drawn` is told all that it has drawn so far."""
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": str(rows)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tickwire", *args),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **size, "TERM": "xterm-256color", **env},
    )
    os.close(theirs)
    drawn = b""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(60):
            while some := await loop.run_in_executor(None, os.read, ours, 65536):
                drawn += some
                on_drawn(drawn)
    except OSError:  # the terminal is gone with its process
        pass
    finally:
        os.close(ours)
    return await process.wait(), drawn.decode()
