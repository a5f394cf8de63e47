"""How a command speaks and ends: errors to stderr in one line, the exit code, closed pipes."""

import functools
import os
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from tickwire import exit_codes
from tickwire.errors import TickwireError

P = ParamSpec("P")


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
