"""What a client knows of topics, for readers of values: images, single fields, columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from tickwire._client.arguments import check_fields, check_topic
from tickwire._client.columns import Table, columns
from tickwire._client.protocol import Protocol


class Values:
    """The part of a `Client` that answers at once. Any thread may call it."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    @property
    def images(self) -> Mapping[str, dict[str, Any]]:
        """A view of topic to current image, for all subscriptions. Do not change the images.

        An image is decoded when it is asked for, and kept until it changes: two looks at
        ``c.images["ticker.A"]`` give one dict, or two of which each is whole.
        """
        return self._protocol.topics.images

    @property
    def status(self) -> Mapping[str, str]:
        """A view of topic to live, stale, halted or closed; without a connection none is live."""
        return self._protocol.topics.statuses

    @property
    def holes(self) -> int:
        """How many updates did not follow the one before (holes); it should stay 0."""
        return self._protocol.holes

    def value(self, topic: str, field: str, default: Any = None) -> Any:
        """Returns one field of a topic's image, or `default` if there is none.

        It decodes this field alone, so it costs less than ``c.images[topic][field]`` where the
        image changes between two looks.
        """
        return self._protocol.topics.images.value(topic, field, default)

    def changed(self) -> list[str]:
        """Returns the topics whose image changed since the last call; the first time all.

        All callers of one client share what "the last call" is.
        """
        return self._protocol.topics.states.take_changed()

    def columns(self, fields: Sequence[str], pattern: str = ">") -> dict[str, Any]:
        """Returns fields of many images as columns: ``topic``, a list of names, and for each field
        a NumPy array of float64, one value for each topic.

        A number, or a string that holds one (``"101.20"``), is that number; anything else, and a
        missing field, is NaN. ``pandas.DataFrame(c.columns(["bid", "ask"]))`` is a table.

        Args:
            fields: Names of top-level fields; none of them may be ``topic``.
            pattern: Topics that match it, of those that the client follows.

        Raises:
            ConfigError: `fields` is no sequence of names, or names ``topic`` or one field twice.
            TopicError: `pattern` is none.
            ImportError: NumPy is not installed.
        """
        check_fields(fields)
        check_topic(pattern)
        return columns(self._protocol.topics, fields, pattern)

    def table(self, fields: Sequence[str], pattern: str = ">") -> Table:
        """Returns what `columns` returns, for whoever reads the Arrow PyCapsule interface:
        ``pyarrow.table(c.table(["bid"]))``, ``polars.DataFrame(c.table(["bid"]))``.

        The column ``topic`` is text, the others float64, null where `columns` has NaN. It needs
        neither NumPy nor PyArrow. The values are those of the moment of the call.
        """
        check_fields(fields)
        check_topic(pattern)
        return Table(self._protocol.topics, fields, pattern)
