"""``tickwire admin halt``, ``end-halt`` and ``halts``: an operator holds topics of a server."""

import re
import time
from datetime import datetime
from typing import Annotated, Final

import typer

from tickwire.cli.admin import act, require
from tickwire.cli.options import AdminPlace, AdminToken, Url
from tickwire.cli.outcome import reported, say, write_line
from tickwire.url import DEFAULT_URL

UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="One topic, and no pattern.")]


def until_ms(until: str | None, lasts: str | None, now_s: float) -> int | None:
    """The end in Unix milliseconds, of the one of the two that is given; None: neither is."""
    if until is not None and lasts is not None:
        raise typer.BadParameter("give one of them at most", param_hint="--until, --for")
    if lasts is not None:
        if (spelled := re.fullmatch(r"(\d{1,9})([smhd])", lasts)) is None:
            raise typer.BadParameter(
                f"{lasts!r} is no duration: write 90s, 15m, 2h or 1d", param_hint="--for"
            )
        return round((now_s + int(spelled[1]) * UNITS_S[spelled[2]]) * 1000)
    if until is None:
        return None
    try:
        return round(datetime.fromisoformat(until).timestamp() * 1000)
    except (ValueError, OverflowError) as e:
        raise typer.BadParameter(
            f"{until!r} is no time: write it as 2026-11-30T16:30, in this machine's zone, or as"
            " 2026-11-30T15:30Z",
            param_hint="--until",
        ) from e


@reported
def halt(
    topic: Topic,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="What clients are told: one line, 200 bytes.")
    ],
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends: 2026-11-30T15:30Z.")
    ] = None,
    lasts: Annotated[
        str | None, typer.Option("--for", metavar="D", help="How long it lasts: 90s, 15m, 2h, 1d.")
    ] = None,
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """Hold a topic: its status is halted, and nothing new of it is shown, until the halt ends.

    Without --until and --for it lasts until `tickwire admin end-halt`.
    """
    end = until_ms(until, lasts, time.time())
    body = {"topic": topic, "reason": reason} | ({} if end is None else {"until": end})
    told = act("halt", body, url, admin, token)
    if told["kept_in"] == "memory":
        say(
            "a restart of the server ends this halt: it is kept in memory only (the server has no"
            " store.path, or cannot write it)"
        )


@reported
def end_halt(
    topic: Topic, url: Url = DEFAULT_URL, admin: AdminPlace = None, token: AdminToken = None
) -> None:
    """End the halt of a topic. What its feed published meanwhile is shown as one update."""
    act("end_halt", {"topic": topic}, url, admin, token)


@reported
def halts(url: Url = DEFAULT_URL, admin: AdminPlace = None, token: AdminToken = None) -> None:
    """Print the topics that are halted, with reason, end, and the updates that were withheld."""
    write_line(require(url, admin, token).get("v1", "halts").text)
