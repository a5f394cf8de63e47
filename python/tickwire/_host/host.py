"""Hosts plugins: an asyncio loop in a thread of its own, between the engine's queues and plugins.

The same for `tickwire.Server`, `tickwire serve` and the daemon (`run`). The engine's threads
never wait for it: whatever a plugin does, at worst plugins stand still while clients are served.
"""

import asyncio
import inspect
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from tickwire._callables import is_async, name_of, place_of
from tickwire._core import AccessQuestion, AdminWish, DemandChange, Engine, overlap
from tickwire._fault_log import PERIOD_S, FaultLog
from tickwire._host.access import AccessDesk, Guard
from tickwire._host.calls import Calls
from tickwire._host.ending import end_tasks
from tickwire._host.feed_runner import FeedRunner, State
from tickwire._host.feed_task import FeedTask, PluginLoop, run_of_fault, run_of_raised
from tickwire._host.loading import Plugin, load
from tickwire._host.log import set_level
from tickwire._host.plugin_files import raise_from
from tickwire._host.watchdog import Watchdog
from tickwire.errors import PluginError, ServerError
from tickwire.plugins import FeedMark, topic_list
from tickwire.pub import Pub

_log: Final = logging.getLogger("tickwire.plugins")

STOP_GRACE_S: Final = 0.5
"""How long a stopping host waits for feeds to end. Threads that do not end are left behind."""

_WORST_FIRST: Final[tuple[State, ...]] = ("blocked", "backoff", "running", "finished", "stopped")


@dataclass(slots=True)
class Hosted:
    """A loaded plugin with its running feeds and calls."""

    name: str
    faults: FaultLog
    files: frozenset[str]
    """The files in which its functions are defined."""
    calls: Calls
    """The calls of its authorizers and its authenticator."""
    feeds: list[FeedRunner] = field(default_factory=list)
    failures: int = 0
    """The number of those calls that failed."""
    is_asked: bool = False
    """Whether it has authorizers or an authenticator, which are called from the loop."""
    stands: bool = False
    """Whether it cannot be asked at present because the loop stands still."""


class Host:
    """Runs plugins. start() and stop() belong to the thread that owns the engine, add() to any."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop: asyncio.AbstractEventLoop
        self._watchdog: Watchdog
        self._thread = threading.Thread(target=self._run_loop, name="plugins", daemon=True)
        self._worker = threading.local()
        self._desk = AccessDesk(engine)
        self._hosted: list[Hosted] = []
        self._feeds: dict[int, Pub] = {}
        self.is_serving = False
        """Set when the engine has started. Feeds run before start() returns."""
        self._is_open = False  # belongs to the loop: feeds run
        self._is_ended = False  # belongs to the loop: it may end
        self._lock = threading.Lock()
        self._calls: set[Future[None]] | None = set()  # under _lock; None at the end

    # --- any thread -------------------------------------------------------------------------------

    def start(self, sources: Iterable[object]) -> None:
        """Starts the engine with these plugins: their guards are ready before the first client
        comes, and their feeds run once the engine does."""
        path = self._engine.config.plugin_python_path
        if path and path not in sys.path:
            sys.path.append(path)
        self._loop = PluginLoop(self._take_fault)
        self._thread.start()
        self._watchdog = Watchdog(self._loop, self._thread, self._set_blocked)
        try:
            self._call(self._listen)
            for source in sources:
                self.add(source)
            self._engine.start()
            self.is_serving = True
            self._call(self._run_feeds)
        except BaseException:
            self.stop()
            raise

    def add(self, source: object) -> None:
        """Loads a plugin (see `loading.load`). After a `PluginError` nothing of it is left.

        Raises `ServerError` if the host has stopped.
        """
        try:
            plugin = load(source)
        except PluginError:
            raise
        except BaseException as e:  # the plugin's objects may raise anything when looked at
            raise_from(e, str(source), str(source))
        self._call(self._add, plugin)

    def is_mine(self) -> bool:
        """Whether this thread runs plugins of this host, so that it may not wait for the host to
        stop."""
        return self.is_on_loop() or hasattr(self._worker, "is_mine")

    def is_on_loop(self) -> bool:
        """Whether this thread runs the loop of all plugins, which may not wait."""
        return threading.current_thread() is self._thread

    def plugins(self) -> list[str]:
        """Returns the names of the plugins, in the order in which they were added."""
        return [hosted.name for hosted in self._hosted]

    def stop(self) -> None:
        """Stops the feeds first, so that nothing more is published, and the guards last. Must not
        be called in a thread of this host."""
        if not self._thread.is_alive():
            return
        self._watchdog.end()
        self._loop.call_soon_threadsafe(self._stop_feeds)
        deadline = time.monotonic() + STOP_GRACE_S
        for feed in [feed for hosted in self._hosted for feed in hosted.feeds]:
            feed.wait_over(deadline - time.monotonic())
        self._engine.stop()
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._end()))
        self._thread.join(STOP_GRACE_S * 2)
        deadline = time.monotonic() + STOP_GRACE_S
        for hosted in self._hosted:
            for feed in hosted.feeds:
                feed.join(deadline - time.monotonic())
            hosted.faults.end()

    def _call(self, work: Callable[..., None], *args: Any) -> None:
        """Waits for `work` on the loop, but not for anything that it starts there."""
        if self.is_on_loop():
            work(*args)
            return
        done: Future[None] = Future()

        def run() -> None:
            error: BaseException | None = None
            try:
                work(*args)
            except BaseException as e:
                error = e
            with self._lock:
                if done.done():  # the host has stopped
                    return
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

        with self._lock:
            if self._calls is None:
                raise ServerError("the server has stopped")
            self._calls.add(done)
            self._loop.call_soon_threadsafe(run)
        try:
            done.result()
        finally:
            with self._lock:
                if self._calls is not None:
                    self._calls.discard(done)

    # --- the watchdog -----------------------------------------------------------------------------

    def _set_blocked(self, where: str, frame: FrameType | None = None) -> None:
        """Handles a loop that stands still. `where` is its stack, or empty once it goes on."""
        if where:
            name = self._blocker(frame)
            _log.error(
                "plugins stand still: %s blocks their loop, here:\n%s",
                f"plugin {name}" if name else "something",
                where,
            )
        else:
            _log.warning("plugins go on")
        for hosted in self._hosted:
            for feed in hosted.feeds:
                feed.set_blocked(bool(where))
            hosted.stands = bool(where) and hosted.is_asked
            self._show(hosted)

    def _blocker(self, frame: FrameType | None) -> str:
        """Returns the plugin whose code the loop is running, if it can be found."""
        task = asyncio.current_task(self._loop)
        run = task.run if isinstance(task, FeedTask) else None
        for hosted in self._hosted:
            if run is not None and run.feed in hosted.feeds:
                return hosted.name
        while frame is not None:
            for hosted in self._hosted:
                if frame.f_code.co_filename in hosted.files:
                    return hosted.name
            frame = frame.f_back
        return ""

    # --- the loop ---------------------------------------------------------------------------------

    def _run_loop(self) -> None:
        """Runs the loop until _end(), even if plugins raise exceptions out of it or stop it."""
        while not self._is_ended:
            try:
                self._loop.run_forever()
                if not self._is_ended:
                    _log.error("a plugin stopped the event loop of all plugins; it goes on")
            except BaseException as e:
                run = run_of_raised(e)
                if run is None or not run.fail(e):
                    _log.error("%r was raised out of the plugins' event loop; it goes on", e)
        with self._lock:
            left, self._calls = self._calls or set(), None
            for call in left:
                if not call.done():
                    call.set_exception(ServerError("the server has stopped"))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _take_fault(self, context: dict[str, Any]) -> bool:
        """Handles a callback that failed, or a task whose exception nobody will take."""
        run, error = run_of_fault(context), context.get("exception")
        if run is None or error is None or self._is_ended:
            return False
        return run.fail(error)

    def _listen(self) -> None:
        self._loop.add_reader(self._engine.notify_fd(), self._take_events)
        self._report()

    def _report(self) -> None:
        for hosted in self._hosted:
            hosted.faults.report()
        self._loop.call_later(PERIOD_S, self._report)

    def _take_events(self) -> None:
        for event in self._engine.take_events():
            match event:
                case DemandChange():
                    if event.feed in self._feeds:
                        self._feeds[event.feed]._change(event.topic, event.wanted)
                case AccessQuestion():
                    self._desk.take(event)
                case AdminWish():
                    self._restart(event.restart)
                    if event.log_level:
                        set_level(event.log_level)

    def _restart(self, plugin: str) -> None:
        for hosted in self._hosted:
            if hosted.name == plugin:
                for feed in hosted.feeds:
                    feed.restart()

    def _add(self, plugin: Plugin) -> None:
        if any(hosted.name == plugin.name for hosted in self._hosted):
            raise PluginError(f"{plugin.name}: another plugin has that name")
        if plugin.authenticators and (self._desk.authenticator or len(plugin.authenticators) > 1):
            raise PluginError(f"{plugin.name}: there can be one @authenticator only")
        log = logging.getLogger(f"tickwire.plugins.{plugin.name}")
        functions = [function for _, function in (*plugin.feeds, *plugin.authorizers)]
        places = map(place_of, (*functions, *plugin.authenticators))
        files = frozenset(place.rpartition(":")[0] for place in places)
        calls = Calls(plugin.name, lambda: self._show(hosted))
        hosted = Hosted(plugin.name, FaultLog(log), files, calls)
        config = json.loads(self._engine.config.plugin_config(plugin.name))
        try:
            for guard, _ in plugin.authorizers:
                overlap(guard.pattern, guard.pattern)  # valid
            for mark, function in plugin.feeds:
                hosted.feeds.append(self._add_feed(hosted, mark, function, config, log))
        except BaseException as e:
            for feed in hosted.feeds:
                feed.stop()
            raise PluginError(f"{plugin.name}: {e}") from e
        self._hosted.append(hosted)
        self._add_guards(hosted, plugin)
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
        topics, place = mark.topics, place_of(function)
        try:
            if callable(topics):
                place = place_of(topics) or place
                topics = topic_list(topics(config))
            number = self._engine.add_feed(mark.name, mark.pattern, topics, mark.delivery)
        except BaseException as e:
            raise_from(e, place.rpartition(":")[0], place)
        pub = Pub(self._engine, number, config, log, self.is_on_loop)
        self._feeds[number] = pub
        call = self._marked(function)
        return FeedRunner(mark, call, pub, hosted.faults, lambda: self._show(hosted))

    def _add_guards(self, hosted: Hosted, plugin: Plugin) -> None:
        def failed() -> None:
            hosted.failures += 1
            self._show(hosted)

        hosted.is_asked = bool(plugin.authorizers or plugin.authenticators)
        for mark, function in plugin.authorizers:
            guard = Guard(
                mark.pattern,
                mark.actions,
                self._marked(function),
                place_of(function),
                hosted.calls,
                hosted.faults,
                failed,
            )
            self._desk.guards.append(guard)
            for action in mark.actions:
                self._engine.add_authorizer(mark.pattern, action)
        for function in plugin.authenticators:
            marked, place = self._marked(function), place_of(function)
            self._desk.authenticator = Guard(
                "", (), marked, place, hosted.calls, hosted.faults, failed
            )
            self._engine.set_authenticator(True)

    def _marked(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Calls `function` in a way that lets a thread of its own know which host it belongs to."""
        if inspect.iscoroutinefunction(function):
            return function

        def call(*args: Any) -> Any:
            self._worker.is_mine = True  # the thread runs nothing but plugins of this host
            return function(*args)

        async def call_async(*args: Any) -> Any:
            return await function(*args)

        marked = call_async if is_async(function) else call
        marked.__name__ = name_of(function)
        return marked

    def _run_feeds(self) -> None:
        self._is_open = True
        for hosted in self._hosted:
            self._run(hosted)

    def _run(self, hosted: Hosted) -> None:
        for feed in hosted.feeds:
            feed.start()

    def _show(self, hosted: Hosted) -> None:
        states = {feed.state for feed in hosted.feeds} or {"running"}
        if hosted.calls.blocked or hosted.stands:
            states.add("blocked")
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

    async def _end(self) -> None:
        if left := await end_tasks(STOP_GRACE_S):  # tasks that plugins made, too
            _log.warning("%d tasks of plugins ran on after they were cancelled", len(left))
        for hosted in self._hosted:
            hosted.calls.end()
        self._loop.remove_reader(self._engine.notify_fd())
        self._is_ended = True
        self._loop.stop()
