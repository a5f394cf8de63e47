"""Signals belong to the program: plugins cannot take SIGTERM away, and SIGHUP reloads."""

import os
import pty
import re
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tickwire import Server
from tickwire._host.program import Latch

PROGRAMS = ["tickwired", "tickwire serve"]
FEED = """
import asyncio, signal, threading
from tickwire import feed

@feed("h.*", topics=["h.x"])
async def f(pub):
    pub.publish("h.x", {{"a": 1}})
    {in_feed}
    await asyncio.sleep(3600)

{at_import}
"""
HANDLERS = "for n in (signal.SIGTERM, signal.SIGINT): signal.signal(n, {handler})"
HARMS = {
    "handlers": {"at_import": HANDLERS.format(handler="lambda *_: print('mine')")},
    "ignored": {"at_import": HANDLERS.format(handler="signal.SIG_IGN")},
    "blocked": {
        "at_import": "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])"
    },
    "wakeup fd": {
        "at_import": "import socket; a, b = socket.socketpair(); b.setblocking(False); "
        "signal.set_wakeup_fd(b.fileno())"
    },
    "an event loop's": {
        "at_import": "l = asyncio.new_event_loop(); "
        "l.add_signal_handler(signal.SIGTERM, lambda: None); "
        "l.add_signal_handler(signal.SIGINT, lambda: None)"
    },
    "in the C library": {
        "at_import": "import faulthandler, sys; "
        "[faulthandler.register(n, sys.stderr) for n in (signal.SIGTERM, signal.SIGINT)]"
    },
    # An interval timer's handler runs in the main thread, whenever it likes.
    "later": {
        "at_import": "signal.signal(signal.SIGALRM, lambda *_: ("
        "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT)], "
        "print('taken', flush=True))); signal.setitimer(signal.ITIMER_REAL, 0.1)"
    },
}

RAISES_LATER = (
    "def handler(*_): print('raises', flush=True); {what}\n"
    "signal.signal(signal.SIGALRM, handler); signal.setitimer(signal.ITIMER_REAL, 1, 0.2)"
)
NOT_THE_PROGRAMS = {
    "a handler that raises": {"at_import": RAISES_LATER.format(what="raise TimeoutError('mine')")},
    "a handler that exits": {"at_import": RAISES_LATER.format(what="raise SystemExit(9)")},
    "a thread that runs on": {
        "at_import": "import time; threading.Thread(target=time.sleep, args=[3600]).start()"
    },
    "no streams": {"at_import": "import sys; sys.stdout = sys.stderr = None"},
    "closed streams": {"at_import": "import sys; sys.stdout.close(); sys.stderr.close()"},
}


class Program:
    def __init__(self, command: list[object], log: Path, cwd: Path) -> None:
        self._log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                list(map(str, command)), stdout=out, stderr=out, cwd=cwd
            )

    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def serve(programs: Path, tmp_path: Path, eventually) -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def start(program: str, *args: object) -> Program:
        name, *rest = program.split()
        command = [programs / name, *rest, "--listen", "127.0.0.1:0", *args]
        started.append(Program(command, tmp_path / "log", tmp_path))
        eventually(lambda: re.search(r"listening on \S+:\d+ \(", started[-1].log()), 60)
        return started[-1]

    yield start
    for program in started:
        program.process.kill()
        program.process.wait()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_plugin_takes_the_end_away(program, harm, number, serve, tmp_path, eventually):
    if number == signal.SIGINT and harm not in ("handlers", "later"):
        pytest.skip("the same as SIGTERM")
    text = FEED.format(**{"at_import": "", "in_feed": "pass"} | HARMS[harm])
    (tmp_path / "loud.py").write_text(text)
    running = serve(program, "loud.py")
    if harm == "later":
        eventually(lambda: "taken" in running.log())
        eventually(lambda: "it is set again" in running.log())
    if harm == "handlers":
        assert "sets handlers of SIGTERM, SIGINT; the program keeps" in running.log()
    running.process.send_signal(number)
    assert running.process.wait(60) == 0, running.log()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("harm", NOT_THE_PROGRAMS)
def test_what_a_plugin_does_to_its_process_does_not_end_it_or_hold_it_up(
    program, harm, serve, tmp_path, eventually
):
    text = FEED.format(**{"at_import": "", "in_feed": "pass"} | NOT_THE_PROGRAMS[harm])
    (tmp_path / "loud.py").write_text(text)
    running = serve(program, "loud.py")
    if "handler" in harm:
        eventually(lambda: "a signal handler raised; the server goes on" in running.log())
        assert "loud.py" in running.log(), "the traceback names the plugin's file"
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0, running.log()
    assert running.log().rstrip().endswith(" info tickwire: stopped")


@pytest.mark.parametrize("program", PROGRAMS)
def test_sighup_reloads(program, serve, tmp_path, eventually):
    (tmp_path / "quiet.py").write_text(FEED.format(at_import="", in_feed="pass"))
    config = tmp_path / "tickwire.toml"
    config.write_text("")
    running = serve(program, "--config", "tickwire.toml", "quiet.py")
    config.write_text('[log]\nlevel = "debug"\n[auth]\npublish = "open"\n')
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded: log.level" in running.log())
    eventually(lambda: "needs a restart: auth.publish" in running.log())
    config.write_text("[log]\nlevel = 7\n")
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: "not reloaded: tickwire.toml" in running.log())
    running.process.terminate()
    assert running.process.wait(60) == 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_closing_its_terminal_ends_the_server_cleanly(program, programs, tmp_path):
    """The store shows that it ended by itself: the next start goes on with its epoch."""
    store = tmp_path / "plant.db"
    name, *arguments = program.split()
    command = [str(programs / name), *arguments, "--listen", "127.0.0.1:0"]
    command += ["--set", f"store.path={store}"]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    said = b""
    while b"listening on" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with sqlite3.connect(store) as db:
        assert db.execute("select value from meta where key = 'clean'").fetchone() == ("1",)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_log_says_what_runs_in_one_format(program, serve, tmp_path, eventually):
    (tmp_path / "noisy.py").write_text(
        FEED.format(at_import="", in_feed=r"pub.log.warning('red \x1b[31m')")
    )
    config = tmp_path / "tickwire.toml"
    config.write_text('[store]\npath = "ticks.db"\n')
    running = serve(program, "--config", "tickwire.toml", "noisy.py")
    eventually(lambda: "red" in running.log())
    running.process.terminate()
    assert running.process.wait(60) == 0
    lines = [line for line in running.log().splitlines() if not line.startswith("serving ")]
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} (debug|info|warning|error) \S.*"
    assert [line for line in lines if not re.fullmatch(form, line)] == []
    assert "(configuration tickwire.toml, plugins noisy, store ticks.db)" in running.log()
    assert "warning tickwire.plugins.noisy: red \\x1b[31m" in running.log()
    assert lines[-1].endswith(" info tickwire: stopped")


# --- in a program of one's own --------------------------------------------------------------------


def test_a_plugin_leaves_the_handlers_of_the_program_that_loads_it(tmp_path, caplog):
    (tmp_path / "loud.py").write_text(
        FEED.format(in_feed="pass", **HARMS["handlers"])
        + "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
    )
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        mine = signal.getsignal(signal.SIGTERM)
        with Server({"server": {"listen": "127.0.0.1:0"}}, plugins=[tmp_path / "loud.py"]):
            assert signal.getsignal(signal.SIGTERM) is mine
            assert signal.getsignal(signal.SIGINT) is interrupted
            assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "its import sets handlers of SIGTERM, SIGINT" in caplog.text


def test_a_latch_wakes_all_who_wait_now_and_later():
    latch = Latch()
    assert not latch.wait(0.01)
    threads = [threading.Thread(target=latch.wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    latch.set()
    latch.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert latch.is_set()
    assert latch.wait()


def test_a_latch_may_be_set_by_a_handler_that_interrupts_its_wait():
    latch = Latch()
    before = signal.signal(signal.SIGUSR1, lambda *_: latch.set())
    try:
        main = threading.main_thread().ident
        assert main is not None
        threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGUSR1)).start()
        begun = time.monotonic()
        assert latch.wait(60)
        assert time.monotonic() - begun < 60
    finally:
        signal.signal(signal.SIGUSR1, before)
