"""``tickwire admin``: what an operator does to a server that runs."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from tickwire.cli.admin import require
from tickwire.cli.options import AdminPlace, AdminToken, Url
from tickwire.cli.outcome import reported, say, write_line
from tickwire.cli.revoke import Session, Subject, named, revoke
from tickwire.url import DEFAULT_URL

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command()(revoke)


def _act(
    action: str, body: Mapping[str, Any], url: str, admin: str | None, token: str | None
) -> None:
    answer = require(url, admin, token).get("v1", action, body=body)
    write_line(answer.text)
    if answer.object.get("sessions") == 0:
        say("no session is covered by that: `tickwire top --json` names sessions and subjects")


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
    _act("disconnect", named(subject, session), url, admin, token)


@app.command()
@reported
def log_level(
    level: Annotated[str, typer.Argument(metavar="LEVEL", help="As log.level: debug, info, ...")],
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """Log from this level on, until the next reload or restart."""
    _act("log_level", {"level": level}, url, admin, token)


@app.command()
@reported
def drain(url: Url = DEFAULT_URL, admin: AdminPlace = None, token: AdminToken = None) -> None:
    """Send all clients away and take no more. The server runs on until it is stopped."""
    _act("drain", {}, url, admin, token)


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
    _act("restart_plugin", {"plugin": plugin}, url, admin, token)
