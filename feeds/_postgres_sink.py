"""Updates as rows of PostgreSQL, with (epoch, topic, seq) as their key.

Rows go by COPY into a temporary table, and from there into the table of updates where their key is
new, so that a repetition is harmless. The same transaction writes down how far each topic has come
(the table of positions) and what could not be written (the table of gaps). After a lost connection,
or a restart of this server, the sink goes on behind those positions, as a client that was away.

Rows wait in a buffer of bounded size. When it is full, the sink stops reading, and the server does
with it what it does with every slow reader: value topics skip states, and event topics lose what
leaves their rings. Both are rows of the table of gaps.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection, DataError, Error, sql

from tickwire._fault_log import FaultLog
from tickwire.errors import ConfigError, TickwireError
from tickwire.local import LocalSubscription
from tickwire.pub import Pub
from tickwire.update import Update

from ._settings import count_of, number_of, patterns_of, text_of

TOPIC = "postgres.sink"
"""What the sink says of itself; it is not written down."""
BATCH_ROWS = 5000
"""The greatest number of rows in one transaction."""
BUFFER_ROWS_MAX = 10_000_000
LAST_MAX = 65_536
SINCE_MAX = 100_000
TOPICS_PER_COMMAND = 10_000
FINISH_S = 5.0
PING_S = 10.0

Connection = AsyncConnection[Any]
Gap = tuple[str, str, int, int]
"""Epoch, topic, first and last seq."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    patterns: list[str]
    table: str
    gaps: str
    positions: str
    flush_s: float
    buffer_rows: int

    @classmethod
    def of(cls, given: Any) -> "SinkSettings":
        where = "plugins.postgres.sink"
        if not isinstance(given, Mapping):
            raise ConfigError(f"{where}: must be a table with `topics`", field=where)
        patterns = patterns_of(given, f"{where}.topics", [])
        if not patterns:
            raise ConfigError(f"{where}.topics: is not set", field=f"{where}.topics")
        return cls(
            patterns,
            text_of(given, f"{where}.table", "tickwire_update"),
            text_of(given, f"{where}.gaps", "tickwire_gap"),
            text_of(given, f"{where}.positions", "tickwire_position"),
            number_of(given, f"{where}.flush_ms", 100.0, 60_000.0, 1.0) / 1000,
            count_of(given, f"{where}.buffer_rows", 100_000, BUFFER_ROWS_MAX),
        )


@dataclass(frozen=True, slots=True)
class UpdateRow:
    epoch: str
    update: Update


@dataclass(slots=True)
class Batch:
    """What one transaction writes."""

    rows: list[UpdateRow] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class Sink:
    """Reads the topics and writes them down, over one connection after the other. On the plugins'
    loop."""

    def __init__(self, pub: Pub, settings: SinkSettings, create: bool) -> None:
        self._pub = pub
        self._settings = settings
        self._create = create
        self._faults = FaultLog(pub.log)
        self._subscription: LocalSubscription | None = None
        self._epoch = ""
        self._seqs: dict[str, int] = {}
        """The last seq of each topic that was read."""
        self._rows: deque[UpdateRow | Gap] = deque()
        self._writing = Batch()
        """What is not committed for certain; it is written again on the next connection."""
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._written = self._lost = 0

    async def run(self, connection: Connection) -> None:
        """Writes until the connection is lost, which raises."""
        await self._prepare(connection)
        if self._subscription is None:
            await self._begin(connection)
        self._say("connected")
        try:
            while True:
                try:
                    async with asyncio.timeout(PING_S):
                        await self._some.wait()
                except TimeoutError:
                    async with asyncio.timeout(PING_S):
                        await connection.execute("SELECT 1")
                await asyncio.sleep(self._settings.flush_s)
                if self._reading is not None and self._reading.done():
                    self._subscription = None
                    self._reading.result()
                    return
                async with asyncio.timeout(PING_S * 6):
                    await self._write(connection)
        finally:
            self._say("away")

    async def finish(
        self, connected: Callable[[], AbstractAsyncContextManager[Connection]]
    ) -> None:
        """Writes what is still there when the server stops, if it can."""
        if self._subscription is None:
            return
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        with suppress(TickwireError, TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._catch_up()
        if not self._rows and not self._writing.rows and not self._writing.gaps:
            return
        try:
            async with asyncio.timeout(FINISH_S):
                async with connected() as connection:
                    await self._prepare(connection)
                    while self._rows or self._writing.rows or self._writing.gaps:
                        await self._write(connection)
        except (Error, OSError, TimeoutError) as e:
            self._pub.log.warning("%d rows were not written: %s", len(self._rows), e)

    # --- reading ----------------------------------------------------------------------------------

    async def _begin(self, connection: Connection) -> None:
        """Subscribes behind what was written down by a former run."""
        query = sql.SQL("SELECT topic, seq FROM {} WHERE epoch = %s ORDER BY at DESC LIMIT %s")
        cursor = await connection.execute(
            query.format(_name(self._settings.positions)), [self._pub.epoch, SINCE_MAX]
        )
        self._seqs = dict(await cursor.fetchall())
        self._subscription = self._pub.subscribe(
            *self._settings.patterns, last=LAST_MAX, since=self._seqs, epoch=self._pub.epoch
        )
        self._epoch = self._subscription.epoch or self._pub.epoch
        self._reading = asyncio.create_task(self._read(self._subscription))

    async def _read(self, subscription: LocalSubscription) -> None:
        async for update in subscription:
            self._take(update)
            while len(self._rows) >= self._settings.buffer_rows:
                self._room.clear()
                await self._room.wait()

    async def _catch_up(self) -> None:
        """Reads what was published before the server began to stop."""
        behind: dict[str, int] = {}
        for pattern in self._settings.patterns:
            for topic in self._pub.topics(pattern):
                now = self._pub.snapshot(topic)
                if now is not None and topic != TOPIC and now.seq > self._seqs.get(topic, 0):
                    behind[topic] = now.seq
        topics = list(behind)[:TOPICS_PER_COMMAND]
        if not topics:
            return
        since = {topic: self._seqs[topic] for topic in topics if topic in self._seqs}
        with self._pub.subscribe(
            *topics, last=LAST_MAX, since=since, epoch=self._epoch
        ) as subscription:
            async for update in subscription:
                self._take(update)
                if self._seqs.get(update.topic, 0) >= behind[update.topic]:
                    topics = [topic for topic in topics if topic != update.topic]
                if not topics or len(self._rows) >= self._settings.buffer_rows:
                    return

    def _take(self, update: Update) -> None:
        topic, seq, last = update.topic, update.seq, self._seqs.get(update.topic)
        if topic == TOPIC:
            return
        if update.kind == "gap":
            self._add((self._epoch, topic, update.first_seq, seq))
        elif update.kind in ("snapshot", "update"):
            if last is not None and seq <= last:
                return
            if last is not None and seq > last + 1:
                self._add((self._epoch, topic, last + 1, seq - 1))
            if seq:
                self._add(UpdateRow(self._epoch, update))
        else:
            return
        self._seqs[topic] = max(seq, last or 0)

    def _add(self, row: UpdateRow | Gap) -> None:
        self._rows.append(row)
        self._some.set()

    # --- writing ----------------------------------------------------------------------------------

    async def _write(self, connection: Connection) -> None:
        """Writes all that is there, in transactions of bounded size."""
        while True:
            batch = self._writing
            while self._rows and len(batch.rows) + len(batch.gaps) < BATCH_ROWS:
                row = self._rows.popleft()
                if isinstance(row, UpdateRow):
                    batch.rows.append(row)
                else:
                    batch.gaps.append(row)
            if not self._rows:
                self._some.clear()
            self._room.set()
            if not batch.rows and not batch.gaps:
                return
            await self._write_batch(connection, batch)
            self._writing = Batch()
            self._say("connected")

    async def _write_batch(self, connection: Connection, batch: Batch) -> None:
        try:
            await self._commit(connection, batch)
        except DataError as e:
            if len(batch.rows) > 1:
                half = len(batch.rows) // 2
                await self._write_batch(connection, Batch(batch.rows[:half], batch.gaps))
                await self._write_batch(connection, Batch(batch.rows[half:]))
                return
            for row in batch.rows:
                update = row.update
                self._faults.error(
                    "rows that PostgreSQL refuses",
                    "%s %d: left out: %s",
                    update.topic,
                    update.seq,
                    e,
                )
                batch.gaps.append((row.epoch, update.topic, update.seq, update.seq))
            batch.rows = []
            await self._commit(connection, batch)
        self._written += len(batch.rows)
        self._lost += sum(last - first + 1 for _, _, first, last in batch.gaps)

    async def _commit(self, connection: Connection, batch: Batch) -> None:
        names = {
            "updates": _name(self._settings.table),
            "gaps": _name(self._settings.gaps),
            "positions": _name(self._settings.positions),
        }
        async with connection.transaction(), connection.cursor() as cursor:
            if batch.rows:
                async with cursor.copy(_COPY) as copy:
                    for row in batch.rows:
                        await copy.write_row(_fields_of(row))
                await cursor.execute(_INSERT.format(**names))
            if batch.gaps:
                await cursor.executemany(_GAP.format(**names), batch.gaps)
            positions = _positions(batch)
            await cursor.execute(_POSITION.format(**names), positions)

    def _say(self, state: str) -> None:
        with suppress(TickwireError):  # the server stops
            said = {"state": state, "rows": self._written, "lost": self._lost}
            self._pub.publish(TOPIC, said | {"waiting": len(self._rows)})

    # --- tables -----------------------------------------------------------------------------------

    async def _prepare(self, connection: Connection) -> None:
        if self._create:
            for statement in tables_of(self._settings):
                await connection.execute(statement)
        await connection.execute(_TEMPORARY)


def _fields_of(row: UpdateRow) -> Sequence[Any]:
    update = row.update
    at = datetime.fromtimestamp(update.ts / 1000, UTC)
    return row.epoch, update.topic, update.seq, at, update.kind, update.raw


def _positions(batch: Batch) -> list[list[Any]]:
    """The last seq of each topic, as columns."""
    found: dict[tuple[str, str], int] = {}
    for row in batch.rows:
        place = row.epoch, row.update.topic
        found[place] = max(row.update.seq, found.get(place, 0))
    for epoch, topic, _, last in batch.gaps:
        found[epoch, topic] = max(last, found.get((epoch, topic), 0))
    return [
        [epoch for epoch, _ in found],
        [topic for _, topic in found],
        list(found.values()),
    ]


# --- SQL ------------------------------------------------------------------------------------------


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


_TEMPORARY = """
CREATE TEMPORARY TABLE tickwire_new (
  epoch text, topic text, seq bigint, ts timestamptz, kind text, data text
) ON COMMIT DELETE ROWS
"""
_COPY = "COPY tickwire_new (epoch, topic, seq, ts, kind, data) FROM STDIN"
_INSERT = sql.SQL(
    "INSERT INTO {updates} (epoch, topic, seq, ts, kind, data)"
    " SELECT epoch, topic, seq, ts, kind, data::json FROM tickwire_new ON CONFLICT DO NOTHING"
)
_GAP = sql.SQL(
    "INSERT INTO {gaps} (epoch, topic, first_seq, last_seq) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT DO NOTHING"
)
_POSITION = sql.SQL(
    "INSERT INTO {positions} AS p (epoch, topic, seq, at)"
    " SELECT epoch, topic, seq, now() FROM unnest(%s::text[], %s::text[], %s::bigint[])"
    " AS new(epoch, topic, seq) ON CONFLICT (epoch, topic)"
    " DO UPDATE SET seq = greatest(p.seq, excluded.seq), at = excluded.at"
)


def tables_of(settings: SinkSettings) -> list[sql.Composed]:
    """The statements that make the tables which are not there."""
    return [
        sql.SQL(
            "CREATE TABLE IF NOT EXISTS {} (epoch text NOT NULL, topic text NOT NULL,"
            " seq bigint NOT NULL, ts timestamptz NOT NULL, kind text NOT NULL,"
            " data json NOT NULL, PRIMARY KEY (epoch, topic, seq))"
        ).format(_name(settings.table)),
        sql.SQL(
            "CREATE TABLE IF NOT EXISTS {} (epoch text NOT NULL, topic text NOT NULL,"
            " first_seq bigint NOT NULL, last_seq bigint NOT NULL,"
            " at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (epoch, topic, first_seq))"
        ).format(_name(settings.gaps)),
        sql.SQL(
            "CREATE TABLE IF NOT EXISTS {} (epoch text NOT NULL, topic text NOT NULL,"
            " seq bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (epoch, topic))"
        ).format(_name(settings.positions)),
    ]
