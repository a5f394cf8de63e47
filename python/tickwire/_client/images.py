"""The images of all topics, as dicts that are made when somebody looks."""

from collections.abc import Iterator, Mapping
from typing import Any

from tickwire._core import ClientTopics
from tickwire.update import Decode, Update, decode_data


class Images(Mapping[str, dict[str, Any]]):
    """Topic to current image. An image is decoded when it is asked for, and kept until it changes:
    so each dict is the image of one moment. Do not change it."""

    def __init__(self, states: ClientTopics) -> None:
        self.decode: Decode = decode_data
        self._states = states
        self._kept: dict[str, tuple[int, dict[str, Any]]] = {}
        """The images that somebody looked at, each with its version; and those that the core does
        not take."""

    def __getitem__(self, name: str) -> dict[str, Any]:
        version = self._states.image_version(name)
        if not version:
            raise KeyError(name)
        kept = self._kept.get(name)
        if kept is None or kept[0] != version:
            kept = self._kept[name] = (version, self.decode(self._states.image(name)))
        return kept[1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._states.image_version(name) > 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._states.names_with_image())

    def __len__(self) -> int:
        return len(self._states.names_with_image())

    def __repr__(self) -> str:
        return repr(dict(self))

    def value(self, name: str, field: str, default: Any) -> Any:
        """One field of an image, without decoding the others."""
        version = self._states.image_version(name)
        kept = self._kept.get(name)
        if kept is not None and kept[0] == version:
            return kept[1].get(field, default)
        text = self._states.field(name, field)
        return default if text is None else self.decode(f'{{"":{text}}}')[""]

    def replace(self, update: Update) -> None:
        if not self._states.replace_image(update.topic, update.raw):
            self._keep(update.topic, dict(update.data))

    def merge(self, update: Update) -> None:
        """Merges the data; null deletes a field (RFC 7396, at the top level only)."""
        name = update.topic
        if not self._states.merge_image(name, update.raw):
            image = dict(self.get(name, {}))
            merge(image, update.data)
            self._keep(name, image)

    def begin(self, name: str) -> None:
        """Makes an image without fields if there is none."""
        if name not in self:
            self._states.replace_image(name, "{}")

    def forget(self, name: str) -> None:
        self._kept.pop(name, None)

    def _keep(self, name: str, image: dict[str, Any]) -> None:
        """Keeps an image that the core does not take: nested too deep, or too long."""
        self._states.move_image_out(name)
        self._kept[name] = (self._states.image_version(name), image)


def merge(image: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Merges `data` into `image`; null deletes a field (RFC 7396, at the top level only)."""
    for name, value in data.items():
        if value is None:
            image.pop(name, None)
        else:
            image[name] = value


class Statuses(Mapping[str, str]):
    """Topic to live, stale, halted or closed."""

    def __init__(self, states: ClientTopics) -> None:
        self._states = states

    def __getitem__(self, name: str) -> str:
        status = self._states.shown(name)
        if status is None:
            raise KeyError(name)
        return status

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._states.shown(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._states.names_shown())

    def __len__(self) -> int:
        return len(self._states.names_shown())

    def __repr__(self) -> str:
        return repr(dict(self))
