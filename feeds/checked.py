"""Images that can be checked, for ``tickwire check``: ``check.value.*`` and ``check.event.*``.

    [plugins.checked]
    topics = 10                               # of each of the two kinds
    rate = 1000                               # updates a second, all topics together

The numbers of an image add up to 0: ``sum`` makes up for the others. So who merges updates can
verify every state, as one that lost, repeated or mixed up an update does not add up. ``n`` counts
the updates of its topic in this ``run`` of the feed, so an image of another seq is seen as well.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tickwire import feed
from tickwire.errors import ConfigError
from tickwire.pub import Pub

TOPICS = 10
RATE = 1000.0
STEP_S = 0.01
LATE_S_MAX = 1.0
"""An update that is late by more than this is left out."""
FIELDS = "abcdefgh"
DELETED_CHANCE = 0.1
STATUS_CHANCE = 0.01
"""The chance of a status change in each step."""

Fields = dict[str, int | None]


class Source:
    """Makes the images of one topic."""

    def __init__(self, run: int) -> None:
        self._run = run
        self._n = 0
        self._image: Fields = {}

    def update(self) -> Fields:
        """Returns what changes: at first everything, because the topic may have an image of an
        earlier run."""
        self._n += 1
        some = FIELDS if self._n == 1 else random.sample(FIELDS, random.randint(1, 3))
        changed: Fields = {name: random.getrandbits(32) for name in some}
        if self._n == 1:
            changed["run"] = self._run
        elif random.random() < DELETED_CHANCE:
            changed[some[0]] = None
        changed["n"] = self._n
        self._image.update(changed)
        return changed | {"sum": -sum(value or 0 for value in self._image.values())}

    def message(self) -> Fields:
        """Returns an image that stands for itself."""
        self._n += 1
        fields = {"run": self._run, "n": self._n}
        fields |= {name: random.getrandbits(32) for name in FIELDS[:4]}
        return {**fields, "sum": -sum(fields.values())}


def value_topics(config: Mapping[str, Any]) -> list[str]:
    return names(config, "value")


def event_topics(config: Mapping[str, Any]) -> list[str]:
    return names(config, "event")


def names(config: Mapping[str, Any], kind: str) -> list[str]:
    count = config.get("topics", TOPICS)
    if type(count) is not int or count < 1:
        raise ConfigError(f"plugins.checked.topics: {count!r} is not an integer of at least 1")
    return [f"check.{kind}.{number}" for number in range(count)]


def rate_of(config: Mapping[str, Any]) -> float:
    rate = config.get("rate", RATE)
    if not isinstance(rate, int | float) or not rate > 0:
        raise ConfigError(f"plugins.checked.rate: {rate!r} is not a number above 0")
    return rate


@feed("check.value.*", topics=value_topics)
async def checked_values(pub: Pub) -> None:
    await run(pub, value_topics(pub.config), Source.update)


@feed("check.event.*", topics=event_topics, delivery="event")
async def checked_events(pub: Pub) -> None:
    await run(pub, event_topics(pub.config), Source.message)


async def run(pub: Pub, topics: list[str], make: Callable[[Source], Fields]) -> None:
    rate = rate_of(pub.config)
    number = secrets.randbits(32)
    sources = {topic: Source(number) for topic in topics}
    pub.publish_many((topic, make(source)) for topic, source in sources.items())
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await asyncio.sleep(STEP_S)
        due = max(due, loop.time() - LATE_S_MAX)
        count = int((loop.time() - due) * rate / 2)  # the other kind makes the other half
        due += count * 2 / rate
        pub.publish_many(updates(sources, make, random.choices(topics, k=count)))
        if random.random() < STATUS_CHANCE:
            pub.status(random.choice(topics), random.choice(("live", "halted", "closed")))


def updates(
    sources: Mapping[str, Source], make: Callable[[Source], Fields], topics: list[str]
) -> Iterator[tuple[str, Fields]]:
    return ((topic, make(sources[topic])) for topic in topics)
