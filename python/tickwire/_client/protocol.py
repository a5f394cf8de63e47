"""The client's half of docs/PROTOCOL.md without I/O: texts in, events and commands out.

An update that does not follow the one before is held back and its topic refreshed: the snapshot is
asked for through a subscription to the topic itself, which is given back once it came. After a lost
connection each topic goes on where it was (`wants`), or begins anew.
"""

import json
import math
from collections.abc import Iterable, Sequence
from itertools import count, islice, zip_longest
from typing import Any

from tickwire._client.ask import SNAPSHOT, Ask, Start, Want, among, portions
from tickwire._client.events import (
    Answer,
    Command,
    Data,
    Doubted,
    Drain,
    Ended,
    Event,
    Resumption,
    Welcome,
)
from tickwire._client.snapshots import get_fields, snapshots_of
from tickwire._client.topics import Outcome, TopicTable
from tickwire._client.wants import Wants
from tickwire._pattern import is_pattern, matches
from tickwire.errors import ProtocolError, TickwireError, error_for
from tickwire.update import Decode, Update, number_of, parse_message


class Protocol:
    """One for each client. It outlives the client's connections."""

    def __init__(self) -> None:
        self.topics = TopicTable()
        self.holes = 0
        """The number of messages that did not follow the one before; it should stay 0."""
        self.wants = Wants()
        self._replayed: set[str] = set()
        """Topics whose messages may be repeated, because somebody asked for the last ones."""
        self._resumed: dict[str, Resumption] = {}
        """How each name continued on this connection."""
        self._ids = count(1)
        self._pending: dict[int, Command] = {}
        self._flying: dict[str, int] = {}
        """Name -> the number of unanswered commands that contain it."""

        self._decode: Decode | None = None

    def decode_with(self, decode: Decode) -> None:
        """Has the data of all messages and images made of their text in this way."""
        self._decode = self.topics.images.decode = decode

    # --- commands ---------------------------------------------------------------------------------

    def want(
        self,
        topic: str,
        snapshot: bool,
        max_rate: float,
        repeat: bool,
        start: Start = SNAPSHOT,
    ) -> None:
        """Wants a name. `repeat`: ask the server even if nothing is new, because it begins in
        another way."""
        self.wants.want(topic, snapshot, max_rate, repeat, start)

    def unwant(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._forget(topic)

    def reconcile(self, commands_max: int | None = None) -> list[Command]:
        """Returns the commands that ask the server for what is wanted, to be sent now and in this
        order.

        commands_max: the most subscribes to return now; the others are returned later.
        """
        self.wants.changed = False
        commands = [self._unsubscribe(some) for some in portions(self.wants.leave())]
        asks = self.wants.asks(self.topics)
        return commands + [self._subscribe(ask) for ask in islice(asks, commands_max)]

    @property
    def reconciled(self) -> bool:
        """Whether the server has answered for everything that can be asked for now."""
        return not self._flying and not self.wants.waiting

    @property
    def subscribing(self) -> int:
        """The number of subscribes that have no answer yet."""
        return sum(command.ask is not None for command in self._pending.values())

    def settled(self, name: str) -> bool:
        """As `reconciled`, for one topic or pattern."""
        return name not in self._flying and self.wants.settled(name)

    def publish(self, topic: str, data: str, once: str | None = None) -> Command:
        fields = f'"topic":{json.dumps(topic)},"data":{data}'
        if once is not None:
            fields += f',"once":{json.dumps(once)}'
        return self._command("publish", fields)

    def list_topics(self, pattern: str, after: str) -> Command:
        return self._command("list", f'"pattern":{json.dumps(pattern)},"after":{json.dumps(after)}')

    def get(self, topics: list[str], after: str) -> Command:
        return self._command("get", get_fields(topics, after))

    def auth(self, token: str) -> Command:
        return self._command("auth", f'"token":{json.dumps(token)}')

    def ping(self) -> Command:
        return self._command("ping")

    def refresh(self, topics: Iterable[str]) -> None:
        """Has the snapshots of these topics asked for, because a reader could not follow them."""
        for topic in topics:
            self.wants.repair(topic)
            self.topics.disarm(topic)

    def arm(self, topic: str, route: int) -> None:
        """Lets the core apply what only goes on with a topic, and pass it to `route`, if nothing
        else is to be expected of the topic."""
        if not self.wants.repairing(topic) and topic not in self._replayed:
            self.topics.arm(topic, route)

    def follows_beside(self, command: Command, topic: str) -> bool:
        """Whether another subscription matched the topic, too. If that one covers it, the server
        sends no second snapshot."""
        if topic in command.topics:
            return False
        beside = command.beside
        return topic in beside or any(is_pattern(n) and matches(n, topic) for n in beside)

    def connection_lost(self) -> None:
        """Marks everything as doubtful until the next connection continues from there."""
        self.topics.doubt_all()
        self.wants.connection_lost(self.topics)
        self._replayed.clear()
        self._pending.clear()
        self._flying.clear()
        self._resumed.clear()

    def _subscribe(self, ask: Ask) -> Command:
        fields = f'"topics":{json.dumps(ask.topics)}'
        if not ask.how.snapshot:
            fields += ',"snapshot":false'
        if ask.how.max_rate < math.inf:
            fields += f',"max_rate":{ask.how.max_rate}'
        if ask.how.last:
            fields += f',"last":{ask.how.last}'
        if ask.since:
            since = json.dumps(ask.since, separators=(",", ":"))
            fields += f',"since":{since},"epoch":{json.dumps(self.topics.epoch)}'
        beside = frozenset[str]()
        if any(map(is_pattern, ask.topics)):
            beside = self.wants.asked_beside(ask.topics)
        return self._command("subscribe", fields, ask.topics, ask, beside)

    def _unsubscribe(self, topics: Sequence[str]) -> Command:
        return self._command("unsubscribe", f'"topics":{json.dumps(topics)}', topics)

    def _command(
        self,
        kind: str,
        fields: str = "",
        topics: Sequence[str] = (),
        ask: Ask | None = None,
        beside: frozenset[str] = frozenset(),
    ) -> Command:
        number = next(self._ids)
        head = f'{{"type":"{kind}","id":{number}'
        text = f"{head},{fields}}}" if fields else head + "}"
        command = self._pending[number] = Command(number, kind, text, tuple(topics), ask, beside)
        for topic in topics:
            self._flying[topic] = self._flying.get(topic, 0) + 1
        return command

    def _answered(self, number: int) -> Command | None:
        command = self._pending.pop(number, None)
        for topic in command.topics if command is not None else ():
            self._flying[topic] -= 1
            if not self._flying[topic]:
                del self._flying[topic]
        return command

    # --- messages ---------------------------------------------------------------------------------

    def receive(self, text: str) -> Event | None:
        """Takes a message of the server. After a `ProtocolError` the connection is useless."""
        message = parse_message(text, self._decode)
        if isinstance(message, Update):
            return self._take_update(message)
        try:
            return self._take_other(message, text)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as e:
            raise ProtocolError(f"a message with a wrong field: {e!r}: {text[:100]!r}") from e

    def _take_other(self, message: dict[str, Any], text: str) -> Event | None:
        match message["type"]:
            case "ack" | "pong":
                return self._take_answer(message, text)
            case "error":
                return self._take_error(message)
            case "welcome":
                welcome = _welcome(message)
                self.wants.begin(self.topics.begin(welcome.epoch))
                return welcome
            case "epoch":  # what is held goes on in it
                self.topics.epoch = str(message["epoch"])
            case "drain":
                return Drain(number_of(message, "reconnect_after_ms"))
        return None  # a heartbeat, or a message that only a later server knows

    def _take_answer(self, message: dict[str, Any], text: str) -> Answer | None:
        if "id" not in message:
            return None  # it says that the token in the URL was accepted
        command = self._answered(message["id"])
        if command is None:
            return None
        answer = Answer(
            command,
            names=[str(n) for n in message.get("topics", ())],
            next=message.get("next"),
            judged=message.get("judged", True),
        )
        for result in message.get("results", ()):
            topic: str = result["topic"]
            if "error" in result:
                answer.refused[topic] = _error_of(result["error"], topic)
            else:
                answer.seqs[topic] = number_of(result, "seq") if "seq" in result else 0
                if result.get("partial"):
                    answer.partial.add(topic)
                if "recovered" in result:
                    missed = number_of(result, "missed") if "missed" in result else None
                    answer.resumed[topic] = Resumption(bool(result["recovered"]), missed)
        if command.kind == "subscribe":
            self._settle(command, answer)
        elif command.kind == "get":
            answer.states.extend(snapshots_of(text, self._decode))
        return answer

    def _settle(self, command: Command, answer: Answer) -> None:
        ask = command.ask
        assert ask is not None
        for topic, asked in zip_longest(ask.topics, ask.wants):
            # By now it may be unsubscribed, or wanted by another subscribe with its own answer.
            want = self.wants.get(topic)
            ours = asked is None or (want is not None and want.life == asked.life)
            if topic in answer.refused:
                self._refuse(topic, asked, ours, ask, answer.refused[topic].retryable)
            elif topic in answer.seqs:
                if ours and asked is not None:
                    self._begin(topic, ask, answer)
                if ask.how.last:
                    self.topics.disarm_all()
                    again = among(topic, list(self.topics))
                    self._replayed.update(filter(self.topics.synced, again))

    def _refuse(self, topic: str, asked: Want | None, ours: bool, ask: Ask, retry: bool) -> None:
        version = 0 if asked is None else asked.version
        if not retry and ours:
            self._forget(topic)
        self.wants.refused(topic, ask, version, retry)

    def _begin(self, name: str, ask: Ask, answer: Answer) -> None:
        resumes = self.wants.accepted(name, ask)
        self._place(name, ask, answer)
        if resumes:
            self._count_others(name, answer)

    def _place(self, name: str, ask: Ask, answer: Answer) -> None:
        """Notes where the topics of an accepted name stand."""
        if self.wants.take_anew(name):
            answer.resumed[name] = Resumption(False, None)
        elif answer.resumed.get(name) == Resumption(False, None):
            self.topics.forget(name)  # the server does not know this seq
        if not is_pattern(name) and not (ask.how.snapshot and answer.seqs[name]):
            self.topics.hold(name, answer.seqs[name])

    def _count_others(self, name: str, answer: Answer) -> None:
        """Adds up the results of topics that continued with other names, which the own result
        leaves out."""
        own = answer.resumed.get(name)
        others = self.wants.went_on_beside(name).difference(answer.command.topics)
        if others:
            refused = Resumption(False, None)
            parts = [self._resumed.get(other, refused) for other in others]
            parts += [own] if own is not None else []
            known = [part.missed for part in parts if part.missed is not None]
            # A pattern's number may count topics that this name does not match.
            all_known = len(known) == len(parts) and not any(map(is_pattern, others))
            own = Resumption(all(p.recovered for p in parts), sum(known) if all_known else None)
        if own is not None:
            answer.resumed[name] = self._resumed[name] = own

    def _take_error(self, message: dict[str, Any]) -> Event | None:
        error = _error_of(message, message.get("topic"))
        number = message.get("id")
        if number is None:
            return self._take_end(error)
        command = self._answered(number)
        if command is None:
            return None
        if command.kind == "unsubscribe" and error.retryable:
            self.wants.kept(command.topics)
        if command.ask is None:
            return Answer(command, error)
        if not command.ask.wants and not error.retryable:
            raise ProtocolError(f"the server did not repeat a snapshot: {error}")
        # If a whole subscribe is refused, each of its topics is.
        answer = Answer(command, refused=dict.fromkeys(command.topics, error))
        self._settle(command, answer)
        return answer

    def _take_end(self, error: TickwireError) -> Event:
        topic = error.topic
        if topic is None:
            return Ended(error)
        if error.retryable:
            doubted = list(among(topic, list(self.topics)))
            for name in doubted:
                self.topics.doubt(name)
            return Doubted(doubted, error)
        self.topics.doubt(topic)
        self._forget(topic)
        self.wants.ended(topic)
        return Ended(error)

    # --- topics -----------------------------------------------------------------------------------

    def _take_update(self, update: Update) -> Data | None:
        name = update.topic
        before = self.topics.seq(name)
        if update.kind == "snapshot":
            self.wants.repaired(name)
        known = name in self.topics
        expected = known or any(self.wants.active(name))
        if not expected and update.kind == "snapshot":
            # A subscribe that has no answer yet may find the topic shown by this snapshot, and then
            # brings none of its own.
            expected = self.wants.awaits_snapshot(name)
        if not expected:
            return None  # it was on its way when the topic was unsubscribed
        if update.kind == "snapshot":
            # One that was owed already comes before the last messages.
            if not known and any(how.last for _, how in self.wants.active(name)):
                self._replayed.add(name)
        elif name in self._replayed:
            if update.kind in ("update", "gap") and update.seq <= before:
                return Data(update, news=False, begins=True, seq_before=before)
            self._replayed.discard(name)
        begins = not known and self._begins_anywhere(update)
        outcome = self.topics.take(update, begins)
        if outcome is Outcome.HOLE:
            self.holes += self.wants.repair(name)
            return None
        return Data(update, outcome is Outcome.NEWS, begins, before)

    def _begins_anywhere(self, update: Update) -> bool:
        event = update.delivery == "event" or update.kind == "gap"
        hows = (how for _, how in self.wants.active(update.topic))
        return any(not how.snapshot or (how.last and event) for how in hows)

    def _forget(self, gone: str) -> Want | None:
        """Forgets a want, and what is known of the topics that no other want covers."""
        want = self.wants.forget(gone)
        names = [gone]
        if want is not None and is_pattern(gone):
            names = [name for name in self.topics if matches(gone, name)]
        for name in names:
            if not self.wants.cover(name):
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
        retry_after_ms=number_of(told, "retry_after_ms") if "retry_after_ms" in told else 0,
    )
