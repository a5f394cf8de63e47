"""The commands that ask a server one thing: pub, snapshot, topics, health, metrics."""

import asyncio
import json
import sys
import time
from typing import Annotated, Any

import typer

from tickwire._escape import printable
from tickwire._http import get
from tickwire.cli.admin import GOOD_HEALTH, Admin, find, require
from tickwire.cli.options import AdminPlace, AdminToken, Json, Token, Url
from tickwire.cli.outcome import console, reported, say, until_stopped, write_line
from tickwire.errors import DataError, ServerError, UnknownTopicError
from tickwire.url import DEFAULT_URL

Topic = Annotated[
    str, typer.Argument(metavar="TOPIC", help="Like ticker.BTC-USD.", show_default=False)
]


@reported
def pub(
    topic: Topic,
    data: Annotated[str, typer.Argument(metavar="JSON", help="An object.", show_default=False)],
    once: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="a name of this update: the same again is no other for a minute"
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Publish one update, and print the seq it got."""
    from tickwire._json import data_text

    try:
        data_text(data)
    except DataError as error:
        raise typer.BadParameter(str(error), param_hint="JSON") from error

    async def publish() -> int:
        from tickwire.client import connect

        async with connect(url, token=token, reconnect=False) as c:
            return await c.publish(topic, data, once=once)

    published = {"topic": topic, "seq": asyncio.run(publish())}
    write_line(json.dumps(published, separators=(",", ":")))


@reported
def snapshot(
    topic: Topic,
    url: Url = DEFAULT_URL,
    token: Token = None,
    wait: Annotated[
        float,
        typer.Option(
            min=0, metavar="S", help="For the first value of a topic that has none yet: so long."
        ),
    ] = 5.0,
) -> None:
    """Print a topic as it is now. With a token it is asked for over WebSocket.

    A topic that a feed makes on demand gets its value because this command subscribes to it.
    """
    if token is None:
        try:
            write_line(get(url, "v1", "snapshot", topic).text)
            return
        except UnknownTopicError:
            if not wait:
                raise
    if (text := asyncio.run(until_stopped(first_value(topic, url, token, wait)))) is not None:
        write_line(text)


async def first_value(topic: str, url: str, token: str | None, wait_s: float) -> str:
    """Asks over WebSocket. Raises `UnknownTopicError` if there is no value after `wait_s`."""
    from tickwire.client import connect

    async with connect(url, token=token, reconnect=False) as c, c.subscribe(topic) as updates:
        for error in updates.refused.values():
            raise error
        try:
            async with asyncio.timeout(wait_s):
                async for update in updates:
                    if token is not None and update.kind == "snapshot":
                        return update.text
                    if token is None and update.kind != "resumed":
                        # The demand lasts until this request is answered.
                        return await asyncio.to_thread(
                            lambda: get(url, "v1", "snapshot", topic).text
                        )
        except TimeoutError as e:
            raise UnknownTopicError(
                f"{topic}: nothing was published within {wait_s:g} s; `tickwire topics` lists what"
                " there is, --wait waits longer",
                topic=topic,
            ) from e
    raise ServerError(f"{topic}: the subscription ended before a value came")


@reported
def topics(
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="Like ticker.*, or trade.>.")
    ] = ">",
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """List the topics that exist."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = get(url, "v1", "topics", pattern=pattern, after=after).object
        found += page["topics"]
        after = page.get("next")
    if not found:
        say(
            f"no topic that matches {pattern} has a value; a feed that works on demand makes one"
            " when somebody subscribes: tickwire snapshot TOPIC"
        )
    elif sys.stdout.isatty() and not as_json:
        draw_topics(found)
    else:
        for one in found:
            write_line(json.dumps(one, separators=(",", ":")))


@reported
def health(
    url: Url = DEFAULT_URL,
    as_json: Json = False,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """Print how the server is. Ends with 5 where it does not serve: a loop stands still, or drain.

    On the server's machine with plugins, loops and the store's numbers; elsewhere without names.
    """
    found = Admin.named(admin, token) if admin is not None else find(url)
    if found is not None:
        answer = found.get("health", good=GOOD_HEALTH)
    else:
        answer = get(url, "health", good=GOOD_HEALTH)
    if sys.stdout.isatty() and not as_json:
        write_line(json.dumps(answer.object, indent=2, ensure_ascii=False))
    else:
        write_line(answer.text)
    if answer.status != 200:
        raise ServerError(f"the server is {answer.object.get('status', 'not well')}")


@reported
def metrics(
    url: Url = DEFAULT_URL,
    admin: AdminPlace = None,
    token: AdminToken = None,
) -> None:
    """Print what the server counts, in the text format of Prometheus.

    On the server's machine it finds the admin listener by itself; elsewhere name it with --admin.
    """
    text = require(url, admin, token).get("metrics", as_text=True).text
    for line in text.splitlines():
        write_line(line)


def draw_topics(found: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table()
    for name in ("topic", "status"):
        table.add_column(name, overflow="fold")
    for name in ("seq", "age"):
        table.add_column(name, justify="right", overflow="fold")
    for one in found:
        age_s = max(0.0, time.time() - one["ts"] / 1000)
        names = (printable(str(one[name])) for name in ("topic", "status"))
        table.add_row(*names, str(one["seq"]), f"{age_s:.1f} s")
    console().print(table)
