"""What a client follows over HTTP, where each request says all of it. Pure.

Commands of a WebSocket come in; what the next request asks for, and the answers to the commands, go
out. A request goes on where the client is: its cursor is made of what the client knows of each
topic. Topics that cannot go on, or whose snapshot is wanted again, are left out of it and begin
anew; if messages of an event topic are lost by that, a `gap` is put in that says so.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tickwire._client.topics import TopicTable
from tickwire._pattern import is_pattern, matches

CURSOR_BYTES_MAX: Final = 4_096
"""The server reads no longer one."""

LETTERS: Final[Mapping[str, str]] = {"live": "", "stale": "s", "halted": "h", "closed": "c"}
"""A topic's status in a cursor; `?` is one that the client does not know."""

RESUMED: Final = ("recovered", "missed")
"""Fields of a result that say how a name goes on."""

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A subscribe that has no answer yet."""

    id: int
    topics: list[str]
    since: Collection[str]
    last: int
    snapshot: bool


@dataclass(frozen=True, slots=True)
class Wish:
    query: dict[str, str]
    cursor: str


class Following:
    def __init__(self, topics: TopicTable) -> None:
        self.names: dict[str, float] = {}
        """What is followed -> the most messages a second; infinite means every update."""
        self._topics = topics
        self._asked: list[Unanswered] = []
        self._answering: list[Unanswered] = []
        """The request under way answers these."""
        self._again: set[str] = set()
        """Topics that are known, whose snapshots are wanted and have not come."""
        self._anew: dict[str, int] = {}
        """Topics that begin anew with this request -> the seq up to which they are known."""
        self._unshown: set[str] = set()
        """Names that are to begin with an update, though the server begins with a snapshot."""
        self._begun: set[str] = set()
        """Topics of those that have begun."""
        self._empty: set[str] = set()
        """Names of topics that nothing had been published to: they go on from 0."""

    # --- commands ---------------------------------------------------------------------------------

    def subscribe(self, command: Object) -> None:
        topics, since = command["topics"], command.get("since", {})
        snapshot = command.get("snapshot", True)
        for name in topics:
            if not snapshot and name not in self.names:
                self._unshown.add(name)
            elif snapshot and (name in self.names or not is_pattern(name)):
                self._unshown.discard(name)
                again = (topic for topic in self._topics if covers([name], topic))
                self._again.update(topic for topic in again if topic not in since)
            self.names[name] = command.get("max_rate", math.inf)
        self._asked.append(
            Unanswered(command["id"], topics, since, command.get("last", 0), snapshot)
        )

    def unsubscribe(self, command: Object) -> str:
        """Returns the answer."""
        self._drop(command["topics"])
        return _ack(command["id"], [{"topic": name} for name in command["topics"]])

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            self.names.pop(name, None)
            self._unshown.discard(name)

    @property
    def asking(self) -> bool:
        """Whether a command waits for its answer."""
        return bool(self._asked or self._answering)

    # --- requests ---------------------------------------------------------------------------------

    def request(self) -> Wish:
        """What to ask for now. It answers all commands that have no answer."""
        self._answering += self._asked
        self._asked = []
        query = {"topics": ",".join(self.names)}
        if (rate := max(self.names.values())) < math.inf:
            query["max_rate"] = f"{rate:g}"
        if last := max((asked.last for asked in self._answering), default=0):
            query["last"] = str(last)
        return Wish(query, self._cursor())

    def _cursor(self) -> str:
        topics = self._topics
        known = [n for n in topics if topics.seq(n) and covers(self.names, n)]
        known.sort(key=lambda name: name not in self.names)  # what is named goes first
        entries: list[str] = []
        left = CURSOR_BYTES_MAX - len(topics.epoch) - len("!")
        self._anew = {}
        for name in known:
            letter = LETTERS.get(topics.told_status(name), "?")
            entry = f",{name}={topics.seq(name)}{letter}"
            if name in self._again or len(entry) > left:
                self._anew[name] = topics.seq(name)
                continue
            entries.append(entry)
            left -= len(entry)
        for entry in (f",{name}=0?" for name in self.names if self._goes_on_from_0(name)):
            if len(entry) <= left:
                entries.append(entry)
                left -= len(entry)
        # What had no room makes the server say of patterns that they did not go on.
        cut = "" if self._again.issuperset(self._anew) else "!"
        return topics.epoch + cut + "".join(entries) if entries else ""

    def _goes_on_from_0(self, name: str) -> bool:
        """Else the first messages between two requests would be left out."""
        return name in self._empty and not self._topics.seq(name)

    # --- answers ----------------------------------------------------------------------------------

    def answers(self, results: list[Object]) -> list[str]:
        """Returns the answers to the commands, of what the request's says of each name.

        Whatever was followed before and is refused now is in `refused`.
        """
        by_name = {result["topic"]: result for result in results}
        answering, self._answering = self._answering, []
        texts = []
        for asked in answering:
            told = [self._as_asked(by_name[n], asked) for n in asked.topics if n in by_name]
            texts.append(_ack(asked.id, told))
        self._empty = {name for name, result in by_name.items() if result.get("seq") == 0}
        self._drop(name for name, result in by_name.items() if "error" in result)
        return texts

    def _as_asked(self, result: Object, asked: Unanswered) -> Object:
        """The result without what only the cursor brought up.

        A topic that begins anew is one that the server knows: who resumes it has missed messages.
        """
        name = result["topic"]
        since = {topic for topic in asked.since if covers([name], topic)}
        if not since:
            return {key: value for key, value in result.items() if key not in RESUMED}
        if since.isdisjoint(self._anew):
            return result
        missed = {"missed": max(result["seq"] - self._anew[name], 0)} if name in since else {}
        kept = {key: value for key, value in result.items() if key != "missed"}
        return {**kept, "recovered": False, **missed}

    def lost(self, results: list[Object]) -> list[str]:
        """Returns the names that are refused, though no command asks about them."""
        asked = {name for asked in self._answering for name in asked.topics}
        return [r["topic"] for r in results if "error" in r and r["topic"] not in asked]

    def refuse(self, error: Object) -> list[str]:
        """Returns the answers to the commands whose request is refused as a whole."""
        answering, self._answering = self._answering, []
        for asked in answering:
            self._drop(asked.topics)
        return [json.dumps({"type": "error", "id": asked.id, **error}) for asked in answering]

    # --- messages ---------------------------------------------------------------------------------

    def messages(self, text: str) -> list[str]:
        """Returns what a message of the server is to the client."""
        if not (self._anew or self._again or self._unshown):
            return [text]
        told = json.loads(text)
        topic = told.get("topic")
        if topic is None:
            return [text]
        if told["type"] != "snapshot":
            self._begun.add(topic)
            return [text]
        self._again.discard(topic)
        known = self._anew.pop(topic, None)
        if known is not None and told.get("delivery") == "event" and told["seq"] > known + 1:
            lost = {"type": "gap", "topic": topic, "from": known + 1, "to": told["seq"] - 1}
            return [json.dumps(lost), text]
        return [] if self._begins_unshown(topic, told["seq"]) else [text]

    def _begins_unshown(self, topic: str, seq: int) -> bool:
        """Whether the snapshot is one that nobody asked for, so that it only says where the topic
        begins."""
        if topic in self._begun or not covers(self._unshown, topic):
            return False
        self._begun.add(topic)
        shown = [n for n in self.names if n not in self._unshown]
        return not covers(shown, topic) and (
            topic not in self._topics or self._topics.seq(topic) >= seq
        )


def covers(names: Collection[str], topic: str) -> bool:
    return topic in names or any(matches(name, topic) for name in names if is_pattern(name))


def _ack(number: int, results: list[Object]) -> str:
    return json.dumps({"type": "ack", "id": number, "results": results})
