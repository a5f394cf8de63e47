"""What a client knows of each topic, and the rules by which messages change it. Pure.

A topic is held as of a seq. Epoch and seq name one state, so what follows on it is right, also on
another connection. A message that does not follow is a hole: nothing of it is applied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from tickwire.update import Update


class Outcome(Enum):
    NEWS = auto()
    KNOWN = auto()
    """A snapshot or a status that says nothing new."""
    HOLE = auto()


@dataclass(slots=True)
class _Topic:
    seq: int = 0
    synced: bool = False
    """Whether nothing is missing up to now; if False, nothing is missing up to `seq`."""
    event: bool = False
    """Whether it is an event topic, whose image is its last message."""
    status: str = "live"
    """The status that the server said; `statuses` says stale while the topic is not synced."""


class TopicTable:
    def __init__(self) -> None:
        self.epoch = ""
        """The epoch of all seqs here."""
        self.images: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, str] = {}
        self._topics: dict[str, _Topic] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._topics

    def __iter__(self) -> Iterator[str]:
        return iter(self._topics)

    def seq(self, name: str) -> int:
        topic = self._topics.get(name)
        return topic.seq if topic is not None else 0

    def synced(self, name: str) -> bool:
        topic = self._topics.get(name)
        return topic is not None and topic.synced

    def begin(self, epoch: str) -> set[str]:
        """Begins a connection. Forgets what is held of another epoch, and returns its topics."""
        lost = set() if epoch == self.epoch else set(self._topics)
        for name in lost:
            self.forget(name)
        self.epoch = epoch
        return lost

    def hold(self, name: str, seq: int) -> None:
        """Notes that a topic stands at `seq`, or that somebody else followed it up to there."""
        self._topics.setdefault(name, _Topic(seq))

    def take(self, update: Update, from_anywhere: bool) -> Outcome:
        """Applies a message. from_anywhere: an unknown topic may begin with any message."""
        known = self._topics.get(update.topic)
        topic = known or _Topic()
        if update.kind == "snapshot":
            outcome = self._replace(topic, update)
        elif self._follows(topic, update) or (from_anywhere and known is None):
            outcome = self._change(topic, update)
        else:
            topic.synced = False
            return Outcome.HOLE
        self._topics[update.topic] = topic
        return outcome

    def doubt(self, name: str) -> None:
        """Notes that later messages of the topic may be missing."""
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
        same = topic.synced and topic.seq == update.seq and topic.status == status
        topic.seq, topic.status, topic.synced = update.seq, status, True
        topic.event = topic.event or update.delivery == "event"
        self.images[name] = dict(update.data)
        self.statuses[name] = status
        return Outcome.KNOWN if same else Outcome.NEWS

    @staticmethod
    def _follows(topic: _Topic, update: Update) -> bool:
        if update.kind == "status":
            return update.seq <= topic.seq
        return update.first_seq == topic.seq + 1

    def _change(self, topic: _Topic, update: Update) -> Outcome:
        name = update.topic
        same = update.kind == "status" and update.status == topic.status and name in self.statuses
        topic.seq, topic.synced = max(topic.seq, update.seq), True
        topic.event = topic.event or update.kind == "gap" or update.delivery == "event"
        if update.status is not None:
            topic.status = update.status
        elif topic.status == "stale" and update.kind == "update":
            topic.status = "live"
        self.statuses[name] = topic.status
        image = self.images.setdefault(name, {})
        if update.kind == "update":
            if topic.event:
                self.images[name] = dict(update.data)
            else:
                merge(image, update.data)
        return Outcome.KNOWN if same else Outcome.NEWS


def merge(image: dict[str, Any], data: dict[str, Any]) -> None:
    """Merges `data` into `image`; null deletes a field (RFC 7396, at the top level only)."""
    for name, value in data.items():
        if value is None:
            image.pop(name, None)
        else:
            image[name] = value
