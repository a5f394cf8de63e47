"""Who may read and write in the rooms.

A message of ann in the lobby is published to `chat.lobby.ann`, and the plant lets nobody but ann
publish there: who wrote a message is its topic, not what the message says.
"""

import re
import secrets
from typing import Any

import tickwire
from tickwire import Allow, Deny, authenticator, authorizer
from tickwire.plugins import Peer

ROOMS = ("lobby", "markets", "music")
NAMES_MAX = 1_000
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}")

tokens: dict[str, str] = {}
"""Token to name, of everybody who has logged in since the start."""


def login(plant: tickwire.Server, fields: dict[str, Any]) -> dict[str, Any]:
    """Gives a name to who comes first. An application would ask for a password here."""
    name = fields.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("a name has 1 to 20 letters, digits, - or _, and begins with a letter")
    if name.lower() in map(str.lower, tokens.values()):
        raise ValueError(f"{name} is taken: choose another name")
    if len(tokens) >= NAMES_MAX:
        raise ValueError("the chat is full")
    token = secrets.token_urlsafe(24)
    tokens[token] = name
    return {"name": name, "token": token, "rooms": ROOMS}


@authenticator
def who(client: Peer) -> dict[str, str] | Deny:
    name = tokens.get(client.token)
    return {"name": name} if name else Deny("log in again")


@authorizer("chat.>", actions=["subscribe", "publish"])
def members(client: Peer, topic: str) -> Allow | Deny:
    name = client.claims.get("name")
    room, _, author = topic.removeprefix("chat.").partition(".")
    if not name:
        return Deny("log in first")
    if room not in ROOMS:
        return Deny(f"the rooms are {', '.join(ROOMS)}")
    if client.action == "publish" and author != name:
        return Deny(f"you are {name}")
    return Allow()
