"""What a client knows of each topic, and the rules by which messages change it. Pure.

A topic is synced while each message followed the last one. One that does not follow is a hole:
nothing of it is applied, and the topic waits for a snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from tickwire.update import Update


class Outcome(Enum):
    NEWS = auto()
    KNOWN = auto()
    """A snapshot of what was known already."""
    HOLE = auto()


@dataclass(slots=True)
class _Topic:
    seq: int = 0
    synced: bool = False
    event: bool = False
    """Each message stands for itself: the image is the last one, not all of them merged."""


class Topics:
    def __init__(self) -> None:
        self.images: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, str] = {}
        self._topics: dict[str, _Topic] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._topics

    def __iter__(self) -> Iterator[str]:
        return iter(self._topics)

    def synced(self, name: str) -> bool:
        topic = self._topics.get(name)
        return topic is not None and topic.synced

    def take(self, update: Update, from_anywhere: bool) -> Outcome:
        """`from_anywhere`: without a snapshot, the first message may be any."""
        topic = self._topics.get(update.topic) or _Topic()
        if update.kind == "snapshot":
            outcome = self._replace(topic, update)
        elif self._follows(topic, update) or (from_anywhere and not topic.synced):
            self._change(topic, update)
            outcome = Outcome.NEWS
        else:
            topic.synced = False
            outcome = Outcome.HOLE
        self._topics[update.topic] = topic
        return outcome

    def doubt(self, name: str) -> None:
        """No more messages can be relied on."""
        topic = self._topics.get(name)
        if topic is not None:
            topic.synced = False
            if self.statuses.get(name) == "live":
                self.statuses[name] = "stale"

    def doubt_all(self) -> None:
        for name in self._topics:
            self.doubt(name)

    def forget(self, name: str) -> None:
        for known in (self._topics, self.images, self.statuses):
            known.pop(name, None)

    def _replace(self, topic: _Topic, update: Update) -> Outcome:
        name, status = update.topic, update.status or "live"
        same = topic.synced and topic.seq == update.seq and self.statuses[name] == status
        topic.seq, topic.synced = update.seq, True
        topic.event = topic.event or update.delivery == "event"
        self.images[name] = dict(update.data)
        self.statuses[name] = status
        return Outcome.KNOWN if same else Outcome.NEWS

    @staticmethod
    def _follows(topic: _Topic, update: Update) -> bool:
        last = topic.seq if topic.synced else 0
        if update.kind == "status":
            return update.seq <= last
        first = update.missed[0] if update.missed else update.seq
        return first == last + 1

    def _change(self, topic: _Topic, update: Update) -> None:
        name = update.topic
        if not topic.synced:
            self.images[name] = {}
            self.statuses[name] = "live"
            topic.synced = True
        topic.seq = update.seq
        topic.event = topic.event or update.kind == "gap" or update.delivery == "event"
        if update.status is not None:
            self.statuses[name] = update.status
        elif self.statuses[name] == "stale" and update.kind == "update":
            self.statuses[name] = "live"
        if update.kind == "update":
            if topic.event:
                self.images[name] = dict(update.data)
            else:
                merge(self.images[name], update.data)


def merge(image: dict[str, Any], data: dict[str, Any]) -> None:
    """All fields of `data` into `image`; null deletes (RFC 7396, at the top level only)."""
    for name, value in data.items():
        if value is None:
            image.pop(name, None)
        else:
            image[name] = value
