"""The sources of a configuration that Python hands to the core."""

import os
from typing import Any, Final

from tickwire._core import Config
from tickwire.errors import ConfigError

PREFIX: Final = "TICKWIRE_"


def load(file: str | None, sets: list[str], overrides: dict[str, Any] | None = None) -> Config:
    """With this process' environment. `ConfigError`."""
    _check("--config", file or "")
    for assignment in sets:
        _check("--set", assignment)
    environment = {name: text for name, text in os.environ.items() if name.startswith(PREFIX)}
    for name, text in environment.items():
        _check(f"env {name}", text)
    return Config.load(file, overrides=overrides or {}, environment=environment, sets=sets)


def _check(source: str, text: str) -> None:
    """Bytes that are no UTF-8 come from the system as lone surrogates."""
    try:
        (source + text).encode()
    except UnicodeEncodeError as e:
        raise ConfigError(f"{source}: {text!r} is not UTF-8") from e
