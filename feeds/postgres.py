"""PostgreSQL, in both directions: tables as topics, and updates as rows.

    [plugins.postgres]
    url = "postgresql://reader@db.example/shop"   # a libpq URL or connection string
    password_file = "db.password"                 # or as libpq finds it: ~/.pgpass, PGPASSWORD
    create = true                                 # make the triggers and tables that it needs

    [[plugins.postgres.tables]]                   # tables whose rows are topics
    table = "quote"                               # or "schema.quote"
    topic = "quote.{symbol}"                      # its key columns, each one a token of the topic
    columns = ["bid", "ask"]                      # what the image holds; absent: all columns

    [plugins.postgres.sink]                       # updates to write down
    topics = ["trade.>"]
    table = "tickwire_update"
    gaps = "tickwire_gap"
    positions = "tickwire_position"
    flush_ms = 100
    buffer_rows = 100000                          # beyond them the sink stops reading

`_postgres_table.py` says how a table becomes topics, `_postgres_sink.py` how updates become rows.
It needs psycopg 3: ``pip install 'tickwire[postgres]'``.
"""

from collections.abc import Mapping
from typing import Any

from tickwire import feed
from tickwire.errors import ConfigError, PluginError
from tickwire.pub import Pub

from ._again import keep
from ._settings import flag_of, secret_in, text_of

try:
    import psycopg
except ImportError as e:
    raise PluginError(f"postgres needs psycopg 3: pip install 'tickwire[postgres]' ({e})") from e

from ._postgres_sink import Sink, SinkSettings
from ._postgres_table import FeedTable, TableFeed

CONNECT_S = 10
LIVENESS = {
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
    "application_name": "tickwire",
}
"""A server that is gone without a word is noticed after about 25 s."""


@feed(">")
async def postgres_feed(pub: Pub) -> None:
    given = pub.config.get("tables", [])
    if not isinstance(given, list):
        raise ConfigError("plugins.postgres.tables: must be an array of tables")
    tables = [FeedTable.of(one, number) for number, one in enumerate(given)]
    if not tables:
        return
    following = TableFeed(pub, tables, flag_of(pub.config, "plugins.postgres.create", False))

    async def work() -> None:
        async with Connected(pub.config) as connection:
            await following.run(connection)

    await keep(pub, "postgres tables", work, (psycopg.Error, OSError, TimeoutError))


@feed("postgres.sink")
async def postgres_sink(pub: Pub) -> None:
    given = pub.config.get("sink")
    if given is None:
        return
    sink = Sink(pub, SinkSettings.of(given), flag_of(pub.config, "plugins.postgres.create", False))

    async def work() -> None:
        async with Connected(pub.config) as connection:
            await sink.run(connection)

    try:
        await keep(pub, "postgres sink", work, (psycopg.Error, OSError, TimeoutError))
    finally:
        await sink.finish(lambda: Connected(pub.config))


class Connected:
    """A connection that commits each statement by itself, for ``async with``.

    Its end waits for nothing, because a server that stops may not wait: PostgreSQL undoes a
    transaction whose connection is closed. Entering raises `psycopg.Error` or `OSError`.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._connection: psycopg.AsyncConnection[Any]

    async def __aenter__(self) -> "psycopg.AsyncConnection[Any]":
        url = text_of(self._config, "plugins.postgres.url")
        if not url:
            raise ConfigError("plugins.postgres.url: is not set", field="plugins.postgres.url")
        given = psycopg.conninfo.conninfo_to_dict(url)
        options: dict[str, Any] = {k: value for k, value in LIVENESS.items() if k not in given}
        if password_file := text_of(self._config, "plugins.postgres.password_file"):
            options["password"] = secret_in(password_file)
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, **options)
        self._connection = connection
        return connection

    async def __aexit__(self, *_: object) -> None:
        self._connection.pgconn.finish()
