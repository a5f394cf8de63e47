"""The feeds that come with tickwire."""

import json
import subprocess
from decimal import Decimal

import pytest
from tickwire.feeds.checked import event_topics, rate_of
from tickwire.feeds.random_walk import WALKS

from plugins.coinbase_player import playing
from tickwire.errors import ConfigError

PRODUCTS = ["SKL-USD", "BAND-GBP", "DASH-BTC"]


# --- random_walk ----------------------------------------------------------------------------------


def test_every_symbol_has_a_price_and_the_wanted_ones_move(start_server, eventually):
    server = start_server("random_walk")
    eventually(lambda: len(server.topics()) == len(WALKS))
    with server.subscribe("ticker.BTC-USD") as subscription:
        updates = [subscription.get(10) for _ in range(5)]
    prices = [Decimal(update.data["last"]) for update in updates]
    assert len(set(prices)) > 1
    assert all(abs(price / prices[0] - 1) < Decimal("0.1") for price in prices)
    for update in updates:
        assert Decimal(update.data["bid"]) < Decimal(update.data["last"])
        assert Decimal(update.data["last"]) < Decimal(update.data["ask"])
        assert update.data["change"][0] in "+-"
        assert update.data["last"].count(".") == 1
    assert server.snapshot("ticker.ETH-USD").seq == 1, "nobody wants it"


# --- coinbase -------------------------------------------------------------------------------------


def coinbase(url, products=PRODUCTS, **settings):
    return {"plugins": {"coinbase": {"url": url, "products": products, **settings}}}


def take(subscription, count):
    """The raw texts of each topic, until each of `count` topics has all that was recorded."""
    texts: dict[str, list[str]] = {}
    while sum(len(some) for some in texts.values()) < count:
        update = subscription.get(10)
        assert update is not None, f"silent after {texts.keys()}"
        if update.kind == "update":
            texts.setdefault(update.topic, []).append(update.raw)
    return texts


def test_prices_and_trades_arrive_byte_for_byte(start_server):
    with playing(speed=50) as exchange:
        server = start_server("coinbase", **coinbase(exchange.url))
        topics = [
            f"{kind}.coinbase.{product}" for kind in ("ticker", "trade") for product in PRODUCTS
        ]
        recorded_texts = {topic: exchange.texts(topic) for topic in topics}
        count = sum(len(texts) for texts in recorded_texts.values())
        assert all(recorded_texts.values())
        with server.subscribe("ticker.>", "trade.>") as subscription:
            assert take(subscription, count) == recorded_texts
        image = server.snapshot("trade.coinbase.SKL-USD")
        assert image.raw == recorded_texts[image.topic][-1]


def test_the_exchange_is_asked_only_for_what_is_wanted(start_server, eventually):
    with playing(speed=50) as exchange:
        player = exchange.player
        server = start_server("coinbase", **coinbase(exchange.url, linger_s=0.1))
        assert not player.connections
        first = server.subscribe("ticker.coinbase.SKL-USD")
        second = server.subscribe("ticker.coinbase.*")
        eventually(lambda: player.subscribed == {("ticker", product) for product in PRODUCTS})
        second.close()
        eventually(lambda: player.subscribed == {("ticker", "SKL-USD")})
        eventually(lambda: server.snapshot("ticker.coinbase.SKL-USD"))
        first.close()
        eventually(lambda: not player.connections)
        eventually(lambda: server.snapshot("ticker.coinbase.SKL-USD").status == "stale")
        with server.subscribe("ticker.coinbase.SKL-USD") as again:
            while again.get(5).kind != "update":
                pass


def test_a_lost_exchange_makes_its_topics_stale_and_is_reconnected(
    start_server, eventually, caplog
):
    with playing(speed=1) as exchange:
        server = start_server("coinbase", **coinbase(exchange.url))
        with server.subscribe("ticker.coinbase.SKL-USD") as subscription:
            assert subscription.get(10).kind == "update"
            exchange.hang_up()
            while (update := subscription.get(2)).kind != "status":
                pass
            assert update.status == "stale"
            while (update := subscription.get(10)).kind != "update":
                pass
        assert server.health["plugins"]["coinbase"] == {
            "state": "running",
            "restarts": 0,
            "errors": 0,
        }


def test_an_exchange_that_is_not_there_is_tried_again(start_server, eventually, caplog):
    with playing(speed=50) as gone:
        url = gone.url
    server = start_server("coinbase", **coinbase(url))
    with server.subscribe("ticker.coinbase.SKL-USD") as subscription:
        eventually(lambda: caplog.text.count(f"{url}: ") >= 2)
        with playing(speed=50, port=int(url.rpartition(":")[2])):
            while subscription.get(10).kind != "update":
                pass


def test_a_product_that_the_exchange_does_not_know_is_logged(start_server, eventually, caplog):
    with playing(speed=50) as exchange:
        server = start_server("coinbase", **coinbase(exchange.url, ["NO-SUCH"]))
        with server.subscribe("ticker.coinbase.*"):
            eventually(lambda: "NO-SUCH is not a valid product" in caplog.text)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("program", ["tickwired", "tickwire serve"])
def test_a_server_process_carries_coinbase_to_the_command_line(program, run_server, programs):
    with playing(speed=20) as exchange:
        settings = ["--set", f"plugins.coinbase.url={exchange.url}"]
        url = run_server(program, "feeds/coinbase.py", *settings)
        arguments = ["sub", "ticker.>", "trade.>", "--url", url, "--json", "--count", "60"]
        printed = run(programs / "tickwire", *arguments)
        assert len(printed) == 60
        texts = {text for stream in exchange.player.recording.values() for _, text in stream}
        for line in printed:
            message = json.loads(line)
            raw = line[line.index('"data":') + 7 : line.rindex("}")]
            if message["type"] in ("snapshot", "update"):
                assert raw in texts or message["type"] == "snapshot", line
                assert json.loads(raw)["product_id"] == message["topic"].rpartition(".")[2]


# --- checked --------------------------------------------------------------------------------------


def test_the_images_of_the_checked_feed_add_up_and_count(start_server):
    server = start_server("checked", plugins={"checked": {"topics": 2, "rate": 4000}})
    with server.subscribe("check.>") as subscription:
        images, counts = {}, {}
        for _ in range(600):
            update = subscription.get(10)
            if not update.data:
                continue
            whole = update.kind == "snapshot" or update.delivery == "event"
            image = {**({} if whole else images.get(update.topic, {})), **update.data}
            images[update.topic] = {k: v for k, v in image.items() if v is not None}
            assert sum(images[update.topic].values()) == 0
            counts.setdefault(update.topic, set()).add(update.seq - image["n"])
    assert set(counts) == {f"check.{kind}.{n}" for kind in ("value", "event") for n in range(2)}
    assert all(len(offsets) == 1 for offsets in counts.values())


@pytest.mark.parametrize(("key", "value"), [("topics", 0), ("topics", "x"), ("rate", 0)])
def test_a_wrong_setting_of_the_checked_feed_is_named(key, value):
    with pytest.raises(ConfigError, match=f"plugins.checked.{key}: {value!r} "):
        (event_topics if key == "topics" else rate_of)({key: value})
