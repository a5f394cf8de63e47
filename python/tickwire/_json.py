"""The payload of a publish as JSON text. Pure."""

import json
import re
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn

from tickwire.errors import DataError

PAYLOAD_BYTES_MAX: Final = 1_048_576
"""The server's limit too; past it the connection could not carry the command."""

Data = Mapping[str, Any] | str | bytes
"""What can be published: the fields, or a JSON object as text."""


def data_text(data: Data) -> str:
    """`data` as a JSON object. Text passes as it is; a `Decimal` keeps its digits. `DataError`."""
    if isinstance(data, (str, bytes)):
        text = _checked(data)
    elif isinstance(data, Mapping):
        text = _encode(data)
    else:
        raise DataError(f"data: must be a mapping, str or bytes, not {_kind(data)}", field="data")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as e:
        raise DataError(f"data: half a surrogate pair is not text: {e}", field="data") from e
    if size > PAYLOAD_BYTES_MAX:
        raise DataError(f"data: {size} bytes, at most {PAYLOAD_BYTES_MAX}", field="data")
    return text


def _checked(data: str | bytes) -> str:
    try:
        text = data.decode() if isinstance(data, bytes) else data
        value = json.loads(text, parse_constant=_refuse, parse_int=Decimal)
    except (ValueError, RecursionError) as e:
        raise DataError(f"data: not JSON: {e}", field="data") from e
    if not isinstance(value, dict):
        raise DataError(f"data: must be a JSON object, not {_kind(value)}", field="data")
    return text


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _encode(data: Mapping[str, Any]) -> str:
    """Each Decimal is encoded as a word that nobody can guess, which its digits then replace."""
    word = secrets.token_hex(8)
    decimals: list[Decimal] = []
    try:
        text = _dump(data, word, decimals)
    except (TypeError, ValueError, RecursionError) as e:
        field = _culprit(data)
        raise DataError(f"{field}: {e}", field=field) from e
    if not decimals:
        return text
    return re.sub(f'"{word}([0-9]+)"', lambda found: str(decimals[int(found[1])]), text)


def _dump(data: Mapping[str, Any], word: str, decimals: list[Decimal]) -> str:
    def stand_in(value: object) -> object:
        if isinstance(value, Mapping):
            return dict(value)
        if not isinstance(value, Decimal):
            raise TypeError(f"{_kind(value)} cannot be written as JSON")
        if not value.is_finite():
            raise ValueError(f"{value} is not JSON")
        decimals.append(value)
        return f"{word}{len(decimals) - 1}"

    return json.dumps(
        dict(data), separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=stand_in
    )


def _culprit(data: Mapping[str, Any]) -> str:
    """The first top-level field that cannot be encoded."""

    def encodes(name: str) -> bool:
        try:
            _dump({name: data[name]}, "", [])
        except (TypeError, ValueError, RecursionError):
            return False
        return True

    return next((f"data.{name}" for name in data if not encodes(name)), "data")


def _kind(value: object) -> str:
    return type(value).__name__
