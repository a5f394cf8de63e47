"""What one client may believe: every message of its connections is held against it. Pure.

It says what to subscribe and unsubscribe, and takes what comes. After a fault the topic goes on
from there, so each is counted once.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tickwire._pattern import is_pattern, matches
from tickwire._tools.check.messages import (
    BROKEN,
    GAP,
    OTHER,
    SNAPSHOT,
    STATUS,
    UPDATE,
    Fields,
    Message,
    Messages,
)
from tickwire._tools.check.tally import Tally

Offsets = dict[tuple[str, str, int], int]
"""(epoch, topic, run of the feed) -> the difference between seq and the feed's own count. All
connections share it."""


@dataclass(slots=True)
class Topic:
    name: str
    seq: int = 0
    image: Fields = field(default_factory=dict)
    event: bool = False
    offset: int = 0
    fresh: bool = False
    """Whether it was subscribed again, so that the next snapshot may skip any number of updates."""
    wrong: bool = False
    """Whether its fault was counted already; until the topic is right again."""


@dataclass(slots=True)
class Sent:
    names: Sequence[str]
    since: dict[str, int] | None
    """None: an unsubscribe."""
    epoch: str


def covers(names: Collection[str], topic: str) -> bool:
    return topic in names or any(matches(name, topic) for name in names)


class Model:
    def __init__(self, label: str, tally: Tally, messages: Messages, offsets: Offsets) -> None:
        self.epoch = ""
        self._last_epoch = ""
        """The one that it goes on from, as this connection said; empty: it said nothing."""
        self.wants: set[str] = set()
        """The names that the server accepted and that were not unsubscribed since."""
        self.drain_ms: int | None = None
        self.label = label
        self._tally = tally
        self._messages = messages
        self._offsets = offsets
        self._topics: dict[str, Topic] = {}
        self._asked: dict[int, Sent] = {}
        self._id = 0
        self._welcome = False

    # --- what it asks for -------------------------------------------------------------------------

    def subscribe(self, names: Sequence[str], max_rate: float = 0) -> str:
        return self._ask(names, {}, {"max_rate": max_rate})

    def resume(self, names: Sequence[str], max_rate: float = 0) -> str:
        """Returns the first command of a connection, which resumes what an earlier one had."""
        since = {topic.name: topic.seq for topic in self._topics.values()}
        more: Fields = {"since": since, "epoch": self.epoch} if since else {}
        return self._ask(names, since, {"max_rate": max_rate, **more})

    def unsubscribe(self, names: Sequence[str]) -> str:
        return self._ask(names, None, {})

    def connection_lost(self) -> None:
        self.wants.clear()
        self._asked.clear()
        self._welcome = False
        self.drain_ms = None

    def _ask(self, names: Sequence[str], since: dict[str, int] | None, more: Fields) -> str:
        self._id += 1
        self._asked[self._id] = Sent(tuple(names), since, self.epoch)
        kind = "unsubscribe" if since is None else "subscribe"
        return json.dumps({"type": kind, "id": self._id, "topics": list(names), **more})

    # --- what comes -------------------------------------------------------------------------------

    def take(self, texts: Iterable[bytes]) -> None:
        self.take_decoded(map(self._messages.__getitem__, texts))

    def take_decoded(self, messages: Iterable[Message]) -> None:
        topics = self._topics
        for message in messages:
            kind, name, seq, data, deleted = message
            if kind == UPDATE:
                topic = topics.get(name)
                if topic is not None and seq == topic.seq + 1:
                    topic.seq = seq
                    if deleted is None:
                        topic.image = image = data
                    else:
                        image = topic.image
                        image.update(data)
                        for gone in deleted:
                            del image[gone]
                    if sum(image.values()) or image.get("n", 0) + topic.offset != seq:
                        self._check_image(topic)
                    continue
            self._take_rare(message)

    def missing(self, seqs: dict[str, int]) -> list[str]:
        """Returns the topics that have not reached these seqs, of what it wants or asked for."""
        nothing = Topic("")
        behind = [n for n, seq in seqs.items() if self._topics.get(n, nothing).seq < seq]
        asked = [sent.names for sent in self._asked.values() if sent.since is not None]
        names = self.wants.union(*asked)
        return [topic for topic in behind if covers(names, topic)]

    def _take_rare(self, message: Message) -> None:
        if message.kind == OTHER:
            self._take_other(message.data)
        elif message.kind == BROKEN:
            self._fault("broken", message.data["why"])
        elif not self._wanted(message.topic):
            self._fault("unwanted", f"{message.topic}: {message.seq}, and it is not subscribed")
        else:
            topic = self._topics.setdefault(message.topic, Topic(message.topic))
            if message.kind == SNAPSHOT:
                self._take_snapshot(topic, message)
            else:
                self._take_next(topic, message)

    def _take_snapshot(self, topic: Topic, message: Message) -> None:
        topic.event = message.deleted is None
        skipped = message.seq - topic.seq - 1
        known = topic.seq > 0
        if message.seq < topic.seq:
            self._fault("wrong_images", f"{topic.name}: snapshot {message.seq} after {topic.seq}")
        elif known and topic.event and skipped >= 0 and not topic.fresh:
            what = f"{topic.name}: snapshot {message.seq} after the event {topic.seq}"
            self._fault("silent_gaps", what)
        elif known:
            self._tally.updates_conflated += max(skipped, 0)
        topic.seq, topic.image = message.seq, dict(message.data)
        topic.fresh = topic.wrong = False
        self._check_image(topic)

    def _take_next(self, topic: Topic, message: Message) -> None:
        """Takes a gap, a status, or an update that the fast path could not take."""
        first = message.data["from"] if message.kind == GAP else message.seq
        wanted = topic.seq + (message.kind != STATUS)
        what = f"{topic.name}: {('update', '', 'gap', 'status')[message.kind]} {first}"
        if first < wanted:
            self._fault("duplicates", f"{what} after {topic.seq}")
            return
        if first > wanted:
            self._fault("silent_gaps", f"{what} after {topic.seq}")
            topic.wrong = True
        topic.seq = message.seq
        if message.kind == GAP:
            self._tally.gaps += message.seq - first + 1
        elif message.kind == UPDATE:
            kept = {} if message.deleted is None else topic.image
            fields = {**kept, **message.data}
            topic.image = {name: value for name, value in fields.items() if value is not None}
            self._check_image(topic)

    def _check_image(self, topic: Topic) -> None:
        """Takes an image that looks wrong, but may come from another run of the feed."""
        image = topic.image
        run, n = image.get("run", 0), image.get("n", 0)
        offset = self._offsets.setdefault((self.epoch, topic.name, run), topic.seq - n)
        topic.offset = offset
        right = not sum(image.values()) and topic.seq - n == offset
        if not right and not topic.wrong:
            what = f"{topic.name}: {topic.seq}, which is not {n} + {offset} or does not add up"
            self._fault("wrong_images", f"{what}: {image}")
        topic.wrong = not right

    # --- answers ----------------------------------------------------------------------------------

    def _take_other(self, told: dict[str, Any]) -> None:
        kind = told.get("type")
        if kind == "welcome":
            self.begin(told["epoch"])
        elif not self._welcome:
            self._fault("broken", f"before the welcome: {told}")
        elif kind == "ack":
            self._take_ack(told)
        elif kind == "error":
            self._fault("broken", f"refused: {told}")
        elif kind == "epoch":  # what is held goes on in it
            self._last_epoch, self.epoch = self.epoch, told["epoch"]
        elif kind == "drain":
            self.drain_ms = told["reconnect_after_ms"]

    def begin(self, epoch: str) -> None:
        """Takes the epoch of a connection, before anything else of it."""
        self._welcome = True
        self._last_epoch = ""
        if epoch != self.epoch:
            self.epoch = epoch
            self._topics.clear()

    def _take_ack(self, told: dict[str, Any]) -> None:
        asked = self._asked.pop(told.get("id", 0), None)
        if asked is None or [result["topic"] for result in told["results"]] != list(asked.names):
            self._fault("broken", f"the answer to nothing that was asked: {told}")
            return
        if any("error" in result for result in told["results"]):
            self._fault("broken", f"refused: {told}")
        if asked.since is None:
            self.wants.difference_update(asked.names)
            for name in [name for name in self._topics if not self._wanted(name)]:
                del self._topics[name]
            return
        self.wants.update(asked.names)
        # From the ack on: what came before it was not sent for this command.
        for topic in self._topics.values():
            if topic.name not in asked.since:
                topic.fresh = topic.fresh or any(matches(name, topic.name) for name in asked.names)
        for result in told["results"]:
            if "error" in result:
                self.wants.discard(result["topic"])
            else:
                known = asked.epoch in (self.epoch, self._last_epoch)
                self._take_result(result, asked.since, known)

    def _take_result(self, result: dict[str, Any], since: dict[str, int], known: bool) -> None:
        name, missed = result["topic"], result.get("missed")
        if "recovered" in result:
            self._tally.recovered += result["recovered"]
            self._tally.not_recovered += not result["recovered"]
            if not known and (result["recovered"] or missed is not None):
                self._fault("broken", f"that was another epoch: {result}")
        if name in since and known and since[name] + (missed or 0) != result["seq"]:
            self._fault("broken", f"since {since[name]}, and {missed} missed: {result}")
        if not is_pattern(name) and result["seq"] == 0:
            self._topics[name] = Topic(name)

    def _wanted(self, topic: str) -> bool:
        return covers(self.wants, topic)

    def _fault(self, counter: str, what: str) -> None:
        self._tally.fault(counter, f"{self.label}: {what}")
