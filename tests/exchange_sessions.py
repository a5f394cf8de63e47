"""Market-data sessions of four exchanges, made from a seed, as a client of each would record them.

The messages have the shape that each exchange documents: Coinbase's ticker, matches and level2;
Kraken's v1 arrays with the checksum of its book; Binance's combined stream; Bitstamp's order book
and trades, whose prices are strings and numbers. The prices and orders are a random walk.

A session is the text of a recording, as `feeds/replay.py` plays it: a line `TIME: TEXT` for each
message of the exchange, with Unix seconds, after the lines of the connection (`wss://... <->`) and
of the client's commands (`wss://... <-`). The same exchange and seed give the same bytes on every
machine and every Python.

    python tests/exchange_sessions.py FOLDER      writes one .xz for each exchange, and prints them
"""

import json
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from random_market import Market, trimmed

SEED = 1
START_US = 1_700_000_000_000_000
"""When every session begins: Unix time in microseconds."""
SESSION_US = 30_000_000
"""How long a session lasts, about."""

Message = tuple[int, str]
"""Unix time in microseconds, and the text."""


def dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def seconds(us: int) -> str:
    return f"{us // 1_000_000}.{us % 1_000_000:06}"


def iso(us: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(microseconds=us)).isoformat("T", "microseconds") + "Z"


def play(random: Random, markets: list[Market], count: int) -> Iterator[tuple[int, Market]]:
    """When (microseconds) and where something happens, `count` times, in bursts of one market."""
    now, mean = START_US + 500_000, SESSION_US // count
    while count > 0:
        market = random.choices(markets, [market.weight for market in markets])[0]
        burst = min(count, random.randrange(1, 6))
        now += random.randrange(1, 2 * burst * mean)
        for _ in range(burst):
            now += random.randrange(1, 500)
            yield now, market
        count -= burst


# --- Coinbase -------------------------------------------------------------------------------------


def coinbase(random: Random) -> Iterator[Message]:
    markets = [
        Market(random, "BTC-USD", 3712345, 2, 8, levels=600, weight=8),
        Market(random, "SKL-USD", 7908, 4, 1, weight=5),
        Market(random, "BAND-GBP", 147775, 4, 2, levels=300, weight=2),
        Market(random, "DASH-BTC", 619345, 8, 8, levels=400, weight=4),
        Market(random, "SKL-BTC", 1303, 8, 1, weight=1),
        Market(random, "NU-GBP", 4394, 4, 6, levels=200, weight=1),
    ]
    ids = [market.symbol for market in markets]
    channels = [{"name": name, "product_ids": ids} for name in ("level2", "ticker", "matches")]
    for told in (channels[:1], channels[:2], channels):
        yield START_US, dump({"type": "subscriptions", "channels": told})
    for n, market in enumerate(markets):
        now = START_US + 1000 * n
        sides = {"asks": sorted(market.asks.items()), "bids": sorted(market.bids.items())[::-1]}
        levels = {
            name: [[market.text(price), market.size_text(size)] for price, size in side]
            for name, side in sides.items()
        }
        yield now, dump({"type": "snapshot", "product_id": market.symbol, **levels})
        yield from coinbase_trade(market, now, "last_match")
    for now, market in play(random, markets, 3_000):
        if random.random() < 0.025:
            yield from coinbase_trade(market, now, "match")
        else:
            yield now, coinbase_levels(market, [market.change()], now)


def coinbase_levels(market: Market, changes: list[tuple[str, int, int]], now: int) -> str:
    levels = [[side, market.text(price), market.size_text(size)] for side, price, size in changes]
    kind = {"type": "l2update", "product_id": market.symbol}
    return dump({**kind, "changes": levels, "time": iso(now)})


def coinbase_trade(market: Market, now: int, kind: str) -> Iterator[Message]:
    side, price, size = market.trade()
    bid, ask = market.best()
    stats = (market.open, market.low, market.high)
    opened, low, high = (trimmed(market.text(price)) for price in stats)
    ticker = {
        "type": "ticker",
        "sequence": market.sequence,
        "product_id": market.symbol,
        "price": market.text(price),
        "open_24h": opened,
        "volume_24h": market.size_text(market.volume),
        "low_24h": low,
        "high_24h": high,
        "volume_30d": market.size_text(30 * market.volume),
        "best_bid": market.text(bid),
        "best_ask": market.text(ask),
        "side": side,
        "time": iso(now),
        "trade_id": market.trade_id,
        "last_size": trimmed(market.size_text(size)),
    }
    match = {
        "type": kind,
        "trade_id": market.trade_id,
        "maker_order_id": market.order_id(),
        "taker_order_id": market.order_id(),
        "side": "sell" if side == "buy" else "buy",  # the maker's
        "size": trimmed(market.size_text(size)),
        "price": market.text(price),
        "product_id": market.symbol,
        "sequence": market.sequence,
        "time": iso(now),
    }
    yield now, dump(ticker)
    yield now, dump(match)
    if market.swept:
        yield now, coinbase_levels(market, market.swept, now)


# --- Kraken ---------------------------------------------------------------------------------------


def kraken(random: Random) -> Iterator[Message]:
    markets = [
        Market(random, "XBT/USD", 371234, 1, 8, zeros=4, levels=1000, weight=6),
        Market(random, "XMR/USD", 35388, 2, 8, zeros=6, levels=500, weight=3),
        Market(random, "KSM/XBT", 7585, 6, 8, zeros=2, levels=400, weight=2),
        Market(random, "SC/EUR", 4313, 5, 8, zeros=1, levels=700, weight=2),
        Market(random, "GRT/ETH", 8356, 7, 8, zeros=2, levels=200, weight=1),
    ]
    connection = {"connectionID": random.getrandbits(63), "event": "systemStatus"}
    yield START_US, dump({**connection, "status": "online", "version": "1.9.1"})
    book = {"depth": 1000, "name": "book"}
    for number, market in enumerate(markets):
        channel = {"channelID": 16 * number, "channelName": "book-1000"}
        told = {"event": "subscriptionStatus", "pair": market.symbol, "status": "subscribed"}
        yield START_US, dump({**channel, **told, "subscription": book})
    for number, market in enumerate(markets):
        sides = {
            name: [kraken_level(market, price, START_US - random.randrange(10**10)) for price in at]
            for name, at in (("as", sorted(market.asks)), ("bs", sorted(market.bids)[::-1]))
        }
        yield START_US + 1000, dump([16 * number, sides, "book-1000", market.symbol])
    beat = START_US
    for now, market in play(random, markets, 1_200):
        number = 16 * markets.index(market)
        if now - beat > 1_000_000:
            beat = now
            yield now, dump({"event": "heartbeat"})
        if random.random() < 0.02:
            side, price, size = market.trade()
            trade = [market.text(price), market.size_text(size), seconds(now), side[0], "l", ""]
            yield now, dump([number, [trade], "trade", market.symbol])
            changes = market.swept
        else:
            changes = [market.change()]
        if changes:
            yield (
                now,
                dump([number, *kraken_changes(market, changes, now), "book-1000", market.symbol]),
            )


def kraken_changes(
    market: Market, changes: list[tuple[str, int, int]], now: int
) -> list[dict[str, Any]]:
    """An object for each side that changed; the last one has the checksum."""
    sides: dict[str, dict[str, Any]] = {}
    for side, price, _ in changes:
        name = "b" if side == "buy" else "a"
        sides.setdefault(name, {name: []})[name].append(kraken_level(market, price, now))
    told = [sides[name] for name in sorted(sides)]
    told[-1]["c"] = str(kraken_checksum(market))
    return told


def kraken_level(market: Market, price: int, at_us: int) -> list[str]:
    size = market.bids.get(price) or market.asks.get(price) or 0
    return [market.text(price), market.size_text(size), seconds(at_us)]


def kraken_checksum(market: Market) -> int:
    """The CRC-32 of the ten best asks and bids, without points and leading zeros."""
    digits = [
        str(number)
        for book, sign in ((market.asks, 1), (market.bids, -1))
        for price in sorted(book, key=lambda price: sign * price)[:10]
        for number in (price * 10**market.zeros, book[price])
    ]
    return zlib.crc32("".join(digits).encode())


# --- Binance --------------------------------------------------------------------------------------


def binance(random: Random) -> Iterator[Message]:
    markets = [
        Market(random, "NKNUSDT", 3521, 4, 8, zeros=4, weight=6),
        Market(random, "BLZETH", 6547, 8, 8, weight=2),
        Market(random, "LRCBTC", 638, 8, 8, weight=1),
        Market(random, "SHIBUSDT", 12, 8, 8, weight=1),
    ]
    for now, market in play(random, markets, 1_000):
        stream, event = binance_event(random, market, now // 1000)
        yield now, dump({"stream": f"{market.symbol.lower()}@{stream}", "data": event})


def binance_event(random: Random, market: Market, now_ms: int) -> tuple[str, dict[str, Any]]:
    head = {"E": now_ms, "s": market.symbol}
    chance = random.random()
    if chance < 0.68:
        first = market.sequence + 1
        changes = [market.change() for _ in range(random.randrange(1, 3))]
        bids, asks = (
            [
                [market.text(price), market.size_text(size)]
                for at, price, size in changes
                if at == side
            ]
            for side in ("buy", "sell")
        )
        depth = {"e": "depthUpdate", **head, "U": first, "u": market.sequence}
        return "depth@100ms", {**depth, "b": bids, "a": asks}
    if chance < 0.97:
        market.change()
        bid, ask = market.best()
        best = {"b": market.text(bid), "B": market.size_text(market.bids[bid])}
        best |= {"a": market.text(ask), "A": market.size_text(market.asks[ask])}
        return "bookTicker", {"u": market.sequence, "s": market.symbol, **best}
    side, price, size = market.trade()
    last, volume = market.text(price), market.size_text(size)
    if chance < 0.985:
        trade = {"e": "aggTrade", **head, "a": market.trade_id, "p": last, "q": volume}
        ids = {"f": market.trade_id, "l": market.trade_id}
        return "aggTrade", {**trade, **ids, "T": now_ms, "m": side == "sell", "M": True}
    minute = now_ms // 60_000 * 60_000
    candle = {"t": minute, "T": minute + 59_999, "s": market.symbol, "i": "1m"}
    candle |= {"f": market.trade_id, "L": market.trade_id, "o": market.text(market.open), "c": last}
    candle |= {"h": market.text(market.high), "l": market.text(market.low), "v": volume}
    candle |= {"n": 1, "x": False, "q": volume, "V": volume, "Q": volume, "B": "0"}
    return "kline_1m", {"e": "kline", **head, "k": candle}


# --- Bitstamp -------------------------------------------------------------------------------------


def bitstamp(random: Random) -> Iterator[Message]:
    markets = [
        Market(random, "ethusd", 380074, 2, 8, weight=5),
        Market(random, "usdteur", 88664, 5, 5, weight=2),
        Market(random, "adaeur", 117713, 5, 8, weight=2),
        Market(random, "batbtc", 2105, 8, 8, weight=1),
    ]
    for kind in ("diff_order_book", "live_trades"):
        for market in markets:
            channel = f"{kind}_{market.symbol}"
            told = {"event": "bts:subscription_succeeded", "channel": channel}
            yield START_US, dump({**told, "data": {}})
    for now, market in play(random, markets, 800):
        at = {"timestamp": str(now // 1_000_000), "microtimestamp": str(now)}
        if random.random() < 0.04:
            data, channel = bitstamp_trade(market, at), "live_trades"
        else:
            changes = [market.change() for _ in range(random.randrange(1, 6))]
            bids, asks = (
                [
                    [market.text(price), market.size_text(size)]
                    for at, price, size in changes
                    if at == side
                ]
                for side in ("buy", "sell")
            )
            data, channel = {**at, "bids": bids, "asks": asks}, "diff_order_book"
        event = "trade" if channel == "live_trades" else "data"
        yield now, dump({"data": data, "channel": f"{channel}_{market.symbol}", "event": event})


def bitstamp_trade(market: Market, at: dict[str, str]) -> dict[str, Any]:
    side, price, size = market.trade()
    amount, last = market.size_text(size), market.text(price)
    return {
        "id": market.trade_id,
        "timestamp": at["timestamp"],
        "amount": float(amount),
        "amount_str": amount,
        "price": float(last),
        "price_str": last,
        "type": int(side == "sell"),
        "microtimestamp": at["microtimestamp"],
        "buy_order_id": market.sequence * 1_000_000,
        "sell_order_id": market.sequence * 1_000_000 + 7,
    }


# --- recordings -----------------------------------------------------------------------------------

EXCHANGES: dict[str, tuple[Callable[[Random], Iterator[Message]], str, list[str]]] = {
    "coinbase": (
        coinbase,
        "wss://ws-feed.exchange.coinbase.com",
        ['{"type":"subscribe","channels":["level2","ticker","matches"]}'],
    ),
    "kraken": (
        kraken,
        "wss://ws.kraken.com",
        ['{"event":"subscribe","subscription":{"name":"book","depth":1000}}'],
    ),
    "binance": (binance, "wss://stream.binance.com:9443/stream", []),
    "bitstamp": (bitstamp, "wss://ws.bitstamp.net/", ['{"event":"bts:subscribe"}']),
}


def messages(exchange: str, seed: int = SEED) -> list[Message]:
    """What `exchange` (a key of EXCHANGES) sent, in order."""
    make, _, _ = EXCHANGES[exchange]
    return list(make(Random(f"{exchange} {seed}")))


def recording(exchange: str, seed: int = SEED) -> str:
    """The session as text, ended by a line break."""
    _, url, commands = EXCHANGES[exchange]
    lines = [f"{url} <-> {seconds(START_US - 200_000)}"]
    lines += [f"{url} <- {seconds(START_US - 100_000)}: {command}" for command in commands]
    lines += [f"{seconds(us)}: {text}" for us, text in messages(exchange, seed)]
    return "\n".join(lines) + "\n"


def write(folder: Path, seed: int = SEED) -> dict[str, Path]:
    """A recording of each exchange, as `EXCHANGE.xz`; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {exchange: folder / f"{exchange}.xz" for exchange in EXCHANGES}
    for exchange, path in paths.items():
        path.write_bytes(lzma.compress(recording(exchange, seed).encode()))
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: exchange_sessions.py FOLDER")
    print(*write(Path(sys.argv[1])).values(), sep="\n")
