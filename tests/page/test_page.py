"""The page at /, in a real browser, from a real server; helpers.js has words for the browser."""

import json
from pathlib import Path

import tickwire
from page.browser import Browser
from page.conftest import Serve
from plugins.coinbase_player import playing, read_recording

OPEN = ("--set", "auth.publish=open")
DASH = "\N{EN DASH}"


def test_prices_move(browser: Browser, serve: Serve) -> None:
    page = browser.open(serve("--demo").url, scheme="dark")
    page.wait("text('#connection') === 'live' && row('ticker.BTC-USD')")
    before = page.eval("prices()")
    page.wait(f"Object.entries({json.dumps(before)}).every(([k, v]) => prices()[k] !== v)")
    after = page.eval("prices()")
    assert len(before) >= 5
    assert all(float(after[topic]) > 0 and after[topic] != before[topic] for topic in before)
    page.wait("all('#market .spark path[d^=M]').length >= 10")
    page.wait("Number(text('#rate')) > 0")
    page.wait("items().length >= 5")
    assert page.screenshot("page.png").stat().st_size > 10_000
    assert page.faults() == []


def test_an_empty_plant_says_how_to_start_a_feed(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    page = browser.open(server.url)
    page.wait("visible('#empty')")
    assert "tickwire serve --demo" in page.eval("text('#empty')")
    assert not page.eval("visible('#market')")
    page.screenshot("empty.png")
    server.publish({"ticker.HELLO": {"last": "101.25"}})
    page.wait("cell('ticker.HELLO', '.last span') === '101.25' && !visible('#empty')")
    assert page.faults() == []


def test_digits_are_shown_as_sent_and_changes_computed(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    server.publish({"ticker.A": {"last": "0.10", "open": "0.08"}, "ticker.B": {"price": "1.00"}})
    page = browser.open(server.url)
    page.wait("row('ticker.B')")
    cells = page.eval("all('.last span, .change *', row('ticker.A')).map((e) => e.textContent)")
    assert cells == ["0.10", "+25.00%", "+0.02"]
    assert page.eval("cell('ticker.B', '.last span')") == "1.00"


def test_thousands_of_topics_are_few_rows(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    server.publish({f"t.{i:04}": {"last": i} for i in range(3000)})
    page = browser.open(server.url)
    page.wait("text('#topics') === '3,000'")
    assert page.eval("all('#market tbody tr').length") < 60
    assert page.eval("document.querySelector('#market [aria-rowcount]').ariaRowCount") == "3001"
    page.eval("scrollTo(0, document.body.scrollHeight)")
    page.wait("topics().at(-1) === 't.2999'")
    assert "t.0000" not in page.eval("topics()")
    assert page.eval("all('#market tbody tr').length") < 60
    page.eval("scrollTo(0, 0)")
    page.wait("topics()[0] === 't.0000'")
    assert page.faults() == []


def test_more_topics_than_it_keeps_are_said(browser: Browser) -> None:
    with tickwire.Server({"server": {"listen": "127.0.0.1:0"}}) as server:
        server.publish_many((f"t.{i}", {"last": i}) for i in range(10_005))
        page = browser.open(f"http://{server.address}/")
        page.wait("text('#topics') === '10,000' && text('#note').includes('10,000')")
        assert page.eval("all('#market tbody tr').length") < 60
        assert page.faults() == []


def test_topics_are_filtered_and_sorted(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    names = ["ticker.kraken.ETH", "ticker.coinbase.ETH", "ticker.coinbase.BTC", "candle.1m.BTC"]
    server.publish({name: {"last": str(i + 1), "open": "2"} for i, name in enumerate(names)})
    page = browser.open(server.url)
    page.wait("text('#topics') === '4'")
    assert page.eval("topics()") == sorted(names)
    page.fill("#filter", "Coin btc")
    page.wait("topics().join() === 'ticker.coinbase.BTC'")
    page.fill("#filter", "nothing like it")
    page.wait("text('#note') === 'No topic matches the filter.'")
    page.fill("#filter", "")
    page.click("#channels button[value=candle]")
    page.wait("topics().join() === 'candle.1m.BTC'")
    page.click("#channels button[value='']")
    page.click("#market th.change button")
    page.wait("topics()[0] === 'candle.1m.BTC' && topics()[3] === 'ticker.kraken.ETH'")
    assert page.eval("document.querySelector('#market th.change').ariaSort") == "descending"
    page.click("#market th.change button")
    page.wait("topics()[0] === 'ticker.kraken.ETH'")


def test_the_address_can_narrow_the_topics(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    server.publish({name: {"last": "1"} for name in ("a.1", "b.1", "b.2")})
    page = browser.open(server.url + "?topics=b.*")
    page.wait("text('#topics') === '2'")
    assert page.eval("topics()") == ["b.1", "b.2"]


def test_trades_run_on_a_tape_of_bounded_length(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN, "--set", 'topics."trade.>".delivery=event')
    server.publish({"trade.X.BTC": {"price": "9.50", "size": "0.10", "side": "buy"}})
    page = browser.open(server.url)
    page.wait("text('#tape li')?.includes('9.500.10')")
    assert page.eval("document.querySelector('#tape li').dataset.side") == "buy"
    with server.publisher() as wire:
        for i in range(100):
            wire.publish("trade.X.BTC", {"price": f"{i}.25", "size": "3", "side": "sell"})
    page.wait("text('#tape li').includes('99.25')")
    assert page.eval("all('#tape li').length") == 40
    assert page.faults() == []


def test_a_topic_opens_with_all_its_fields(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    server.publish({"ticker.A": {"last": "7.10", "depth": {"bids": [["1.0", 2]]}, "note": "<i>"}})
    page = browser.open(server.url)
    page.wait("row('ticker.A')")
    page.click('#market tr[title="ticker.A"] button')
    cells = page.eval("all('dialog[open] td').map((td) => td.textContent)")
    assert cells == ["last", "7.10", "depth", '{"bids":[["1.0",2]]}', "note", "<i>"]
    embed = page.eval("text('#detail-embed')")
    assert f'src="{server.url}tickwire.js"' in embed
    assert '<tick-er topics="ticker.A">' in embed
    server.publish({"ticker.A": {"last": "7.20", "depth": None}})
    page.wait("text('dialog td + td') === '7.20' && all('dialog tr').length === 2")
    assert page.faults() == []


def test_hostile_values_are_text(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    attack = "<img src=x onerror=window.broken=1>"
    nested = {"toString": 1, "valueOf": None}
    hostile = {
        "a.1": {"last": attack, "change": attack},
        "a.2": {"last": nested, "change": nested, "open": []},
        "a.3": {"last": "9" * 100_000, "open": True},
        "trade.1": {"price": nested, attack: attack, "side": nested},
        "trade.2": {"text": "x" * 100_000},
    }
    server.publish({**hostile, "z.1": {"last": "1.5"}})
    page = browser.open(server.url)
    page.wait("text('#topics') === '6'")
    for topic in hostile:
        page.click(f'#market tr[title="{topic}"] button')
        page.wait("document.querySelector('dialog').open")
        page.eval("document.querySelector('dialog').close()")
    server.publish({"z.1": {"last": "2.5"}})
    page.wait("cell('z.1', '.last span') === '2.5'")
    assert page.eval("all('img').length + (window.broken ?? 0)") == 0
    assert page.eval("cell('a.1', '.last span')") == attack
    assert page.eval("cell('a.2', '.last span')") == DASH
    assert page.faults() == []


def test_it_fits_a_phone(browser: Browser, serve: Serve) -> None:
    page = browser.open(serve("--demo").url, width=360, height=740, scale=2)
    page.wait("row('ticker.BTC-USD') && visible('#market')")
    assert page.eval("document.scrollingElement.scrollWidth") == 360
    box = "document.querySelector('#market tr[title] {}').getBoundingClientRect()"
    name, price = (page.eval(box.format(selector)) for selector in (".name button", ".last span"))
    assert 0 < name["left"] < name["right"] <= price["left"] < price["right"] <= 360
    page.screenshot("phone.png")
    assert page.faults() == []


def test_rows_go_stale_with_the_server_and_come_back(browser: Browser, serve: Serve) -> None:
    server = serve("--demo")
    page = browser.open(server.url)
    page.wait("row('ticker.BTC-USD')?.dataset.fresh === 'true'")
    server.kill()
    page.wait("row('ticker.BTC-USD').dataset.fresh === 'false' && Number(text('#stale')) >= 5")
    assert page.eval("text('#connection')").startswith("reconnecting")
    page.screenshot("stale.png")
    server.start()
    page.wait("row('ticker.BTC-USD').dataset.fresh === 'true' && text('#connection') === 'live'")


def test_a_recorded_exchange_session_shows(browser: Browser, serve: Serve, checkout: Path) -> None:
    recorded = [json.loads(text)["price"] for _, text in read_recording()["ticker", "SKL-USD"]]
    with playing(speed=20) as exchange:
        feed = str(checkout / "feeds/coinbase.py")
        page = browser.open(serve(feed, "--set", f"plugins.coinbase.url={exchange.url}").url)
        price = "cell('ticker.coinbase.SKL-USD', '.last span')"
        first = page.wait(f"{price} !== ' ' && {price}")
        later = page.wait(f"{price} !== {json.dumps(first)} && {price}")
        assert {first, later} <= set(recorded)
        page.wait("all('#tape li').length >= 3")
        page.screenshot("coinbase.png")
        assert page.faults() == []
