"""The sources of a configuration that Python hands to the core."""

import os
from typing import Any, Final

from tickwire._core import Config
from tickwire._escape import printable
from tickwire.errors import ConfigError

PREFIX: Final = "TICKWIRE_"


def load(file: str | None, sets: list[str], overrides: dict[str, Any] | None = None) -> Config:
    """Loads a configuration, with this process's environment. Raises `ConfigError`."""
    _check("--config", file or "")
    for assignment in sets:
        _check("--set", assignment)
    environment = {name: text for name, text in os.environ.items() if _is_setting(name)}
    for name, text in environment.items():
        _check(f"env {name}", text)
    return Config.load(file, overrides=overrides or {}, environment=environment, sets=sets)


def _is_setting(name: str) -> bool:
    """Whether a variable has the form ``TICKWIRE_<SECTION>__...``. All others are ignored."""
    return name.startswith(PREFIX) and "__" in name


def _check(source: str, text: str) -> None:
    """Raises `ConfigError` for bytes that are not UTF-8: Python gives them as lone surrogates,
    which the core cannot take."""
    try:
        (source + text).encode()
    except UnicodeEncodeError as e:
        raise ConfigError(f"{_shown(source)}: {_shown(text)} is not UTF-8") from e


def _shown(text: str) -> str:
    return printable(os.fsencode(text).decode(errors="backslashreplace"))
