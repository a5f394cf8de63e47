"""Every block of docs/PLUGINS.md does what it says."""

import gc
import json
import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from websockets.sync.server import serve

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def blocks(checkout: Path) -> list[tuple[str, str]]:
    return BLOCK.findall((checkout / "docs/PLUGINS.md").read_text())


@pytest.fixture
def save(blocks, tmp_path):
    """save("quotes.py"): the block that begins with that name, as a file."""

    def write(name: str) -> Path:
        (text,) = [
            text for kind, text in blocks if kind == "python" and text.startswith(f"# {name}\n")
        ]
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_no_block_is_without_a_test(blocks):
    names = [text.splitlines()[0] for kind, text in blocks if kind == "python"]
    assert names == [
        "# quotes.py",
        "# clocks.py",
        "# load.py",
        "# book.py",
        "# doors.py",
        "# program",
        "# venue.py",
    ]
    assert [kind for kind, _ in blocks if kind != "python"] == ["sh", "toml", "json"]


def test_the_first_feed_serves_from_the_command_line(blocks, save, run_server, programs):
    (command,) = [text.strip() for kind, text in blocks if kind == "sh"]
    plugin = save("quotes.py")
    assert command == f"tickwire serve {plugin.name}"
    url = run_server("tickwire serve", str(plugin))
    printed = subprocess.run(
        [programs / "tickwire", "sub", "ticker.*", "--url", url, "--json", "--count", "4"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert printed.returncode == 0, printed.stderr
    assert {
        line.partition('"topic":"')[2].partition('"')[0] for line in printed.stdout.splitlines()
    } == {
        "ticker.ACME",
        "ticker.INIT",
    }


def test_the_book_publishes_a_row_to_each_topic(save, start_server):
    server = start_server(save("book.py"))
    with server.subscribe("book.*") as subscription:
        seen = {update.topic: update.data for update in (subscription.get(5) for _ in range(3))}
    assert {topic: data["venue"] for topic, data in seen.items()} == {
        "book.ACME": "X",
        "book.INIT": "X",
        "book.NULL": "Y",
    }
    assert all(99 <= data["bid"] <= 101 for data in seen.values())
    assert all(data["bid_size"] in range(100) for data in seen.values())


def test_the_clocks_tick_as_configured(blocks, save, start_server, eventually, caplog):
    (text,) = [text for kind, text in blocks if kind == "toml"]
    settings = tomllib.loads(text)["plugins"]
    plugin = save("clocks.py")
    assert settings.pop("files") == [plugin.name]
    server = start_server(plugin, plugins=settings)
    with server.subscribe("clock.A") as subscription:
        assert [subscription.get(5).seq for _ in range(4)] == [1, 2, 3, 4]
        assert re.fullmatch("..:..:..", server.snapshot("clock.A").data["time"])
    last = eventually(lambda: server.snapshot("clock.A")).seq
    assert server.snapshot("clock.A").seq <= last + 1
    assert server.health["plugins"]["clocks"]["errors"] == 0
    with server.subscribe("clock.B") as subscription:
        assert subscription.get(5).seq == 1
        server.stop()
    gc.collect()  # asyncio complains of a task when nothing holds it any more
    assert "tick()" not in caplog.text


def test_the_plain_def_runs_and_stops(save, start_server, eventually):
    server = start_server(save("load.py"))
    image = eventually(lambda: server.snapshot("host.load"))
    assert set(image.data) == {"m1", "m5", "m15"}


def test_the_health_block_is_what_health_says(blocks, save, start_server, eventually):
    (text,) = [text for kind, text in blocks if kind == "json"]
    server = start_server(save("quotes.py"))
    assert text.strip()[1:-1] in str(server.health).replace("'", '"').replace(" ", "")


def test_the_doors_open_for_whom_they_should(save, start_server, remote):
    server = start_server(save("doors.py"), auth={"publish": "grant"})
    client = remote(server)
    assert "subscription required" in client.denial("premium.A")
    client.send(type="publish", id=1, topic="chat.A", data={})
    assert "sign in to write" in client.receive("error")["message"]
    client.send(type="auth", id=2, token="wrong")
    assert "unknown token" in client.receive("error")["message"]
    client.send(type="auth", id=3, token="s3cret")
    client.receive("ack")
    assert client.denial("premium.A") == ""
    client.send(type="publish", id=4, topic="chat.A", data={})
    assert client.receive("ack")["id"] == 4


def test_the_venue_follows_its_exchange(save, start_server):
    told: list[str] = []

    def exchange(connection):
        for text in connection:
            told.append(text)
            for symbol in json.loads(text)["args"]:
                connection.send(json.dumps({"symbol": symbol, "last": "1.00"}))

    with serve(exchange, "127.0.0.1", 0) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{listening.socket.getsockname()[1]}"
        server = start_server(save("venue.py"), plugins={"venue": {"url": url}})
        with server.subscribe("ticker.venue.*") as updates:
            topics = {updates.get(20).topic for _ in range(2)}
        server.stop()
    assert topics == {"ticker.venue.BTC-USD", "ticker.venue.ETH-USD"}
    assert told[0] == '{"op": "subscribe", "args": ["BTC-USD", "ETH-USD"]}'


def test_the_program_prints_the_price(blocks, tmp_path):
    (text,) = [text for kind, text in blocks if text.startswith("# program")]
    path = tmp_path / "program.py"
    path.write_text(text)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "101.25\n"), done.stderr
