"""MessagePack and CBOR on the wire, read and written by the packages that their users have."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import cbor2
import msgpack
import pytest
from websockets import Subprotocol
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess

MESSAGE_BYTES_MAX = 2 * 1_048_576
UPDATES = 200


@dataclass(frozen=True)
class Format:
    name: str
    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes], Any]

    @property
    def subprotocol(self) -> Subprotocol:
        return Subprotocol(f"tickwire.v1.{self.name}")


MSGPACK = Format("msgpack", msgpack.packb, msgpack.unpackb)
CBOR = Format("cbor", cbor2.dumps, cbor2.loads)
FORMATS = [pytest.param(MSGPACK, id="msgpack"), pytest.param(CBOR, id="cbor")]
Compression = Literal["deflate"] | None


@dataclass(frozen=True)
class Peer:
    connection: ClientConnection
    form: Format

    def receive(self) -> Any:
        message = self.connection.recv(timeout=60)
        assert isinstance(message, bytes), "a binary frame"
        return self.form.unpack(message)

    def ask(self, message: Any) -> Any:
        self.connection.send(message if isinstance(message, bytes) else self.form.pack(message))
        return self.receive()

    def closed_with(self) -> int:
        with pytest.raises(ConnectionClosedError) as closed:
            self.connection.recv(timeout=60)
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> DaemonProcess:
    return start_daemon("--set", "auth.publish=open")


@contextmanager
def peer(daemon: DaemonProcess, form: Format, compression: Compression = None) -> Iterator[Peer]:
    url = f"ws://{daemon.address}/ws"
    with connect(url, subprotocols=[form.subprotocol], compression=compression) as connection:
        assert connection.subprotocol == form.subprotocol
        assert bool(connection.protocol.extensions) == bool(compression)
        found = Peer(connection, form)
        assert found.receive()["type"] == "welcome"
        yield found


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_session(daemon: DaemonProcess, form: Format, compression: Compression) -> None:
    data = {"last": "0.10", "size": 1.5, "id": 2**64 - 1, "delta": -(2**63), "levels": [[1, None]]}
    with daemon.connect() as feed, peer(daemon, form, compression) as client:
        feed.publish("t.A", data)
        answer = client.ask({"type": "subscribe", "id": 1, "topics": ["t.A", "no topic!"]})
        assert (answer["type"], answer["id"]) == ("ack", 1)
        assert answer["results"][0] == {"topic": "t.A", "seq": 1}
        assert answer["results"][1]["error"]["code"] == "bad_topic"
        snapshot = client.receive()
        assert (snapshot["type"], snapshot["seq"], snapshot["status"]) == ("snapshot", 1, "live")
        assert snapshot["data"] == data
        assert list(snapshot) == ["type", "topic", "seq", "ts", "status", "data"]
        assert list(snapshot["data"]) == list(data)

        feed.publish("t.A", {"last": "0.20", "size": None})
        update = client.receive()
        assert (update["type"], update["seq"]) == ("update", 2)
        assert update["data"] == {"last": "0.20", "size": None}

        answer = client.ask({"type": "publish", "id": "p", "topic": "t.B", "data": data})
        assert answer == {"type": "ack", "id": "p", "results": [{"topic": "t.B", "seq": 1}]}
        assert daemon.http("/v1/snapshot/t.B").json["data"] == data

        error = client.ask({"type": "subscribe", "id": 2, "topics": "t.A"})
        assert (error["type"], error["id"], error["field"]) == ("error", 2, "topics")
        assert error["message"] == "topics: must be an array of strings, not a string"
        assert client.ask({"type": "ping"})["type"] == "pong"


@pytest.mark.parametrize("topics", ["t.A", "t.>"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_compressed_update_is_what_a_json_client_reads(
    daemon: DaemonProcess, form: Format, topics: str
) -> None:
    subscribe = {"type": "subscribe", "topics": [topics]}
    with daemon.connect() as plain, peer(daemon, form, "deflate") as client:
        assert plain.ask(subscribe)["type"] == client.ask(subscribe)["type"] == "ack"
        with daemon.connect() as feed:
            for i in range(UPDATES):
                feed.publish("t.A", {"last": f"{50_000 + i}.10", "bid": i / 8, "n": i})
        for _ in range(UPDATES):
            assert client.receive() == plain.receive()


@pytest.mark.parametrize("form", FORMATS)
def test_a_numbers_spelling_is_lost_and_a_strings_is_not(
    daemon: DaemonProcess, form: Format
) -> None:
    with daemon.connect() as feed, peer(daemon, form) as client:
        message = {"type": "publish", "id": "p", "topic": "t.A"}
        data = '{"a":1.00,"b":"1.00","c":1e2,"d":18446744073709551616}'
        feed.ask(json.dumps(message)[:-1] + f',"data":{data}}}')
        client.ask({"type": "subscribe", "topics": ["t.A"]})
        found = client.receive()["data"]
    assert repr(found) == repr({"a": 1.0, "b": "1.00", "c": 100.0, "d": 2.0**64})


@pytest.mark.parametrize("form", FORMATS)
def test_bytes_that_are_no_command_are_an_error_and_the_session_goes_on(
    daemon: DaemonProcess, form: Format
) -> None:
    publish = {"type": "publish", "id": 7, "topic": "t.A"}
    with peer(daemon, form) as client:
        for message in (b"", b"\xff", b'{"type":"ping"}', form.pack([1]), form.pack({1: 2})):
            answer = client.ask(message)
            assert (answer["type"], answer["code"]) == ("error", "bad_message")
            assert answer["message"].startswith("message: ")
            assert "id" not in answer
        for value, why in [
            (math.nan, "NaN is no number"),
            (-math.inf, "must be finite"),
            (b"raw", "bytes and extension types are not taken"),
        ]:
            answer = client.ask(publish | {"data": {"levels": [{"p": value}]}})
            assert (answer["id"], answer["code"]) == (7, "bad_data")
            assert answer["field"] == "data.levels[0].p"
            assert answer["message"] == f"data.levels[0].p: {why}"
        assert client.ask({"type": "ping"})["type"] == "pong"
    assert daemon.http("/v1/snapshot/t.A").status == 404


def test_what_cbor_has_beyond_json_is_an_error(daemon: DaemonProcess) -> None:
    with peer(daemon, CBOR) as client:
        for value in (Decimal("0.10"), 2**64, -(2**63) - 1):
            message = {"type": "publish", "id": "p", "topic": "t.A", "data": {"p": value}}
            answer = client.ask(message)
            assert (answer["id"], answer["code"]) == ("p", "bad_message")


@pytest.mark.parametrize("form", FORMATS)
def test_a_command_is_refused_with_its_id_whatever_is_wrong_with_it(
    daemon: DaemonProcess, form: Format
) -> None:
    deep: Any = [nested(40)]
    with peer(daemon, form) as client:
        for data in (nested(17), nested(300), deep, {1: 2}, {"a": {2: 3}}, {"a": b"\xff"}):
            for command in (
                {"type": "publish", "id": -9, "topic": "t.A", "data": data},
                {"data": data, "topic": "t.A", "type": "publish", "id": -9},
            ):
                answer = client.ask(command)
                assert (answer["type"], answer.get("id")) == ("error", -9), data
        assert client.ask({"type": "ping"})["type"] == "pong"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("form", FORMATS)
def test_the_limits_of_a_payload_are_those_of_json(daemon: DaemonProcess, form: Format) -> None:
    shell = len('{"p":""}')
    with peer(daemon, form) as client:
        for data, code in [
            (nested(16), None),
            (nested(17), "bad_data"),
            ({"p": "x" * (1_048_576 - shell)}, None),
            ({"p": "x" * (1_048_577 - shell)}, "bad_data"),
            ({"p": "\x01" * 400_000}, "too_large"),
        ]:
            answer = client.ask({"type": "publish", "topic": f"t.{id(data)}", "data": data})
            assert answer.get("code") == code, answer


@pytest.mark.parametrize(
    ("form", "part"),
    [(MSGPACK, b"\x91"), (MSGPACK, b"\x81\xa0")]
    + [(CBOR, part) for part in (b"\x81", b"\x9f", b"\xa1\x60", b"\xc1", b"\x5f", b"\x7f\x60")],
)
def test_a_message_nested_as_deep_as_it_is_long_harms_nobody(
    daemon: DaemonProcess, form: Format, part: bytes
) -> None:
    head = form.pack({"data": None})[:-1]
    message = head + part * ((MESSAGE_BYTES_MAX - len(head)) // len(part))
    with peer(daemon, form) as client:
        assert client.ask(message)["code"] in ("bad_message", "bad_data")
        assert client.ask({"type": "ping"})["type"] == "pong"


@pytest.mark.parametrize("form", FORMATS)
def test_a_text_where_a_binary_format_is_spoken_is_closed_with_4501(
    daemon: DaemonProcess, form: Format
) -> None:
    with peer(daemon, form) as client:
        client.connection.send('{"type":"ping"}')
        assert client.closed_with() == 4501


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        (["tickwire.v1.cbor", "tickwire.v1.json"], "tickwire.v1.cbor"),
        (["tickwire.v1.json", "tickwire.v1.cbor"], "tickwire.v1.json"),
        (["tickwire.v2.json", "tickwire.v1.msgpack"], "tickwire.v1.msgpack"),
        (None, None),
    ],
)
def test_the_clients_order_of_subprotocols_decides(
    daemon: DaemonProcess, offered: list[Subprotocol] | None, agreed: str | None
) -> None:
    with connect(f"ws://{daemon.address}/ws", subprotocols=offered) as client:
        assert client.subprotocol == agreed
        text = agreed in (None, "tickwire.v1.json")
        assert isinstance(client.recv(timeout=60), str if text else bytes)


def test_without_a_subprotocol_of_ours_there_is_no_handshake(daemon: DaemonProcess) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://{daemon.address}/ws", subprotocols=[Subprotocol("tickwire.v1.bson")]),
    ):
        pass
    assert refused.value.response.status_code == 400
    assert b"tickwire.v1.msgpack" in refused.value.response.body
