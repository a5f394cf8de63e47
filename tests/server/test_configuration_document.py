"""docs/CONFIGURATION.md lists the keys that there are, as they are."""

import json
import re
from pathlib import Path

import pytest

from tickwire import exit_codes
from tickwire._core import Config


@pytest.fixture(scope="module")
def document(checkout: Path) -> str:
    return (checkout / "docs" / "CONFIGURATION.md").read_text()


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the table under `heading`, without their backticks."""
    section = re.split(r"^## ", document, flags=re.MULTILINE)
    found = [text for text in section if text.startswith(heading + "\n")]
    assert len(found) == 1, heading
    lines = [line for line in found[0].splitlines() if line.startswith("|")][2:]
    return [
        [cell.strip().replace("`", "") for cell in line.strip("|").split(" |")] for line in lines
    ]


def test_the_keys_are_those_of_the_table(document: str) -> None:
    config = Config.load(overrides={"topics": {"PATTERN": {}}})
    table = [
        [entry.key.replace('"PATTERN"', '"<pattern>"'), entry.value, entry.unit, entry.allowed]
        for entry in config.entries()
    ]
    documented = rows(document, "Keys") + rows(document, "Topics")
    assert [row[:4] for row in documented] == table
    helps = [entry.help for entry in config.entries()]
    assert [row[4] for row in documented] == helps


def test_the_example_is_a_valid_file(document: str, tmp_path: Path) -> None:
    example, *others = re.findall(r"^```toml\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    file = tmp_path / "tickwire.toml"
    for other in others:
        file.write_text(other)
        assert Config.load(str(file))
    file.write_text(example)
    config = Config.load(str(file))
    assert config.listen == ["0.0.0.0:8080"]
    assert json.loads(config.plugin_config("coinbase")) == {"products": ["BTC-USD", "ETH-USD"]}
    from_file = {entry.key for entry in config.entries() if entry.source == str(file)}
    assert {'topics."trade.>".ring', 'topics."ticker.>".stale_after_s'} <= from_file


def test_the_assignments_in_the_text_are_valid(document: str) -> None:
    found = re.findall(r"--set '?([^`']+)'?`", document)
    assert len(found) >= 5
    config = Config.load(sets=found)
    assert {entry.source for entry in config.entries()} == {"default", "--set"}


def test_the_exit_codes_are_those_of_the_package(document: str, checkout: Path) -> None:
    documented = {int(code): meaning for code, meaning in rows(document, "Exit codes")}
    constants = {value for value in vars(exit_codes).values() if isinstance(value, int)}
    assert set(documented) == constants
    header = (checkout / "core" / "engine" / "exit_codes.h").read_text()
    in_core = {int(number) for number in re.findall(r"kExit\w+ = (\d+)", header)}
    assert in_core == constants


def test_exit_codes_have_the_same_names_in_core_and_package(checkout: Path) -> None:
    header = (checkout / "core" / "engine" / "exit_codes.h").read_text()
    in_core = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(): int(number)
        for name, number in re.findall(r"kExit(\w+) = (\d+)", header)
    }
    in_package = {
        name: value
        for name, value in vars(exit_codes).items()
        if name.isupper() and isinstance(value, int)
    }
    assert in_core == in_package
