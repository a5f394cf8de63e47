"""The examples of docs/CONNECTORS.md are settings that the plugins take, named in its tables."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tickwire.feeds import rabbitmq, relay
from tickwire.feeds._postgres_sink import SinkSettings
from tickwire.feeds._postgres_table import FeedTable
from tickwire.feeds._settings import patterns_of


@pytest.fixture(scope="module")
def document(checkout: Path) -> str:
    return (checkout / "docs/CONNECTORS.md").read_text()


@pytest.fixture(scope="module")
def examples(document: str) -> dict[str, dict[str, Any]]:
    blocks = re.findall(r"^```toml\n(.*?)^```$", document, re.M | re.S)
    plugins = [tomllib.loads(block)["plugins"] for block in blocks]
    return {name: one[name] for one in plugins for name in one["files"]}


def named(document: str, section: str) -> set[str]:
    text = document.partition(f"## {section}")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.M)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_the_relay_takes_its_example(document, examples):
    settings = relay.RelaySettings.of(examples["relay"])
    assert settings.url == "wss://upper.example/ws"
    assert settings.patterns == ["ticker.>", "trade.>"]
    assert examples["relay"].keys() <= named(document, "relay")


def test_postgres_takes_its_example(document, examples):
    (table,) = examples["postgres"]["tables"]
    assert FeedTable.of(table, 0).topic_of(("ACME",)) == "quote.ACME"
    assert FeedTable.of(table, 0).pattern == "quote.*"
    sink = SinkSettings.of(examples["postgres"]["sink"])
    assert (sink.patterns, sink.table) == (["trade.>"], "tickwire_update")
    given = {*examples["postgres"], *table, *examples["postgres"]["sink"]} - {"tables", "sink"}
    assert given <= named(document, "postgres")


def test_rabbitmq_takes_its_example(document, examples, tmp_path):
    settings = examples["rabbitmq"]
    assert {*settings, "exchange", "queue_messages"} == named(document, "rabbitmq")
    password = tmp_path / "password"
    password.write_text("secret")
    url = rabbitmq.address(settings | {"password_file": str(password)})
    assert url == "amqp://tickwire:secret@mq.example/"
    assert patterns_of(settings, "plugins.rabbitmq.send", []) == ["chat.>", "ticker.*"]
