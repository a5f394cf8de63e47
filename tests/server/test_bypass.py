"""Sixty ways around a guarded pattern, by every road, each tried by somebody who may not see it.

Whoever may see it sees it by the same road, so that none of the cases is empty.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import cbor2
import pytest
from websockets.sync.client import connect

from server.daemon_process import DaemonProcess, Wire
from server.tokens import Issuer

NAMED = "vip.a"
HIDDEN = "vip.hidden-name"
SECRET = b"s3cr3t"


@dataclass
class Plant:
    """Two guarded topics, of which one is never named, and an open one."""

    daemon: DaemonProcess
    issuer: Issuer
    feeder: Wire
    turn: int = 0

    def tokens(self) -> dict[str, str]:
        good = self.issuer.token("vip.>", "open.>", publish=["vip.>"], sub="good")
        return {
            "GOOD": good,
            "LESSER": self.issuer.token("open.>"),
            "NEAR": self.issuer.token("vip", "vip.b", "*.b", "vip.a.>", "VIP.a"),
            "WRITER": self.issuer.token("open.>", publish=["vip.>"]),
            "EXPIRED": self.issuer.token("vip.>", ttl_s=-60),
            "FORGED": good[:-8] + "AAAAAAAA",
            "EPOCH": self.feeder.welcome["epoch"],
        }

    def fill(self, text: str) -> str:
        for name, value in self.tokens().items():
            text = text.replace(name, value)
        return text

    def publish(self) -> bytes:
        """An update of each topic. What the open one's says comes after the others."""
        self.turn += 1
        for topic in (NAMED, HIDDEN, "vip.ev"):
            self.feeder.publish(topic, {"price": SECRET.decode(), "turn": self.turn})
        mark = f"mark-{self.turn}."
        self.feeder.publish("open.a", {"mark": mark})
        return mark.encode()


def start(tickwired: Path, folder: Path, issuer: Issuer, stack: ExitStack) -> Plant:
    args = ["--set", issuer.setting, "--set", "auth.public=open.>", "--set", "auth.publish=grant"]
    args += ["--set", "store.path=bypass.db", "--set", "server.shards=1"]
    args += ["--set", 'topics."*.ev".delivery=event']
    log = folder / f"tickwired-{time.monotonic_ns()}.log"
    daemon = DaemonProcess(tickwired, log, args, {}, folder)
    stack.callback(daemon.kill)
    feeder = stack.enter_context(daemon.connect())
    token = issuer.token(publish=[">"])
    assert feeder.ask({"type": "auth", "id": 1, "token": token})["type"] == "ack"
    return Plant(daemon, issuer, feeder)


@pytest.fixture(scope="module", params=["running", "restarted and reloaded"])
def plant(
    request: pytest.FixtureRequest, tickwired: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plant]:
    folder = tmp_path_factory.mktemp("bypass")
    issuer = Issuer("EdDSA", folder)
    with ExitStack() as stack:
        made = start(tickwired, folder, issuer, stack)
        made.publish()
        if request.param != "running":
            assert made.daemon.stop() == 0
            made = start(tickwired, folder, issuer, stack)
            made.daemon.process.send_signal(signal.SIGHUP)
            made.publish()
        yield made


# --- the roads ------------------------------------------------------------------------------------


def over_socket(
    plant: Plant, token: str, commands: str, binary: bool = False
) -> tuple[bytes, bytes]:
    """Everything that came, and what came after the answers to the commands."""
    name = "tickwire.v1.cbor" if binary else "tickwire.v1.json"
    url = f"ws://{plant.daemon.address}/ws"
    subprotocols: Any = [name]
    with connect(url, subprotocols=subprotocols, compression=None, max_size=None) as client:

        def say(message: Any) -> None:
            client.send(cbor2.dumps(message) if binary else json.dumps(message))

        def hear(until: bytes) -> bytes:
            heard = b""
            while until not in heard:
                came = client.recv(timeout=60)
                heard += came.encode() if isinstance(came, str) else came
            return heard

        if token:
            say({"type": "auth", "token": token})
        for command in json.loads(plant.fill(commands)):
            say(command)
        say({"type": "subscribe", "id": "the-end", "topics": ["open.a"], "snapshot": False})
        before = hear(b"the-end")
        after = hear(plant.publish())
    return before + after, after


def over_stream(plant: Plant, token: str, path: str) -> tuple[bytes, bytes]:
    connection = HTTPConnection(plant.daemon.address, timeout=60)
    with closing(connection):
        path, _, cursor = plant.fill(path).partition(" ")
        headers = {"Last-Event-ID": cursor} if cursor else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        heard = b""

        def hear(until: bytes) -> None:
            nonlocal heard
            while until not in heard:
                line = response.readline()
                assert line, heard
                heard += line

        hear(b'"type":"ack"')
        hear(plant.publish())
    return heard, heard


def over_request(plant: Plant, token: str, path: str, method: str = "GET") -> tuple[bytes, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = plant.daemon.http(plant.fill(path), method, headers)
    heard = answer.body + repr(answer.headers).encode()
    return heard, heard


# --- the cases ------------------------------------------------------------------------------------

Road = Callable[[Plant, str, str], tuple[bytes, bytes]]


@dataclass
class Case:
    road: Road
    request: str
    shows: bool = True
    """Who may see it sees it."""
    late: bool = False
    """It may be seen at first: what comes after the commands counts."""


def subscribe(topics: str, more: str = "") -> str:
    return f'{{"type":"subscribe","topics":[{topics}]{more}}}'


def socket(*commands: str, **more: Any) -> Case:
    return Case(over_socket, f"[{','.join(commands)}]", **more)


def binary(*commands: str) -> Case:
    return Case(lambda p, t, c: over_socket(p, t, c, binary=True), f"[{','.join(commands)}]")


A = '"vip.a"'
SINCE = ',"since":{"vip.a":0,"vip.hidden-name":0},"epoch":"EPOCH"'
CURSOR = ',"cursor":"EPOCH,vip.a=0"'
GOOD, LESSER = '{"type":"auth","token":"GOOD"}', '{"type":"auth","token":"LESSER"}'
PATTERNS = ("vip.*", "vip.>", "*.a", "*.>", "*.*", ">")


def read(kind: str, more: str) -> str:
    return f'{{"type":"{kind}",{more}}}'


CASES: dict[str, Case] = {
    # exact
    "exact": socket(subscribe(A)),
    "exact, only what comes": socket(subscribe(A, ',"snapshot":false')),
    "exact, since": socket(subscribe(A, SINCE)),
    "exact, since another epoch": socket(subscribe(A, SINCE.replace("EPOCH", "x"))),
    "exact, a cursor": socket(subscribe(A, CURSOR)),
    "exact, last": socket(subscribe(A, ',"last":100')),
    "exact, at a rate": socket(subscribe(A, ',"max_rate":1000')),
    "exact, many times": socket(*[subscribe(A)] * 20),
    "exact, among open ones": socket(subscribe(f'"open.a",{A},"open.a"')),
    "exact, let go and taken again": socket(
        subscribe(A), read("unsubscribe", f'"topics":[{A}]'), subscribe(A)
    ),
    "exact, in CBOR": binary(subscribe(A)),
    "exact, escaped": socket(subscribe('"vip\\u002ea"')),
    "exact, with a blank": socket(subscribe('"vip.a "'), shows=False),
    "exact, with a NUL": socket(subscribe('"vip.a\\u0000"'), shows=False),
    "exact, in other letters": socket(subscribe('"VIP.A","Vip.a"'), shows=False),
    # patterns
    **{f"pattern {p}": socket(subscribe(f'"{p}"')) for p in PATTERNS},
    **{f"pattern {p}, since": socket(subscribe(f'"{p}"', SINCE)) for p in ("vip.*", ">")},
    "pattern >, last": socket(subscribe('">"', ',"last":100')),
    "pattern >, a cursor": socket(subscribe('">"', CURSOR)),
    "pattern >, only what comes": socket(subscribe('">"', ',"snapshot":false')),
    "pattern > in CBOR": binary(subscribe('">"')),
    "pattern > and then exact": socket(subscribe('">"'), subscribe(A)),
    "exact and then pattern >": socket(subscribe(A), subscribe('">"')),
    "two patterns, one let go": socket(
        subscribe('">","*.a"'), read("unsubscribe", '"topics":[">"]')
    ),
    # what is asked once
    "get exact": socket(read("get", f'"topics":[{A}]')),
    "get a pattern": socket(read("get", '"topics":["vip.>"]')),
    "get >": socket(read("get", '"topics":[">"]')),
    "get > in pages": socket(read("get", '"topics":["vip.*",">"],"limit":1')),
    "get > in CBOR": binary(read("get", '"topics":[">"]')),
    "list": socket(read("list", '"pattern":">"')),
    "list a pattern": socket(read("list", '"pattern":"vip.*"')),
    "list after": socket(read("list", '"after":"vip.a"')),
    "list one": socket(read("list", '"after":"vip.ev","limit":1')),
    # who it is
    "a forged token": socket('{"type":"auth","token":"FORGED"}', subscribe('">"'), shows=False),
    "an expired token": socket(
        '{"type":"auth","token":"EXPIRED"}', subscribe('"vip.a"'), shows=False
    ),
    "a token of names that are near": socket(
        '{"type":"auth","token":"NEAR"}', subscribe('"vip.a","vip.*",">"'), shows=False
    ),
    "a token that may only write": socket(
        '{"type":"auth","token":"WRITER"}', subscribe('"vip.a",">"'), shows=False
    ),
    "a better token for a moment": socket(GOOD, LESSER, subscribe('"vip.a",">"'), shows=False),
    "subscribed with a better token": socket(
        GOOD, subscribe('"vip.a",">"'), LESSER, shows=False, late=True
    ),
    "subscribed at a rate with a better token": socket(
        GOOD, subscribe('"vip.a","vip.*"', ',"max_rate":50'), LESSER, shows=False, late=True
    ),
    "a better token taken away by a wrong one": socket(
        GOOD,
        subscribe('"vip.a",">"'),
        '{"type":"auth","token":"FORGED"}',
        shows=False,
        late=True,
    ),
    # publish
    "publish": socket(
        read("publish", '"topic":"vip.a","data":{"other":1}'),
        read("get", '"topics":["vip.a"]'),
    ),
    "publish and see the seq": socket(
        '{"type":"auth","token":"WRITER"}',
        read("publish", '"topic":"vip.a","data":{}'),
        subscribe('"vip.a"'),
        shows=False,
    ),
    # HTTP
    **{
        f"GET {path}": Case(over_request, path)
        for path in (
            "/v1/snapshot/vip.a",
            "/v1/snapshot/vip.a?wait=1",
            "/v1/snapshot?topics=vip.a",
            "/v1/snapshot?topics=open.a,vip.a",
            "/v1/snapshot?topics=vip.*",
            "/v1/snapshot?topics=%3E",
            "/v1/history/vip.ev",
            "/v1/history/vip.ev?since=0",
            "/poll?wait=0&topics=vip.a",
            "/poll?wait=0&topics=%3E",
            "/poll?wait=0&topics=vip.a&cursor=EPOCH,vip.a=0",
            "/poll?wait=0&topics=*.a,vip.*&last=10",
        )
    },
    **{
        f"GET {path}": Case(over_request, path, shows=False)
        for path in (
            "/v1/snapshot/vip%2Ea",
            "/v1/topics",
            "/v1/topics?pattern=vip.*",
            "/v1/topics?after=vip.a",
            "/v1/topics?after=vip.a&limit=1",
        )
    },
    "GET /v1/snapshot//vip.a": Case(over_request, "/v1/snapshot//vip.a", shows=False),
    "GET /v1/../v1/snapshot/vip.a": Case(over_request, "/v1/../v1/snapshot/vip.a", shows=False),
    "GET /health": Case(over_request, "/health", shows=False),
    "GET /v1/sessions": Case(over_request, "/v1/sessions", shows=False),
    "GET /metrics": Case(over_request, "/metrics", shows=False),
    "HEAD": Case(
        lambda p, t, path: over_request(p, t, path, "HEAD"), "/v1/snapshot/vip.a", shows=False
    ),
    # a stream
    "SSE exact": Case(over_stream, "/sse?topics=open.a,vip.a"),
    "SSE >": Case(over_stream, "/sse?topics=%3E"),
    "SSE vip.*": Case(over_stream, "/sse?topics=open.a,vip.*"),
    "SSE, last": Case(over_stream, "/sse?topics=open.a,vip.a&last=10"),
    "SSE, a cursor": Case(over_stream, "/sse?topics=open.a,vip.a EPOCH,open.a=0,vip.a=0"),
}


@pytest.mark.parametrize("name", CASES)
def test_nobody_talks_around_the_guard(plant: Plant, name: str) -> None:
    case = CASES[name]
    for token in ("", plant.tokens()["LESSER"]):
        heard, after = case.road(plant, token, case.request)
        seen = after if case.late else heard
        assert SECRET not in seen, seen
        assert b"hidden-name" not in seen, seen


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.shows])
def test_whoever_may_see_it_sees_it_by_that_road(plant: Plant, name: str) -> None:
    case = CASES[name]
    heard, _ = case.road(plant, plant.tokens()["GOOD"], case.request)
    assert SECRET in heard or b"hidden-name" in heard, heard


def test_there_are_sixty() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    "ask",
    [
        {"type": "subscribe"},
        {"type": "subscribe", "last": 3},
        {"type": "get"},
    ],
    ids=["subscribe", "last", "get"],
)
def test_a_refusal_does_not_tell_whether_a_topic_exists(plant: Plant, ask: dict[str, Any]) -> None:
    with plant.daemon.connect() as client:
        known = json.dumps(client.ask(ask | {"topics": ["vip.a"]}))
        unknown = json.dumps(client.ask(ask | {"topics": ["vip.z"]}))
    assert known.replace("vip.a", "") == unknown.replace("vip.z", "")


@pytest.mark.parametrize(
    "path",
    ["/v1/snapshot/{}", "/v1/snapshot?topics={}", "/v1/history/{}", "/poll?wait=0&topics={}"],
)
def test_nor_does_one_over_http(plant: Plant, path: str) -> None:
    known, unknown = (plant.daemon.http(path.format(topic)) for topic in ("vip.a", "vip.z"))
    assert known.status == unknown.status
    assert known.body.replace(b"vip.a", b"") == unknown.body.replace(b"vip.z", b"")
