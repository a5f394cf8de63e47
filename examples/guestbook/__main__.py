"""Entries that stay, live for everybody: ``python -m examples.guestbook``."""

import secrets
from pathlib import Path
from typing import Any

import tickwire
from examples.site import run, text_of

TOPIC = "guestbook.entries"
CONFIG = {
    "store.path": "guestbook.db",  # in the folder that it is started in
    f"topics.{TOPIC}.delivery": "event",
    f"topics.{TOPIC}.history": "stored",
    f"topics.{TOPIC}.ring": 200,
}


def sign(plant: tickwire.Server, fields: dict[str, Any]) -> dict[str, Any]:
    """Checks what a visitor wrote, and publishes it. Only this program can publish."""
    entry = {"name": text_of(fields, "name", 40), "text": text_of(fields, "text", 500)}
    return {"seq": plant.publish(TOPIC, {"id": secrets.token_hex(8), **entry})}


def vouch(plant: tickwire.Server) -> None:
    """The entries of the store are all that there are: they are not stale."""
    if plant.snapshot(TOPIC):
        plant.set_status(TOPIC, "live")


run(Path(__file__).parent, config=CONFIG, posts={"/sign": sign}, started=vouch)
