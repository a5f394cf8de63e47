"""``tickwire store``: a copy of the store, and the way back."""

from pathlib import Path
from typing import Annotated

import typer

from tickwire.cli.config import load
from tickwire.cli.options import ConfigFile, Sets
from tickwire.cli.outcome import reported, say
from tickwire.errors import ConfigError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
@reported
def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A new file for the copy.")],
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Copy the store into one file, also while a server runs on it.

    The store is the one that file, environment and --set name as store.path.
    """
    from tickwire._core import backup_store

    backup_store(_store_path(config, sets), str(path))


@app.command()
@reported
def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A copy that backup made.")],
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Put a copy in the store's place; the server is stopped, and begins a new epoch with it.

    The store that was there is kept under another name.
    """
    from tickwire._core import restore_store

    if aside := restore_store(str(path), _store_path(config, sets)):
        say(f"the store that was there is now {aside}")


def _store_path(config: ConfigFile, sets: Sets) -> str:
    path = load(config, sets).store_path
    if not path:
        raise ConfigError(
            "store.path is empty, so there is no store: name it with --set store.path=FILE,"
            " TICKWIRE_STORE__PATH, or the server's own --config",
            field="store.path",
        )
    return path
