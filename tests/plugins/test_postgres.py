"""Tables of a real PostgreSQL are topics, and updates are rows, whoever restarts meanwhile."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.postgres_server import PostgresServer
from tickwire import Server

QUOTES = {"table": "quote", "topic": "quote.{symbol}"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    # A short path that others may enter: the socket's name has a limit of 107 bytes.
    with tempfile.TemporaryDirectory(prefix="tickwire-pg-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder) / "s")
        yield server
        server.stop()


@pytest.fixture(autouse=True)
def empty(postgres: PostgresServer) -> None:
    postgres.execute(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        "CREATE TABLE quote (symbol text PRIMARY KEY, bid numeric(12,2), ask numeric, note text)"
    )


@pytest.fixture
def serve(start_server, postgres):
    """serve(sink=..., tables=...): a server with the plugin."""

    def start(sections: dict[str, Any] | None = None, **settings: Any) -> Server:
        config = {"url": postgres.url, "create": True, **settings}
        server: Server = start_server("postgres", plugins={"postgres": config}, **(sections or {}))
        return server

    return start


def image(server: Server, topic: str) -> tuple[dict[str, Any], str | None]:
    update = server.snapshot(topic)
    return (
        ({}, None) if update is None else (json.loads(update.raw, parse_float=str), update.status)
    )


# --- tables as topics -----------------------------------------------------------------------------


def test_rows_are_images_with_all_their_digits(serve, postgres, eventually):
    postgres.execute("INSERT INTO quote VALUES ('A', 1.5, 2.000, NULL), ('no token', 1, 1, '')")
    server = serve(tables=[QUOTES])
    eventually(
        lambda: image(server, "quote.A") == ({"symbol": "A", "bid": "1.50", "ask": "2.000"}, "live")
    )
    postgres.execute("UPDATE quote SET ask = NULL, note = repeat('x', 20000) WHERE symbol = 'A'")
    eventually(lambda: image(server, "quote.A")[0].get("note") == "x" * 20000)
    assert image(server, "quote.A")[0].keys() == {"symbol", "bid", "note"}
    postgres.execute("INSERT INTO quote VALUES ('B', 1, 1, 'new')")
    eventually(lambda: image(server, "quote.B")[0].get("note") == "new")
    assert server.topics("quote.>") == ["quote.A", "quote.B"]


def test_a_deleted_row_closes_its_topic_until_it_comes_back(serve, postgres, eventually):
    postgres.execute("INSERT INTO quote VALUES ('A', 1, 1, ''), ('B', 1, 1, ''), ('C', 1, 1, '')")
    server = serve(tables=[QUOTES])
    eventually(lambda: len(server.topics("quote.>")) == 3)
    postgres.execute("DELETE FROM quote WHERE symbol = 'A'")
    eventually(lambda: image(server, "quote.A")[1] == "closed")
    postgres.execute("UPDATE quote SET symbol = 'D' WHERE symbol = 'B'")
    eventually(lambda: image(server, "quote.D")[1] == "live")
    assert image(server, "quote.B")[1] == "closed"
    postgres.execute("INSERT INTO quote VALUES ('A', 7, 7, '')")
    eventually(lambda: image(server, "quote.A")[1] == "live")
    postgres.execute("TRUNCATE quote")
    for name in "ACD":
        eventually(lambda name=name: image(server, f"quote.{name}")[1] == "closed")


def test_after_a_reconnect_the_table_is_read_whole(serve, postgres, eventually):
    postgres.execute("INSERT INTO quote VALUES ('A', 1, 1, ''), ('B', 1, 1, ''), ('C', 1, 1, '')")
    server = serve(tables=[{**QUOTES, "columns": ["bid"]}])
    eventually(lambda: len(server.topics("quote.>")) == 3)
    postgres.kill()
    eventually(lambda: image(server, "quote.A") == ({"bid": "1.00"}, "stale"))
    postgres.start()
    postgres.execute("DELETE FROM quote WHERE symbol = 'A'")
    postgres.execute("UPDATE quote SET bid = 2 WHERE symbol = 'B'")
    eventually(lambda: image(server, "quote.B") == ({"bid": "2.00"}, "live"))
    eventually(lambda: image(server, "quote.A")[1] == "closed")
    eventually(lambda: image(server, "quote.C")[1] == "live")
    assert server.snapshot("quote.C").seq == 1  # what did not change is not published again


def test_a_key_of_two_columns_has_two_tokens(serve, postgres, eventually):
    postgres.execute("CREATE TABLE fx (venue int, pair varchar(7), rate float8)")
    server = serve(
        tables=[{"table": "public.fx", "topic": "fx.{venue}.{pair}", "columns": ["rate"]}]
    )
    postgres.execute("INSERT INTO fx VALUES (1, 'EURUSD', 1.25), (2, 'EURUSD', 1.5)")
    eventually(lambda: image(server, "fx.2.EURUSD")[0] == {"rate": "1.5"})
    postgres.execute("UPDATE fx SET rate = 1.75 WHERE venue = 2")
    eventually(lambda: image(server, "fx.2.EURUSD")[0] == {"rate": "1.75"})
    assert image(server, "fx.1.EURUSD")[0] == {"rate": "1.25"}


def test_without_create_the_statements_are_said(serve, eventually, caplog):
    serve(tables=[QUOTES], create=False)
    eventually(lambda: "CREATE OR REPLACE TRIGGER tickwire_row" in caplog.text)
    assert "plugins.postgres.create = true" in caplog.text


# --- updates as rows ------------------------------------------------------------------------------


def rows(postgres: PostgresServer, topic: str) -> list[int]:
    query = f"SELECT seq FROM tickwire_update WHERE topic = '{topic}' ORDER BY ts, seq"
    try:
        return [seq for (seq,) in postgres.execute(query)]
    except Exception:  # not there yet, or away
        return []


def gaps(postgres: PostgresServer) -> list[tuple[int, int]]:
    return postgres.execute("SELECT first_seq, last_seq FROM tickwire_gap ORDER BY first_seq")


def trades(server: Server, first: int, last: int) -> None:
    server.publish_many(("trade.A", {"n": n, "price": "1.10"}) for n in range(first, last + 1))


SINK = {"topics": ["trade.>"], "flush_ms": 10}
EVENTS = {"topics": {"trade.>": {"delivery": "event", "ring": 4096}}}


def test_every_update_is_a_row_over_a_restart_of_postgresql(serve, postgres, eventually):
    server = serve(EVENTS, sink=SINK)
    trades(server, 1, 100)
    eventually(lambda: rows(postgres, "trade.A") == [*range(1, 101)])
    ((kind, data),) = postgres.execute(
        "SELECT kind, data::text FROM tickwire_update WHERE seq = 100"
    )
    assert (kind, data) == ("update", '{"n":100,"price":"1.10"}')
    postgres.kill()
    trades(server, 101, 300)
    eventually(lambda: server.snapshot("postgres.sink").data["state"] == "away")
    trades(server, 301, 400)
    postgres.start()
    eventually(lambda: rows(postgres, "trade.A") == [*range(1, 401)])
    assert gaps(postgres) == []


def test_every_update_is_a_row_over_restarts_of_the_server(serve, postgres, eventually, tmp_path):
    sections = {
        "store": {"path": str(tmp_path / "s.db")},
        "topics": {"trade.>": {"delivery": "event", "ring": 4096, "history": "stored"}},
    }
    server = serve(sections, sink=SINK)
    eventually(lambda: server.snapshot("postgres.sink"))
    trades(server, 1, 100)
    server.stop()  # writes what it can in its time; the store has the rest
    postgres.kill()
    server = serve(sections, sink=SINK)
    trades(server, 101, 200)
    server.stop()
    postgres.start()
    server = serve(sections, sink=SINK)
    trades(server, 201, 300)
    eventually(lambda: rows(postgres, "trade.A") == [*range(1, 301)])
    assert gaps(postgres) == []
    assert len({epoch for (epoch,) in postgres.execute("SELECT epoch FROM tickwire_update")}) == 1


def test_what_did_not_fit_is_a_row_of_gaps(serve, postgres, eventually):
    events = {"topics": {"trade.>": {"delivery": "event", "ring": 16}}}
    server = serve(events, sink={**SINK, "buffer_rows": 10})
    trades(server, 1, 5)
    eventually(lambda: rows(postgres, "trade.A") == [1, 2, 3, 4, 5])
    postgres.kill()
    trades(server, 6, 6)
    eventually(lambda: server.snapshot("postgres.sink").data["state"] == "away")
    text = "x" * 10_000
    for n in range(7, 1006):  # more than the buffer, and the queue of 1 MiB before it
        server.publish("trade.A", {"n": n, "text": text})
    postgres.start()
    eventually(lambda: 1005 in rows(postgres, "trade.A"))
    lost = {seq for first, last in gaps(postgres) for seq in range(first, last + 1)}
    assert lost
    assert sorted([*rows(postgres, "trade.A"), *lost]) == [*range(1, 1006)]
    assert server.snapshot("postgres.sink").data["lost"] == len(lost)


def test_a_row_that_postgresql_refuses_holds_up_no_other(serve, postgres, eventually):
    server = serve(EVENTS, sink=SINK)
    trades(server, 1, 1)
    eventually(lambda: rows(postgres, "trade.A") == [1])
    postgres.execute("ALTER TABLE tickwire_update ALTER data TYPE jsonb USING data::jsonb")
    server.publish_many([("trade.A", {"n": 2}), ("trade.A", {"text": "\0"}), ("trade.A", {"n": 4})])
    eventually(lambda: rows(postgres, "trade.A") == [1, 2, 4])
    assert gaps(postgres) == [(3, 3)]


def test_what_a_client_of_one_plant_writes_reaches_clients_of_another(
    serve, postgres, eventually, remote
):
    """Through a table: one plant's sink writes it, the other one's feed reads it."""
    postgres.execute(
        "CREATE TABLE chat (epoch text, topic text, seq bigint, ts timestamptz, kind text,"
        " data json, PRIMARY KEY (epoch, topic, seq))"
    )
    table = {"table": "chat", "topic": "other.{seq}", "columns": ["data"]}
    lower = serve(tables=[table])
    upper = serve(
        {"auth": {"publish": "open"}}, sink={"topics": ["chat.*"], "table": "chat", "flush_ms": 10}
    )
    reader, writer = remote(lower), remote(upper)
    reader.subscribe("other.*")
    writer.send(type="publish", id=1, topic="chat.A", data={"text": "hello"})
    update = reader.receive("update", 60)
    assert update["data"] == {"data": {"text": "hello"}}
