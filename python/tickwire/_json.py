"""The payload of a publish as JSON text, by the same code of the core for client and server."""

from collections.abc import Mapping
from typing import Any, Final

PAYLOAD_BYTES_MAX: Final = 1_048_576

Payload = Mapping[str, Any] | str | bytes
"""What can be published: the fields, or a JSON object as text."""


def data_text(data: Payload) -> str:
    """`data` as a JSON object, within the server's limits. `DataError` names the field.

    Text passes as it is. In a mapping a `Decimal` keeps its digits, an `Enum` is its value, a NumPy
    scalar its number; what JSON cannot say (NaN, a datetime, a key that is no str) is an error.
    """
    from tickwire._core import json_text  # not before it is needed: importing is to be quick

    return json_text(data)
