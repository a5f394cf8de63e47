"""Coinbase Exchange's public market data: ``ticker.coinbase.*`` and ``trade.coinbase.*``.

    [plugins.coinbase]
    url = "wss://ws-feed.exchange.coinbase.com"
    products = ["BTC-USD", "ETH-USD"]         # what it offers
    idle_s = 10.0                             # silence after which a connection is given up
    linger_s = 5.0                            # from a topic's last reader to its unsubscription

Asks the exchange only for what somebody wants. Messages are published byte for byte as they came.
A topic that nobody wants any more is stale, and all are while the exchange is away or silent: its
heartbeat is subscribed to, so that a quiet market is not taken for a dead connection.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tickwire import feed
from tickwire.errors import ConfigError
from tickwire.pub import Pub
from tickwire.upstream import Exchange, Limits, follow

URL = "wss://ws-feed.exchange.coinbase.com"
PRODUCTS = (
    "BTC-USD",
    "ETH-USD",
    "SOL-USD",
    "SKL-USD",
    "SKL-BTC",
    "SKL-GBP",
    "BAND-GBP",
    "BAND-BTC",
    "NMR-EUR",
    "YFI-BTC",
    "DASH-BTC",
    "NU-GBP",
    "CRV-EUR",
)
IDLE_S = 10.0
LINGER_S = 5.0
SECONDS_MAX = 3600
TRADES = frozenset({"match", "last_match"})


def tickers(config: Mapping[str, Any]) -> list[str]:
    return [f"ticker.coinbase.{product}" for product in config.get("products", PRODUCTS)]


def trades(config: Mapping[str, Any]) -> list[str]:
    return [f"trade.coinbase.{product}" for product in config.get("products", PRODUCTS)]


@feed("ticker.coinbase.*", topics=tickers)
async def coinbase_ticker(pub: Pub) -> None:
    await follow(Coinbase(pub, "ticker"))


@feed("trade.coinbase.*", topics=trades, delivery="event")
async def coinbase_trades(pub: Pub) -> None:
    await follow(Coinbase(pub, "matches"))


class Coinbase(Exchange):
    """One of the exchange's channels. It allows 8 commands a second, 20 at once."""

    def __init__(self, pub: Pub, channel: str) -> None:
        super().__init__(pub)
        self.url = pub.config.get("url", URL)
        self.limits = Limits(
            idle_s=seconds(pub.config, "idle_s", IDLE_S),
            linger_s=seconds(pub.config, "linger_s", LINGER_S),
        )
        self._channel = channel
        self._last_trade: dict[str, int] = {}

    def greeting(self, topics: Sequence[str]) -> Sequence[str]:
        return [_command("subscribe", topics[:1], "heartbeat")] if topics else []

    def command(self, topics: Sequence[str], wanted: bool) -> str:
        return _command("subscribe" if wanted else "unsubscribe", topics, self._channel)

    def take(self, message: bytes) -> None:
        fields = json.loads(message)
        kind, product = fields.get("type"), fields.get("product_id")
        if kind == "ticker":
            self.pub.publish(f"ticker.coinbase.{product}", message)
        elif kind in TRADES and fields["trade_id"] > self._last_trade.get(product, -1):
            # The last_match that follows a subscribe may be a trade that is known.
            self._last_trade[product] = fields["trade_id"]
            self.pub.publish(f"trade.coinbase.{product}", message)
        elif kind == "error":
            self.pub.log.warning("%s: the exchange says %s", self._channel, fields)


def _command(kind: str, topics: Sequence[str], channel: str) -> str:
    products = [topic.rpartition(".")[2] for topic in topics]
    return json.dumps({"type": kind, "product_ids": products, "channels": [channel]})


def seconds(config: Mapping[str, Any], name: str, default: float) -> float:
    value = config.get(name, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= SECONDS_MAX:
        raise ConfigError(
            f"plugins.coinbase.{name}: {value!r} is not a number above 0, at most {SECONDS_MAX}"
        )
    return float(value)
