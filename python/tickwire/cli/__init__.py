"""The command ``tickwire``. docs/CLI.md says what it does, exit_codes.py what it ends with."""

import typer

from tickwire.cli.ask import health, pub, snapshot, topics
from tickwire.cli.bench import bench
from tickwire.cli.check import check
from tickwire.cli.config import app as config
from tickwire.cli.outcome import reported
from tickwire.cli.serve import serve
from tickwire.cli.sub import sub
from tickwire.cli.top import top

app = typer.Typer(
    help="A market-data server and its clients: feeds publish, subscribers stay up to date.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (serve, sub, pub, snapshot, topics, health, top, bench, check):
    app.command()(command)
app.add_typer(config, name="config", help="Look at a server's configuration.")


@app.command()
@reported
def version() -> None:
    """Print the version."""
    import tickwire

    print(f"tickwire {tickwire.__version__}")


def main() -> None:
    app(prog_name="tickwire")
