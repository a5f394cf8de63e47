"""What runs in the plant: prices for members, and who a member is."""

import random
import secrets
import time

from tickwire import Allow, Deny, authenticator, authorizer, feed
from tickwire.plugins import Peer
from tickwire.pub import Pub

TOKEN_S = 60
TOKENS_MAX = 1_000

tokens: dict[str, tuple[str, float]] = {}
"""Token to the member's name, and the monotonic time when it ends. Oldest first."""
OPEN = {"ACME": 10_150, "GLOBEX": 4_218, "HOOLI": 28_790, "INITECH": 6_604, "STARK": 91_255}
cents = dict(OPEN)


def make_token(name: str) -> str:
    """A token for one connection. The oldest goes when there are too many."""
    if len(tokens) >= TOKENS_MAX:
        tokens.pop(next(iter(tokens)), None)
    token = secrets.token_urlsafe(24)
    tokens[token] = (name, time.monotonic() + TOKEN_S)
    return token


@authenticator
async def who(client: Peer) -> dict[str, str] | Deny:
    name, ends = tokens.pop(client.token, ("", 0.0))
    return {"name": name} if time.monotonic() < ends else Deny("log in again")


@authorizer("desk.>")
async def members_only(client: Peer, topic: str) -> Allow | Deny:
    return Allow() if client.claims.get("name") else Deny("for members: log in")


def money(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02}"


@feed("desk.*", every=0.5)
async def prices(pub: Pub) -> None:
    for symbol, now in cents.items():
        cents[symbol] = max(1, now + random.randint(-9, 9))
        quote = {"last": money(cents[symbol]), "open": money(OPEN[symbol])}
        pub.publish(f"desk.{symbol}", quote)
