"""How a topic or pattern is asked for, and what one command can hold. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tickwire._pattern import is_pattern, matches

COMMAND_TOPICS_MAX: Final = 10_000
COMMAND_BYTES_MAX: Final = 1_048_576
"""The size of a command's topics. Each counts twice, since its seq may be sent too; the server
accepts 2 MiB."""
SINCE_BYTES_MAX: Final = 1_048_576
"""The size of all seqs in a command, including those of a pattern's topics."""
SEQ_BYTES_MAX: Final = 24
"""The size of one seq with the punctuation around it and its topic."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a subscription begins, if not with the snapshot."""

    last: int = 0
    """The number of last messages of an event topic to begin with."""
    since: Mapping[str, int] = field(default_factory=dict)
    """Topic -> the seq (of `epoch`) after which it continues."""
    epoch: str = ""


SNAPSHOT: Final = Start()


class How(NamedTuple):
    """The options that all topics of one command share."""

    snapshot: bool
    max_rate: float
    """The most messages a second per topic; infinite means every update."""
    last: int


@dataclass(frozen=True, slots=True)
class Want:
    how: How
    start: Start
    life: int
    """A number that changes if nobody wanted the name for a while in between."""
    version: int
    """A number that changes whenever the server must be asked again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A subscribe command."""

    topics: Sequence[str]
    how: How
    since: Mapping[str, int] = field(default_factory=dict)
    wants: Sequence[Want] = ()
    """The want behind each topic; empty for a repair."""


def among(name: str, topics: Collection[str]) -> Sequence[str]:
    """Returns the members of `topics` that match a topic or pattern."""
    if is_pattern(name):
        return [topic for topic in topics if matches(name, topic)]
    return [name] if name in topics else []


def portions(topics: Sequence[str]) -> Iterator[list[str]]:
    """Cuts topics into lists, each of which fits into one command."""
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
