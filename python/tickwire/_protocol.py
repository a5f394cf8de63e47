"""The client's half of docs/PROTOCOL.md without I/O: texts in, events and commands out.

An update that does not follow the one before is held back and its topic refreshed: the snapshot is
asked for through a subscription to the topic itself, which is given back once it came.

States of a want (a topic or pattern that somebody here wants), on one connection::

    idle ──subscribe_commands()──> asked ──ack──> active        a refused one is forgotten
      ^                                             │
      └──────── connection_lost(), want() ──────────┘           want() leaves an active one active
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from tickwire._events import Answer, Command, Data, Drain, Ended, Event, Welcome
from tickwire._pattern import is_pattern, matches
from tickwire._topics import Outcome, Topics
from tickwire.errors import ProtocolError, TickwireError, error_for
from tickwire.update import Update, parse_message

COMMAND_TOPICS_MAX: Final = 10_000
COMMAND_BYTES_MAX: Final = 1_048_576
"""The server takes 2 MiB; this counts the topics alone."""


@dataclass(slots=True)
class Want:
    snapshot: bool
    max_rate: float
    """Messages a second per topic; infinite: every update."""
    asked: bool = False
    active: bool = False


class Protocol:
    """One per client; it outlives its connections."""

    def __init__(self) -> None:
        self.topics = Topics()
        self._outbox: list[Command] = []
        self._wants: dict[str, Want] = {}
        self._patterns: list[str] = []
        """Those of the wants that are patterns."""
        self._refreshing: set[str] = set()
        self._ids = count(1)
        self._pending: dict[int, Command] = {}
        self._own: set[int] = set()

    # --- commands ---------------------------------------------------------------------------------

    def want(self, topic: str, snapshot: bool, max_rate: float, repeat: bool) -> None:
        """To be asked for, if that says anything new; `repeat`: anyway, for its snapshots."""
        old = self._wants.get(topic)
        if repeat or old is None or (old.snapshot, old.max_rate) != (snapshot, max_rate):
            active = old is not None and old.active
            if old is None and is_pattern(topic):
                self._patterns.append(topic)
            self._wants[topic] = Want(snapshot, max_rate, active=active)

    def subscribe_commands(self) -> list[Command]:
        """What was wanted and not asked for yet on this connection."""
        alike: dict[tuple[bool, float], list[str]] = {}
        for topic, want in self._wants.items():
            if not want.asked:
                want.asked = True
                alike.setdefault((want.snapshot, want.max_rate), []).append(topic)
        return [
            self._subscribe(some, snapshot, max_rate)
            for (snapshot, max_rate), topics in alike.items()
            for some in _portions(topics)
        ]

    def unwant(self, topics: Iterable[str]) -> list[Command]:
        """Forgets them; the commands tell the server, which knows of those that were asked for."""
        told: list[str] = []
        for topic in topics:
            want = self._forget(topic)
            # One that is being refreshed is given back when its snapshot came.
            if want is not None and want.asked and topic not in self._refreshing:
                told.append(topic)
        return [self._unsubscribe(some) for some in _portions(told)]

    def publish(self, topic: str, data: str) -> Command:
        fields = f'"topic":{json.dumps(topic)},"data":{data}'
        return self._command("publish", fields)

    def list_topics(self, pattern: str, after: str) -> Command:
        return self._command("list", f'"pattern":{json.dumps(pattern)},"after":{json.dumps(after)}')

    def auth(self, token: str) -> Command:
        return self._command("auth", f'"token":{json.dumps(token)}')

    def ping(self) -> Command:
        return self._command("ping")

    def refresh(self, topics: Iterable[str]) -> None:
        """Asks for the snapshots of topics that somebody here could not follow."""
        by_rate: dict[float, list[str]] = {}
        for topic in topics:
            if topic not in self._refreshing:
                self._refreshing.add(topic)
                want = self._wants.get(topic)
                by_rate.setdefault(want.max_rate if want else math.inf, []).append(topic)
        for max_rate, missing in by_rate.items():
            for some in _portions(missing):
                self._post(self._subscribe(some, True, max_rate))

    def take_outbox(self) -> list[Command]:
        """Commands of its own, to be sent after each receive() and refresh()."""
        commands, self._outbox = self._outbox, []
        return commands

    def connection_lost(self) -> None:
        """Nothing is known for certain until the next connection's snapshots."""
        for want in self._wants.values():
            want.asked = want.active = False
        self.topics.doubt_all()
        for state in (self._refreshing, self._pending, self._own, self._outbox):
            state.clear()

    def _subscribe(self, topics: Sequence[str], snapshot: bool, max_rate: float) -> Command:
        fields = f'"topics":{json.dumps(topics)}'
        if not snapshot:
            fields += ',"snapshot":false'
        if max_rate < math.inf:
            fields += f',"max_rate":{max_rate}'
        return self._command("subscribe", fields, topics)

    def _unsubscribe(self, topics: Sequence[str]) -> Command:
        return self._command("unsubscribe", f'"topics":{json.dumps(topics)}', topics)

    def _command(self, kind: str, fields: str = "", topics: Sequence[str] = ()) -> Command:
        number = next(self._ids)
        head = f'{{"type":"{kind}","id":{number}'
        text = f"{head},{fields}}}" if fields else head + "}"
        command = self._pending[number] = Command(number, kind, text, tuple(topics))
        return command

    # --- messages ---------------------------------------------------------------------------------

    def receive(self, text: str) -> Event | None:
        """Takes a message of the server. `ProtocolError`: this connection is of no more use."""
        message = parse_message(text)
        if isinstance(message, Update):
            return self._take_update(message)
        try:
            return self._take_other(message)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise ProtocolError(f"a message with a wrong field: {e!r}: {text[:100]!r}") from e

    def _take_other(self, message: dict[str, Any]) -> Event | None:
        match message["type"]:
            case "ack" | "pong":
                return self._take_answer(message)
            case "error":
                return self._take_error(message)
            case "welcome":
                return _welcome(message)
            case "drain":
                return Drain(int(message["reconnect_after_ms"]))
        return None  # a heartbeat, or a message of a later server

    def _take_answer(self, message: dict[str, Any]) -> Answer | None:
        command = self._pending.pop(message["id"], None)
        if command is None:
            return None
        self._own.discard(command.id)
        answer = Answer(
            command, names=[str(n) for n in message.get("topics", ())], next=message.get("next")
        )
        for result in message.get("results", ()):
            topic: str = result["topic"]
            if "error" in result:
                answer.refused[topic] = _error_of(result["error"], topic)
            else:
                answer.seqs[topic] = int(result.get("seq", 0))
        if command.kind == "subscribe":
            self._settle(command, answer)
        return answer

    def _settle(self, command: Command, answer: Answer) -> None:
        for topic in command.topics:
            want = self._wants.get(topic)
            if topic in answer.refused:
                self._refreshing.discard(topic)
                self._forget(topic)
            elif want is not None and topic in answer.seqs:
                want.active = True

    def _take_error(self, message: dict[str, Any]) -> Event | None:
        error = _error_of(message, message.get("topic"))
        number = message.get("id")
        if number is None:
            if error.topic is not None:
                self.topics.doubt(error.topic)
                self._forget(error.topic)
            return Ended(error)
        command = self._pending.pop(number, None)
        if number in self._own:
            raise ProtocolError(f"the server did not repeat a snapshot: {error}")
        return Answer(command, error) if command else None

    # --- topics -----------------------------------------------------------------------------------

    def _take_update(self, update: Update) -> Data | None:
        name = update.topic
        if update.kind == "snapshot":
            self._give_back(name)
        if name not in self.topics and not any(self._matching(name)):
            return None  # on its way when it was unsubscribed
        synced = self.topics.synced(name)
        if not synced and name in self._refreshing:
            return None
        from_anywhere = not synced and any(not want.snapshot for want in self._matching(name))
        outcome = self.topics.take(update, from_anywhere)
        if outcome is Outcome.HOLE:
            self.refresh([name])
            return None
        return Data(update, outcome is Outcome.NEWS)

    def _give_back(self, name: str) -> None:
        """Ends the subscription that refresh() made, now that the snapshot came."""
        if name in self._refreshing:
            self._refreshing.discard(name)
            if name not in self._wants:
                self._post(self._unsubscribe([name]))

    def _post(self, command: Command) -> None:
        self._own.add(command.id)
        self._outbox.append(command)

    def _matching(self, name: str) -> Iterator[Want]:
        exact = self._wants.get(name)
        if exact is not None and exact.active:
            yield exact
        for pattern in self._patterns:
            want = self._wants[pattern]
            if want.active and matches(pattern, name):
                yield want

    def _forget(self, gone: str) -> Want | None:
        """A want, and what is known of the topics that only it stood for."""
        want = self._wants.pop(gone, None)
        names = [gone]
        if want is not None and is_pattern(gone):
            self._patterns.remove(gone)
            names = [name for name in self.topics if matches(gone, name)]
        for name in names:
            if name not in self._wants and not any(matches(p, name) for p in self._patterns):
                self.topics.forget(name)
        return want


def _welcome(message: dict[str, Any]) -> Welcome:
    heartbeat_s = float(message["heartbeat_s"])
    if not heartbeat_s > 0:
        raise ValueError(f"heartbeat_s: {heartbeat_s} is not above 0")
    return Welcome(
        str(message["session"]), str(message["epoch"]), heartbeat_s, str(message["server"])
    )


def _error_of(told: dict[str, Any], topic: str | None) -> TickwireError:
    return error_for(
        str(told["code"]),
        str(told["message"]),
        field=told.get("field"),
        topic=topic,
        retryable=bool(told["retryable"]),
    )


def _portions(topics: Sequence[str]) -> Iterator[list[str]]:
    """What fits into one command each."""
    some: list[str] = []
    size = 0
    for topic in topics:
        size += len(topic.encode("utf-8", "replace")) + 3
        if some and (len(some) == COMMAND_TOPICS_MAX or size > COMMAND_BYTES_MAX):
            yield some
            some, size = [], len(topic) + 3
        some.append(topic)
    if some:
        yield some
