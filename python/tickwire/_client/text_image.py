"""An image that the core does not take, as the JSON texts of its fields. Pure.

The core refuses what a tickwire server never sends (data that is nested deeper than 16 levels, a
number past a double, half a surrogate pair), but other servers may send it. Such an image is merged
here, within the limit that a server has, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tickwire.update import members_of

IMAGE_BYTES_MAX: Final = 2_097_152
"""The longest image in bytes of JSON text: `image_bytes_max` in docs/PROTOCOL.md."""


def check_image_bytes(count: int) -> None:
    """Raises ValueError past the limit."""
    if count > IMAGE_BYTES_MAX:
        raise ValueError(f"image_bytes_max: an image of {count} bytes, above {IMAGE_BYTES_MAX}")


@dataclass(frozen=True, slots=True)
class TextImage:
    """Its fields in their order."""

    fields: dict[str, tuple[str, str]]
    """Name -> the name as it is spelled, with quotes, and the text of the value."""

    @property
    def text(self) -> str:
        return "{" + ",".join(f"{name}:{value}" for name, value in self.fields.values()) + "}"

    def value(self, name: str) -> str | None:
        """The JSON text of a field."""
        found = self.fields.get(name)
        return None if found is None else found[1]

    def merged(self, data: str) -> "TextImage":
        """The image after an update with `data`; null deletes a field (RFC 7396, at the top level
        only). Raises ValueError if it is too long."""
        fields = dict(self.fields)
        for name, spelled, value in members_of(data):
            if value == "null":
                fields.pop(name, None)
            else:
                fields[name] = spelled, value
        check_image_bytes(_bytes_of(fields.values()))
        return TextImage(fields)

    @classmethod
    def of(cls, data: str) -> "TextImage":
        """An image whose text is `data`. Raises ValueError if it is too long."""
        check_image_bytes(len(data.encode()))
        return cls({name: (spelled, value) for name, spelled, value in members_of(data)})


def _bytes_of(fields: Iterable[tuple[str, str]]) -> int:
    """Returns the bytes of an image with these fields: braces, and a colon and a comma for each."""
    sizes = [len(name.encode()) + len(value.encode()) + 2 for name, value in fields]
    return 2 + sum(sizes) - bool(sizes)
