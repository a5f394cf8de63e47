"""What a case finds: lines of the table, each an answer to a question that a user has."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Question(StrEnum):
    """A user's question, in the order in which the table answers them."""

    CROWD = "Can it serve my crowd, and what does that cost?"
    LATENESS = "How late is an update?"
    NEIGHBOURS = "What do others feel of a slow or hostile client?"
    MEMORY = "How much memory does it take?"
    MESSAGE = "What does a message cost, beside what the kernel alone takes?"
    BYTES = "How many bytes go over the wire, and what does compression cost?"
    CLIENT = "What does a message cost a Python client, beside websockets with json?"
    PAGE = "What do elements take of a page's main thread, beside a client that draws nothing?"
    PUBLISHING = "How fast can I publish, and what does the store cost?"


@dataclass
class Row:
    """A line of the table."""

    name: str
    ours: str
    baseline: str
    values: list[float]  # of each round
    unit: str = ""  # of the values; empty: a ratio
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""  # why it could not be measured, or what went wrong
    question: Question = Question.MESSAGE

    @property
    def value(self) -> float | None:
        return statistics.median(self.values) if self.values else None

    @property
    def reached(self) -> bool | None:
        """None: there is no goal."""
        if self.at_most is None and self.at_least is None:
            return None
        if self.value is None or self.note:
            return False
        if self.at_most is not None and self.value > self.at_most:
            return False
        return self.at_least is None or self.value >= self.at_least

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"value": self.value, "reached": self.reached}


@dataclass
class CaseResult:
    rows: list[Row]
    data: dict[str, Any]  # for the plot, and for who wants to look closer
