"""How a topic or pattern is asked for, and what one command can hold. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tickwire._pattern import is_pattern, matches

COMMAND_TOPICS_MAX: Final = 10_000
COMMAND_BYTES_MAX: Final = 1_048_576
"""The server takes 2 MiB; this counts each topic twice, as if its seq were said."""
SINCE_BYTES_MAX: Final = 1_048_576
"""For the seqs in a command, those of a pattern's topics included."""
SEQ_BYTES_MAX: Final = 24
"""For a seq, with what stands around it and its topic."""


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
    """Messages a second per topic; infinite: every update."""
    last: int


@dataclass(frozen=True, slots=True)
class Want:
    how: How
    start: Start
    life: int
    """Another one once nobody wanted the name in between."""
    version: int
    """Another one whenever the server is to be asked again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A subscribe command."""

    topics: Sequence[str]
    how: How
    since: Mapping[str, int] = field(default_factory=dict)
    wants: Sequence[Want] = ()
    """What each topic was asked for as; empty for a repair."""


def among(name: str, topics: Collection[str]) -> Sequence[str]:
    """The members of `topics` that a topic or pattern stands for."""
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
