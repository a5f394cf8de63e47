"""A whole tickwire server within a Python program."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, Self, cast

from tickwire._core import Config, Engine
from tickwire._host import settings
from tickwire._host.host import Host
from tickwire._host.program import Latch, log_start, stop_signals
from tickwire._json import Payload
from tickwire.errors import ConfigError, ProtocolError, ServerError
from tickwire.local import LocalSubscription
from tickwire.update import Update, parse_message


class Server:
    """A whole server within this process, from `start` to `stop`, or as a context manager:

        with tickwire.Server({"server": {"listen": "127.0.0.1:0"}}) as server:
            server.publish("ticker.BTC-USD", {"last": "101.25"})
            print(server.url)

    Every method may be called from any thread, from plugins of this very server, from a signal
    handler, and on any event loop (which `start` and `stop` hold up for a while). A call that would
    wait for itself raises `ServerError`; `stop` in a plugin returns at once instead.

    Args:
        config: The path of a TOML file, or a mapping with the same structure. ``TICKWIRE_*`` in the
            environment override the file, and a mapping overrides the environment. A `Config` is
            used unchanged.
        listen: ``host:port`` or ``https://host:port`` in place of ``server.listen``; port 0 takes
            a free one.
        plugins: Further plugins, each as `add_plugin` takes it.
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
        """Starts to serve, once in the object's life.

        Raises:
            PluginError: A plugin could not be loaded, or a feed could not be started.
            StoreError: The store could not be opened.
            ListenError: The address could not be bound.
            ServerError: It was started before.
        """
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
        """Ends feeds, sends drain to clients and flushes the store. It may be called repeatedly.

        In a plugin of this server, or while `start` runs in this thread, it returns at once, and
        the server stops as soon as it can; `wait` returns once it has stopped.
        """
        if self._host.is_mine() or self._starter == threading.get_ident():
            threading.Thread(target=self._stop_beside, name="server-stop", daemon=True).start()
        else:
            self._stop()

    def wait(self) -> None:
        """Waits until somebody calls `stop`; in the main thread also until SIGTERM or SIGINT.

        In a plugin of this server it would never end, so there it raises `ServerError`.
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

    def publish(self, topic: str, data: Payload) -> int:
        """Publishes one update, and returns its `seq`.

        Args:
            topic: The topic's name, at most 200 bytes.
            data: A mapping, in which a `Decimal` keeps its digits and a float is written with its
                shortest digits; or a JSON object as `bytes` or `str`, which is published unchanged.

        Raises:
            TopicError: The name is not a topic.
            DataError: The data is not a JSON object, too deep or too long.
        """
        return self._running().publish(topic, data)

    def publish_many(self, pairs: Iterable[tuple[str, Payload]]) -> int:
        """Publishes pairs of topic and data, at less cost than one by one. Returns their number.

        All valid pairs are published. Then the error of the first faulty one is raised, a
        `TopicError` or `DataError` that names it (``pairs[3].data.bid``).
        """
        return self._running().publish_many(pairs)

    def publish_table(
        self,
        topics: Iterable[str],
        columns: Mapping[str, Any],
        *,
        nan: Literal["error", "null"] = "error",
    ) -> int:
        """Publishes one row to each topic, far cheaper than mappings. Returns their number.

            server.publish_table(["ticker.A", "ticker.B"], {"bid": bids, "ask": asks})

        Args:
            topics: Row *i* of every column goes to the topic *i*.
            columns: Name of a field to its values: a one-dimensional NumPy array (or any buffer) of
                numbers or bools, an object whose ``to_numpy()`` returns one (Arrow, pandas,
                polars), or a list of values.
            nan: Whether NaN and infinity are an error, or are published as null.

        Raises:
            TopicError: A name is not a topic.
            DataError: A value cannot be published; nothing was published then.
        """
        return self._running().publish_table(topics, columns, nan)

    def set_status(self, topic: str, status: str) -> None:
        """Sets a topic's status: ``live``, ``stale``, ``halted`` or ``closed``.

        Raises:
            UnknownTopicError: Nothing was ever published to the topic.
        """
        self._running().set_status(topic, status)

    def snapshot(self, topic: str) -> Update | None:
        """Returns the topic's image, or None if nothing was ever published to it."""
        text = self._running().snapshot(topic)
        return None if text is None else cast(Update, parse_message(text))

    def topics(self, pattern: str = ">") -> list[str]:
        """Returns the topics that match `pattern` and have an update, in order of name."""
        found: list[str] = []
        while some := self._running().topics(pattern, found[-1] if found else ""):
            found += some
        return found

    def subscribe(
        self, *topics: str, max_rate: float = 0, snapshot: bool = True
    ) -> LocalSubscription:
        """Subscribes within this process, where no authorizer is asked.

        Args:
            topics: Names and patterns, each an argument of its own.
            max_rate: At most this number of messages a second per topic, 0.02 to 1000; 0: every
                update.
            snapshot: If False, begin with the next update instead of a snapshot.

        Raises:
            TopicError: A name is not a topic or a pattern.
        """
        options = {"max_rate": max_rate, "snapshot": snapshot}
        return LocalSubscription(
            self._running().local_session(), topics, options, self._host.is_on_loop
        )

    # --- the server -------------------------------------------------------------------------------

    def add_plugin(self, plugin: object) -> None:
        """Adds a plugin. Before `start` it is only noted; afterwards it runs at once.

        Args:
            plugin: A file's path, a module's name, or a module, function or object with decorated
                functions.

        Raises:
            PluginError: It could not be loaded.
            ServerError: The server has stopped.
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
        """Applies ``log.level`` and ``topics.*`` at once, and logs what needs a restart."""
        self._running().reload(_load(config, None))

    def revoke(self, *, subject: str | None = None, session: str | None = None) -> dict[str, Any]:
        """Takes back what a subject may do, or ends one session.

        It returns once the sessions have ended, with the close code 4502, after which clients do
        not come back by themselves. Tokens of the subject that were issued until now are refused
        until they have expired.

        Args:
            subject: The `sub` of the tokens' claims, up to 8,192 bytes.
            session: The session's name, as ``/v1/sessions`` lists it, and as ``client.session`` of
                a plugin. Its token stays valid.

        Returns:
            The answer to ``POST /v1/revoke``: ``sessions``, how many have ended, and for a subject
            ``until`` (Unix milliseconds, when every such token has expired) and ``kept_in``
            (``store``, or ``memory``, which a restart forgets).

        Raises:
            ConfigError: Not exactly one of the two is given, or it is empty or too long.
            LimitError: 100,000 other subjects are revoked.
        """
        return _end_sessions(self._running().revoke, subject, session)

    def disconnect(
        self, *, subject: str | None = None, session: str | None = None
    ) -> dict[str, Any]:
        """Ends the sessions of a subject, or one session; their clients connect again by
        themselves.

        It returns once the sessions have ended, with the close code 4001.

        Args:
            subject: As `revoke` has it.
            session: As `revoke` has it.

        Returns:
            The answer to ``POST /v1/disconnect``: ``sessions``, how many have ended.

        Raises:
            ConfigError: Not exactly one of the two is given, or it is empty or too long.
        """
        return _end_sessions(self._running().disconnect, subject, session)

    @property
    def address(self) -> str:
        """The first address it serves on, as ``host:port``, with the port that it really has."""
        return self._running().address

    @property
    def url(self) -> str:
        """The first address for clients: ``ws://127.0.0.1:8080/ws``, or one with ``wss://``."""
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        """The addresses for clients, one for each in ``server.listen``."""
        return [f"{url.replace('http', 'ws', 1)}/ws" for url in self._running().urls]

    @property
    def admin_address(self) -> str:
        """The admin listener's address: a socket's path or ``host:port``.

        It is empty if ``admin.listen`` is off, or is auto and no folder could be used.
        """
        return self._running().admin_address

    @property
    def health(self) -> dict[str, Any]:
        """The answer to ``GET /health`` of the admin listener, with plugins, store and loops."""
        return cast(dict[str, Any], json.loads(self._running().health()))

    @property
    def config(self) -> Config:
        """The configuration that it was made with."""
        return self._engine.config

    def log_start(self, program: str) -> None:
        """Logs what runs: the program, the address, the configuration, plugins and the store."""
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


def _end_sessions(
    end: Callable[[str, str], str], subject: str | None, session: str | None
) -> dict[str, Any]:
    if (subject is None) == (session is None):
        raise ConfigError("give either subject= or session=", field="subject")
    try:
        return cast(dict[str, Any], json.loads(end(subject or "", session or "")))
    except ProtocolError as e:
        raise ConfigError(str(e), field=e.field) from None


def _load(
    config: str | os.PathLike[str] | Mapping[str, Any] | Config | None, listen: str | None
) -> Config:
    if isinstance(config, Config):
        return config
    sets = [] if listen is None else [f"server.listen={listen}"]
    if isinstance(config, Mapping):
        return settings.load(None, sets, dict(config))
    file = None if config is None else os.fspath(config)
    return settings.load(file, sets)
