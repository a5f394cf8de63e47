"""Whatever a server conflates, repeats or loses: once all is quiet, the images are right."""

import json
import math
from collections import deque
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tickwire._events import Command, Data
from tickwire._pattern import matches
from tickwire._protocol import Protocol

TOPICS = st.sampled_from(["a", "b", "x.y", "x.z"])
WANTS = st.sampled_from(["a", "b", "x.*", ">", "x.z", "*.y"])
FIELDS = st.dictionaries(st.sampled_from("fgh"), st.none() | st.integers(0, 9), max_size=3)


class FaultyServer(RuleBasedStateMachine):
    """A server on a bad day: messages wait in `wire`, and some vanish from it."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Protocol()
        self.images: dict[str, dict[str, Any]] = {}
        self.seqs: dict[str, int] = {}
        self.subscribed: set[str] = set()
        self.wanted: set[str] = set()
        self.wire: deque[str] = deque()
        self.seen: dict[str, tuple[str, int]] = {}

    @initialize()
    def connect(self) -> None:
        self.ask(self.client.subscribe_commands())

    # --- the server -------------------------------------------------------------------------------

    def ask(self, commands: list[Command]) -> None:
        for command in commands:
            results = [{"topic": topic, "seq": self.seqs.get(topic, 0)} for topic in command.topics]
            self.tell(type="ack", id=command.id, results=results)
            if command.kind == "unsubscribe":
                self.subscribed.difference_update(command.topics)
                continue
            self.subscribed.update(command.topics)
            for topic in sorted(self.seqs):
                if any(matches(want, topic) for want in command.topics):
                    self.tell_snapshot(topic)

    def tell(self, **message: Any) -> None:
        self.wire.append(json.dumps(message, separators=(",", ":")))

    def tell_snapshot(self, topic: str) -> None:
        told = {"topic": topic, "seq": self.seqs[topic], "ts": 1, "status": "live"}
        self.tell(type="snapshot", **told, data=self.images[topic])

    @rule(topic=TOPICS, data=FIELDS, fate=st.sampled_from(["sent", "sent", "lost", "conflated"]))
    def publish(self, topic: str, data: dict[str, Any], fate: str) -> None:
        fields = self.images.get(topic, {}) | data
        self.images[topic] = {name: value for name, value in fields.items() if value is not None}
        self.seqs[topic] = self.seqs.get(topic, 0) + 1
        if any(matches(want, topic) for want in self.subscribed):
            if fate == "sent":
                self.tell(type="update", topic=topic, seq=self.seqs[topic], ts=1, data=data)
            elif fate == "conflated":
                self.tell_snapshot(topic)

    # --- the client -------------------------------------------------------------------------------

    @rule(some=st.integers(1, 5))
    def deliver(self, some: int) -> None:
        while self.wire and some:
            some -= 1
            event = self.client.receive(self.wire.popleft())
            if isinstance(event, Data):
                self.check(event)
            self.ask(self.client.take_outbox())

    def check(self, event: Data) -> None:
        update = event.update
        kind, last = self.seen.get(update.topic, ("", 0))
        if update.kind == "update":
            assert update.seq == last + 1, f"a hole after {kind} {last} was passed on"
        self.seen[update.topic] = (update.kind, update.seq)

    @rule(want=WANTS)
    def subscribe(self, want: str) -> None:
        self.wanted.add(want)
        self.client.want(want, True, math.inf, True)
        self.ask(self.client.subscribe_commands())

    @rule(want=WANTS)
    def unsubscribe(self, want: str) -> None:
        self.wanted.discard(want)
        self.ask(self.client.unwant([want]))
        self.seen = {t: v for t, v in self.seen.items() if any(matches(w, t) for w in self.wanted)}

    @rule()
    def reconnect(self) -> None:
        self.wire.clear()
        self.subscribed.clear()
        self.seen.clear()
        self.client.connection_lost()
        self.ask(self.client.subscribe_commands())

    @invariant()
    def only_what_is_wanted_is_remembered(self) -> None:
        for topic in self.client.topics:
            assert any(matches(want, topic) for want in self.wanted)

    def teardown(self) -> None:
        """One more update of each topic shows what was lost; then all is as the server has it."""
        for _ in range(2):
            for topic in sorted(self.seqs):
                self.publish(topic, {"end": 1}, "sent")
            self.deliver(1_000_000)
        right = {t: i for t, i in self.images.items() if any(matches(w, t) for w in self.wanted)}
        assert self.client.topics.images == right


FaultyServer.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestFaultyServer = FaultyServer.TestCase
