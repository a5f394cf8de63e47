"""Made-up prices, and trades at these prices."""

import asyncio
import random

from tickwire import feed
from tickwire.pub import Pub

OPEN = {"ACME": 10_150, "GLOBEX": 4_218, "HOOLI": 28_790, "INITECH": 6_604, "STARK": 91_255}
"""What a symbol costs at first, in cents: a float would lose digits."""

price = dict(OPEN)
volume = dict.fromkeys(OPEN, 0)


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


@feed("ticker.*", every=0.4)
async def prices(pub: Pub) -> None:
    for symbol, cents in price.items():
        price[symbol] = max(1, cents + round(random.gauss(0, OPEN[symbol] / 2_000)))
        quote = {"last": money(price[symbol]), "open": money(OPEN[symbol])}
        pub.publish(f"ticker.{symbol}", {**quote, "volume": str(volume[symbol])})


@feed("trade.*", delivery="event")
async def trades(pub: Pub) -> None:
    while True:
        symbol, size = random.choice(list(price)), random.randint(1, 200)
        volume[symbol] += size
        side = random.choice(("buy", "sell"))
        trade = {"price": money(price[symbol]), "size": str(size), "side": side}
        pub.publish(f"trade.{symbol}", trade)
        await asyncio.sleep(random.uniform(0.1, 0.7))
