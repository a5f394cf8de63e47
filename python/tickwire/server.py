"""A whole tickwire server within a Python program."""

import json
import os
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self, cast

from tickwire import _settings
from tickwire._core import Config, Engine
from tickwire._host import Host, stop_signals
from tickwire._json import Data
from tickwire.errors import ServerError
from tickwire.local import LocalSubscription
from tickwire.update import Update, parse_message


class Server:
    """Serves from ``start()`` to ``stop()``, or as a context manager::

        with tickwire.Server({"server": {"listen": "127.0.0.1:0"}}) as server:
            server.publish("ticker.BTC-USD", {"last": "101.25"})
            print(server.url)

    config: a path of a TOML file, or a mapping shaped like one; the environment's ``TICKWIRE_*``
    count as everywhere: over the file, under the mapping. Or a `Config` as it is.
    listen: ``host:port`` in place of ``server.listen``; port 0 takes a free one.
    plugins: further ones, each as `add_plugin` takes it.
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | Mapping[str, Any] | Config | None = None,
        *,
        listen: str | None = None,
        plugins: Iterable[object] = (),
    ) -> None:
        self._engine = Engine(_load(config, listen))
        self._host = Host(self._engine)
        self._plugins: list[object] = [*self._engine.config.plugin_files, *plugins]
        self._stopped = threading.Event()
        self._is_running = False

    def start(self) -> None:
        """Once in its life. Raises `PluginError`, `StoreError`, `ListenError`."""
        self._host.start(self._plugins)
        self._is_running = True

    def stop(self) -> None:
        """Ends feeds, says drain to clients, flushes the store. Idempotent."""
        self._is_running = False
        self._host.stop()
        self._stopped.set()

    def wait(self) -> None:
        """Until another thread calls `stop`; in the main thread also until SIGTERM or SIGINT."""
        with stop_signals(self._stopped) as stopped:
            stopped.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- topics -----------------------------------------------------------------------------------

    def publish(self, topic: str, data: Data) -> int:
        """One update: a mapping, or a JSON object's bytes or str as they are. The seq it got.

        A `Decimal` keeps its digits, a float is written by its shortest. `TopicError`, `DataError`.
        """
        return self._running().publish(topic, data)

    def publish_many(self, pairs: Iterable[tuple[str, Data]]) -> int:
        """``(topic, data)`` pairs, cheaper than one by one. Those before a faulty one count."""
        return self._running().publish_many(pairs)

    def publish_table(
        self,
        topics: Iterable[str],
        columns: Mapping[str, Any],
        *,
        nan: Literal["error", "null"] = "error",
    ) -> int:
        """A row to each topic, far cheaper than mappings. How many.

            server.publish_table(["ticker.A", "ticker.B"], {"bid": bids, "ask": asks})

        A column is a one-dimensional NumPy array (or any buffer) of numbers or bools, what has a
        ``to_numpy()`` that gives one (Arrow, pandas, polars), or a list of str. All topics and
        values are checked before anything is published; NaN and infinity are an error, or with
        ``nan="null"`` null. `TopicError`, `DataError`.
        """
        return self._running().publish_table(topics, columns, nan)

    def set_status(self, topic: str, status: str) -> None:
        """``live``, ``stale``, ``halted`` or ``closed``. `UnknownTopicError`."""
        self._running().set_status(topic, status)

    def snapshot(self, topic: str) -> Update | None:
        """The topic's image, or None when nothing was published to it."""
        text = self._running().snapshot(topic)
        return None if text is None else cast(Update, parse_message(text))

    def topics(self, pattern: str = ">") -> list[str]:
        """The topics that match and have an update, in order of name."""
        found: list[str] = []
        while some := self._running().topics(pattern, found[-1] if found else ""):
            found += some
        return found

    def subscribe(
        self, *topics: str, max_rate: float = 0, snapshot: bool = True
    ) -> LocalSubscription:
        """Updates of topics and patterns, from their snapshots on. `DeniedError`, `TopicError`."""
        options = {"max_rate": max_rate, "snapshot": snapshot}
        return LocalSubscription(self._running().local_session(), topics, options)

    # --- the server -------------------------------------------------------------------------------

    def add_plugin(self, plugin: object) -> None:
        """A file's path, a module's name, or a module, function or object with decorated functions.

        Before `start` it is only noted; afterwards it runs at once. `PluginError`.
        """
        if self._is_running:
            self._host.add(plugin)
        else:
            self._plugins.append(plugin)

    @property
    def address(self) -> str:
        """``127.0.0.1:8080``, with the port it really has."""
        return self._running().address

    @property
    def url(self) -> str:
        """For clients: ``ws://127.0.0.1:8080/ws``."""
        return f"ws://{self.address}/ws"

    @property
    def health(self) -> dict[str, Any]:
        """What ``GET /health`` answers."""
        return cast(dict[str, Any], json.loads(self._running().health()))

    @property
    def config(self) -> Config:
        return self._engine.config

    def _running(self) -> Engine:
        if not self._is_running:
            raise ServerError(
                "the server is not running: call start(), or use it as a context manager"
            )
        return self._engine


def _load(
    config: str | os.PathLike[str] | Mapping[str, Any] | Config | None, listen: str | None
) -> Config:
    if isinstance(config, Config):
        return config
    sets = [] if listen is None else [f"server.listen={listen}"]
    if isinstance(config, Mapping):
        return _settings.load(None, sets, dict(config))
    file = None if config is None else os.fspath(config)
    return _settings.load(file, sets)
