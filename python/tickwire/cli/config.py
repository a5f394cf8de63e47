"""``tickwire config``: what a server would run with, and why."""

import os
from typing import TYPE_CHECKING

import typer

from tickwire.cli.options import ConfigFile, Sets
from tickwire.cli.outcome import reported

if TYPE_CHECKING:
    from tickwire._core import Config

CLIENT_VARIABLES = ("TICKWIRE_URL", "TICKWIRE_TOKEN")
"""Of the other commands, and no settings of a server."""

app = typer.Typer(no_args_is_help=True)


@app.command()
@reported
def check(config: ConfigFile = None, sets: Sets = None) -> None:
    """Say whether file, environment and settings are valid."""
    load(config, sets)
    print("the configuration is valid")


@app.command()
@reported
def show(config: ConfigFile = None, sets: Sets = None) -> None:
    """Print every key with its value, unit and where it came from, as TOML."""
    entries = load(config, sets).entries()
    width = max(len(f"{entry.key} = {entry.value}") for entry in entries)
    for entry in entries:
        unit = f"{entry.unit}, " if entry.unit else ""
        print(f"{entry.key} = {entry.value}".ljust(width) + f"  # {unit}{entry.source}")


def load(file: ConfigFile, sets: Sets) -> "Config":
    from tickwire._core import Config

    ours = {name: value for name, value in os.environ.items() if name not in CLIENT_VARIABLES}
    return Config.load(str(file) if file else None, environment=ours, sets=sets or [])
