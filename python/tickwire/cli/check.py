"""``tickwire check``: every message of a server held against what it promises."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tickwire._client.transport import Transport
from tickwire.cli.options import CONNECTIONS_MAX, PROCESSES_MAX, Json, Urls
from tickwire.cli.outcome import reported, say, write_line
from tickwire.errors import ConfigError, ServerError
from tickwire.url import DEFAULT_URL, websocket_url

if TYPE_CHECKING:
    from tickwire._tools.check.tally import Tally


@reported
def check(
    url: Urls = None,
    secs: Annotated[float, typer.Option(min=0.1, metavar="N", help="So long.")] = 10.0,
    connections: Annotated[
        int, typer.Option(min=1, max=CONNECTIONS_MAX, metavar="N", help="At the same time.")
    ] = 20,
    processes: Annotated[
        int, typer.Option(min=1, max=PROCESSES_MAX, metavar="N", help="That share the connections.")
    ] = 1,
    reconnects: Annotated[
        bool, typer.Option("--reconnects", help="Cut connections, and go on where they were.")
    ] = False,
    stalls: Annotated[
        bool, typer.Option("--stalls", help="Half of the connections stop reading now and then.")
    ] = False,
    client: Annotated[
        bool, typer.Option("--client", help="Judge what Python clients make of it, in one process.")
    ] = False,
    transport: Annotated[
        Transport, typer.Option(help="The road that the messages come by.")
    ] = Transport.WEBSOCKET,
    as_json: Json = False,
) -> None:
    """Follow the topics of feeds/checked.py with many connections, and check every message.

    Ends with 5 when anything is missing without a word, repeated, wrong or unwanted.
    """
    from tickwire._host.program import Latch, stop_signals
    from tickwire._tools import check_client
    from tickwire._tools.check.run import CheckPlan, run

    if client and processes > 1:
        raise ConfigError("--processes: --client runs in one process", field="processes")
    if transport is Transport.AUTO and not client:
        raise ConfigError("--transport: auto is for --client; name a road", field="transport")
    first, *others = map(websocket_url, url or [DEFAULT_URL])
    if others and (client or transport is not Transport.WEBSOCKET):
        raise ConfigError(
            "--url: several servers are for WebSockets, without --client", field="url"
        )
    draw = sys.stdout.isatty() and not as_json
    plan = CheckPlan(
        first,
        secs,
        connections=max(connections, processes),
        reconnects=reconnects,
        stalls=stalls,
        processes=processes,
        transport=transport.value,
        others=tuple(others),
    )
    show = print_line if draw else write_so_far
    stop = Latch()
    with stop_signals(stop):
        total, seconds = (check_client.run if client else run)(plan, show, stop.is_set)
    for fault in total.faults:
        say(fault)
    if draw:
        print_total(total, seconds)
    else:
        write_line(as_line("total", total, seconds))
    if total.violations:
        raise ServerError(f"{total.violations} violations in {total.messages} messages")


def as_line(kind: str, tally: "Tally", seconds: float) -> str:
    rates = {"seconds": round(seconds, 3), "messages_per_s": round(tally.messages / seconds)}
    fields = {"type": kind, **rates, "violations": tally.violations, **tally.counts()}
    return json.dumps(fields, separators=(",", ":"))


def write_so_far(tally: "Tally", seconds: float) -> None:
    write_line(as_line("so_far", tally, seconds))


def print_line(tally: "Tally", seconds: float) -> None:
    rate = tally.messages / seconds
    print(
        f"{seconds:6.0f} s  {tally.messages:13,} messages  {rate:9,.0f}/s"
        f"  violations {tally.violations}",
        flush=True,
    )


def print_total(tally: "Tally", seconds: float) -> None:
    for name, count in tally.counts().items():
        print(f"{name.replace('_', ' '):>18}  {count:,}")
    print(f"{'messages a second':>18}  {tally.messages / seconds:,.0f}", flush=True)
