"""What is wanted of the server, and what it was asked for on this connection. Pure.

Two tables, *wanted* and *asked*. `Wants.leave` and `Wants.asks` are their difference, as commands
to send; sending them makes the two equal. Nothing else decides what is sent, so whatever is wanted
or wanted no more meanwhile, by whomever, is in the next difference.

An asked name that the server accepted is *active*. After a lost connection nothing is asked for;
the names that were active (`_before`) are asked for first, and say since when: each topic in one of
their commands. Only then is anything new asked for, which begins with a snapshot.

A name that the server could not give now, but may later, is *held*: no command names it until
`release`, or until somebody wants it anew.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from tickwire._client.ask import (
    SEQ_BYTES_MAX,
    SINCE_BYTES_MAX,
    SNAPSHOT,
    Ask,
    How,
    Start,
    Want,
    among,
    portions,
)
from tickwire._client.topics import TopicTable
from tickwire._pattern import is_pattern, matches


class Wants:
    def __init__(self) -> None:
        self.changed = False
        """Whether there may be something new to send since the last look."""
        self._numbers = count(1)
        self._wanted: dict[str, Want] = {}
        self._patterns: list[str] = []
        self._asked: dict[str, int] = {}
        """Name -> the version of the want that the server was asked for; 0: for a repair only."""
        self._active: dict[str, How] = {}
        """Names that the server accepted, each with the options of its last answered command."""
        self._unsettled: dict[str, None] = {}
        """Names that may differ between wanted and asked. All other names agree."""
        self._held: dict[str, None] = {}
        self._repairs: dict[str, bool] = {}
        """Topics that need a snapshot although updates come -> whether it was asked for."""
        self._before: set[str] = set()
        """Names that were active on the last connection, until this one's answer."""
        self._begins_anew: set[str] = set()
        """Names with a topic that cannot continue where it was, until the reader was told so."""
        self._resumable: set[str] = set()
        """Topics whose state is kept, and which no command of this connection has named yet."""
        self._went_on: dict[str, str] = {}
        """Topic -> the name in whose command its seq was sent."""

    # --- wanted -----------------------------------------------------------------------------------

    def get(self, name: str) -> Want | None:
        return self._wanted.get(name)

    def cover(self, topic: str) -> bool:
        return topic in self._wanted or any(matches(p, topic) for p in self._patterns)

    def want(self, name: str, snapshot: bool, max_rate: float, repeat: bool, start: Start) -> None:
        """Wants a name. repeat: ask the server even if nothing is new, because it begins in another
        way."""
        old = self._wanted.get(name)
        how = How(snapshot, max_rate, start.last)
        if old is None:
            if is_pattern(name):
                self._patterns.append(name)
            life = next(self._numbers)
            self._set(name, Want(how, start, life, life))
        elif repeat or old.how[:2] != how[:2]:
            # If two begin differently before the server was asked, both begin with a snapshot.
            if self._asked.get(name) != old.version and old.start != start:
                start = SNAPSHOT
            how = how._replace(last=start.last)
            self._set(name, Want(how, start, old.life, next(self._numbers)))

    def forget(self, name: str) -> Want | None:
        want = self._wanted.pop(name, None)
        if want is not None:
            if is_pattern(name):
                self._patterns.remove(name)
            self._touch(name)
            self._active.pop(name, None)
            self._before.discard(name)
            self._begins_anew.discard(name)
        return want

    def _set(self, name: str, want: Want) -> None:
        self._wanted[name] = want
        self._touch(name)

    def _touch(self, name: str) -> None:
        self._held.pop(name, None)
        self._unsettled[name] = None
        self.changed = True

    # --- repairs ----------------------------------------------------------------------------------

    def repair(self, topic: str) -> bool:
        """Wants the topic's snapshot. Returns False if it is wanted already."""
        if topic in self._repairs:
            return False
        self._repairs[topic] = False
        self._touch(topic)
        return True

    def repairing(self, topic: str) -> bool:
        return topic in self._repairs

    def repaired(self, topic: str) -> None:
        """Wants the snapshot no more, because it came or never will."""
        if self._repairs.pop(topic, None) is not None:
            self._touch(topic)

    # --- asked ------------------------------------------------------------------------------------

    def active(self, topic: str) -> Iterator[tuple[str, How]]:
        """Yields the accepted names that match a topic."""
        exact = self._active.get(topic)
        if exact is not None:
            yield topic, exact
        for pattern in self._patterns:
            how = self._active.get(pattern)
            if how is not None and pattern != topic and matches(pattern, topic):
                yield pattern, how

    def awaits_snapshot(self, topic: str) -> bool:
        """Whether a name that matches the topic was asked for, snapshot included, and has no
        answer."""
        names = [topic, *(p for p in self._patterns if p != topic and matches(p, topic))]
        return any(
            name in self._asked
            and name not in self._active
            and name in self._wanted
            and self._wanted[name].how.snapshot
            for name in names
        )

    def asked_beside(self, names: Collection[str]) -> frozenset[str]:
        """Returns the other names that the server was asked for."""
        return frozenset(self._asked).difference(names)

    def settled(self, name: str) -> bool:
        """Whether the server was asked for what is wanted of this name, or cannot be asked now."""
        return name not in self._unsettled

    @property
    def waiting(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._unsettled)

    def leave(self) -> list[str]:
        """Returns the names that were asked for and are wanted no more. From now on they count as
        unsubscribed."""
        gone = [
            name
            for name in self._unsettled
            if name in self._asked and name not in self._wanted and name not in self._repairs
        ]
        for name in gone:
            del self._asked[name]
            self._settle(name)
        return gone

    def asks(self, topics: TopicTable) -> Iterator[Ask]:
        """Yields commands for what is wanted and was not asked for. What was yielded counts as
        asked for."""
        waiting = {
            name: want
            for name in self._unsettled
            if (want := self._wanted.get(name)) is not None
            and self._asked.get(name) != want.version
        }
        before = {name: want for name, want in waiting.items() if name in self._before}
        if not before:
            self._forget_resumable(topics)
        alike: dict[How, list[str]] = {}
        for name, want in (before or waiting).items():
            self._hold_since(name, want, topics)
            alike.setdefault(want.how, []).append(name)
        for how, names in self._exact_first(alike):
            for some in portions(names):
                since = self._take_since(some, topics)
                wants = [self._wanted[name] for name in some]
                for name, want in zip(some, wants, strict=True):
                    self._asked[name] = want.version
                    self._settle(name)
                yield Ask(some, how, since, wants)
        if not before:
            yield from self._ask_repairs()
        for name in [*self._unsettled]:
            self._settle(name)

    def _ask_repairs(self) -> Iterator[Ask]:
        by_rate: dict[float, list[str]] = {}
        for topic in self._unsettled:
            if self._repairs.get(topic) is False:
                want = self._wanted.get(topic)
                by_rate.setdefault(want.how.max_rate if want else float("inf"), []).append(topic)
        for max_rate, missing in by_rate.items():
            for some in portions(missing):
                for topic in some:
                    self._repairs[topic] = True
                    self._asked.setdefault(topic, 0)
                    self._settle(topic)
                yield Ask(some, How(True, max_rate, 0))

    def _settle(self, name: str) -> None:
        """Takes a name off the unsettled ones if wanted and asked agree."""
        want = self._wanted.get(name)
        asked = self._asked.get(name)
        idle = want is None and (asked is None or name in self._repairs)
        same = idle or (want is not None and asked == want.version)
        if same and self._repairs.get(name, True):
            self._unsettled.pop(name, None)

    # --- answers ----------------------------------------------------------------------------------

    def accepted(self, name: str, ask: Ask) -> bool:
        """Notes that the server accepted a name. Returns whether it continues from the last
        connection."""
        self._active[name] = ask.how
        resumes = name in self._before
        self._before.discard(name)
        return resumes

    def refused(self, name: str, ask: Ask, version: int, retryable: bool) -> None:
        """Notes that the server refused a name. It is held if the server may accept it later."""
        for topic in among(name, ask.since) if retryable else ():
            self._resumable.add(topic)
        if name in self._repairs:
            self._repairs[name] = False
        if self._asked.get(name) == version:
            self._asked.pop(name, None)
            self._active.pop(name, None)
        self._touch(name)
        if retryable:
            self._hold(name)
        else:
            self.repaired(name)
            self._settle(name)

    def kept(self, names: Iterable[str]) -> None:
        """Notes that the server refused an unsubscribe for now, which must be sent again later."""
        for name in names:
            self._asked.setdefault(name, 0)
            self._hold(name)

    def _hold(self, name: str) -> None:
        self._unsettled.pop(name, None)
        self._held[name] = None

    def ended(self, name: str) -> None:
        """Notes that the server ended a name, so no unsubscribe is needed."""
        self._asked.pop(name, None)
        self._settle(name)

    @property
    def holding(self) -> bool:
        return bool(self._held)

    def release(self) -> None:
        for name in [*self._held]:
            self._touch(name)

    def take_anew(self, name: str) -> bool:
        """Whether the reader must be told that a part of this name begins again. True only once."""
        found = name in self._begins_anew
        self._begins_anew.discard(name)
        return found

    def went_on_beside(self, name: str) -> set[str]:
        """Returns the other names with which some topics of this one continued."""
        return {self._went_on[topic] for topic in among(name, self._went_on)} - {name}

    # --- connections ------------------------------------------------------------------------------

    def connection_lost(self, held: Iterable[str]) -> None:
        self._before.update(name for name in self._active if name in self._wanted)
        self._asked.clear()
        self._active.clear()
        self._repairs.clear()
        self._held.clear()
        self._went_on.clear()
        self._unsettled = dict.fromkeys(self._wanted)
        self.changed = True
        self._resumable = set(held)

    def begin(self, lost: set[str]) -> None:
        """Begins a connection on which the topics in `lost` cannot continue where they were."""
        self._resumable -= lost
        self._begins_anew.update(name for name in self._before if among(name, lost))

    def _forget_resumable(self, topics: TopicTable) -> None:
        """Forgets the topics that no command will continue, except those of a held name."""
        waiting = [name for name in self._held if name in self._before]
        kept = {topic for name in waiting for topic in among(name, self._resumable)}
        for topic in self._resumable - kept:
            topics.forget(topic)
        self._resumable = kept

    def _exact_first(self, alike: dict[How, list[str]]) -> list[tuple[How, list[str]]]:
        """Orders commands so that exact names come first: a pattern's command would begin again
        with topics that they continue."""
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

    def _hold_since(self, name: str, want: Want, topics: TopicTable) -> None:
        """Keeps the state that a predecessor of the reader had followed, unless it is known
        already."""
        since = want.start.since
        if not since:
            return
        self._wanted[name] = replace(want, start=replace(want.start, since={}))
        for topic in among(name, since):
            if want.start.epoch != topics.epoch:
                self._begins_anew.add(name)
            elif topic not in topics:
                topics.hold(topic, since[topic])
                self._resumable.add(topic)
                self._before.add(name)

    def _take_since(self, names: Sequence[str], topics: TopicTable) -> dict[str, int]:
        """Returns the seqs after which these names continue. Topics that do not fit into a command
        begin again."""
        since: dict[str, int] = {}
        left = SINCE_BYTES_MAX
        for name in names:  # exact names always have room
            for topic in among(name, self._resumable):
                left -= len(topic) + SEQ_BYTES_MAX
                if left >= 0:
                    since[topic] = topics.seq(topic)
                    self._went_on[topic] = name
                else:
                    self._begins_anew.add(name)
                    topics.forget(topic)
                self._resumable.discard(topic)
        return since
