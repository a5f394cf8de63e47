"""Reads the settings of a feed, with errors that name the key, the value and what is allowed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tickwire._core import overlap
from tickwire.errors import ConfigError, TopicError


def _refused(key: str, what: str) -> ConfigError:
    return ConfigError(f"{key}: {what}", field=key)


def _value(config: Mapping[str, Any], key: str, default: object) -> Any:
    return config.get(key.rpartition(".")[2], default)


def text_of(config: Mapping[str, Any], key: str, default: str = "") -> str:
    """A text; `key` is the whole one, ``plugins.relay.url``. `ConfigError`, as all of them."""
    value = _value(config, key, default)
    if not isinstance(value, str):
        raise _refused(key, f"{value!r} is not a string")
    return value


def number_of(
    config: Mapping[str, Any], key: str, default: float, most: float, least: float = 0.001
) -> float:
    """A number from `least` to `most`."""
    value = _value(config, key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        raise _refused(key, f"{value!r} is not a number from {least:g} to {most:g}")
    return float(value)


def count_of(config: Mapping[str, Any], key: str, default: int, most: int) -> int:
    """An integer from 1 to `most`."""
    value = _value(config, key, default)
    if type(value) is not int or not 1 <= value <= most:
        raise _refused(key, f"{value!r} is not an integer from 1 to {most}")
    return value


def flag_of(config: Mapping[str, Any], key: str, default: bool) -> bool:
    """True or false."""
    value = _value(config, key, default)
    if not isinstance(value, bool):
        raise _refused(key, f"{value!r} is neither true nor false")
    return value


def patterns_of(
    config: Mapping[str, Any], key: str, default: list[str], most: int = 100
) -> list[str]:
    """Topics and patterns, at most `most`."""
    value = _value(config, key, default)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise _refused(key, f"{value!r} is not an array of topics and patterns")
    if len(value) > most:
        raise _refused(key, f"{len(value)} patterns, at most {most}")
    for pattern in value:
        try:
            overlap(pattern, pattern)
        except TopicError as e:
            raise _refused(key, str(e)) from None
    return list(value)


def secret_in(file: str) -> str:
    """The password or token in a file, without the end of its line. `OSError`."""
    return Path(file).read_text().strip()
