"""``tickwire admin``: what an operator does to a server that runs."""

from enum import StrEnum
from typing import Annotated

import typer

from tickwire.cli.admin import act
from tickwire.cli.halts import end_halt, halt, halts
from tickwire.cli.options import AdminPlace, AdminToken, Url
from tickwire.cli.outcome import reported, say
from tickwire.cli.revoke import Session, Subject, named, revoke
from tickwire.url import DEFAULT_URL


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    OFF = "off"


app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
for command in (revoke, halt, end_halt, halts):
    app.command()(command)


@app.command()
@reported
def disconnect(
    subject: Subject = None,
    session: Session = None,
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """End the sessions of a subject, or one session; their clients connect again."""
    told = act("disconnect", named(subject, session), url, admin, token)
    if told["sessions"] == 0:
        say("no session is covered by that: `tickwire top --json` names sessions and subjects")


@app.command()
@reported
def log_level(
    level: Annotated[
        Level, typer.Argument(metavar="LEVEL", help="debug, info, warning, error, or off.")
    ],
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """Log from this level on, until the next reload or restart."""
    act("log_level", {"level": level.value}, url, admin, token)


@app.command()
@reported
def drain(url: Url = DEFAULT_URL, admin: AdminPlace = None, token: AdminToken = None) -> None:
    """Send all clients away and take no more. The server runs on until it is stopped."""
    act("drain", {}, url, admin, token)


@app.command()
@reported
def restart_plugin(
    plugin: Annotated[
        str, typer.Argument(metavar="PLUGIN", help="Its name, as `tickwire health` shows it.")
    ],
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """End the feeds of a plugin, and start them again."""
    act("restart_plugin", {"plugin": plugin}, url, admin, token)
