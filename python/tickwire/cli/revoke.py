"""``tickwire revoke``: takes back what a subject may do, or ends a session."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tickwire.cli.admin import require
from tickwire.cli.options import AdminPlace, AdminToken, Url
from tickwire.cli.outcome import reported, say, write_line
from tickwire.url import DEFAULT_URL


@reported
def revoke(
    subject: Annotated[
        str | None,
        typer.Option(metavar="S", help="Whose tokens are refused from now on, and sessions end."),
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="N", help="The name of one session, which ends.")
    ] = None,
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """End the sessions of a subject, or one session, for good.

    Tokens of the subject that were issued until now are refused until they have expired. `tickwire
    top --json` names sessions and their subjects.
    """
    if (subject is None) == (session is None):
        raise typer.BadParameter("give one of them", param_hint="--subject, --session")
    named = {"session": session} if subject is None else {"subject": subject}
    answer = require(url, admin, token).get("v1", "revoke", body=named)
    write_line(answer.text)
    if answer.object.get("kept_in") == "memory":
        until = datetime.fromtimestamp(answer.object["until"] / 1000, UTC)
        say(
            f"a restart of the server before {until:%Y-%m-%d %H:%M:%S} UTC forgets this: it is kept"
            " in memory only (the server has no store.path, or cannot write it)"
        )
