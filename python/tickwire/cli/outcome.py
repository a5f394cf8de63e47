"""How a command speaks and ends: errors to stderr in one line, the exit code, closed pipes."""

import asyncio
import errno
import functools
import signal
import stat
import sys
from collections.abc import Callable, Coroutine
from os import fstat
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import typer

from tickwire import exit_codes
from tickwire._escape import printable, printable_json
from tickwire.cli.streams import OutputError
from tickwire.errors import ConnectionFailedError, TickwireError

if TYPE_CHECKING:
    from rich.console import Console

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
        except OutputError as error:
            raise typer.Exit(not_written(error)) from error
        except KeyboardInterrupt:
            raise typer.Exit(exit_codes.OK) from None

    return run


async def until_stopped(work: Coroutine[Any, Any, T]) -> T | None:
    """Ends a command quietly on SIGINT, on SIGTERM, and when nobody reads its output any more."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    stdout = sys.stdout.fileno()
    if stat.S_ISFIFO(fstat(stdout).st_mode):
        loop.add_reader(stdout, task.cancel)  # a pipe we write to is readable when it is closed
    try:
        return await task
    except asyncio.CancelledError:
        return None


def fail(error: TickwireError) -> NoReturn:
    nobody = isinstance(error, ConnectionFailedError) and was_refused(error)
    say(f"{error}; is `tickwire serve` running there?" if nobody else str(error))
    raise typer.Exit(exit_codes.exit_code(error))


def not_written(error: OutputError) -> int:
    """Returns the exit code of a command that cannot write any more, and says why if this is a
    failure."""
    if error.is_closed_pipe:
        return exit_codes.OK
    say(f"the output cannot be written: {error}")
    return exit_codes.CANNOT_WRITE


def was_refused(error: BaseException | None) -> bool:
    """Whether nobody listens at the address or at the socket's path."""
    while error is not None:
        why = getattr(error, "reason", error)  # urllib wraps what the system said
        if isinstance(why, ConnectionRefusedError | FileNotFoundError):
            return True
        # asyncio puts what all addresses of a name said into one text.
        if isinstance(why, OSError) and f"Errno {errno.ECONNREFUSED}]" in str(why):
            return True
        error = error.__cause__
    return False


def say(text: str) -> None:
    """Writes one line to the person (standard error), not into the data."""
    print(f"tickwire: {printable(text)}", file=sys.stderr, flush=True)


def write_line(text: str) -> None:
    """Writes one line of JSON at once. Its bytes stay as they are, except what a terminal would
    obey."""
    if sys.stdout.isatty():
        print(printable_json(text, ascii_only=sys.stdout.encoding == "ascii"), flush=True)
        return
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()


def console() -> "Console":
    """Returns a console for tables, which takes no word of a text for an instruction."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)
