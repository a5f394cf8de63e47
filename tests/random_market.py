"""An order book and its trades as a random walk, in integers: the same from one seed everywhere."""

import uuid
from dataclasses import dataclass, field
from random import Random


def decimal(units: int, digits: int) -> str:
    """`units` of 10**-digits, with all of its digits: decimal(1050, 2) is "10.50"."""
    whole, part = divmod(units, 10**digits)
    return f"{whole}.{part:0{digits}}" if digits else str(whole)


def trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass
class Market:
    """One order book and its trades. Prices and sizes are integers: units of its last digit."""

    random: Random
    symbol: str
    price: int
    price_digits: int
    size_digits: int
    zeros: int = 0
    """How many the exchange writes after the price's last digit."""
    levels: int = 100
    """The number of price levels on each side of the book."""
    weight: int = 1
    """How often something happens here, beside the others."""
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    sequence: int = 0
    trade_id: int = 0
    swept: list[tuple[str, int, int]] = field(default_factory=list)
    """Levels that the last trade changed: side, price, new size."""

    def __post_init__(self) -> None:
        self.sequence = self.random.randrange(10**7, 10**9)
        self.trade_id = self.random.randrange(10**5, 10**7)
        self.open = self.low = self.high = self.price
        self.volume = self.random.randrange(10**5, 10**7) * 10**self.size_digits
        for book, step in ((self.bids, -1), (self.asks, 1)):
            at = self.price
            while len(book) < self.levels and at > 1:
                at = max(1, at + step * self.random.randrange(1, 2 + self.price // 5000))
                book[at] = self.size()

    def size(self) -> int:
        """Mostly small, sometimes large, often round."""
        size = self.random.randrange(1, 10 ** self.random.randrange(2, 6))
        return size * 10 ** self.random.randrange(self.size_digits + 1)

    def text(self, price: int) -> str:
        return decimal(price * 10**self.zeros, self.price_digits + self.zeros)

    def size_text(self, size: int) -> str:
        return decimal(size, self.size_digits)

    def best(self) -> tuple[int, int]:
        return max(self.bids), min(self.asks)

    def change(self) -> tuple[str, int, int]:
        """One level of the book: its side (buy or sell), price, and new size (0: it is gone)."""
        self.sequence += self.random.randrange(1, 20)
        side = self.random.choice(("buy", "sell"))
        book, step = (self.bids, -1) if side == "buy" else (self.asks, 1)
        if len(book) > self.levels // 2 and self.random.random() < 0.4:
            price = self.random.choice(sorted(book, reverse=step < 0)[:20])
            size = 0 if self.random.random() < 0.6 else self.size()
        else:
            away = self.random.randrange(1, 3 + self.price // 1000)
            price, size = max(1, self.price + step * away), self.size()
        book.pop(price, None)
        if size:
            book[price] = size
        return side, price, size

    def trade(self) -> tuple[str, int, int]:
        """The taker's side, the price, and the size. `swept` then holds what it did to the book."""
        side = self.random.choice(("buy", "sell"))
        walk = self.random.randrange(1 + max(1, self.price // 4000))
        self.price = max(2, self.price + (walk if side == "buy" else -walk))
        self.swept = [("buy", price, 0) for price in self.bids if price >= self.price]
        self.swept += [("sell", price, 0) for price in self.asks if price <= self.price]
        for at, price, _ in self.swept:
            (self.bids if at == "buy" else self.asks).pop(price)
        for at, book, price in (
            ("buy", self.bids, self.price - 1),
            ("sell", self.asks, self.price + 1),
        ):
            if not book:
                book[price] = self.size()
                self.swept.append((at, price, book[price]))
        size = self.size()
        self.low, self.high = min(self.low, self.price), max(self.high, self.price)
        self.volume += size
        self.trade_id += 1
        self.sequence += self.random.randrange(1, 20)
        return side, self.price, size

    def order_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
