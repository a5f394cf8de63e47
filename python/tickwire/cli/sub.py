"""``tickwire sub``: a live table on a terminal, the server's messages in a pipe."""

import asyncio
import logging
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tickwire._client.transport import Transport
from tickwire._core import overlap
from tickwire.cli.options import Json, Token, Url
from tickwire.cli.outcome import reported, say, until_stopped, write_line
from tickwire.url import DEFAULT_URL

if TYPE_CHECKING:
    from tickwire.subscription import Subscription
    from tickwire.update import Update

QUIET_S: Final = 1.0
"""This long after the start, `sub` names the topics of which nothing has come."""
NAMED_MAX: Final = 5


@reported
def sub(
    topics: Annotated[
        list[str],
        typer.Argument(
            metavar="TOPIC", help="Topics and patterns, like 'ticker.*'.", show_default=False
        ),
    ],
    url: Url = DEFAULT_URL,
    as_json: Json = False,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after so many messages.")
    ] = None,
    max_rate: Annotated[
        float | None, typer.Option(metavar="N", help="At most so many messages a second per topic.")
    ] = None,
    last: Annotated[
        int, typer.Option(metavar="N", help="Begin event topics with their last N messages.")
    ] = 0,
    no_snapshot: Annotated[
        bool, typer.Option("--no-snapshot", help="Only what comes from now on.")
    ] = False,
    transport: Annotated[
        Transport, typer.Option(help="The road; auto: a WebSocket, or else what HTTP has.")
    ] = Transport.WEBSOCKET,
    token: Token = None,
) -> None:
    """Follow topics: a live table on a terminal, else one message a line, as the server sent it."""
    as_json = as_json or not sys.stdout.isatty()
    log = logging.getLogger("tickwire.client")
    log.addHandler(_Said() if as_json else logging.NullHandler())

    async def follow() -> None:
        from tickwire.client import connect

        async with connect(url, token=token, transport=transport.value) as c:
            wanted = c.subscribe(*topics, max_rate=max_rate, snapshot=not no_snapshot, last=last)
            async with wanted as updates:
                for error in updates.refused.values():
                    say(str(error))
                if as_json:
                    await _print(updates, count)
                else:
                    from tickwire.cli.table import watch

                    await watch(c, updates, count)

    asyncio.run(until_stopped(follow()))


async def _print(updates: "Subscription", count: int | None) -> None:
    left = count
    quiet = _Quiet(updates.topics)
    try:
        async for update in updates:
            quiet.take(update.topic)
            if update.kind == "resumed":
                say(_resumed(update))
                continue
            write_line(update.text)
            if left is not None:
                left -= 1
                if left == 0:
                    return
    finally:
        quiet.end()


class _Quiet:
    """Tells a person who sees nothing, once, of which topics nothing has come."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._left = list(topics)
        self._timer = asyncio.get_running_loop().call_later(QUIET_S, self._say)

    def take(self, topic: str) -> None:
        if self._left:
            self._left = [wanted for wanted in self._left if not overlap(wanted, topic)]

    def end(self) -> None:
        self._timer.cancel()

    def _say(self) -> None:
        if (more := len(self._left) - NAMED_MAX) > 0:
            self._left[NAMED_MAX:] = [f"{more} more"]
        if self._left:
            say(f"{', '.join(self._left)}: nothing has come yet; waiting for the first update")
        self._left = []


def _resumed(update: "Update") -> str:
    how = "goes on" if update.recovered else "begins anew"
    if update.missed:
        how += f"; {update.missed} update{'s' if update.missed > 1 else ''} came meanwhile"
    return f"{update.topic}: {how}"


class _Said(logging.Handler):
    """Shows what the client logs to the person."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())
