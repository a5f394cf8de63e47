"""Made-up games: how yesterday's ended, and how today's stand."""

import random
from dataclasses import asdict, dataclass

from tickwire import feed
from tickwire.pub import Pub

GOAL_CHANCE = 0.03
"""In a minute of a game, which takes a second here."""


@dataclass
class Score:
    home: str
    away: str
    home_goals: int = 0
    away_goals: int = 0
    minute: int = 0


YESTERDAY = {
    "AJA-PSV": Score("Ajax", "PSV", 2, 2, 90),
    "BAR-RMA": Score("Barcelona", "Real Madrid", 3, 1, 90),
    "LIV-ARS": Score("Liverpool", "Arsenal", 0, 1, 90),
}
TODAY = {
    "BEN-POR": Score("Benfica", "Porto"),
    "INT-MIL": Score("Inter", "Milan"),
    "PSG-OLM": Score("Paris", "Marseille"),
}


@feed("score.yesterday.*")
async def yesterday(pub: Pub) -> None:
    """Says each result once and ends. A closed topic stays closed without its feed."""
    for game, score in YESTERDAY.items():
        pub.publish(f"score.yesterday.{game}", asdict(score))
        pub.status(f"score.yesterday.{game}", "closed")


@feed("score.today.*", every=1.0)
async def today(pub: Pub) -> None:
    for game, score in TODAY.items():
        if score.minute == 90:  # the next game of the same two
            score.minute = score.home_goals = score.away_goals = 0
        score.minute += 1
        score.home_goals += random.random() < GOAL_CHANCE
        score.away_goals += random.random() < GOAL_CHANCE
        pub.publish(f"score.today.{game}", asdict(score))
