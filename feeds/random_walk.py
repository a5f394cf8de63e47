"""Made-up prices of a handful of symbols: the demo.

Every symbol has a price from the start; only those that somebody wants move.
"""

import asyncio
import random
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from tickwire import feed
from tickwire.pub import Pub

STEP_S = 0.25
TICK_CHANCE = 0.6
"""The chance that a wanted symbol moves in a step: prices do not move in lockstep."""
CENT = Decimal("0.01")


@dataclass(slots=True)
class Walk:
    """One symbol's day so far."""

    last: Decimal
    tick: Decimal
    volatility: float
    """The deviation of one step, relative."""
    lot: float
    """The usual size of a trade."""
    open: Decimal = Decimal(0)
    volume: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self.open = self.last
        self.volume = Decimal(round(self.lot * 5000))

    def step(self) -> None:
        move = self.last * Decimal(random.gauss(0, self.volatility))
        self.last = max((self.last + move).quantize(self.tick, ROUND_HALF_EVEN), self.tick)
        self.volume += Decimal(random.expovariate(1 / self.lot)).quantize(CENT)

    def fields(self) -> dict[str, str]:
        spread = self.tick * random.randint(1, 3)
        change = ((self.last / self.open - 1) * 100).quantize(CENT) + 0  # no -0.00
        return {
            "last": str(self.last),
            "bid": str(self.last - spread),
            "ask": str(self.last + spread),
            "open": str(self.open),
            "change": f"{change:+}",
            "volume": str(self.volume),
        }


WALKS = {
    "ticker.BTC-USD": (Decimal("64250.00"), CENT, 4e-4, 0.4),
    "ticker.ETH-USD": (Decimal("3420.50"), CENT, 5e-4, 3.0),
    "ticker.SOL-USD": (Decimal("148.20"), CENT, 8e-4, 40.0),
    "ticker.AAPL": (Decimal("227.35"), CENT, 2e-4, 120.0),
    "ticker.MSFT": (Decimal("432.10"), CENT, 2e-4, 90.0),
    "ticker.NVDA": (Decimal("121.80"), CENT, 5e-4, 300.0),
    "ticker.EUR-USD": (Decimal("1.08420"), Decimal("0.00001"), 5e-5, 25000.0),
    "ticker.XAU-USD": (Decimal("2415.30"), CENT, 1e-4, 8.0),
}
"""Price at the start, tick, volatility, lot."""


@feed("ticker.*", topics=list(WALKS))
async def random_walk(pub: Pub) -> None:
    walks = {topic: Walk(*start) for topic, start in WALKS.items()}
    pub.publish_many((topic, walk.fields()) for topic, walk in walks.items())
    while True:
        await asyncio.sleep(STEP_S)
        for topic in pub.wanted:
            if random.random() < TICK_CHANCE:
                walks[topic].step()
                pub.publish(topic, walks[topic].fields())
