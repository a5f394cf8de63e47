"""What is wanted of a server, what was asked for on this connection, and where it goes on. Pure.

States of a want (a topic or pattern that somebody here wants), on one connection::

    idle ──asks()──> asked ──ack──> active        a refused one is forgotten
      ^                               │
      └── connection_lost(), want() ──┘           want() leaves an active one active

The next connection first goes on with what was active: those commands say since when, each topic in
one of them. Only then is anything new asked for, which begins with a snapshot.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from tickwire._pattern import is_pattern, matches
from tickwire._topics import Topics

COMMAND_TOPICS_MAX: Final = 10_000
COMMAND_BYTES_MAX: Final = 1_048_576
"""The server takes 2 MiB; this counts each topic twice, as if its seq were said."""
SINCE_BYTES_MAX: Final = 1_048_576
"""Of the seqs in a command, those of a pattern's topics too."""
SEQ_BYTES_MAX: Final = 24
"""Of a seq with what is around it and its topic."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a subscription begins in place of the snapshot."""

    last: int = 0
    """With so many of the last messages of event topics."""
    since: Mapping[str, int] = field(default_factory=dict)
    """Topic -> the seq that it goes on after; of `epoch`."""
    epoch: str = ""


SNAPSHOT: Final = Start()


class How(NamedTuple):
    """What the topics of a command share."""

    snapshot: bool
    max_rate: float
    last: int


@dataclass(slots=True)
class Want:
    snapshot: bool
    max_rate: float
    """Messages a second per topic; infinite: every update."""
    start: Start
    asked: bool = False
    answered: How | None = None
    """How the last command said that the server took, on this connection."""
    resume: bool = False
    """It is to go on with what is held, and the server did not say yet how."""
    anew: bool = False
    """Some of what was held cannot be gone on with."""

    @property
    def active(self) -> bool:
        return self.answered is not None


@dataclass(frozen=True, slots=True)
class Ask:
    """A subscribe command."""

    topics: Sequence[str]
    snapshot: bool
    max_rate: float
    last: int = 0
    since: Mapping[str, int] = field(default_factory=dict)
    wants: Sequence[Want] = ()
    """Of the topics; none where it is nobody's."""

    @property
    def how(self) -> How:
        return How(self.snapshot, self.max_rate, self.last)


class Wants:
    def __init__(self) -> None:
        self._wants: dict[str, Want] = {}
        self._patterns: list[str] = []
        self._resumable: set[str] = set()
        """Topics that are held and that no command of this connection spoke of yet."""
        self._went_on: dict[str, str] = {}
        """Those others, each with the want for which its command said since when."""

    def get(self, name: str) -> Want | None:
        return self._wants.get(name)

    def cover(self, topic: str) -> bool:
        return topic in self._wants or any(matches(p, topic) for p in self._patterns)

    def active(self, topic: str) -> Iterator[tuple[str, Want]]:
        """Those that the server was asked for and that match."""
        exact = self._wants.get(topic)
        if exact is not None and exact.active:
            yield topic, exact
        for pattern in self._patterns:
            want = self._wants[pattern]
            if want.active and matches(pattern, topic):
                yield pattern, want

    def want(self, name: str, snapshot: bool, max_rate: float, repeat: bool, start: Start) -> None:
        """To be asked for, if that says anything new; `repeat`: anyway, for how it begins."""
        old = self._wants.get(name)
        if old is None:
            if is_pattern(name):
                self._patterns.append(name)
            self._wants[name] = Want(snapshot, max_rate, start)
        elif repeat or (old.snapshot, old.max_rate) != (snapshot, max_rate):
            old.snapshot, old.max_rate = snapshot, max_rate
            # Two that begin differently and were not asked for yet both begin with the snapshot.
            old.start = start if old.asked or old.start == start else SNAPSHOT
            old.asked = False

    def forget(self, name: str) -> Want | None:
        want = self._wants.pop(name, None)
        if want is not None and is_pattern(name):
            self._patterns.remove(name)
        return want

    def connection_lost(self, held: Iterable[str]) -> None:
        for want in self._wants.values():
            want.resume = want.resume or want.active
            want.asked, want.answered = False, None
        self._resumable = set(held)
        self._went_on.clear()

    def beside(self, name: str) -> set[str]:
        """The wants for which some of this one's topics went on."""
        return {self._went_on[topic] for topic in among(name, self._went_on)} - {name}

    def begin(self, lost: set[str]) -> None:
        """A connection, on which those topics cannot be gone on with."""
        self._resumable -= lost
        for name, want in self._wants.items():
            want.anew = want.anew or (want.resume and bool(among(name, lost)))

    @property
    def waiting(self) -> bool:
        """Is anything not asked for yet on this connection?"""
        return any(not want.asked for want in self._wants.values())

    def asks(self, topics: Topics) -> Iterator[Ask]:
        """What was wanted and not asked for yet on this connection. While anything is `waiting`."""
        waiting = {name: want for name, want in self._wants.items() if not want.asked}
        before = {name: want for name, want in waiting.items() if want.resume}
        if not before:
            for topic in self._resumable:  # what brought them is gone; for others they begin
                topics.forget(topic)
            self._resumable.clear()
        alike: dict[How, list[str]] = {}
        for name, want in (before or waiting).items():
            want.asked = True
            self._hold_since(name, want, topics)
            how = How(want.snapshot, want.max_rate, want.start.last)
            alike.setdefault(how, []).append(name)
        for (snapshot, max_rate, last), names in self._in_turn(alike):
            for some in portions(names):
                since = self._take_since(some, topics)
                wants = [self._wants[name] for name in some]
                yield Ask(some, snapshot, max_rate, last, since, wants)

    def rest(self, ask: Ask) -> Ask:
        """Without what was unsubscribed since then."""
        both = zip(ask.topics, ask.wants, strict=True)
        wants = {name: want for name, want in both if self._wants.get(name) is want}
        if len(wants) == len(ask.topics):
            return ask
        since = {topic: ask.since[topic] for name in wants for topic in among(name, ask.since)}
        return replace(ask, topics=list(wants), since=since, wants=list(wants.values()))

    def _in_turn(self, alike: dict[How, list[str]]) -> list[tuple[How, list[str]]]:
        """Exact ones first: a pattern's command would begin what they are to go on with."""
        if not self._resumable:
            return list(alike.items())
        if len(alike) == 1:
            return [(how, sorted(names, key=is_pattern)) for how, names in alike.items()]
        parts = [
            (how, [name for name in names if is_pattern(name) is pattern])
            for pattern in (False, True)
            for how, names in alike.items()
        ]
        return [(how, names) for how, names in parts if names]

    def _hold_since(self, name: str, want: Want, topics: Topics) -> None:
        """What somebody else followed until then, unless it is held already."""
        since, want.start = want.start.since, replace(want.start, since={})
        for topic in among(name, since):
            if want.start.epoch != topics.epoch:
                want.anew = True
            elif topic not in topics:
                topics.hold(topic, since[topic])
                self._resumable.add(topic)
                want.resume = True

    def _take_since(self, names: Sequence[str], topics: Topics) -> dict[str, int]:
        """The seqs of what these go on with. What no command can hold begins anew."""
        since: dict[str, int] = {}
        left = SINCE_BYTES_MAX
        for name in names:  # of exact ones all have room for certain
            for topic in among(name, self._resumable):
                left -= len(topic) + SEQ_BYTES_MAX
                if left >= 0:
                    since[topic] = topics.seq(topic)
                    self._went_on[topic] = name
                else:
                    self._wants[name].anew = True
                    topics.forget(topic)
                self._resumable.discard(topic)
        return since


def among(name: str, topics: Collection[str]) -> Sequence[str]:
    """Those of `topics` that a topic or pattern stands for."""
    if is_pattern(name):
        return [topic for topic in topics if matches(name, topic)]
    return [name] if name in topics else []


def portions(topics: Sequence[str]) -> Iterator[list[str]]:
    """What fits into one command each."""
    some: list[str] = []
    size = 0
    for topic in topics:
        more = 2 * len(topic.encode("utf-8", "replace")) + SEQ_BYTES_MAX
        if some and (len(some) == COMMAND_TOPICS_MAX or size + more > COMMAND_BYTES_MAX):
            yield some
            some, size = [], 0
        some.append(topic)
        size += more
    if some:
        yield some
