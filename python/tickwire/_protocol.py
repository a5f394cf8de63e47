"""The client's half of docs/PROTOCOL.md without I/O: texts in, events and commands out.

An update that does not follow the one before is held back and its topic refreshed: the snapshot is
asked for through a subscription to the topic itself, which is given back once it came. After a lost
connection each topic goes on where it was (`_wants`), or begins anew.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, zip_longest
from typing import Any

from tickwire._events import Answer, Command, Data, Drain, Ended, Event, Resumption, Welcome
from tickwire._pattern import is_pattern, matches
from tickwire._topics import Outcome, Topics
from tickwire._wants import SNAPSHOT, Ask, Start, Want, Wants, among, portions
from tickwire.errors import ProtocolError, TickwireError, error_for
from tickwire.update import Update, parse_message


class Protocol:
    """One per client; it outlives its connections."""

    def __init__(self) -> None:
        self.topics = Topics()
        self.holes = 0
        """Messages that did not follow, by no fault of the network: there must be none."""
        self._outbox: list[Command] = []
        self._wants = Wants()
        self._refreshing: set[str] = set()
        self._replayed: set[str] = set()
        """Topics of which known messages may come again, because somebody asked for the last."""
        self._resumed: dict[str, Resumption] = {}
        """How wants went on, on this connection."""
        self._ids = count(1)
        self._pending: dict[int, Command] = {}
        self._own: set[int] = set()

    # --- commands ---------------------------------------------------------------------------------

    def want(
        self,
        topic: str,
        snapshot: bool,
        max_rate: float,
        repeat: bool,
        start: Start = SNAPSHOT,
    ) -> None:
        """To be asked for, if that says anything new; `repeat`: anyway, for how it begins."""
        self._wants.want(topic, snapshot, max_rate, repeat, start)

    @property
    def waiting(self) -> bool:
        """Is anything wanted that was not asked for yet on this connection?"""
        return self._wants.waiting

    def subscribe_commands(self) -> Iterator[Command]:
        """What was not asked for yet; to be called while anything is `waiting`.

        It is decided now, but each command leaves out what was unsubscribed before its turn came:
        sent after the unsubscribe, it would stay at the server for good.
        """
        asks = list(self._wants.asks(self.topics))
        rests = (self._wants.rest(ask) for ask in asks)
        return (self._subscribe(rest) for rest in rests if rest.topics)

    def unwant(self, topics: Iterable[str]) -> list[Command]:
        """Forgets them; the commands tell the server, which knows of those that were asked for."""
        told: list[str] = []
        for topic in topics:
            want = self._forget(topic)
            # One that is being refreshed is given back when its snapshot came.
            if want is not None and want.asked and topic not in self._refreshing:
                told.append(topic)
        return [self._unsubscribe(some) for some in portions(told)]

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
            for some in portions(missing):
                self._post(self._subscribe(Ask(some, True, max_rate)))

    def refuse(self, command: Command, error: TickwireError) -> Answer:
        """Takes the refusal of a whole subscribe for one of each of its topics."""
        answer = Answer(command, refused=dict.fromkeys(command.topics, error))
        self._settle(command, answer)
        return answer

    def follows_beside(self, command: Command, topic: str) -> bool:
        """Does another subscription match, too? If it decides, the server repeats no snapshot."""
        if topic in command.topics:
            return False
        return any(name not in command.topics for name, _ in self._wants.active(topic))

    def take_outbox(self) -> list[Command]:
        """Commands of its own, to be sent after each receive() and refresh()."""
        commands, self._outbox = self._outbox, []
        return commands

    def connection_lost(self) -> None:
        """What is held may be old, until the next connection goes on from there."""
        self.topics.doubt_all()
        self._wants.connection_lost(self.topics)
        for state in (self._refreshing, self._replayed, self._pending, self._own, self._outbox):
            state.clear()
        self._resumed.clear()

    def _subscribe(self, ask: Ask) -> Command:
        fields = f'"topics":{json.dumps(ask.topics)}'
        if not ask.snapshot:
            fields += ',"snapshot":false'
        if ask.max_rate < math.inf:
            fields += f',"max_rate":{ask.max_rate}'
        if ask.last:
            fields += f',"last":{ask.last}'
        if ask.since:
            since = json.dumps(ask.since, separators=(",", ":"))
            fields += f',"since":{since},"epoch":{json.dumps(self.topics.epoch)}'
        return self._command("subscribe", fields, ask.topics, ask)

    def _unsubscribe(self, topics: Sequence[str]) -> Command:
        return self._command("unsubscribe", f'"topics":{json.dumps(topics)}', topics)

    def _command(
        self, kind: str, fields: str = "", topics: Sequence[str] = (), ask: Ask | None = None
    ) -> Command:
        number = next(self._ids)
        head = f'{{"type":"{kind}","id":{number}'
        text = f"{head},{fields}}}" if fields else head + "}"
        command = self._pending[number] = Command(number, kind, text, tuple(topics), ask)
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
                welcome = _welcome(message)
                self._wants.begin(self.topics.begin(welcome.epoch))
                return welcome
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
                if "recovered" in result:
                    missed = result.get("missed")
                    answer.resumed[topic] = Resumption(
                        bool(result["recovered"]), None if missed is None else int(missed)
                    )
        if command.kind == "subscribe":
            self._settle(command, answer)
        return answer

    def _settle(self, command: Command, answer: Answer) -> None:
        ask = command.ask
        assert ask is not None
        for topic, want in zip_longest(ask.topics, ask.wants):
            # It may be unsubscribed by now, or subscribed anew, which has an answer of its own.
            ours = want is None or self._wants.get(topic) is want
            if topic in answer.refused:
                self._refreshing.discard(topic)
                if ours:
                    self._forget(topic)
            elif topic in answer.seqs:
                if ours and want is not None:
                    self._begin(topic, want, ask, answer)
                if ask.last:
                    again = among(topic, list(self.topics))
                    self._replayed.update(filter(self.topics.synced, again))

    def _begin(self, name: str, want: Want, ask: Ask, answer: Answer) -> None:
        resumes, want.answered, want.resume = want.resume, ask.how, False
        self._place(name, want, ask, answer)
        if resumes:
            self._count_others(name, answer)

    def _place(self, name: str, want: Want, ask: Ask, answer: Answer) -> None:
        """Where its topics stand, now that it is active."""
        if want.anew:
            want.anew = False
            answer.resumed[name] = Resumption(False, None)
        elif answer.resumed.get(name) == Resumption(False, None):
            self.topics.forget(name)  # the server knows of no such seq
        if not is_pattern(name) and not (ask.snapshot and answer.seqs[name]):
            self.topics.hold(name, answer.seqs[name])

    def _count_others(self, name: str, answer: Answer) -> None:
        """Those of its topics that went on with other wants; its own result is silent on them."""
        own = answer.resumed.get(name)
        others = self._wants.beside(name).difference(answer.command.topics)
        if others:
            refused = Resumption(False, None)
            parts = [self._resumed.get(other, refused) for other in others]
            parts += [own] if own is not None else []
            known = [part.missed for part in parts if part.missed is not None]
            # A pattern's number counts topics that this one may not match.
            all_known = len(known) == len(parts) and not any(map(is_pattern, others))
            own = Resumption(all(p.recovered for p in parts), sum(known) if all_known else None)
        if own is not None:
            answer.resumed[name] = self._resumed[name] = own

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
        if name not in self.topics and not any(self._wants.active(name)):
            return None  # on its way when it was unsubscribed
        if name in self._replayed:
            if update.kind in ("update", "gap") and update.seq <= self.topics.seq(name):
                return Data(update, news=False, begins=True)
            self._replayed.discard(name)
        begins = name not in self.topics and self._begins_anywhere(update)
        outcome = self.topics.take(update, begins)
        if outcome is Outcome.HOLE:
            self.holes += name not in self._refreshing
            self.refresh([name])
            return None
        return Data(update, outcome is Outcome.NEWS, begins)

    def _begins_anywhere(self, update: Update) -> bool:
        event = update.delivery == "event" or update.kind == "gap"
        hows = (want.answered for _, want in self._wants.active(update.topic))
        return any(how and (not how.snapshot or (how.last and event)) for how in hows)

    def _give_back(self, name: str) -> None:
        """Ends the subscription that refresh() made, now that the snapshot came."""
        if name in self._refreshing:
            self._refreshing.discard(name)
            if self._wants.get(name) is None:
                self._post(self._unsubscribe([name]))

    def _post(self, command: Command) -> None:
        self._own.add(command.id)
        self._outbox.append(command)

    def _forget(self, gone: str) -> Want | None:
        """A want, and what is known of the topics that only it stood for."""
        want = self._wants.forget(gone)
        names = [gone]
        if want is not None and is_pattern(gone):
            names = [name for name in self.topics if matches(gone, name)]
        for name in names:
            if not self._wants.cover(name):
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
