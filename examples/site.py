"""What the examples share: a plant, and beside it a web site with the example's own page.

The plant serves the topics. The site stands for whatever serves your pages (nginx, an application):
it has another port, and so another origin. Pages say ``http://localhost:8080`` for the plant; the
site puts the plant's real address in its place.
"""

import argparse
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import tickwire

BODY_BYTES_MAX = 8_192
SILENCE_S_MAX = 10
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
PLANT = b"http://localhost:8080"

Fields = dict[str, Any]
Post = Callable[[tickwire.Server, Fields], Fields]
"""Answers what a page posts. A ValueError refuses it; the page shows its text."""


class Site(ThreadingHTTPServer):
    """Serves the files of a folder, and what is posted, on a port of this machine."""

    daemon_threads = True

    def __init__(
        self, folder: Path, port: int, plant: tickwire.Server, posts: Mapping[str, Post]
    ) -> None:
        super().__init__(("127.0.0.1", port), Visit)
        shown = [*folder.iterdir(), Path(__file__).with_name("look.css")]
        self.files = {path.name: path for path in shown if path.suffix in TYPES}
        self.plant = plant
        self.posts = posts


class Visit(BaseHTTPRequestHandler):
    timeout = SILENCE_S_MAX
    server: Site

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].removeprefix("/") or "index.html"
        if path := self.server.files.get(name):
            body = path.read_bytes().replace(PLANT, f"http://{self.server.plant.address}".encode())
            self.answer(200, f"{TYPES[path.suffix]}; charset=utf-8", body)
        else:
            self.answer(404, "text/plain", b"there is nothing at this path")

    def do_POST(self) -> None:
        post = self.server.posts.get(self.path)
        bytes_sent = self.headers.get("Content-Length", "")
        # A form of another site could send any other type without asking.
        if post is None or self.headers.get("Content-Type") != "application/json":
            self.answer(404, "text/plain", b"there is nothing at this path")
        elif not bytes_sent.isdecimal() or int(bytes_sent) > BODY_BYTES_MAX:
            self.say(413, {"error": f"at most {BODY_BYTES_MAX} bytes"})
        else:
            try:
                fields = json.loads(self.rfile.read(int(bytes_sent)))
                if not isinstance(fields, dict):
                    raise ValueError("an object is needed")
                self.say(200, post(self.server.plant, fields))
            except (ValueError, RecursionError) as error:
                self.say(400, {"error": str(error)})

    def say(self, status: int, fields: Fields) -> None:
        self.answer(status, "application/json", json.dumps(fields).encode())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def text_of(fields: Fields, name: str, characters_max: int) -> str:
    """A text that a visitor typed: one line, neither empty nor too long. ValueError otherwise."""
    value = fields.get(name)
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not 1 <= len(text) <= characters_max or not text.isprintable():
        raise ValueError(f"{name}: 1 to {characters_max} characters that can be shown")
    return text


def options() -> argparse.Namespace:
    """The ports that the command line names; 0 takes any free one."""
    parser = argparse.ArgumentParser(description="An example; its README says what it shows.")
    parser.add_argument("--site", type=int, default=8000, help="port of the page (8000)")
    parser.add_argument("--plant", type=int, default=8080, help="port of the plant (8080)")
    return parser.parse_args()


def run(
    folder: Path,
    *,
    config: Mapping[str, Any] | None = None,
    plugins: Sequence[object] = (),
    posts: Mapping[str, Post] | None = None,
    started: Callable[[tickwire.Server], None] = lambda plant: None,
) -> None:
    """Runs a plant and the site of `folder` until Ctrl-C. `started` is called before the site."""
    ports = options()
    listen = f"127.0.0.1:{ports.plant}"
    with tickwire.Server(config or {}, listen=listen, plugins=plugins) as plant:
        started(plant)
        with Site(folder, ports.site, plant, posts or {}) as site:
            threading.Thread(target=site.serve_forever, daemon=True).start()
            print(f"open http://127.0.0.1:{site.server_port}/", flush=True)
            plant.wait()
            site.shutdown()
