"""The options that several commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

from tickwire.url import DEFAULT_URL

CONNECTIONS_MAX: Final = 60_000
"""WebSockets of one command: one address has no more ports to come from."""
PROCESSES_MAX: Final = 256


Url = Annotated[
    str,
    typer.Option(
        envvar="TICKWIRE_URL",
        metavar="URL",
        help="The server: ws://, wss://, http:// or https://, or host:port.",
    ),
]
Urls = Annotated[
    list[str] | None,
    typer.Option(
        "--url",
        envvar="TICKWIRE_URL",
        metavar="URL",
        help="The server, as for the others; of a cluster several, each with --url.",
        show_default=DEFAULT_URL,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="TICKWIRE_TOKEN", metavar="TOKEN", help="Handed to the server's authenticator."
    ),
]
AdminPlace = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="PATH|HOST:PORT",
        help="The server's admin listener; found by itself on the server's machine.",
    ),
]
AdminToken = Annotated[
    str | None,
    typer.Option(
        envvar="TICKWIRE_TOKEN",
        metavar="TOKEN",
        help="The server's auth.admin_token; only for --admin HOST:PORT.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, also on a terminal.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Configuration file (TOML).")
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="One setting, over file and environment; repeatable."
    ),
]
