"""What `tickwire check` reads over HTTP: bytes in, bodies and events out, however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire._tools.check.answer import DATA, HEAD_BYTES_MAX, ID, RETRY, EventBlocks, HttpAnswer

BODY = b"data: one\n\nid: e1,a=1\n\n"


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;why=not\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def head(*fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


ANSWERS = {
    "length": head(f"content-length: {len(BODY)}") + BODY + b"and more",
    "chunks": head("Transfer-Encoding: chunked") + chunked(BODY, 5),
    "end": head("Connection: close") + BODY,
}


def feed(answer: HttpAnswer, data: bytes, cuts: list[int]) -> bytes:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    body, at = b"", 0
    for end in ends:
        if end > at:
            body += answer.feed(data[at:end])
            at = end
    return body


@pytest.mark.parametrize("how", ANSWERS)
@given(cuts=st.lists(st.integers(0, 200)))
def test_a_body_comes_out_as_it_was_sent(how: str, cuts: list[int]) -> None:
    answer = HttpAnswer()
    assert feed(answer, ANSWERS[how], cuts) == BODY
    assert answer.ended is (how != "end")
    answer.feed(b"")
    assert (answer.status, answer.ended, answer.fault) == ("200", True, "")


@pytest.mark.parametrize("how", ["length", "chunks"])
def test_an_answer_that_is_cut_off_is_not_whole(how: str) -> None:
    for size in range(len(ANSWERS[how]) - len(b"and more")):
        answer = HttpAnswer()
        answer.feed(ANSWERS[how][:size])
        answer.feed(b"")
        assert answer.fault, size
        assert not answer.ended


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (b"SSH-2.0-x\r\n\r\n", "not HTTP"),
        (head("Content-Length: -1"), "Content-Length"),
        (head("Transfer-Encoding: chunked") + b"x\r\n", "a chunk"),
        (head("Transfer-Encoding: chunked") + b"-1\r\n", "a chunk"),
        (b"x" * (HEAD_BYTES_MAX + 1), "a head"),
    ],
)
def test_what_is_no_answer_is_said(told: bytes, fault: str) -> None:
    answer = HttpAnswer()
    assert answer.feed(told) == b""
    assert answer.fault.startswith(fault)


def test_a_head_may_be_as_long_as_its_limit() -> None:
    answer = HttpAnswer()
    answer.feed(b"x" * HEAD_BYTES_MAX)
    assert not answer.fault


@given(cuts=st.lists(st.integers(0, 200)))
def test_events_come_out_in_their_order(cuts: list[int]) -> None:
    told = b'retry: 7\n\ndata: {"a":1}\n\n:\n\nid: e1,a=1\n\ndata: x\n\n'
    events = EventBlocks()
    ends = sorted({min(cut, len(told)) for cut in cuts} | {0, len(told)})
    found = []
    for start, end in pairwise(ends):
        found += events.feed(told[start:end])
    assert found == [(RETRY, b"7"), (DATA, b'{"a":1}'), (ID, b"e1,a=1"), (DATA, b"x")]
    assert not events.fault


@pytest.mark.parametrize("block", [b"data: a\ndata: b", b"event: x", b"data:a", b"", b"data: a\rb"])
def test_a_block_that_the_server_does_not_send_is_a_fault(block: bytes) -> None:
    events = EventBlocks()
    assert events.feed(b"data: good\n\n" + block + b"\n\n" + b"data: never\n\n") == [
        (DATA, b"good")
    ]
    assert events.fault
