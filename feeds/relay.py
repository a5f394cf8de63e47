"""Follows another plant by the public protocol, and serves its topics on.

    [plugins.relay]
    url = "wss://upper.example"               # the plant to follow
    topics = [">"]                            # patterns of what to follow, at most 100
    demand = "always"                         # or "wanted": only what somebody here wants
    token_file = "upper.token"                # or token = "..."; read at every connection
    list_s = 10.0                             # with "wanted": how often to look for new topics
    linger_s = 5.0                            # with "wanted": from the last reader to the end

One connection, whatever the number of clients here. Data is served byte for byte as it came. While
the upper plant is away its topics are stale here; then each continues where it was, if the upper
plant still holds what was missed. What an event topic lost is said by a ``stale`` before its next
message, because a feed cannot skip numbers.

Each relay says in the topic ``relay.path`` which plants its data comes through. A plant that finds
itself in the path of the plant that it follows would get its own updates again and again, so it
stops following.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tickwire import Client, Update, connect, feed
from tickwire._fault_log import FaultLog
from tickwire._pattern import is_pattern, matches
from tickwire.errors import (
    ConfigError,
    DeniedError,
    NotConnectedError,
    NotSubscribedError,
    TickwireError,
    UnknownTopicError,
)
from tickwire.pub import Pub
from tickwire.upstream import Asked, Changes
from tickwire.url import websocket_url

from ._again import keep
from ._settings import number_of, patterns_of, secret_in, text_of

PATH = "relay.path"
PATTERNS_MAX = 100
SECONDS_MAX = 3600.0
TOPICS_PER_COMMAND = 1000
SINCE_MAX = 100_000
"""The greatest number of topics that the protocol lets continue in one subscribe."""


class UselessError(Exception):
    """It makes no sense to follow that plant: it follows this one, or refuses everything."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    url: str
    patterns: list[str]
    only_wanted: bool
    token: str
    token_file: str
    list_s: float
    linger_s: float

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "RelaySettings":
        url = text_of(config, "plugins.relay.url")
        if not url:
            raise ConfigError("plugins.relay.url: is not set", field="plugins.relay.url")
        demand = text_of(config, "plugins.relay.demand", "always")
        if demand not in ("always", "wanted"):
            raise ConfigError(
                f"plugins.relay.demand: {demand!r} is neither always nor wanted",
                field="plugins.relay.demand",
            )
        return cls(
            websocket_url(url),
            patterns_of(config, "plugins.relay.topics", [">"], PATTERNS_MAX),
            demand == "wanted",
            text_of(config, "plugins.relay.token"),
            text_of(config, "plugins.relay.token_file"),
            number_of(config, "plugins.relay.list_s", 10.0, SECONDS_MAX),
            number_of(config, "plugins.relay.linger_s", 5.0, SECONDS_MAX),
        )

    def read_token(self) -> str | None:
        """The token for the next connection. OSError if its file cannot be read."""
        if self.token_file:
            return secret_in(self.token_file)
        return self.token or None

    def follows(self, topic: str) -> bool:
        return topic != PATH and any(matches(pattern, topic) for pattern in self.patterns)


@feed(">")
async def relay(pub: Pub) -> None:
    settings = RelaySettings.of(pub.config)
    upper = Upper(pub, settings)
    await keep(pub, settings.url, upper.follow, (TickwireError, OSError, UselessError))


class Upper:
    """The plant above this one, over one connection after the other."""

    def __init__(self, pub: Pub, settings: RelaySettings) -> None:
        self._pub = pub
        self._settings = settings
        self._copy = Copy(pub)
        self._path: list[str] = []

    async def follow(self) -> None:
        """Follows until the connection is lost, which raises."""
        token = self._settings.read_token()
        async with connect(self._settings.url, token=token, reconnect=False) as client:
            if client.epoch == self._pub.epoch:
                raise UselessError("the relay follows its own server")
            self._copy.begin(client.epoch)
            self._path = []
            with suppress(UnknownTopicError, DeniedError):
                self._take_path(await client.snapshot(PATH))
            if not self._path:
                self._say_path([client.epoch])
            self._pub.log.info("following %s", self._settings.url)
            async with asyncio.TaskGroup() as group:
                if self._settings.only_wanted:
                    group.create_task(self._read(client, [PATH]))
                    group.create_task(self._list(client))
                    group.create_task(self._follow_demand(client, group))
                else:
                    group.create_task(self._read(client, [*self._settings.patterns, PATH]))
        raise UselessError("the plant gives nothing of what is followed")

    async def _read(self, client: Client, topics: Sequence[str]) -> None:
        since = self._copy.positions(topics)
        epoch = client.epoch if since else ""
        try:
            async with client.subscribe(*topics, since=since, epoch=epoch) as subscription:
                for topic, error in subscription.refused.items():
                    self._say_refused(topic, error)
                async for batch in subscription.batches():
                    self._take(batch)
        except NotConnectedError:
            raise
        except TickwireError as e:  # all its topics are refused
            self._say_refused(", ".join(topics[:3]), e)

    def _take(self, batch: Sequence[Update]) -> None:
        paths = [update for update in batch if update.topic == PATH]
        for update in paths:
            self._take_path(update)
        if paths:
            batch = [update for update in batch if update.topic != PATH]
        self._copy.take(batch)

    def _say_refused(self, topic: str, error: TickwireError) -> None:
        if topic != PATH:
            self._pub.log.warning("%s: %s: %s", self._settings.url, topic, error)

    # --- only what is wanted ----------------------------------------------------------------------

    async def _list(self, client: Client) -> None:
        while True:
            found = set[str]()
            for pattern in self._settings.patterns:
                found.update(await client.list(pattern))
            self._pub.set_topics(sorted(found - {PATH}))
            await asyncio.sleep(self._settings.list_s)

    async def _follow_demand(self, client: Client, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        asked, changes = Asked(self._settings.linger_s), Changes(self._pub)
        try:
            while True:
                for topic, wanted in changes.take():
                    if self._settings.follows(topic):
                        asked.change(topic, wanted, loop.time())
                command = asked.next(TOPICS_PER_COMMAND, loop.time())
                if command is None:
                    await changes.wait(asked.due_s(loop.time()))
                    continue
                topics, wanted = command
                if wanted:
                    group.create_task(self._read(client, topics))
                else:
                    await self._give_up(client, topics)
                asked.sent(topics, wanted)
        finally:
            changes.close()

    async def _give_up(self, client: Client, topics: Sequence[str]) -> None:
        try:
            await client.unsubscribe(*topics)
        except NotSubscribedError:  # one was refused; the others are still subscribed
            for topic in topics:
                with suppress(NotSubscribedError):
                    await client.unsubscribe(topic)
        for topic in topics:
            with suppress(UnknownTopicError):
                self._pub.status(topic, "stale")

    # --- loops ------------------------------------------------------------------------------------

    def _take_path(self, update: Update) -> None:
        if update.kind not in ("snapshot", "update") or update.status == "stale":
            return
        plants = [str(plant) for plant in update.data.get("plants", [])]
        if self._pub.epoch in plants:
            raise UselessError(f"it follows this server: data comes through {', '.join(plants)}")
        self._say_path(plants or [self._copy.epoch])

    def _say_path(self, above: list[str]) -> None:
        """Publishes through which plants data comes here: this one, and those above."""
        path = [self._pub.epoch, *above]
        if path != self._path:
            self._path = path
            self._pub.publish(PATH, {"plants": path})


class Copy:
    """Publishes the messages of the upper plant here: each event once, each image whole.

    On the plugins' loop. A position is the last seq of a topic that is published here; positions
    belong to one epoch of the upper plant.
    """

    def __init__(self, pub: Pub) -> None:
        self.epoch = ""
        self._pub = pub
        self._faults = FaultLog(pub.log)
        self._seqs: dict[str, int] = {}
        self._earlier = set[str]()
        """Topics of which this run of the server has messages of an earlier epoch."""
        self._events = set[str]()
        """Event topics, declared so."""

    def begin(self, epoch: str) -> None:
        """A connection to the upper plant begins."""
        if epoch != self.epoch:
            self._earlier.update(self._seqs)
            self._seqs.clear()
        self.epoch = epoch

    def positions(self, patterns: Sequence[str]) -> dict[str, int]:
        """Where the topics that match continue; the protocol takes so many of them at most."""
        wide = [pattern for pattern in patterns if is_pattern(pattern)]
        found = {topic: self._seqs[topic] for topic in patterns if topic in self._seqs}
        if wide:
            found |= {
                topic: seq
                for topic, seq in self._seqs.items()
                if any(matches(pattern, topic) for pattern in wide)
            }
        return dict(islice(found.items(), SINCE_MAX))

    def take(self, batch: Sequence[Update]) -> None:
        """Publishes what comes in succession at once, which costs less."""
        run: list[Update] = []
        for update in batch:
            if update.kind == "update" and update.seq == self._seqs.get(update.topic, -1) + 1:
                self._seqs[update.topic] = update.seq
                run.append(update)
                continue
            self._publish(run)
            run = []
            try:
                self._take_one(update)
            except TickwireError as e:
                self._leave_out(update.topic, e)
        self._publish(run)

    def _publish(self, run: list[Update]) -> None:
        if not run:
            return
        try:
            self._pub.publish_many([(update.topic, update.raw) for update in run])
        except TickwireError as e:
            self._leave_out(e.topic or run[0].topic, e)

    def _take_one(self, update: Update) -> None:
        topic = update.topic
        if update.delivery == "event" and topic not in self._events:
            self._events.add(topic)
            self._pub.declare(topic, "event")
        if update.kind == "status":
            self._set_status(topic, update.status)
        elif update.kind == "gap":
            self._say_gap(topic)
            self._seqs[topic] = update.seq
        elif update.kind == "snapshot":
            if topic in self._events:
                self._take_event(update)
            else:
                self._pub.publish_image(topic, update.raw)
            self._seqs[topic] = update.seq
            self._set_status(topic, update.status)
        elif update.kind == "update" and update.seq > self._seqs.get(topic, 0):
            if topic in self._events:
                self._take_event(update)
            else:
                self._pub.publish(topic, update.raw)
            self._seqs[topic] = update.seq

    def _take_event(self, update: Update) -> None:
        """Publishes an event that does not simply follow the last one."""
        topic, known = update.topic, self._seqs.get(update.topic)
        if known is not None and update.seq <= known:
            return
        last = self._pub.snapshot(topic)
        if last is not None and (known is None or update.seq > known + 1):
            # Numbers of another epoch, or of a former run of this server: by them nobody can say
            # whether this event is the one that is known already. Its data can.
            if known is None and last.raw == update.raw:
                return
            self._say_gap(topic)
            if update.status == "stale" and topic in self._earlier:
                return  # nothing came since the upper plant crashed: this is from before
        self._pub.publish(topic, update.raw)

    def _say_gap(self, topic: str) -> None:
        self._pub.log.info("%s: the upper plant has events that will not come", topic)
        self._set_status(topic, "stale")

    def _set_status(self, topic: str, status: str | None) -> None:
        with suppress(UnknownTopicError):
            self._pub.status(topic, status or "live")

    def _leave_out(self, topic: str, error: TickwireError) -> None:
        kind = f"left out: {type(error).__name__}"
        self._faults.error(kind, "%s: left out: %s", topic, error)
        self._set_status(topic, "stale")
