"""Rooms with names, history and applause: ``python -m examples.chat``."""

from pathlib import Path

from examples.chat import rooms
from examples.site import run

FOLDER = Path(__file__).parent
CONFIG = {
    "auth.publish": "grant",  # whom rooms.members allows
    "limits.unauthenticated_s_max": 10,
    "limits.message_bytes_max": 4_096,
    "limits.publishes_per_s": 5,
    "topics.chat.>.delivery": "event",
    "topics.chat.>.ring": 50,
}

run(FOLDER, config=CONFIG, plugins=[rooms], posts={"/login": rooms.login})
