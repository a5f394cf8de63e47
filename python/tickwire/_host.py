"""Hosts plugins: an asyncio loop in a thread of its own, between the engine's queues and plugins.

The same for `tickwire.Server`, `tickwire serve` and the daemon (`run`). The engine's threads
never wait for it: whatever a plugin does, at worst plugins stand still while clients are served.
"""

import asyncio
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tickwire._access import AccessDesk, Guard
from tickwire._core import DemandChange, Engine, overlap
from tickwire._log import to_stderr
from tickwire._runner import FeedRunner, State
from tickwire._watchdog import Watchdog
from tickwire.errors import PluginError
from tickwire.plugins import FeedMark, Plugin, load
from tickwire.pub import Pub

_log: Final = logging.getLogger("tickwire.plugins")

STOP_GRACE_S: Final = 0.5
"""So long a stopping host waits for feeds to end; threads that do not are left behind."""

_WORST_FIRST: Final[tuple[State, ...]] = ("blocked", "backoff", "running", "finished", "stopped")


@dataclass(slots=True)
class Hosted:
    """A plugin and what runs of it."""

    name: str
    feeds: list[FeedRunner] = field(default_factory=list)
    failures: int = 0
    """Of its authorizers."""


class Host:
    """start() and stop() from the thread that owns the engine, add() from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop: asyncio.AbstractEventLoop
        self._watchdog: Watchdog
        self._thread = threading.Thread(target=self._run_loop, name="plugins", daemon=True)
        self._desk = AccessDesk(engine)
        self._hosted: list[Hosted] = []
        self._feeds: dict[int, Pub] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = False  # the loop's: feeds run

    # --- any thread -------------------------------------------------------------------------------

    def start(self, sources: Iterable[object]) -> None:
        """Guards stand before the first client comes, feeds run once the engine does."""
        path = self._engine.config.plugin_python_path
        if path and path not in sys.path:
            sys.path.append(path)
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        self._watchdog = Watchdog(self._loop, self._thread, self._set_blocked)
        try:
            self._call(self._listen)
            for source in sources:
                self.add(source)
            self._engine.start()
            self._call(self._run_feeds)
        except BaseException:
            self.stop()
            raise

    def add(self, source: object) -> None:
        """Loads a plugin (see `plugins.load`). `PluginError`; nothing of it is left then."""
        self._call(self._add, load(source))

    def stop(self) -> None:
        """Feeds first, so that what they published is all there is; guards go last."""
        if not self._thread.is_alive():
            return
        self._watchdog.end()
        self._loop.call_soon_threadsafe(self._stop_feeds)
        self._engine.stop()
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._end()))
        self._thread.join(STOP_GRACE_S * 2)
        deadline = time.monotonic() + STOP_GRACE_S
        for hosted in self._hosted:
            for feed in hosted.feeds:
                feed.join(deadline - time.monotonic())

    def _call(self, work: Callable[..., None], *args: Any) -> None:
        """Waits for `work` on the loop, but not for anything that it starts there."""
        done: Future[None] = Future()

        def run() -> None:
            try:
                work(*args)
                done.set_result(None)
            except BaseException as e:
                done.set_exception(e)

        self._loop.call_soon_threadsafe(run)
        done.result()

    # --- the watchdog -----------------------------------------------------------------------------

    def _set_blocked(self, where: str) -> None:
        """The loop runs nothing while this does something: `where` is empty once it goes on."""
        if where:
            _log.error("plugins stand still, something blocks their loop:\n%s", where)
        else:
            _log.warning("plugins go on")
        for hosted in self._hosted:
            for feed in hosted.feeds:
                feed.set_blocked(bool(where))

    # --- the loop ---------------------------------------------------------------------------------

    def _run_loop(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _listen(self) -> None:
        self._loop.add_reader(self._engine.notify_fd(), self._take_events)

    def _take_events(self) -> None:
        for event in self._engine.take_events():
            if not isinstance(event, DemandChange):
                self._desk.take(event)
            elif event.feed in self._feeds:
                self._feeds[event.feed]._change(event.topic, event.wanted)

    def _add(self, plugin: Plugin) -> None:
        if any(hosted.name == plugin.name for hosted in self._hosted):
            raise PluginError(f"{plugin.name}: another plugin has that name")
        if plugin.authenticators and (self._desk.authenticator or len(plugin.authenticators) > 1):
            raise PluginError(f"{plugin.name}: there can be one @authenticator only")
        hosted = Hosted(plugin.name)
        log = logging.getLogger(f"tickwire.plugins.{plugin.name}")
        config = json.loads(self._engine.config.plugin_config(plugin.name))
        try:
            for guard, _ in plugin.authorizers:
                overlap(guard.pattern, guard.pattern)  # valid
            for mark, function in plugin.feeds:
                hosted.feeds.append(self._add_feed(hosted, mark, function, config, log))
        except Exception as e:
            for feed in hosted.feeds:
                feed.stop()
            raise PluginError(f"{plugin.name}: {e}") from e
        self._hosted.append(hosted)
        self._add_guards(hosted, plugin, log)
        self._show(hosted)
        if self._is_open:
            self._run(hosted)

    def _add_feed(
        self,
        hosted: Hosted,
        mark: FeedMark,
        function: Callable[..., Any],
        config: dict[str, Any],
        log: logging.Logger,
    ) -> FeedRunner:
        topics = mark.topics(config) if callable(mark.topics) else mark.topics
        number = self._engine.add_feed(
            mark.name, mark.pattern, None if topics is None else list(topics), mark.delivery
        )
        pub = self._feeds[number] = Pub(self._engine, number, config, log)
        return FeedRunner(mark, function, pub, lambda: self._show(hosted))

    def _add_guards(self, hosted: Hosted, plugin: Plugin, log: logging.Logger) -> None:
        def failed() -> None:
            hosted.failures += 1
            self._show(hosted)

        for mark, function in plugin.authorizers:
            self._desk.guards.append(Guard(mark.pattern, mark.actions, function, log, failed))
            for action in mark.actions:
                self._engine.add_authorizer(mark.pattern, action)
        for function in plugin.authenticators:
            self._desk.authenticator = Guard("", (), function, log, failed)
            self._engine.set_authenticator(True)

    def _run_feeds(self) -> None:
        self._is_open = True
        for hosted in self._hosted:
            self._run(hosted)

    def _run(self, hosted: Hosted) -> None:
        for feed in hosted.feeds:
            task = self._loop.create_task(feed.run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _show(self, hosted: Hosted) -> None:
        states = {feed.state for feed in hosted.feeds} or {"running"}
        self._engine.plugin_state(
            hosted.name,
            next(state for state in _WORST_FIRST if state in states),
            sum(feed.restarts for feed in hosted.feeds),
            sum(feed.errors for feed in hosted.feeds) + hosted.failures,
        )

    def _stop_feeds(self) -> None:
        for hosted in self._hosted:
            for feed in hosted.feeds:
                feed.stop()
        for task in self._tasks:
            task.cancel()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}  # also those that plugins made
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_GRACE_S)
        self._desk.end()
        self._loop.remove_reader(self._engine.notify_fd())
        self._loop.stop()


# --- mains ----------------------------------------------------------------------------------------


def run(engine: Engine) -> None:
    """The daemon's main: serves with its ``plugins.files`` until SIGTERM or SIGINT, then stops.

    Raises what a start can raise: `PluginError`, `StoreError`, `ListenError`.
    """
    set_up_logging(engine.config.log_level)
    host = Host(engine)
    with stop_signals() as stop:
        host.start(engine.config.plugin_files)
        logging.getLogger("tickwire").info("listening on %s", engine.address)
        stop.wait()
    # Python's own handlers would wait for stop() to return: from here on another signal kills.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    host.stop()


@contextmanager
def stop_signals(stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, if this is the main thread; a second one kills."""
    stop = stop or threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(*_: object) -> None:
        for number in old:
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    old = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def set_up_logging(level: str) -> None:
    """Plugins' logs on stderr, unless the program has set logging up itself."""
    to_stderr()
    logging.getLogger("tickwire").setLevel("CRITICAL" if level == "off" else level.upper())
