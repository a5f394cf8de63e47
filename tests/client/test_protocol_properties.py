"""Whatever a server conflates, repeats, replays or loses: no hole is passed on, and once all is
quiet, the images are right."""

import json
import math
import random
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from client.frames import frame
from tickwire._client.ask import Start
from tickwire._client.events import Answer, Command, Data
from tickwire._client.protocol import Protocol
from tickwire._core import ClientStream, UpdateRing
from tickwire._pattern import is_pattern, matches

TOPICS = st.sampled_from(["a", "b", "x.y", "x.z", "e", "x.e"])
WANTS = st.sampled_from(["a", "b", "x.*", ">", "x.z", "*.y", "e", "x.e"])
FIELDS = st.dictionaries(st.sampled_from("fgh"), st.none() | st.integers(0, 9), max_size=3)
FATES = st.sampled_from(["sent"] * 12 + ["lost", "conflated"])
SELDOM = st.sampled_from([False] * 3 + [True])
RING = 3


def is_event(topic: str) -> bool:
    return topic.endswith("e")


class FaultyServer(RuleBasedStateMachine):
    """A server on a bad day: messages wait in `wire`, and some vanish from it."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Protocol()
        self.ring = UpdateRing(1_000_000)
        self.route = self.client.topics.states.route([self.ring])
        self.epoch = 1
        self.images: dict[str, dict[str, Any]] = {}
        self.history: dict[str, list[dict[str, Any]]] = {}
        """All that was published in this epoch, by topic."""
        self.subscribed: set[str] = set()
        self.wanted: set[str] = set()
        self.wire: deque[str] = deque()
        self.reliable = True
        self.seen: dict[str, int] = {}
        self.promised: dict[str, int] = {}
        """Topics that were said to be recovered, with the seq up to which nothing may be missed."""

    @initialize(reliable=st.booleans(), fast=st.booleans(), seed=st.integers(0, 2**32))
    def begin_life(self, reliable: bool, fast: bool, seed: int) -> None:
        self.reliable = reliable
        self.chunks = random.Random(seed)
        self.client.topics.arming = fast
        self.connect()

    def connect(self) -> None:
        self.stream = ClientStream(self.client.topics.states, False, 15, True, 2**24, None)
        self.stream.stop_each = True
        self.tell(type="welcome", session="s", epoch=f"e{self.epoch}", heartbeat_s=9, server="m")
        self.deliver(1)
        self.ask_all()

    def ask_all(self) -> None:
        while commands := self.client.reconcile(1):
            self.ask(commands)

    # --- the server -------------------------------------------------------------------------------

    def seq(self, topic: str) -> int:
        return len(self.history.get(topic, ()))

    def ask(self, commands: Iterable[Command]) -> None:
        for command in commands:
            told = json.loads(command.text)
            if command.kind == "unsubscribe":
                results = [{"topic": topic, "seq": self.seq(topic)} for topic in command.topics]
                self.tell(type="ack", id=command.id, results=results)
                self.subscribed.difference_update(command.topics)
                continue
            results = [self.result(topic, told) for topic in command.topics]
            self.tell(type="ack", id=command.id, results=results)
            self.subscribed.update(command.topics)
            for topic in sorted(self.history):
                if any(matches(want, topic) for want in command.topics):
                    self.begin(topic, told)

    def result(self, want: str, told: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"topic": want}
        if not is_pattern(want):
            found["seq"] = self.seq(want)
        since = {t: s for t, s in told.get("since", {}).items() if matches(want, t)}
        if since:
            assert told["epoch"] == f"e{self.epoch}", "the client knows better"
            assert all(s <= self.seq(t) for t, s in since.items())
            found["recovered"] = all(self.seq(t) - s <= RING for t, s in since.items())
            found["missed"] = sum(self.seq(t) - s for t, s in since.items())
        return found

    def begin(self, topic: str, told: dict[str, Any]) -> None:
        seq, kept = self.seq(topic), max(self.seq(topic) - RING, 0)
        since = told.get("since", {}).get(topic)
        if since is None and told.get("last") and is_event(topic):
            since = max(seq - told["last"], kept)
        if since is None or (since < kept and not is_event(topic)):
            return self.tell_snapshot(topic)
        if since < kept:
            self.tell(**{"type": "gap", "topic": topic, "from": since + 1, "to": kept})
        for number in range(max(since, kept) + 1, seq + 1):
            self.tell_update(topic, number)
        self.tell(type="status", topic=topic, seq=seq, ts=1, status="live")
        return None

    def tell(self, **message: Any) -> None:
        self.wire.append(json.dumps(message, separators=(",", ":")))

    def tell_snapshot(self, topic: str) -> None:
        told = {"topic": topic, "seq": self.seq(topic), "ts": 1, "status": "live"}
        self.tell(type="snapshot", **told, data=self.images[topic])

    def tell_update(self, topic: str, seq: int) -> None:
        data = self.history[topic][seq - 1]
        more = {"delivery": "event"} if is_event(topic) else {}
        self.tell(type="update", topic=topic, seq=seq, ts=1, **more, data=data)

    @rule(some=st.lists(st.tuples(TOPICS, FIELDS, FATES), min_size=1, max_size=12))
    def burst(self, some: list[tuple[str, dict[str, Any], str]]) -> None:
        for topic, data, fate in some:
            self.publish(topic, data, fate)
        self.deliver(len(some))

    def publish(self, topic: str, data: dict[str, Any], fate: str) -> None:
        fields = self.images.get(topic, {}) | data
        merged = {name: value for name, value in fields.items() if value is not None}
        self.images[topic] = data if is_event(topic) else merged
        self.history.setdefault(topic, []).append(data)
        if any(matches(want, topic) for want in self.subscribed):
            if fate == "sent" or (self.reliable and fate == "lost"):
                self.tell_update(topic, self.seq(topic))
            elif fate == "conflated":
                self.tell_snapshot(topic)

    # --- the client -------------------------------------------------------------------------------

    @rule(some=st.sampled_from([1, 3, 100]))
    def deliver(self, some: int) -> None:
        while self.wire and some:
            some -= 1
            for chunk in self.cut(frame(self.wire.popleft().encode())):
                self.read(chunk)

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The bytes of a message, in pieces as a network may cut them."""
        while data:
            size = self.chunks.choice((1, 7, 60, 1000))
            yield data[:size]
            data = data[size:]

    def read(self, chunk: bytes) -> None:
        """As a connection does: the core takes what only goes on, the protocol judges the rest."""
        self.stream.room()[: len(chunk)] = chunk
        self.stream.received(len(chunk))
        while (found := self.stream.next()) is not None:
            if type(found) is str:
                event = self.client.receive(found)
                if isinstance(event, Data):
                    self.client.arm(event.update.topic, self.route)
            else:
                event = Data(self.ring.pop(), news=True)
            if isinstance(event, Data):
                self.check(event)
            elif isinstance(event, Answer):
                self.check_recovered(event)
            self.ask(self.client.reconcile())

    def check(self, event: Data) -> None:
        update, last = event.update, self.seen.get(event.update.topic)
        if not event.news:
            assert update.kind in ("snapshot", "status") or update.seq <= (last or 0)
            return
        if update.kind in ("update", "gap"):
            assert event.begins or update.first_seq == (last or 0) + 1, f"a hole after {last}"
        if update.kind in ("snapshot", "gap"):
            whole = self.promised.get(update.topic, 0)
            assert update.kind != "gap" or update.seq > whole, "it was said to be recovered"
        self.seen[update.topic] = update.seq

    def check_recovered(self, answer: Answer) -> None:
        for topic, how in answer.resumed.items():
            if how.recovered and how.missed is not None and not is_pattern(topic):
                self.promised[topic] = self.seen.get(topic, 0) + how.missed

    @rule(want=WANTS, last=st.sampled_from([0, 2]))
    def subscribe(self, want: str, last: int) -> None:
        self.wanted.add(want)
        self.client.want(want, True, math.inf, True, Start(last=last))
        self.ask_all()

    @rule(topic=TOPICS)
    def refresh(self, topic: str) -> None:
        """A reader that fell behind asks for the snapshot of a topic that goes on all the same."""
        if self.client.topics.seq(topic):
            self.client.refresh([topic])
            self.ask_all()

    @rule(want=WANTS, really=SELDOM)
    def unsubscribe(self, want: str, really: bool) -> None:
        if not really:
            return
        self.wanted.discard(want)
        self.client.unwant([want])
        self.ask_all()
        self.forget_unwanted()

    def forget_unwanted(self) -> None:
        for known in (self.seen, self.promised):
            for topic in [t for t in known if not any(matches(w, t) for w in self.wanted)]:
                del known[topic]

    @rule(restart=SELDOM)
    def lose_connection(self, restart: bool) -> None:
        if restart:
            self.epoch += 1
            for known in (self.images, self.history, self.seen):
                known.clear()
        self.wire.clear()
        self.subscribed.clear()
        self.promised.clear()
        self.client.connection_lost()
        self.connect()

    @invariant()
    def holes_are_the_server_s_fault(self) -> None:
        assert not (self.reliable and self.client.holes)

    @invariant()
    def only_what_is_wanted_is_remembered(self) -> None:
        for topic in self.client.topics:
            assert any(matches(want, topic) for want in self.wanted)

    def teardown(self) -> None:
        """One more update of each topic shows what was lost; then all is as the server has it."""
        for _ in range(2):
            for topic in sorted(self.history):
                self.publish(topic, {"end": 1}, "sent")
            self.deliver(1_000_000)
        right = {t: i for t, i in self.images.items() if any(matches(w, t) for w in self.wanted)}
        assert self.client.topics.images == right
        assert self.subscribed == self.wanted, "the server keeps what is wanted, and nothing else"
        assert not [topic for topic in self.client.topics if self.client.wants.repairing(topic)]
        assert all(self.client.topics.synced(topic) for topic in right)


# The same examples each time, and a failure is shown as it was found: to shrink one takes minutes.
FaultyServer.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
)
TestFaultyServer = FaultyServer.TestCase
