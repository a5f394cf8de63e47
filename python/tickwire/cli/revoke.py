"""``tickwire revoke``: takes back what a subject may do, or ends a session."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tickwire.cli.admin import act
from tickwire.cli.options import AdminPlace, AdminToken, Url
from tickwire.cli.outcome import reported, say
from tickwire.url import DEFAULT_URL

Subject = Annotated[
    str | None, typer.Option(metavar="S", help="The `sub` of tokens: all sessions with one end.")
]
Session = Annotated[
    str | None, typer.Option(metavar="N", help="The name of one session, which ends.")
]


def named(subject: str | None, session: str | None) -> dict[str, str]:
    """The one of the two that is given, as the server's requests have it."""
    if (subject is None) == (session is None):
        raise typer.BadParameter("give one of them", param_hint="--subject, --session")
    return {"session": str(session)} if subject is None else {"subject": subject}


@reported
def revoke(
    subject: Subject = None,
    session: Session = None,
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """End the sessions of a subject, or one session, for good.

    Tokens of the subject that were issued until now are refused until they have expired. `tickwire
    top --json` names sessions and their subjects.
    """
    told = act("revoke", named(subject, session), url, admin, token)
    if told.get("kept_in") == "memory":
        until = datetime.fromtimestamp(told["until"] / 1000, UTC)
        say(
            f"a restart of the server before {until:%Y-%m-%d %H:%M:%S} UTC forgets this: it is kept"
            " in memory only (the server has no store.path, or cannot write it)"
        )
