"""How a command speaks and ends: errors to stderr in one line, the exit code, closed pipes."""

import asyncio
import functools
import os
import signal
import stat
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer

from tickwire import exit_codes
from tickwire.errors import TickwireError

P = ParamSpec("P")
T = TypeVar("T")


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turns what a command raises into what a shell sees."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except TickwireError as error:
            fail(error)
        except BrokenPipeError:
            # Whoever read has enough. Python flushes once more at exit, into nothing then.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return run


async def until_stopped(work: Coroutine[Any, Any, T]) -> T | None:
    """Ends it, quietly, on SIGINT, on SIGTERM, and when nobody reads our output any more."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    stdout = sys.stdout.fileno()
    if stat.S_ISFIFO(os.fstat(stdout).st_mode):
        loop.add_reader(stdout, task.cancel)  # a pipe we write to is readable when it is closed
    try:
        return await task
    except asyncio.CancelledError:
        return None


def fail(error: TickwireError) -> NoReturn:
    say(str(error))
    raise typer.Exit(exit_codes.exit_code(error))


def say(text: str) -> None:
    """To the person, not into the data."""
    print(f"tickwire: {text}", file=sys.stderr, flush=True)


def write_line(text: str) -> None:
    """One line of data, its bytes as they are, at once."""
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()
