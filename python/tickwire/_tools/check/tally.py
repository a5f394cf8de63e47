"""What a check counted."""

from dataclasses import dataclass, field, fields
from typing import Final, Self

FAULTS_MAX: Final = 20
"""The number of faults that are described in words; further ones are only counted."""


@dataclass(slots=True)
class Tally:
    messages: int = 0
    bytes: int = 0
    updates_conflated: int = 0
    """Updates that a snapshot made up for."""
    gaps: int = 0
    """Messages of event topics that the server declared gone."""
    silent_gaps: int = 0
    """Places where something is missing and nothing was said."""
    duplicates: int = 0
    wrong_images: int = 0
    """Images that do not add up, or do not belong to their seq."""
    unwanted: int = 0
    """Messages of topics that were not subscribed, or no longer."""
    broken: int = 0
    """Messages and answers that break the protocol in another way."""
    missing: int = 0
    """Topics whose last updates never came."""
    reconnects: int = 0
    recovered: int = 0
    """Topics and patterns that resumed where they were."""
    not_recovered: int = 0
    stalls: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, counter: str, what: str) -> None:
        setattr(self, counter, getattr(self, counter) + 1)
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(what)

    @property
    def violations(self) -> int:
        return (
            self.silent_gaps
            + self.duplicates
            + self.wrong_images
            + self.unwanted
            + self.broken
            + self.missing
        )

    def counts(self) -> dict[str, int]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "faults"}

    def add(self, other: Self) -> None:
        for name, count in other.counts().items():
            setattr(self, name, getattr(self, name) + count)
        self.faults += other.faults[: FAULTS_MAX - len(self.faults)]
