"""A browser for all page tests; servers, and other sites, for each of them."""

import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from page.browser import Browser
from page.server_process import ServerProcess

Serve = Callable[..., ServerProcess]
Site = Callable[[str], str]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    chromium = Browser()
    yield chromium
    chromium.quit()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Its pages end with the test: a page whose plant is gone goes on looking for it."""
    yield chromium
    chromium.close_pages()


@pytest.fixture
def serve(programs: Path, tmp_path: Path) -> Iterator[Serve]:
    """serve("--demo", "--set", "..."): ended with the test."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TICKWIRE_")}
    running: list[ServerProcess] = []

    def start(*args: str) -> ServerProcess:
        log = tmp_path / f"serve-{len(running)}.log"
        running.append(ServerProcess(programs / "tickwire", log, args, env))
        return running[-1]

    yield start
    for server in running:
        server.kill()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """site("<body>"): its address, on an origin of its own."""
    folder = tmp_path / "site"
    folder.mkdir()
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=http.serve_forever)
    thread.start()

    def write(body: str) -> str:
        name = f"{len(list(folder.iterdir()))}.html"
        head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
        (folder / name).write_text(f"{head}<title>a site</title>{body}")
        return f"http://127.0.0.1:{http.server_address[1]}/{name}"

    yield write
    http.shutdown()
    thread.join()
    http.server_close()
