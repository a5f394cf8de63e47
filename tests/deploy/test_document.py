"""docs/DEPLOY.md shows the files that the tests start."""

import re
from pathlib import Path

import pytest

from deploy.real_proxies import DEPLOY

POLL_S_MAX = 60
"""How long a poll may wait, without a heartbeat."""

KINDS = (".toml", ".conf", ".cfg", ".service")
SHOWN = [path for path in DEPLOY.iterdir() if path.suffix in KINDS]


@pytest.mark.parametrize("file", SHOWN, ids=lambda path: path.name)
def test_the_document_shows_the_file(checkout: Path, file: Path) -> None:
    text = (checkout / "docs/DEPLOY.md").read_text()
    blocks = re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)
    assert file.read_text() in blocks, f"docs/DEPLOY.md: copy {file.name} there again"


@pytest.mark.parametrize(
    ("file", "directive"),
    [
        ("nginx.conf", r"proxy_(?:read|send)_timeout (\d+)s"),
        ("haproxy.cfg", r"timeout (?:client|server|tunnel) +(\d+)s"),
    ],
)
def test_timeouts_are_longer_than_a_poll_may_wait(file: str, directive: str) -> None:
    timeouts = re.findall(directive, (DEPLOY / file).read_text())
    assert len(timeouts) >= 2
    assert all(int(timeout) > POLL_S_MAX for timeout in timeouts)
