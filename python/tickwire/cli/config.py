"""``tickwire config``: what a server would run with, and why."""

import os
from typing import TYPE_CHECKING

import typer

from tickwire.cli.options import ConfigFile, Sets
from tickwire.cli.outcome import reported

if TYPE_CHECKING:
    from tickwire._core import Config, ConfigEntry

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
    # What a rule for topics does not set is for the rules after it to say.
    entries = [
        entry
        for entry in load(config, sets).entries()
        if entry.source != "default" or not entry.key.startswith("topics.")
    ]
    lines = [f"{entry.key} = {shown(entry)}" for entry in entries]
    width = max(map(len, lines))
    for line, entry in zip(lines, entries, strict=True):
        unit = f"{entry.unit}, " if entry.unit else ""
        print(line.ljust(width) + f"  # {unit}{entry.source}")


def shown(entry: "ConfigEntry") -> str:
    return '"***"' if entry.secret and entry.value != '""' else entry.value


def load(file: ConfigFile, sets: Sets) -> "Config":
    from tickwire._core import Config

    return Config.load(str(file) if file else None, environment=os.environ, sets=sets or [])
