"""The made sessions are the same everywhere, and what they say holds together."""

import json
import zlib

import pytest

from exchange_sessions import EXCHANGES, messages, recording


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_seed_gives_one_session(exchange: str) -> None:
    assert recording(exchange) == recording(exchange)
    assert recording(exchange, seed=2) != recording(exchange)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_session_is_json_in_order_of_time(exchange: str) -> None:
    times = [at for at, text in messages(exchange) if json.loads(text)]
    assert times == sorted(times)
    assert len(times) > 500


def test_the_checksums_are_those_of_the_book() -> None:
    """Keeps the book as a client of Kraken does, from the messages alone."""
    books: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    checked = 0
    for _, text in messages("kraken"):
        message = json.loads(text)
        if not isinstance(message, list) or message[-2] != "book-1000":
            continue
        _, *changes, _, pair = message
        change = {name: value for some in changes for name, value in some.items()}
        asks, bids = books.setdefault(pair, ({}, {}))
        for book, names in ((asks, ("as", "a")), (bids, ("bs", "b"))):
            for price, size, _ in (level for name in names for level in change.get(name, ())):
                book.pop(price, None)
                if float(size):
                    book[price] = size
        if "c" in change:
            best = [*sorted(asks.items(), key=lambda level: float(level[0]))[:10]]
            best += sorted(bids.items(), key=lambda level: -float(level[0]))[:10]
            digits = [text.replace(".", "").lstrip("0") for level in best for text in level]
            assert int(change["c"]) == zlib.crc32("".join(digits).encode())
            checked += 1
    assert checked > 1000
