"""The commands that ask a server one thing: pub, snapshot, topics, health."""

import asyncio
import json
import sys
import time
from typing import Annotated, Any

import typer

from tickwire.cli.http import get
from tickwire.cli.options import Json, Token, Url
from tickwire.cli.outcome import reported, write_line
from tickwire.errors import DataError, ServerError
from tickwire.url import DEFAULT_URL

Topic = Annotated[
    str, typer.Argument(metavar="TOPIC", help="Like ticker.BTC-USD.", show_default=False)
]


@reported
def pub(
    topic: Topic,
    data: Annotated[str, typer.Argument(metavar="JSON", help="An object.", show_default=False)],
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
            return await c.publish(topic, data)

    write_line(json.dumps({"topic": topic, "seq": asyncio.run(publish())}))


@reported
def snapshot(topic: Topic, url: Url = DEFAULT_URL, token: Token = None) -> None:
    """Print a topic as it is now. With a token it is asked for over WebSocket."""

    async def ask() -> str:
        from tickwire.client import connect

        async with connect(url, token=token, reconnect=False) as c:
            return (await c.snapshot(topic)).text

    if token is not None:
        write_line(asyncio.run(ask()))
    else:
        write_line(get(url, "v1", "snapshot", topic).text)


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
    if sys.stdout.isatty() and not as_json:
        draw_topics(found)
    else:
        for one in found:
            write_line(json.dumps(one, separators=(",", ":")))


@reported
def health(url: Url = DEFAULT_URL, as_json: Json = False) -> None:
    """Print how the server is. Ends with 5 while it goes away."""
    answer = get(url, "health", good=(200, 503))
    if sys.stdout.isatty() and not as_json:
        from rich import print_json

        print_json(answer.text)
    else:
        write_line(answer.text)
    if answer.status != 200:
        raise ServerError(f"the server is {answer.object.get('status', 'not well')}")


def draw_topics(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("topic", "status")
    table.add_column("seq", justify="right")
    table.add_column("age", justify="right")
    for one in found:
        age_s = max(0.0, time.time() - one["ts"] / 1000)
        table.add_row(one["topic"], one["status"], str(one["seq"]), f"{age_s:.1f} s")
    Console().print(table)
