"""``tickwire config``: what a server would run with, and why."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tickwire._escape import printable
from tickwire.cli.options import ConfigFile, Sets
from tickwire.cli.outcome import reported, say

if TYPE_CHECKING:
    from tickwire._core import Config

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="The same as --config FILE.", show_default=False),
]


@app.command()
@reported
def check(file: File = None, config: ConfigFile = None, sets: Sets = None) -> None:
    """Say whether file, environment and settings are valid."""
    for warning in load(the_one(file, config), sets).warnings:
        say(warning)
    print("the configuration is valid")


@app.command()
@reported
def show(file: File = None, config: ConfigFile = None, sets: Sets = None) -> None:
    """Print every key with its value, unit and where it came from, as TOML."""
    # A key that a rule for topics does not set is decided by the rules after it.
    entries = [
        entry
        for entry in load(the_one(file, config), sets).entries()
        if entry.source != "default" or not entry.key.startswith("topics.")
    ]
    lines = [f"{entry.key} = {entry.value}" for entry in entries]
    width = max(map(len, lines))
    for line, entry in zip(lines, entries, strict=True):
        unit = f"{entry.unit}, " if entry.unit else ""
        print(printable(line.ljust(width) + f"  # {unit}{entry.source}"))


def the_one(file: Path | None, config: ConfigFile) -> ConfigFile:
    if file is not None and config is not None:
        raise typer.BadParameter("FILE and --config name a file each; give one", param_hint="FILE")
    return file if file is not None else config


def load(file: ConfigFile, sets: Sets) -> "Config":
    from tickwire._host import settings

    return settings.load(str(file) if file else None, sets or [])
