"""/openapi.json: a server does what its description says, and the description names all that it
does."""

import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.daemon_process import DaemonProcess

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def plant(tickwired: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    folder = tmp_path_factory.mktemp("openapi")
    env = {name: value for name, value in os.environ.items() if not name.startswith("TICKWIRE_")}
    settings = ["--set", "auth.publish=open", "--set", 'topics."chat.>".delivery=event']
    daemon = DaemonProcess(tickwired, folder / "log", settings, env, folder)
    with daemon.connect() as client:
        for topic in ("ticker.A", "ticker.A", "chat.a"):
            client.publish(topic, {"n": 1})
    yield daemon
    daemon.kill()


@pytest.fixture(scope="module")
def description(plant: DaemonProcess) -> Any:
    return plant.http("/openapi.json").json


def test_it_is_the_file_and_any_page_may_read_it(plant: DaemonProcess, checkout: Path) -> None:
    answer = plant.http("/openapi.json", headers={"Origin": "https://theirs.example"})
    assert answer.body == (checkout / "web/openapi.json").read_bytes()
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_it_has_the_roads_of_the_document_and_the_version(description: Any, checkout: Path) -> None:
    protocol = (checkout / "docs/PROTOCOL.md").read_text()
    table = protocol.partition("## The same topics over HTTP")[2].partition("\n\nA request")[0]
    named = re.findall(r"`(?:GET|POST) (/[^`?]*)", table)
    roads = {road.replace("ticker.BTC-USD", "{topic}") for road in named}
    elsewhere = {"/v1/sessions", "/metrics", "/openapi.json"}
    assert roads - elsewhere == set(description["paths"])
    (version,) = re.findall(
        r"project\(tickwire VERSION (\S+)", (checkout / "CMakeLists.txt").read_text()
    )
    assert description["info"]["version"] == version


def test_it_names_the_codes_of_the_protocol(description: Any, checkout: Path) -> None:
    protocol = (checkout / "docs/PROTOCOL.md").read_text().partition("\n## Codes\n")[2]
    codes = re.findall(r"^\| `(\w+)` \| (?:yes|no) \|", protocol, re.MULTILINE)
    assert description["components"]["schemas"]["Error"]["properties"]["code"]["enum"] == codes


def test_a_stream_of_events_is_what_it_says(plant: DaemonProcess, description: Any) -> None:
    """schemathesis would wait for its end."""
    (kind,) = description["paths"]["/sse"]["get"]["responses"]["200"]["content"]
    with urllib.request.urlopen(f"http://{plant.address}/sse?topics=a", timeout=60) as stream:
        assert stream.headers.get_content_type() == kind
    assert plant.http("/sse?topics=").status == 400


@pytest.mark.timeout(120)
def test_schemathesis_finds_no_difference(
    plant: DaemonProcess, programs: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            programs / "schemathesis",
            *("--config-file", HERE / "schemathesis.toml", "run"),
            f"http://{plant.address}/openapi.json",
            *("--exclude-path", "/sse", "--request-timeout", "60", "--max-examples", "10"),
            *("--phases", "coverage,fuzzing", "--seed", "1", "--generation-database", "none"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,  # where it leaves files
    )
    assert done.returncode == 0, done.stdout
    assert "Tested: 8" in done.stdout, done.stdout
    assert plant.http("/health").json["status"] == "ok"
