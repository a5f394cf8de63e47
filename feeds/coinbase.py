"""Coinbase Exchange's public market data: ``ticker.coinbase.*`` and ``trade.coinbase.*``.

    [plugins.coinbase]
    url = "wss://ws-feed.exchange.coinbase.com"
    products = ["BTC-USD", "ETH-USD"]         # what it offers

Asks the exchange only for what somebody wants. Messages are published byte for byte as they came.
A topic that nobody wants any more is stale, and all are while the exchange is away.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tickwire import feed
from tickwire.errors import UnknownTopicError
from tickwire.pub import Pub

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
RECONNECT_S_FIRST = 0.5
RECONNECT_S_MAX = 30.0
MESSAGE_BYTES_MAX = 1 << 20
TRADES = frozenset({"match", "last_match"})


def tickers(config: Mapping[str, Any]) -> list[str]:
    return [f"ticker.coinbase.{product}" for product in config.get("products", PRODUCTS)]


def trades(config: Mapping[str, Any]) -> list[str]:
    return [f"trade.coinbase.{product}" for product in config.get("products", PRODUCTS)]


@feed("ticker.coinbase.*", topics=tickers)
async def coinbase_ticker(pub: Pub) -> None:
    await Upstream(pub, "ticker").run()


@feed("trade.coinbase.*", topics=trades, delivery="event")
async def coinbase_trades(pub: Pub) -> None:
    await Upstream(pub, "matches").run()


class Upstream:
    """One connection to the exchange for one of its channels, made again whenever it is lost."""

    def __init__(self, pub: Pub, channel: str) -> None:
        self._pub = pub
        self._channel = channel
        self._last_trade: dict[str, int] = {}

    async def run(self) -> None:
        url = self._pub.config.get("url", URL)
        delay_s = RECONNECT_S_FIRST
        while True:
            await self._until_wanted()
            try:
                async with connect(url, max_size=MESSAGE_BYTES_MAX) as exchange:
                    self._pub.log.info("%s: connected to %s", self._channel, url)
                    delay_s = RECONNECT_S_FIRST
                    await self._carry(exchange)
            except (OSError, WebSocketException) as e:
                self._pub.log.warning("%s: %s: %s", self._channel, url, e)
            self._pub.stale()
            if self._pub.wanted:
                self._pub.log.info("%s: connecting again in %g s", self._channel, delay_s)
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, RECONNECT_S_MAX)

    async def _until_wanted(self) -> None:
        """The exchange hangs up on those who want nothing."""
        async for _ in self._pub.demand():
            return

    async def _carry(self, exchange: ClientConnection) -> None:
        asking = asyncio.create_task(self._ask(exchange))
        try:
            async for message in exchange:
                self._take(message if isinstance(message, bytes) else message.encode())
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _ask(self, exchange: ClientConnection) -> None:
        """Tells the exchange what is wanted, until nothing is."""
        async for topic, wanted in self._pub.demand():
            command = {
                "type": "subscribe" if wanted else "unsubscribe",
                "product_ids": [topic.rpartition(".")[2]],
                "channels": [self._channel],
            }
            await exchange.send(json.dumps(command))
            if not wanted:
                with suppress(UnknownTopicError):
                    self._pub.status(topic, "stale")
            if not self._pub.wanted:
                await exchange.close()

    def _take(self, text: bytes) -> None:
        message = json.loads(text)
        kind, product = message.get("type"), message.get("product_id")
        if kind == "ticker":
            self._publish(f"ticker.coinbase.{product}", text)
        elif kind in TRADES and message["trade_id"] > self._last_trade.get(product, -1):
            # The last_match that follows a subscribe may be a trade that is known.
            self._last_trade[product] = message["trade_id"]
            self._publish(f"trade.coinbase.{product}", text)
        elif kind == "error":
            self._pub.log.warning("%s: the exchange says %s", self._channel, message)

    def _publish(self, topic: str, text: bytes) -> None:
        if topic in self._pub.wanted:  # else on its way when it was given up
            self._pub.publish(topic, text)
