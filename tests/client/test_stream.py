"""What the core takes of a connection by itself, however its bytes are cut."""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.frames import BINARY, CLOSE, PING, TEXT, Deflater, frame
from client.test_update import PAYLOADS
from tickwire._client.topics import TopicTable
from tickwire._core import ClientStream, UpdateRing
from tickwire.errors import ProtocolError
from tickwire.update import Update, decoder, parse_message

MESSAGE_BYTES_MAX = 100_000


class Fed:
    """A stream, the topics that it feeds, and who reads them."""

    def __init__(self, *, deflate: bool = False, decode: Any = None, limit: int = 1000) -> None:
        self.topics = TopicTable()
        self.ring = UpdateRing(limit)
        self.stream = ClientStream(self.topics.states, deflate, 15, True, MESSAGE_BYTES_MAX, decode)
        self._route = self.topics.states.route([self.ring])

    def begin(self, topic: str, seq: int, data: str = "{}", more: str = "") -> None:
        """Has the topic judged, and armed."""
        head = f'{{"type":"snapshot","topic":"{topic}","seq":{seq},"ts":1{more},"status":"live"'
        update = parse_message(f'{head},"data":{data}}}')
        assert isinstance(update, Update)
        self.topics.take(update, False)
        self.topics.arm(topic, self._route)

    def feed(self, data: bytes, size: int = 1000) -> list[str | bytes]:
        """What is handed out."""
        found: list[str | bytes] = []
        while data:
            some, data = data[:size], data[size:]
            while some:
                room = self.stream.room()
                now, some = some[: len(room)], some[len(room) :]
                room[: len(now)] = now
                self.stream.received(len(now))
            found += self.rest()
        return found

    def rest(self) -> Iterator[str | bytes]:
        while (one := self.stream.next()) is not None:
            if not isinstance(one, bool):
                yield one

    def taken(self) -> list[Update]:
        return self.ring.take(1_000_000)


def update(topic: str, seq: int, data: str = '{"a":1}', more: str = "") -> str:
    return f'{{"type":"update","topic":"{topic}","seq":{seq},"ts":5{more},"data":{data}}}'


def snapshot(topic: str, seq: int, data: str = '{"a":1}', status: str = "live") -> str:
    head = f'{{"type":"snapshot","topic":"{topic}","seq":{seq},"ts":5,"status":"{status}"'
    return f'{head},"data":{data}}}'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("deflate", [False, True])
def test_bytes_may_be_cut_anywhere(deflate: bool, size: int) -> None:
    fed, pack = Fed(deflate=deflate), Deflater()
    fed.begin("a.b", 1)
    texts = [update("a.b", seq, json.dumps({"n": "x" * (seq * 37 % 400)})) for seq in range(2, 60)]
    texts.insert(20, '{"type":"heartbeat","ts":1}')
    frames = [frame(pack(t.encode()), rsv1=True) if deflate else frame(t.encode()) for t in texts]
    assert fed.feed(b"".join(frames), size) == ['{"type":"heartbeat","ts":1}']
    assert [u.text for u in fed.taken()] == texts[:20] + texts[21:]
    assert fed.topics.seq("a.b") == 59


@pytest.mark.parametrize("deflate", [False, True])
def test_a_message_in_fragments_is_one_message_with_control_frames_between(deflate: bool) -> None:
    fed, pack = Fed(deflate=deflate), Deflater()
    fed.begin("a", 1)
    for seq in (2, 3):
        whole = update("a", seq).encode()
        packed = pack(whole) if deflate else whole
        parts = packed[:5], packed[5:9], packed[9:]
        ping = frame(b"are you there", PING)
        data = frame(parts[0], TEXT, fin=False, rsv1=deflate) + ping
        data += frame(parts[1], 0, fin=False) + frame(b"", 0, fin=False) + frame(parts[2], 0)
        assert fed.feed(data, 3) == [ping]
        assert [u.seq for u in fed.taken()] == [seq]


def test_a_frame_far_larger_than_a_read_is_read_and_its_memory_given_back() -> None:
    fed = Fed()
    fed.begin("a", 1)
    large = json.dumps({"x": "y" * 90_000})
    assert fed.feed(frame(update("a", 2, large).encode()), 4096) == []
    assert fed.feed(frame(update("a", 3).encode())) == []
    assert [u.seq for u in fed.taken()] == [2, 3]
    assert len(fed.stream.room()) == 65_536


@pytest.mark.parametrize(
    "bad",
    [
        frame(b"x", 3),
        frame(b"x", 11),
        frame(b"x", TEXT, rsv1=True),
        frame(b"x", 0),
        frame(b"x", PING, fin=False),
        frame(b"x" * 126, PING),
        bytes([0xA1, 0]),
        bytes([0x81, 0x81, 1, 2, 3, 4, 5]),
        frame(b"x" * (MESSAGE_BYTES_MAX + 1)),
    ],
)
def test_what_breaks_the_rules_is_left_to_the_websocket_library(bad: bytes) -> None:
    fed = Fed()
    fed.begin("a", 1)
    good = frame(update("a", 2).encode())
    found = fed.feed(good + bad + good)
    assert b"".join(x for x in found if isinstance(x, bytes)) == bad + good
    assert [u.seq for u in fed.taken()] == [2]


def test_after_a_close_frame_nothing_counts() -> None:
    fed = Fed()
    fed.begin("a", 1)
    close, good = frame(b"\x03\xe8", CLOSE), frame(update("a", 2).encode())
    assert fed.feed(close + good) == [close, good]
    assert fed.taken() == []


def test_a_message_at_the_limit_is_read() -> None:
    text = '{"type":"x"}'.ljust(MESSAGE_BYTES_MAX)
    assert Fed().feed(frame(text.encode())) == [text]
    packed = frame(Deflater()(text.encode()), rsv1=True)
    assert Fed(deflate=True).feed(packed) == [text]
    with pytest.raises(ProtocolError, match=f"more than {MESSAGE_BYTES_MAX} bytes"):
        Fed(deflate=True).feed(frame(Deflater()(text.encode() + b" "), rsv1=True))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (frame(b"x", BINARY), "binary"),
        (frame(b'{"type":"\xff"}'), "UTF-8"),
    ],
)
def test_what_no_server_of_ours_sends_is_a_protocol_error(data: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        Fed().feed(data)


def test_what_is_no_deflate_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="compressed message"):
        Fed(deflate=True).feed(frame(b"\xff\xff\xff\xff", rsv1=True))


# --- what it takes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        update("a", 1),
        update("a", 3),
        update("b", 2),
        update("a", 2).replace('"seq":2', '"seq": 2'),
        update("a", 2).replace('"seq":2', '"seq":02'),
        update("a", 2, more=',"delivery":"event"'),
        update("a", 2, more=',"new":1'),
        update("a", 2, '{"a":1,}'),
        update("a", 2, '{"a":1e999}'),
        update("a", 2, "[]"),
        update("a", 2, "{" + '"a":{' * 16 + "}" * 17),
        update("a", 2) + " ",
        snapshot("a", 1),
        snapshot("a", 2, status="stale"),
        snapshot("a", 2, status="halted"),
        snapshot("b", 2),
        '{"type":"status","topic":"a","seq":1,"ts":1,"status":"live"}',
        '{"type":"gap","topic":"a","from":2,"to":3}',
    ],
)
def test_only_what_goes_on_in_the_exact_spelling_is_taken(text: str) -> None:
    fed = Fed()
    fed.begin("a", 1, '{"x":1}')
    assert fed.feed(frame(text.encode())) == [text]
    assert fed.taken() == []
    assert (fed.topics.seq("a"), fed.topics.images["a"]) == (1, {"x": 1})


def test_what_goes_on_changes_the_image_and_reaches_its_reader() -> None:
    fed = Fed()
    fed.begin("a", 1, '{"x":1,"y":2}')
    looked = fed.topics.images["a"]
    texts = [update("a", 2, '{"x":null,"z":3.50}'), snapshot("a", 9, '{"y":5}')]
    assert fed.feed(b"".join(frame(text.encode()) for text in texts)) == []
    assert looked == {"x": 1, "y": 2}, "an image that somebody has does not change"
    assert fed.topics.images["a"] == {"y": 5}
    taken = fed.taken()
    assert [(u.kind, u.seq, u.status) for u in taken] == [
        ("update", 2, None),
        ("snapshot", 9, "live"),
    ]
    assert taken[0].data == {"x": None, "z": 3.5}
    assert fed.topics.images.value("a", "y", None) == 5


def test_the_image_of_an_event_topic_is_its_last_message() -> None:
    event = ',"delivery":"event"'
    fed = Fed()
    fed.begin("e", 1, '{"x":1}', event)
    assert fed.feed(frame(update("e", 2, '{"y":2}', event).encode())) == []
    assert fed.topics.images["e"] == {"y": 2}


@pytest.mark.parametrize("change", ["disarm", "doubt", "hold elsewhere", "forget", "all"])
def test_whatever_else_happens_to_a_topic_ends_that(change: str) -> None:
    fed = Fed()
    fed.begin("a", 1)
    match change:
        case "disarm":
            fed.topics.disarm("a")
        case "doubt":
            fed.topics.doubt("a")
        case "forget":
            fed.topics.forget("a")
        case "all":
            fed.topics.disarm_all()
        case _:
            fed.topics.states.move_image_out("a")
    assert fed.feed(frame(update("a", 2).encode())) == [update("a", 2)]


def test_a_topic_that_is_not_in_sync_cannot_be_armed() -> None:
    fed = Fed()
    fed.begin("a", 1)
    fed.topics.doubt("a")
    fed.topics.arm("a", 0)
    assert fed.feed(frame(update("a", 2).encode())) == [update("a", 2)]


def test_it_stops_in_the_middle_of_a_buffer_when_a_ring_is_full() -> None:
    fed = Fed(limit=3)
    fed.begin("a", 1)
    data = b"".join(frame(update("a", seq).encode()) for seq in range(2, 9))
    fed.stream.room()[: len(data)] = data
    fed.stream.received(len(data))
    assert fed.stream.next() is False
    assert [u.seq for u in fed.taken()] == [2, 3, 4]
    assert fed.stream.take_touched() == [fed.ring]
    assert fed.stream.next() is False
    assert fed.stream.next() is False, "after each message, as long as it is full"
    assert [u.seq for u in fed.taken()] == [5, 6, 7, 8]
    assert fed.stream.next() is None


@given(PAYLOADS, st.lists(PAYLOADS, min_size=1, max_size=5), st.integers(0, 2**32))
def test_images_and_data_are_what_python_would_make_of_them(
    first: str, others: list[str], seed: int
) -> None:
    """Long integers, escapes, repeated keys: whether the core took a message or not."""
    fed, chunks = Fed(), random.Random(seed)
    fed.begin("a", 1, first)
    image = json.loads(first)
    for seq, payload in enumerate(others, 2):
        text = update("a", seq, payload)
        found = fed.feed(frame(text.encode()), chunks.choice((1, 10, 1000)))
        taken = fed.taken()
        if found:
            slow = parse_message(text)
            assert isinstance(slow, Update)
            fed.topics.take(slow, False)
            taken = [slow]
        assert [(u.data, u.raw, u.text) for u in taken] == [(json.loads(payload), payload, text)]
        for name, value in json.loads(payload).items():
            if value is None:
                image.pop(name, None)
            else:
                image[name] = value
        assert fed.topics.images["a"] == image


def test_numbers_become_what_the_program_wants() -> None:
    fed = Fed(decode=decoder(Decimal))
    fed.begin("a", 1)
    fed.feed(frame(update("a", 2, '{"x":0.10,"n":7}').encode()))
    (one,) = fed.taken()
    assert one.data == {"x": Decimal("0.10"), "n": 7}
