"""``tickwire serve``: the server of tickwired, with the plugins of this Python."""

import logging
from contextlib import suppress
from typing import Annotated

import typer

from tickwire.cli.config import load
from tickwire.cli.options import ConfigFile, Sets
from tickwire.cli.outcome import reported
from tickwire.cli.streams import OutputError, restore
from tickwire.url import http_url

DEMO = "tickwire.feeds.random_walk"


@reported
def serve(
    plugins: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLUGIN", help="Files or module names, besides plugins.files."),
    ] = None,
    config: ConfigFile = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="In place of server.listen; with https:// it is TLS."
        ),
    ] = None,
    sets: Sets = None,
    demo: Annotated[bool, typer.Option("--demo", help="Add made-up prices.")] = False,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends at once. SIGHUP reloads."""
    from tickwire._host.program import end_on_signals, leave_threads, set_up_logging, stop_signals
    from tickwire.errors import ConfigError
    from tickwire.server import Server

    all_sets = [*(sets or []), *([f"server.listen={listen}"] if listen else [])]
    settings = load(config, all_sets)
    set_up_logging(settings.log_level)
    server = Server(settings, plugins=[*(plugins or []), *([DEMO] if demo else [])])

    def reload() -> None:
        try:
            server.reload(load(config, all_sets))
        except ConfigError as e:
            logging.getLogger("tickwire").error("not reloaded: %s", e)

    with stop_signals(server.stopped, reload) as wait:
        try:
            server.start()
        finally:
            restore()
        with suppress(OutputError):  # a server goes on without anybody who reads this
            for url in server.urls:
                print(f"serving {http_url(url, '/')} and {url}", flush=True)
        server.log_start("tickwire serve")
        wait()
    end_on_signals()
    restore()
    log = logging.getLogger("tickwire")
    log.info("stopping")
    server.stop()
    log.info("stopped")
    leave_threads()
