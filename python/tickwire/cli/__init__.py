"""The command ``tickwire``. docs/CLI.md says what it does, exit_codes.py what it ends with."""

import signal
import sys
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tickwire.cli import streams
from tickwire.cli.admin_actions import app as admin
from tickwire.cli.ask import health, metrics, pub, snapshot, topics
from tickwire.cli.bench import bench
from tickwire.cli.check import check
from tickwire.cli.config import app as config
from tickwire.cli.outcome import not_written, reported
from tickwire.cli.revoke import revoke
from tickwire.cli.serve import serve
from tickwire.cli.store import app as store
from tickwire.cli.sub import sub
from tickwire.cli.token import app as token
from tickwire.cli.top import top


class _Commands(TyperGroup):
    """Names the nearest command for an unknown one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            nearest = get_close_matches(name, self.list_commands(ctx), n=1, cutoff=0)
            ctx.fail(f"No such command {name!r}. Did you mean {nearest[0]!r}?")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    help="A market-data server and its clients: feeds publish, subscribers stay up to date.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (serve, sub, pub, snapshot, topics, health, metrics, top, revoke, bench, check):
    app.command()(command)
app.add_typer(admin, name="admin", cls=_Commands, help="Act on a server that runs.")
app.add_typer(config, name="config", cls=_Commands, help="Look at a server's configuration.")
app.add_typer(store, name="store", cls=_Commands, help="Back a server's store up, and restore it.")
app.add_typer(token, name="token", cls=_Commands, help="Make and check tokens.")


@app.command()
@reported
def version() -> None:
    """Print the version."""
    import tickwire

    print(f"tickwire {tickwire.__version__}")


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    streams.set_up()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code: Any = 0
    try:
        try:
            app(prog_name="tickwire")
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
    except streams.OutputError as error:
        code = code or not_written(error)
    except KeyboardInterrupt:
        code = 0
    sys.exit(code)
