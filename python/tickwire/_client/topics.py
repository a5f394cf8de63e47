"""What a client knows of each topic, and the rules by which messages change it. Pure.

A topic is held as of a seq. Epoch and seq name one state, so what follows on it is right, also on
another connection. A message that does not follow is a hole: nothing of it is applied.

What is known stands in the core (`ClientTopics`), which also applies, by itself, the messages of
*armed* topics that only go on: the next update, or a later snapshot. `arm` says which those are.
Whatever changes a topic in another way goes through here, and disarms it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from tickwire._client.images import Images, Statuses
from tickwire._core import ClientTopics
from tickwire.errors import ProtocolError
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
        self.states = ClientTopics()
        self.images = Images(self.states)
        self.statuses = Statuses(self.states)
        self._halts: dict[str, tuple[str, int | None]] = {}
        """Topics that an operator halts -> why, and until when."""
        self.arming = True
        """False: every message is judged here."""

    def __contains__(self, name: str) -> bool:
        return name in self.states

    def __iter__(self) -> Iterator[str]:
        return iter(self.states.names())

    def seq(self, name: str) -> int:
        topic = self._find(name)
        return topic.seq if topic is not None else 0

    def synced(self, name: str) -> bool:
        topic = self._find(name)
        return topic is not None and topic.synced

    def told_status(self, name: str) -> str:
        """The status that the server said; empty where it has to say it again."""
        topic = self._find(name)
        return topic.status if topic is not None and topic.synced else ""

    def begin(self, epoch: str) -> set[str]:
        """Begins a connection. Forgets what is held of another epoch, and returns its topics."""
        lost = set() if epoch == self.epoch else set(self)
        for name in lost:
            self.forget(name)
        self.epoch = epoch
        return lost

    def hold(self, name: str, seq: int) -> None:
        """Notes that a topic stands at `seq`, or that somebody else followed it up to there."""
        if name not in self:
            self._put(name, _Topic(seq))

    def take(self, update: Update, from_anywhere: bool) -> Outcome:
        """Applies a message. from_anywhere: an unknown topic may begin with any message.

        Raises `ProtocolError`, and changes nothing, if the image would be too long, or the status
        is one more than a server may have.
        """
        if update.status is not None:
            self.states.note_status(update.status)
        known = self._find(update.topic)
        topic = known or _Topic()
        try:
            if update.kind == "snapshot":
                return self._replace(topic, update)
            if self._follows(topic, update) or (from_anywhere and known is None):
                return self._change(topic, update)
        except ProtocolError:
            if known is None:
                self.forget(update.topic)
            raise
        if known is not None:
            topic.synced = False
            self._put(update.topic, topic)
        return Outcome.HOLE

    def arm(self, name: str, route: int) -> None:
        """From here on the core applies what only goes on, and passes it to `route`."""
        if self.arming:
            self.states.arm(name, route)

    def disarm(self, name: str) -> None:
        self.states.disarm(name)

    def disarm_all(self) -> None:
        """Nothing goes on before it was judged here again."""
        self.states.disarm_all()

    def forget_routes(self) -> None:
        """As `disarm_all`, when readers come or go."""
        self.states.forget_routes()

    def doubt(self, name: str) -> None:
        """Notes that later messages of the topic may be missing."""
        topic = self._find(name)
        if topic is not None:
            topic.synced = False
            self._put(name, topic)
            if self.statuses.get(name) == "live":
                self.states.show(name, "stale")

    def doubt_all(self) -> None:
        for name in self:
            self.doubt(name)

    def forget(self, name: str) -> None:
        self.states.forget(name)
        self.images.forget(name)
        self._halts.pop(name, None)

    def _find(self, name: str) -> _Topic | None:
        state = self.states.find(name)
        return None if state is None else _Topic(*state)

    def _note_halt(self, update: Update) -> bool:
        """Whether a message with a status says of a halt what was not said before."""
        before = self._halts.pop(update.topic, None)
        halt = update.halt if update.status == "halted" else None  # it reads the message's text
        if halt is not None:
            self._halts[update.topic] = halt
        return halt != before

    def _put(self, name: str, topic: _Topic) -> None:
        self.states.put(name, (topic.seq, topic.synced, topic.event, topic.status))

    def _replace(self, topic: _Topic, update: Update) -> Outcome:
        name, status = update.topic, update.status or "live"
        same = topic.synced and topic.seq == update.seq and topic.status == status
        same = not self._note_halt(update) and same
        topic.seq, topic.status, topic.synced = update.seq, status, True
        topic.event = topic.event or update.delivery == "event"
        self.images.replace(update)  # first, because it may refuse
        self._put(name, topic)
        self.states.show(name, status)
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
            same = not self._note_halt(update) and same
        elif topic.status == "stale" and update.kind == "update":
            topic.status = "live"
        if update.kind != "update":
            self.images.begin(name)
        elif topic.event:
            self.images.replace(update)
        else:
            self.images.merge(update)
        self._put(name, topic)
        self.states.show(name, topic.status)
        return Outcome.KNOWN if same else Outcome.NEWS
