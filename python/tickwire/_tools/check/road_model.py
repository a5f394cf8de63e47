"""What a client of a stream of events, or of the long poll, may believe. Pure.

Such a client asks with each request, and goes on from a cursor. So the model keeps what it believed
at its last cursor, and goes back to that with each request: from there on, nothing may be missing,
repeated or wrong, just as for a WebSocket that goes on with `since`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tickwire._tools.check.messages import Fields, Message, Messages
from tickwire._tools.check.model import Model, Offsets, Sent, Topic, covers
from tickwire._tools.check.tally import Tally


@dataclass(slots=True)
class Kept:
    """What was believed at a cursor."""

    cursor: str = ""
    epoch: str = ""
    topics: dict[str, Topic] = field(default_factory=dict)
    """The cursor names these."""
    unnamed: dict[str, int] = field(default_factory=dict)
    """Event topics that it leaves out -> their seq."""


class RoadModel(Model):
    def __init__(self, label: str, tally: Tally, messages: Messages, offsets: Offsets) -> None:
        super().__init__(label, tally, messages, offsets)
        self.close_code: int | None = None
        """Why the server ends the stream."""
        self._kept = Kept()
        self._unnamed: dict[str, int] = {}
        self._recovered: dict[str, bool] = {}
        """What the answer says of each name that it was asked to go on with."""

    def request(self, names: Sequence[str]) -> str:
        """Begins a request for these names, and returns the cursor to go on from."""
        kept = self._kept
        self.connection_lost()
        self.close_code = None
        self.epoch = kept.epoch
        self._topics = {
            name: replace(topic, image=dict(topic.image))
            for name, topic in kept.topics.items()
            if covers(names, name)
        }
        self._unnamed = {n: seq for n, seq in kept.unnamed.items() if covers(names, n)}
        self._recovered.clear()
        since = {topic.name: topic.seq for topic in self._topics.values()}
        self._asked = {0: Sent(tuple(names), since, kept.epoch)}
        return kept.cursor

    def take_cursor(self, text: str) -> None:
        """Takes where the server says that the client is by now."""
        epoch, *entries = text.split(",")
        topics: dict[str, Topic] = {}
        for entry in entries:
            name, _, seen = entry.partition("=")
            topic = self._topics.get(name)
            had = 0 if topic is None else topic.seq
            if seen.rstrip("shc?") != str(had):
                self._fault("broken", f"a cursor says {entry[:250]}, and {had} was sent")
            if topic is not None:
                topics[name] = replace(topic, image=dict(topic.image))
        if epoch.removesuffix("!") != self.epoch:
            self._fault("broken", f"a cursor of the epoch {epoch[:80]!r} in {self.epoch!r}")
        left = (topic for topic in self._topics.values() if topic.event and topic.seq > 0)
        unnamed = {topic.name: topic.seq for topic in left if topic.name not in topics}
        self._kept = Kept(text, self.epoch, topics, unnamed)

    def take_poll(self, answer: Fields, messages: Sequence[Message]) -> None:
        """Takes the answer to a poll, whose epoch only its cursor says."""
        cursor = answer["cursor"]
        if cursor is None:  # nobody can say where it is: the next one begins anew
            self._kept = Kept()
            self.epoch = ""
            self._topics.clear()
            return
        self.begin(cursor.partition(",")[0].removesuffix("!"))
        self._take_ack({"results": answer["results"]})
        self.take_decoded(messages)
        self.take_cursor(cursor)

    def _take_other(self, told: dict[str, Any]) -> None:
        if told.get("type") == "close":
            self.close_code = int(told["code"])
        else:
            super()._take_other(told)

    def _take_result(self, result: dict[str, Any], since: dict[str, int], known: bool) -> None:
        self._recovered[result["topic"]] = result.get("recovered", False)
        super()._take_result(result, since, known)

    def _take_snapshot(self, topic: Topic, message: Message) -> None:
        had = self._unnamed.pop(topic.name, message.seq)
        promised = [r for name, r in self._recovered.items() if covers([name], topic.name)]
        if message.deleted is None and message.seq > had + 1 and all(promised):
            what = f"{topic.name}: snapshot {message.seq} after the event {had}, and no word of it"
            self._fault("silent_gaps", what)
        super()._take_snapshot(topic, message)
