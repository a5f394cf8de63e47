"""What a program that serves does besides serving: signals, log lines, and the daemon's main."""

import atexit
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, Final

from tickwire._core import Engine, version
from tickwire._fault_log import FaultLog
from tickwire._host.host import Host
from tickwire._host.log import set_level, to_stderr

HOLD_S: Final = 1.0
"""How often a waiting program sets its signal handlers again, in case a plugin has replaced
them."""

_log: Final = logging.getLogger("tickwire")


Handlers = dict[signal.Signals, Callable[[int, FrameType | None], Any]]


class Latch:
    """A flag that is set once, and for which any number of threads wait. Unlike `threading.Event`
    it may be set within a signal handler, even one that interrupts wait()."""

    def __init__(self) -> None:
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._tokens.put(None)

    def is_set(self) -> bool:
        return not self._tokens.empty()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits, and returns whether it is set."""
        try:
            self._tokens.get(timeout=timeout_s)
        except Empty:
            return False
        self._tokens.put(None)  # for the next one who waits
        return True


@contextmanager
def stop_signals(
    stop: Latch | None = None, reload: Callable[[], None] | None = None
) -> Iterator[Callable[[], None]]:
    """SIGTERM and SIGINT set `stop`, SIGHUP calls `reload` where there is one. Gives a function
    that waits for `stop` and meanwhile sets the handlers again if something took them away.
    A SIGHUP that comes because the program's terminal was closed sets `stop`, too: nobody could
    stop the program from there any more.

    In another than the main thread no handlers are set. After a stop signal the next one ends the
    process at once: Python's own handlers would wait for a stop() that is under way.
    """
    stop = stop or Latch()

    def wait_for_stop() -> None:
        stop.wait()

    if threading.current_thread() is not threading.main_thread():
        yield wait_for_stop
        return
    reloads: SimpleQueue[None] = SimpleQueue()

    def on_stop(*_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    ours: Handlers = {signal.SIGTERM: on_stop, signal.SIGINT: on_stop}
    had_terminal = _has_terminal()

    def on_hang_up(*_: object) -> None:
        if had_terminal and not _has_terminal():
            on_stop()
        else:
            reloads.put(None)

    if reload is not None:
        ours[signal.SIGHUP] = on_hang_up

    def is_over() -> bool:
        if stop.wait(HOLD_S):
            return True
        _hold(ours)
        while reload is not None and not reloads.empty():
            reloads.get()
            reload()
        return False

    faults = FaultLog(_log)

    def wait() -> None:
        while True:
            try:
                if is_over():
                    return
            except BaseException as e:  # Python runs all handlers in this thread
                kind = f"a signal handler raised {type(e).__name__}"
                faults.error(kind, "a signal handler raised; the server goes on", exc_info=e)

    old = {number: signal.signal(number, handler) for number, handler in ours.items()}
    try:
        yield wait
    finally:
        for number, before in old.items():
            signal.signal(number, before if before is not None else signal.SIG_DFL)


def _hold(ours: Handlers) -> None:
    taken = [
        number for number, handler in ours.items() if signal.signal(number, handler) is not handler
    ]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ours)
    for number in taken:
        _log.warning("something took the handler of %s; it is set again", number.name)


def _has_terminal() -> bool:
    """tty(4): opening it fails in a process without a controlling terminal, and once that was
    closed."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def run(engine: Engine) -> None:
    """The daemon's main: serves with its ``plugins.files`` until SIGTERM or SIGINT, then stops.

    Raises what a start can raise: `PluginError`, `StoreError`, `ListenError`.
    """
    set_up_logging(engine.config.log_level)
    out = sys.stdout
    try:
        _serve(engine)
    finally:
        if sys.stdout is None or sys.stdout.closed:  # the daemon flushes it at its end
            sys.stdout = out if not out.closed else io.StringIO()


def _serve(engine: Engine) -> None:
    host = Host(engine)
    with stop_signals() as wait:
        host.start(engine.config.plugin_files)
        log_start("tickwired", engine, host.plugins())
        wait()
    end_on_signals()
    _log.info("stopping")
    host.stop()
    _log.info("stopped")


def end_on_signals() -> None:
    """From here on a signal ends the process: Python's handlers would wait for stop() to return.
    Handlers that plugins set for other signals run no more, since they could end it half-way."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    for number in signal.valid_signals() - {signal.SIGCHLD}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_IGN)


def leave_threads() -> None:
    """Ends the process, which has stopped in order, if threads that plugins started would hold it
    up; as tickwired does, which waits for none of them."""
    others = threading.enumerate()
    if all(thread.daemon or thread is threading.main_thread() for thread in others):
        return
    atexit._run_exitfuncs()
    logging.shutdown()
    os._exit(0)


# --- the log --------------------------------------------------------------------------------------


def log_start(program: str, engine: Engine, plugins: list[str]) -> None:
    """Logs the line that says what runs."""
    _log.info(
        "%s %s listening on %s (configuration %s, plugins %s, store %s)",
        program,
        version,
        " and ".join(engine.urls),
        engine.config.file or "none",
        " ".join(plugins) or "none",
        engine.config.store_path or "none",
    )


def set_up_logging(level: str) -> None:
    """Sends plugins' logs to standard error, unless the program has set logging up itself."""
    to_stderr()
    set_level(level)
