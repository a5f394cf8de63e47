"""A whole tickwire server within a Python program."""

import json
import logging
import os
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Self, cast

from tickwire import _settings
from tickwire._core import Config, Engine
from tickwire._host import Host
from tickwire._json import Data
from tickwire._program import Latch, log_start, stop_signals
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

    Every method may be called from any thread, from plugins of this very server, from a signal
    handler, and on any event loop (where start() and stop() take their time). What would have to
    wait for itself raises `ServerError` or, as stop() in a plugin, goes on beside its caller.
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
        self.stopped: Final = Latch()
        self._is_running = False
        self._lifecycle = threading.RLock()  # held by start() and stop()
        self._starter: int | None = None
        self._is_over = False

    def start(self) -> None:
        """Once in its life. Raises `PluginError`, `StoreError`, `ListenError`, `ServerError`."""
        with self._lifecycle:
            if self._is_running or self._is_over or self._starter is not None:
                raise ServerError("a server starts once in its life: make another one")
            self._starter = threading.get_ident()
            try:
                self._host.start(self._plugins)
                self._is_running = True
            except BaseException:
                self._is_over = True
                self.stopped.set()
                raise
            finally:
                self._starter = None

    def stop(self) -> None:
        """Ends feeds, says drain to clients, flushes the store. Idempotent.

        In a plugin of this server, or while start() runs in this thread, it returns at once and the
        server stops as soon as it can: `wait` returns when it has.
        """
        if self._host.is_mine() or self._starter == threading.get_ident():
            threading.Thread(target=self._stop_beside, name="server-stop", daemon=True).start()
        else:
            self._stop()

    def wait(self) -> None:
        """Until somebody calls `stop`; in the main thread also until SIGTERM or SIGINT.

        `ServerError` in a plugin of this server, which would never end.
        """
        self._refuse_in_plugin("wait()", "pub.wait() sleeps until the server stops")
        with stop_signals(self.stopped) as wait:
            wait()

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
        """``(topic, data)`` pairs, cheaper than one by one. How many.

        A faulty pair loses no other: all others are published, then the error of the first is
        raised, which names it (``pairs[3].data.bid``). `TopicError`, `DataError`.
        """
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
        ``to_numpy()`` that gives one (Arrow, pandas, polars), or a list of values. All topics and
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
        return LocalSubscription(
            self._running().local_session(), topics, options, self._host.is_on_loop
        )

    # --- the server -------------------------------------------------------------------------------

    def add_plugin(self, plugin: object) -> None:
        """A file's path, a module's name, or a module, function or object with decorated functions.

        Before `start` it is only noted; afterwards it runs at once. `PluginError`, and
        `ServerError` when the server has stopped.
        """
        if not self._host.is_mine():  # plugins run already while start() holds the lock
            with self._lifecycle:
                if self._is_over:
                    raise ServerError("the server has stopped: it takes no more plugins")
                if not self._is_running:
                    self._plugins.append(plugin)
                    return
        self._host.add(plugin)

    def reload(self, config: str | os.PathLike[str] | Mapping[str, Any] | Config | None) -> None:
        """Takes over what can change while it runs, log.level and topics.*; logs what cannot."""
        self._running().reload(_load(config, None))

    @property
    def address(self) -> str:
        """``127.0.0.1:8080``, with the port it really has."""
        return self._running().address

    @property
    def url(self) -> str:
        """For clients: ``ws://127.0.0.1:8080/ws``."""
        return f"ws://{self.address}/ws"

    @property
    def admin_address(self) -> str:
        """Where sessions and health in full are told: a socket's path or ``host:port``.

        Empty where ``admin.listen`` is off, or auto and no folder could be used.
        """
        return self._running().admin_address

    @property
    def health(self) -> dict[str, Any]:
        """What ``GET /health`` of the admin listener answers: plugins, store, loops."""
        return cast(dict[str, Any], json.loads(self._running().health()))

    @property
    def config(self) -> Config:
        return self._engine.config

    def log_start(self, program: str) -> None:
        """The line in the log that says what runs."""
        log_start(program, self._running(), self._host.plugins())

    def _running(self) -> Engine:
        if self._is_running or self._host.is_mine():
            return self._engine
        if self._is_over:
            raise ServerError("the server has stopped")
        if self._host.is_serving:  # what plugins started may come before start() returns
            return self._engine
        raise ServerError("the server is not running: call start(), or use it as a context manager")

    def _stop(self) -> None:
        with self._lifecycle:
            if self._is_over:
                return
            self._is_running, self._is_over = False, True
            try:
                self._host.stop()
            finally:
                self.stopped.set()

    def _stop_beside(self) -> None:
        try:
            self._stop()
        except Exception:
            logging.getLogger("tickwire").exception("the server did not stop in order")

    def _refuse_in_plugin(self, what: str, instead: str) -> None:
        if self._host.is_mine():
            raise ServerError(f"{what} in a plugin of this server would wait for itself: {instead}")


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
