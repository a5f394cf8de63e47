"""The command on a terminal of its own."""

import asyncio
import os
import pty
import sys


async def on_a_terminal(
    *args: str, rows: int = 20, columns: int = 120, **env: str
) -> tuple[int, str]:
    """The command's exit code and what it drew."""
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
    except OSError:  # the terminal is gone with its process
        pass
    finally:
        os.close(ours)
    return await process.wait(), drawn.decode()
