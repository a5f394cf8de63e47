"""Tables of PostgreSQL as topics: each row is the image of one.

A trigger tells the channel ``tickwire_<oid>`` which key changed, and the row is read again. So no
message is limited by the 8,000 bytes of a notification, and what is published is at least as new
as the notification. Whoever connects first listens and then reads the whole table. An empty
notification (after TRUNCATE, or for a key that is too long) has the whole table read, too.

A column that is NULL is a field that the image does not have. The topic of a deleted row becomes
``closed`` and keeps its last image; if the row comes back, the topic is live again.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from string import Formatter
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.errors import UndefinedTable

from tickwire._fault_log import FaultLog
from tickwire.errors import ConfigError, TickwireError, UnknownTopicError
from tickwire.pub import Pub

PING_S = 10.0
"""Seconds without a notification after which the server is asked whether it is there."""
ANSWER_S_MAX = 10.0
KEYS_MAX = 10_000
"""Changed keys that are read again with one query."""
ROWS_PER_STEP = 256
"""Rows that are published without a pause, after which other tasks get their turn."""
KEY_BYTES_MAX = 4000
"""A longer key is not sent in a notification. No topic could have it as a token anyway."""
_TOKEN = re.compile(r"[A-Za-z0-9_:-]+")

Connection = AsyncConnection[Any]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeedTable:
    """What the settings say of one table."""

    name: str
    topic: str
    """A template: ``quote.{symbol}``."""
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    """Empty: all."""

    @classmethod
    def of(cls, given: Any, number: int) -> "FeedTable":
        where = f"plugins.postgres.tables[{number}]"
        if not isinstance(given, Mapping):
            raise ConfigError(f"{where}: must be a table with `table` and `topic`", field=where)
        name, topic = given.get("table"), given.get("topic")
        columns = given.get("columns", [])
        if not isinstance(name, str) or not name:
            raise ConfigError(f"{where}.table: {name!r} is no table's name", field=where)
        if not isinstance(columns, list) or not all(isinstance(one, str) for one in columns):
            raise ConfigError(f"{where}.columns: {columns!r} is no array of names", field=where)
        keys = _fields(topic) if isinstance(topic, str) else ()
        if not isinstance(topic, str) or not keys:
            raise ConfigError(
                f"{where}.topic: {topic!r} names no column: write one as quote.{{symbol}}",
                field=where,
            )
        return cls(name, topic, keys, tuple(columns))

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(*self.name.split("."))

    @property
    def pattern(self) -> str:
        """Matches the topics of this table."""
        return self.topic.format_map(dict.fromkeys(self.keys, "*"))

    def topic_of(self, key: Key) -> str | None:
        """None: a topic cannot have this key in its name."""
        if not all(_TOKEN.fullmatch(value) for value in key):
            return None
        return self.topic.format_map(dict(zip(self.keys, key, strict=True)))


def _fields(template: str) -> tuple[str, ...]:
    try:
        return tuple(name for _, name, _, _ in Formatter().parse(template) if name)
    except ValueError:
        return ()


class TableFeed:
    """Publishes the rows of some tables, over one connection after the other."""

    def __init__(self, pub: Pub, tables: Sequence[FeedTable], create: bool) -> None:
        self._pub = pub
        self._tables = tables
        self._create = create
        self._faults = FaultLog(pub.log)
        self._closed = set[str]()
        """Topics whose rows are gone."""

    async def run(self, connection: Connection) -> None:
        """Follows the tables until the connection is lost, which raises."""
        channels: dict[str, tuple[FeedTable, list[str]]] = {}
        for table in self._tables:
            channel, types = await self._prepare(connection, table)
            channels[channel] = table, types
        for table, _ in channels.values():
            await self._read_all(connection, table)
        self._pub.log.info("following %s", ", ".join(table.name for table in self._tables))
        while True:
            changed: dict[str, set[Key] | None] = {}
            async for notice in connection.notifies(timeout=PING_S, stop_after=1):
                _note(changed, notice.channel, notice.payload)
            if not changed:
                async with asyncio.timeout(ANSWER_S_MAX):
                    await connection.execute("SELECT 1")
            for channel, keys in changed.items():
                table, types = channels[channel]
                if keys is None:
                    await self._read_all(connection, table)
                else:
                    await self._read_some(connection, table, types, sorted(keys))

    # --- the trigger ------------------------------------------------------------------------------

    async def _prepare(self, connection: Connection, table: FeedTable) -> tuple[str, list[str]]:
        """Listens to the table's trigger; its channel, and the types of its key columns."""
        row = await _one(connection, "SELECT %s::regclass::oid", [_quoted(table.name)])
        oid = row[0]
        types = [
            (await _one(connection, _TYPE_OF, [oid, key], f"{table.name} has no column {key}"))[0]
            for key in table.keys
        ]
        channel = f"tickwire_{oid}"
        has = await _one(
            connection,
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s AND tgname LIKE 'tickwire_%%'",
            [oid],
        )
        statements = trigger_of(table, channel)
        if self._create:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        elif not has[0]:
            text = ";\n".join(statement.as_string(connection) for statement in statements)
            raise ConfigError(
                f"{table.name}: has no trigger that tells what changed; set"
                f" plugins.postgres.create = true, or run this:\n{text};"
            )
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        return channel, types

    # --- rows -------------------------------------------------------------------------------------

    async def _read_all(self, connection: Connection, table: FeedTable) -> None:
        """Publishes what differs from the images here, and closes the topics without a row."""
        found = set[str]()
        # Not psycopg's own server cursor: where its CLOSE fails it stays open, and warns for ever.
        async with connection.transaction():
            await connection.execute(sql.SQL("DECLARE tickwire_rows CURSOR FOR ") + _select(table))
            fetch = sql.SQL("FETCH {} FROM tickwire_rows").format(ROWS_PER_STEP)
            while rows := await (await connection.execute(fetch)).fetchall():
                for *key, text in rows:
                    topic = self._topic(table, tuple(key))
                    if topic is not None:
                        found.add(topic)
                        self._publish(topic, text, whole=True)
        for topic in self._pub.topics(table.pattern):
            if topic not in found:
                self._close(topic)

    async def _read_some(
        self, connection: Connection, table: FeedTable, types: list[str], keys: list[Key]
    ) -> None:
        for start in range(0, len(keys), KEYS_MAX):
            some = keys[start : start + KEYS_MAX]
            columns = [list(column) for column in zip(*some, strict=True)]
            missing = set(some)
            cursor = await connection.execute(_select(table, types), columns)
            for number, (*values, text) in enumerate(await cursor.fetchall()):
                key = tuple(values)
                missing.discard(key)
                topic = self._topic(table, key)
                if topic is not None:
                    self._publish(topic, text, whole=False)
                if number % ROWS_PER_STEP == 0:
                    await asyncio.sleep(0)
            for key in missing:
                topic = table.topic_of(key)
                if topic is not None:
                    self._close(topic)

    def _topic(self, table: FeedTable, key: Key) -> str | None:
        topic = table.topic_of(key)
        if topic is None:
            self._faults.error(
                f"{table.name}: keys that no topic can have",
                "%s: the row %r is left out: a topic's token has letters, digits, _, : and -",
                table.name,
                key,
            )
        return topic

    def _publish(self, topic: str, text: str, *, whole: bool) -> None:
        try:
            if not whole or not self._is_known(topic, text):
                self._pub.publish_image(topic, text)
            if whole or topic in self._closed:
                self._pub.status(topic, "live")
            self._closed.discard(topic)
        except TickwireError as e:
            self._faults.error(f"left out: {type(e).__name__}", "%s: left out: %s", topic, e)

    def _is_known(self, topic: str, text: str) -> bool:
        """Whether the image is the same, digit by digit."""
        now = self._pub.snapshot(topic)
        return now is not None and _spelled(now.raw) == _spelled(text)

    def _close(self, topic: str) -> None:
        self._closed.add(topic)
        with suppress(UnknownTopicError):
            self._pub.status(topic, "closed")


def _note(changed: dict[str, set[Key] | None], channel: str, payload: str) -> None:
    if not payload:
        changed[channel] = None
    elif (keys := changed.setdefault(channel, set())) is not None:
        keys.add(tuple(json.loads(payload)))


def _spelled(text: str) -> dict[str, Any]:
    """The fields, where 1.0 and 1.00 differ."""

    def number(digits: str) -> tuple[str]:
        return (digits,)

    fields: dict[str, Any] = json.loads(text, parse_float=number, parse_int=number)
    return {name: value for name, value in fields.items() if value is not None}


# --- SQL ------------------------------------------------------------------------------------------

_TYPE_OF = """
SELECT format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = %s AND attname = %s AND attnum > 0 AND NOT attisdropped
"""


def _quoted(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


async def _one(
    connection: Connection, query: str, values: Sequence[Any], absent: str = ""
) -> tuple[Any, ...]:
    row = await (await connection.execute(query, values)).fetchone()
    if row is None:
        raise UndefinedTable(absent)
    return tuple(row)


def _select(table: FeedTable, types: Sequence[str] | None = None) -> sql.Composed:
    """Reads rows as their key columns, as text, and their fields, as JSON; with `types` only those
    whose keys are in the arrays that are its parameters."""
    keys = sql.SQL(", ").join(
        sql.SQL("t.{}::text").format(sql.Identifier(key)) for key in table.keys
    )
    fields: sql.Composable
    if table.columns:
        fields = sql.SQL("(SELECT row_to_json(c)::text FROM (SELECT {}) AS c)").format(
            sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(c)) for c in table.columns)
        )
    else:
        fields = sql.SQL("row_to_json(t)::text")
    query = sql.SQL("SELECT {}, {} FROM {} AS t").format(keys, fields, table.identifier)
    if types is None:
        return query
    names = [sql.Identifier(f"k{number}") for number in range(len(table.keys))]
    arrays = sql.SQL(", ").join(sql.SQL("%s::text[]") for _ in names)
    equal = sql.SQL(" AND ").join(
        sql.SQL("t.{} = k.{}::").format(sql.Identifier(key), name) + sql.SQL(type_name)
        for key, name, type_name in zip(table.keys, names, types, strict=True)
    )
    return query + sql.SQL(" JOIN unnest({}) AS k({}) ON {}").format(
        arrays, sql.SQL(", ").join(names), equal
    )


def trigger_of(table: FeedTable, channel: str) -> list[sql.Composed]:
    """The statements that make the table tell which of its keys changed."""

    def key(row: str) -> sql.Composed:
        parts = [sql.SQL(row + ".{}::text").format(sql.Identifier(key)) for key in table.keys]
        return sql.SQL("json_build_array({})::text").format(sql.SQL(", ").join(parts))

    tell = sql.SQL(
        "PERFORM pg_notify({channel}, CASE WHEN octet_length({key}) > "
        + str(KEY_BYTES_MAX)
        + " THEN '' ELSE {key} END);"
    )
    name = sql.Identifier(channel)
    body = sql.SQL(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $tickwire$\n"
        "BEGIN\n"
        "  IF TG_OP = 'TRUNCATE' THEN PERFORM pg_notify({channel}, ''); RETURN NULL; END IF;\n"
        "  IF TG_OP <> 'INSERT' THEN {old} END IF;\n"
        "  IF TG_OP <> 'DELETE' THEN {new} END IF;\n"
        "  RETURN NULL;\n"
        "END $tickwire$"
    ).format(
        name=name,
        channel=sql.Literal(channel),
        old=tell.format(channel=sql.Literal(channel), key=key("OLD")),
        new=tell.format(channel=sql.Literal(channel), key=key("NEW")),
    )
    parts = {"name": name, "table": table.identifier}
    return [
        body,
        sql.SQL(
            "CREATE OR REPLACE TRIGGER tickwire_row AFTER INSERT OR UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION {name}()"
        ).format(**parts),
        sql.SQL("DROP TRIGGER IF EXISTS tickwire_all ON {table}").format(**parts),
        sql.SQL(
            "CREATE TRIGGER tickwire_all AFTER TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        ).format(**parts),
    ]
