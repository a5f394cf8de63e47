"""``tickwire token``: makes tokens for development, and says what a server would say of one."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from tickwire._tools import signing
from tickwire.cli.config import load
from tickwire.cli.options import ConfigFile, Sets
from tickwire.cli.outcome import reported

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

TokenText = Annotated[
    str, typer.Argument(metavar="TOKEN", help="The token; - reads it from standard input.")
]
Patterns = list[str] | None


@app.command()
@reported
def make(
    key: Annotated[
        Path,
        typer.Option(metavar="FILE", help="A private key in PEM, or a secret of 32 bytes or more."),
    ],
    subscribe: Annotated[
        Patterns, typer.Option(metavar="PATTERN", help="What it lets subscribe to; repeatable.")
    ] = None,
    publish: Annotated[
        Patterns, typer.Option(metavar="PATTERN", help="Where it lets publish; repeatable.")
    ] = None,
    max_rate: Annotated[
        float | None, typer.Option(help="Messages a second of each subscription, at most.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="The sub: whose token it is.")] = None,
    issuer: Annotated[str | None, typer.Option(help="The iss, as auth.jwt.issuer.")] = None,
    audience: Annotated[str | None, typer.Option(help="The aud, as auth.jwt.audience.")] = None,
    claim: Annotated[str, typer.Option(help="The claim, as auth.jwt.claim.")] = "tickwire",
    key_id: Annotated[str | None, typer.Option("--kid", help="The key's id in a set.")] = None,
    ttl: Annotated[int, typer.Option(metavar="SECONDS", help="How long it is valid.")] = 3600,
) -> None:
    """Print a token that a server with the other half of the key accepts."""
    now = int(time.time())
    given = {"subscribe": subscribe, "publish": publish, "max_rate": max_rate}
    grant = {name: value for name, value in given.items() if value is not None}
    named = {"sub": subject, "iss": issuer, "aud": audience}
    claims: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    claims |= {"iat": now, "exp": now + ttl, claim: grant}
    print(signing.make_token(key, claims, key_id))


@app.command()
@reported
def show(token: TokenText) -> None:
    """Print what a token says, as JSON. Nobody has verified it."""
    header, claims = signing.read_token(_text(token))
    text = json.dumps({"header": header, "claims": claims}, indent=2)
    print(text.replace("\x7f", r"\u007f"))


@app.command()
@reported
def check(token: TokenText, config: ConfigFile = None, sets: Sets = None) -> None:
    """Print what a server with this configuration lets the bearer do, or why it refuses it."""
    grant = json.loads(load(config, sets).check_token(_text(token)))
    for name in ("subscribe", "publish"):
        print(f"{name}: {', '.join(grant[name]) or 'nothing'}")
    print(f"max_rate: {grant['max_rate'] or 'every update'}")
    print(f"valid for: {grant['expires_in_s']} s")


@app.command()
@reported
def jwks(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Keys in PEM, public or private.")
    ],
) -> None:
    """Print the JSON Web Key Set of their public halves, for auth.jwt.keys."""
    print(json.dumps(signing.key_set(files), indent=2))


def _text(token: str) -> str:
    return (sys.stdin.readline() if token == "-" else token).strip()
