"""A client of a check that asks over HTTP: a stream of events, or one poll after the other."""

import json
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tickwire._http import query_text
from tickwire._tools.check.answer import DATA, ID, EventBlocks, HttpAnswer
from tickwire._tools.check.messages import decode_object
from tickwire._tools.check.road_model import RoadModel
from tickwire._tools.check.session import Session, World
from tickwire._tools.check.wire import connect, refused
from tickwire.codes import should_reconnect
from tickwire.errors import DeniedError
from tickwire.url import http_url


class RoadSession(Session[RoadModel]):
    """What both have in common: every change of what it follows is another request."""

    path: ClassVar[str]

    def __init__(self, number: int, world: World, stalls: bool) -> None:
        super().__init__(number, world, stalls, RoadModel)
        self._answer = HttpAnswer()

    def open(self) -> None:
        cursor = self.model.request(self._names)
        self.sock = connect(self._world.urls[0], self._buffer)
        self.lost, self.renews = "", False
        self._answer = HttpAnswer()
        rate = f"{self._max_rate:g}" if self._max_rate else ""
        query = {"topics": ",".join(self._names), "max_rate": rate}
        self._send(self._request(query, cursor))

    def change(self) -> None:
        if len(self._names) > 1 and self._chance.random() < 0.5:
            self._names.pop(self._chance.randrange(len(self._names)))
        else:
            self._names += [name for name in self._some(1) if name not in self._names]

    def _take(self, data: bytes) -> None:
        answer = self._answer
        body = answer.feed(data)
        if answer.fault:
            self._end(answer.fault, answer.fault if data else "")
        elif answer.status and answer.status != "200":
            self._refused(answer.status)
        else:
            self._take_body(body)

    def _request(self, query: dict[str, str], cursor: str) -> bytes:
        raise NotImplementedError

    def _take_body(self, body: bytes) -> None:
        raise NotImplementedError

    def _refused(self, status: str) -> None:
        """A server that is going away says 503. Raises `DeniedError`."""
        error = refused(self._world.urls[0], status, f"and not what {self.path} gives")
        if isinstance(error, DeniedError):
            raise error
        self._end(error.message, "" if status == "503" else error.message)

    def _end(self, lost: str, fault: str = "") -> None:
        self.lost = lost
        if fault:
            self._world.tally.fault("broken", f"{self.model.label}: {fault}")


class EventSession(RoadSession):
    path = "/sse"

    def open(self) -> None:
        self._events = EventBlocks()
        super().open()

    def change(self) -> None:
        super().change()
        self.renews = True

    def _request(self, query: dict[str, str], cursor: str) -> bytes:
        headers = {"Last-Event-ID": cursor} if cursor else {}
        return request(self._world.urls[0], self.path, query, headers)

    def _take_body(self, body: bytes) -> None:
        model = self.model
        texts: list[bytes] = []
        for name, value in self._events.feed(body):
            if name == DATA:
                texts.append(value)
            elif name == ID:
                self._world.tally.messages += len(texts)
                model.take(texts)
                texts.clear()
                model.take_cursor(value.decode("latin-1"))
        self._world.tally.messages += len(texts)
        model.take(texts)
        code = model.close_code
        if self._events.fault:
            self._end(self._events.fault, self._events.fault)
        elif code is not None:
            self._end(f"closed with {code}", "" if should_reconnect(code) else f"closed: {code}")
        elif self._answer.ended:
            self._end("the stream ended without a close")


class PollSession(RoadSession):
    path = "/poll"

    def open(self) -> None:
        self._body = b""
        super().open()

    def _request(self, query: dict[str, str], cursor: str) -> bytes:
        return request(self._world.urls[0], self.path, {**query, "cursor": cursor}, {})

    def _take_body(self, body: bytes) -> None:
        self._body += body
        if not self._answer.ended:
            return
        try:
            told: dict[str, Any] = json.loads(self._body)
            messages = [decode_object(message) for message in told["messages"]]
            self._world.tally.messages += len(messages)
            self.model.take_poll(told, messages)
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            what = f"no answer to a poll: {e!r}: {self._body[:100]!r}"
            self._end(what, what)
            return
        self.renews = True


def request(url: str, path: str, query: dict[str, str], headers: dict[str, str]) -> bytes:
    parts = urlsplit(http_url(url, path + query_text(query)))
    lines = [f"GET {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
