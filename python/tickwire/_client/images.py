"""The images of all topics, as dicts that are made when somebody looks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tickwire._client.text_image import TextImage
from tickwire._core import ClientTopics
from tickwire.errors import ProtocolError
from tickwire.update import Decode, Update, decode_data


class Images(Mapping[str, dict[str, Any]]):
    """Topic to current image. An image is decoded when it is asked for, and kept until it changes:
    so each dict is the image of one moment. Do not change it."""

    def __init__(self, states: ClientTopics) -> None:
        self.decode: Decode = decode_data
        self._states = states
        self._kept: dict[str, tuple[int, dict[str, Any]]] = {}
        """The images that somebody looked at, each with its version."""
        self._texts: dict[str, TextImage] = {}
        """The images that the core does not take."""

    def __getitem__(self, name: str) -> dict[str, Any]:
        version = self._states.image_version(name)
        if not version:
            raise KeyError(name)
        kept = self._kept.get(name)
        if kept is None or kept[0] != version:
            text = self._states.image(name)
            kept = (version, self.decode(self._texts[name].text if text is None else text))
            self._kept[name] = kept
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
        text = self.field(name, field)
        return default if text is None else self.decode(f'{{"":{text}}}')[""]

    def field(self, name: str, field: str) -> str | None:
        """The JSON text of a field."""
        text, own = self._states.field(name, field), self._texts.get(name)
        return own.value(field) if text is None and own is not None else text

    def replace(self, update: Update) -> None:
        """Raises `ProtocolError`, and changes nothing, if the image is too long."""
        if self._states.replace_image(update.topic, update.raw):
            self._texts.pop(update.topic, None)
        else:
            self._keep(update.topic, lambda: TextImage.of(update.raw))

    def merge(self, update: Update) -> None:
        """Merges the data; null deletes a field (RFC 7396, at the top level only). Raises as
        `replace` does."""
        name = update.topic
        if not self._states.merge_image(name, update.raw):
            text = self._states.image(name)
            old = self._texts[name] if text is None else TextImage.of(text)
            self._keep(name, lambda: old.merged(update.raw))

    def begin(self, name: str) -> None:
        """Makes an image without fields if there is none."""
        if name not in self:
            self._states.replace_image(name, "{}")

    def forget(self, name: str) -> None:
        self._kept.pop(name, None)
        self._texts.pop(name, None)

    def _keep(self, name: str, make: Callable[[], TextImage]) -> None:
        """Keeps an image that the core does not take."""
        try:
            image = make()
        except ValueError as e:
            raise ProtocolError(f"{name}: {e}") from e
        self._texts[name] = image  # before the version changes: another thread may look
        self._states.move_image_out(name)


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
