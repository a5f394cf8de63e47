"""``tickwire bench``: load on a server of your own, and how it holds."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tickwire.cli.options import CONNECTIONS_MAX, Json, Token, Url
from tickwire.cli.outcome import reported, say, until_stopped, write_line
from tickwire.errors import ServerError
from tickwire.url import DEFAULT_URL, websocket_url

if TYPE_CHECKING:
    from tickwire._tools.bench import Report

BUSY = 0.9
"""The share of a core from which on the client is the bottleneck."""


@reported
def bench(
    topics: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOPIC", help="Topics and patterns.", show_default=">"),
    ] = None,
    url: Url = DEFAULT_URL,
    connections: Annotated[
        int, typer.Option(min=1, max=CONNECTIONS_MAX, metavar="N", help="WebSockets.")
    ] = 10,
    each: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Random ones of the topics for each connection, not all."
        ),
    ] = None,
    duration: Annotated[float, typer.Option(min=0.1, metavar="SECONDS")] = 10.0,
    max_rate: Annotated[
        float | None, typer.Option(metavar="N", help="At most so many messages a second per topic.")
    ] = None,
    no_deflate: Annotated[
        bool, typer.Option("--no-deflate", help="Do not offer permessage-deflate.")
    ] = False,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Subscribe with many connections at once and report what arrives, every second and in all.

    Age is counted from the server's clock. Ends with 5 when a sequence has a hole.
    """
    from tickwire._tools.bench import BenchPlan, run

    plan = BenchPlan(
        websocket_url(url),
        tuple(topics or [">"]),
        connections=connections,
        each=each,
        duration_s=duration,
        max_rate=max_rate,
        deflate=not no_deflate,
        token=token,
    )
    draw = sys.stdout.isatty() and not as_json
    show = print_report if draw else lambda report: write_line(report.as_json("so_far"))
    total = asyncio.run(until_stopped(run(plan, show)))
    if total is None:
        return  # before it measured anything
    if not draw:
        write_line(total.as_json("total"))
    if total.client_load > BUSY:
        say(f"this client used {total.client_load:.0%} of a core: it was the limit, not the server")
    if total.holes:
        raise ServerError(f"{total.holes} updates did not follow the one before")


def print_report(report: "Report") -> None:
    ages = ", ".join(f"{name} {value}" for name, value in report.age_ms.items())
    per_message = report.bytes / max(report.messages, 1)
    print(
        f"{report.seconds:6.1f} s  {report.messages / report.seconds:9,.0f} messages/s"
        f"  {per_message:6.0f} B each  age ms: {ages or '-'}"
        f"  holes {report.holes}, gaps {report.gaps}, conflated {report.conflated}"
        f"  lost {report.lost} of {report.connections}",
        flush=True,
    )
