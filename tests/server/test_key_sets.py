"""Keys of tokens that the server fetches: a JSON Web Key Set at an address."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from server.certificates import CERTIFICATE, KEY, make_certificate
from server.conftest import Run, StartDaemon
from server.daemon_process import DaemonProcess
from server.tokens import Issuer

WITHIN_S = 60.0


class Publisher:
    """Publishes `keys` over HTTP, or over HTTPS, and counts how often it is asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.keys: list[dict[str, Any]] = []
        self.status = 200
        self.asked = 0
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked += 1
                body = json.dumps({"keys": publisher.keys}).encode()
                self.send_response(publisher.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://localhost:{self._server.server_port}/jwks.json"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.close()


def judged(daemon: DaemonProcess, token: str) -> str:
    """`ack`, or the code of the error."""
    with daemon.connect() as client:
        answer = client.ask({"type": "auth", "id": 1, "token": token})
        return str(answer.get("code", answer["type"]))


def eventually(probe: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not probe():
        assert time.monotonic() < end
        time.sleep(0.05)


def signed(issuer: Issuer, key_id: str) -> str:
    return issuer.token(">", headers={"kid": key_id})


def test_a_new_key_of_the_issuer_is_fetched_when_a_token_names_it(
    start_daemon: StartDaemon, publisher: Publisher, tmp_path: Path
) -> None:
    old, new, foreign = (Issuer("ES256", tmp_path) for _ in range(3))
    publisher.keys = [old.jwk("old")]
    daemon = start_daemon("--set", f"auth.jwt.keys={publisher.url}")
    eventually(lambda: judged(daemon, signed(old, "old")) == "ack")
    assert judged(daemon, signed(new, "old")) == "denied"
    publisher.keys.append(new.jwk("new"))
    eventually(lambda: judged(daemon, signed(new, "new")) == "ack")
    assert judged(daemon, signed(old, "old")) == "ack"
    asked = publisher.asked
    for n in range(20):  # it was asked a moment ago, so nobody can make it ask again
        assert judged(daemon, signed(foreign, f"unknown{n}")) == "denied"
    assert publisher.asked == asked


def test_until_the_issuer_answers_nobody_is_let_in_and_nobody_is_turned_away_for_good(
    start_daemon: StartDaemon, publisher: Publisher, tmp_path: Path
) -> None:
    issuer = Issuer("EdDSA", tmp_path)
    publisher.status = 500
    daemon = start_daemon("--set", f"auth.jwt.keys={publisher.url}")
    assert judged(daemon, signed(issuer, "one")) == "unavailable"
    eventually(lambda: "status 500" in daemon.log())
    publisher.status, publisher.keys = 200, [issuer.jwk("one")]
    eventually(lambda: judged(daemon, signed(issuer, "one")) == "ack")
    publisher.keys = []  # which is no set that can be used
    assert judged(daemon, signed(issuer, "two")) in ("unavailable", "denied")
    eventually(lambda: "has no key that can be used" in daemon.log())
    assert judged(daemon, signed(issuer, "one")) == "ack"
    assert daemon.stop() == 0


def test_the_certificate_of_the_issuer_is_verified(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    issuer = Issuer("RS256", tmp_path)
    make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / CERTIFICATE, tmp_path / KEY)
    publisher = Publisher(tls)
    publisher.keys = [issuer.jwk("one")]
    setting = ("--set", f"auth.jwt.keys={publisher.url}")
    trusting = start_daemon(*setting, env={"SSL_CERT_FILE": str(tmp_path / CERTIFICATE)})
    eventually(lambda: judged(trusting, signed(issuer, "one")) == "ack")
    wary = start_daemon(*setting)
    eventually(lambda: "certificate" in wary.log())
    assert judged(wary, signed(issuer, "one")) == "unavailable"
    publisher.close()


@pytest.mark.parametrize("url", ["http://issuer.example/jwks", "ftp://localhost/jwks", "http://"])
def test_an_address_that_others_could_answer_is_refused(run: Run, url: str) -> None:
    ended = run("--set", f"auth.jwt.keys={url}")
    assert ended.returncode == 2
    assert "is not https://" in ended.stderr
