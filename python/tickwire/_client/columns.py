"""Fields of many images as columns: for NumPy, and by the Arrow PyCapsule interface."""

import math
from collections.abc import Sequence
from typing import Any

from tickwire._client.topics import TopicTable
from tickwire._core import arrow_stream, number_in


def columns(topics: TopicTable, fields: Sequence[str], pattern: str) -> dict[str, Any]:
    """The column ``topic``, a list, and an array of float64 for each field."""
    import numpy  # only who asks for arrays needs it

    names, buffers = buffers_of(topics, fields, pattern)
    arrays = [numpy.frombuffer(buffer, dtype="float64") for buffer in buffers]
    return {"topic": names, **dict(zip(fields, arrays, strict=True))}


def buffers_of(
    topics: TopicTable, fields: Sequence[str], pattern: str
) -> tuple[list[str], list[bytearray]]:
    """The names of the topics that match, and for each field their values as float64."""
    names, buffers, elsewhere = topics.states.columns(fields, pattern)
    for row in elsewhere:  # an image that the core does not take
        for field, buffer in zip(fields, buffers, strict=True):
            text = topics.images.field(names[row], field)
            memoryview(buffer).cast("d")[row] = math.nan if text is None else number_in(text)
    return names, buffers


class Table:
    """Columns for whoever reads the Arrow PyCapsule interface (PyArrow, Polars, DuckDB, ...)."""

    def __init__(self, topics: TopicTable, fields: Sequence[str], pattern: str) -> None:
        self._fields = [*fields]
        self._names, self._buffers = buffers_of(topics, fields, pattern)

    def __len__(self) -> int:
        return len(self._names)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """One record batch; `requested_schema` is ignored, as the interface allows."""
        return arrow_stream(self._names, self._fields, self._buffers)
