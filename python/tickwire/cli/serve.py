"""``tickwire serve``: the server of tickwired, with the plugins of this Python."""

import signal
from contextlib import suppress
from typing import Annotated

import typer

from tickwire.cli.config import load
from tickwire.cli.options import ConfigFile, Sets
from tickwire.cli.outcome import reported
from tickwire.cli.streams import OutputError

DEMO = "tickwire.feeds.random_walk"


@reported
def serve(
    plugins: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLUGIN", help="Files or module names, besides plugins.files."),
    ] = None,
    config: ConfigFile = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="In place of server.listen.")
    ] = None,
    sets: Sets = None,
    demo: Annotated[bool, typer.Option("--demo", help="Add made-up prices.")] = False,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends at once."""
    from tickwire._host import set_up_logging, stop_signals
    from tickwire.server import Server

    all_sets = [*(sets or []), *([f"server.listen={listen}"] if listen else [])]
    settings = load(config, all_sets)
    set_up_logging(settings.log_level)
    server = Server(settings, plugins=[*(plugins or []), *([DEMO] if demo else [])])
    with stop_signals() as stop:
        server.start()
        with suppress(OutputError):  # a server goes on without anybody who reads this
            print(f"serving http://{server.address}/ and {server.url}", flush=True)
        stop.wait()
    # Python's own handler would wait for stop() to return, and be of no use then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    server.stop()
