"""The plant's pages, in a real browser, from a real server; helpers.js speaks for the browser."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

import tickwire
from page.browser import Browser
from page.conftest import Serve
from plugins.coinbase_player import playing, read_recording

OPEN = ("--set", "auth.publish=open")
DASH = "\N{EN DASH}"


def test_prices_move(browser: Browser, serve: Serve) -> None:
    page = browser.open(serve("--demo").url, scheme="dark")
    page.wait("text('#connection') === 'Live' && row('ticker.BTC-USD')")
    before = page.eval("prices()")
    page.wait(f"Object.entries({json.dumps(before)}).every(([k, v]) => prices()[k] !== v)")
    after = page.eval("prices()")
    assert len(before) >= 5
    assert all(float(after[topic]) > 0 and after[topic] != before[topic] for topic in before)
    page.wait("all('#market .spark .line[d*=L]').length >= 5")
    page.wait("Number(text('#rate')) > 0")
    page.screenshot("page.png")
    assert page.faults() == []


def test_an_empty_plant_says_how_to_start_a_feed(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    page = browser.open(server.url)
    page.wait("visible('#empty')")
    assert "tickwire serve --demo" in page.eval("text('#empty')")
    assert not page.eval("visible('#market')")
    page.screenshot("empty.png")
    server.publish({"ticker.HELLO": {"last": "101.25"}})
    page.wait("cell('ticker.HELLO', '[part=last]') === '101.25' && !visible('#empty')")
    assert page.faults() == []


def test_digits_are_shown_as_sent_and_changes_computed(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    server.publish({"ticker.A": {"last": "0.10", "open": "0.08"}, "ticker.B": {"price": "1.00"}})
    page = browser.open(server.url)
    page.wait("row('ticker.B')")
    shown = "['[part=last]', '.c-change', '.c-abs'].map((s) => cell('ticker.{}', s)).join('|')"
    assert page.eval(shown.format("A")) == "0.10|+25.00%|+0.02"
    assert page.eval(shown.format("B")) == "1.00||", "a change without a base is none"


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
    page.wait("text('#note') === 'No topic matches.'")
    page.fill("#filter", "")
    page.click("#channels button[value=candle]")
    page.wait("topics().join() === 'candle.1m.BTC'")
    page.click("#channels button[value='']")
    page.click("#market th.c-change button")
    page.wait("topics()[0] === 'candle.1m.BTC' && topics()[3] === 'ticker.kraken.ETH'")
    assert page.eval("document.querySelector('#market th.c-change').ariaSort") == "descending"
    page.click("#market th.c-change button")
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
    page.wait("text('#tape li')?.includes('BTC9.500.10')")
    assert page.eval("document.querySelector('#tape li').dataset.side") == "buy"
    with server.publisher() as wire:
        for i in range(100):
            wire.publish("trade.X.BTC", {"price": f"{i}.25", "size": "3", "side": "sell"})
    page.wait("text('#tape li').includes('99.25')")
    assert page.eval("all('#tape li').length") == 40
    assert page.faults() == []


def test_topics_are_grouped_watched_and_found_again(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    names = ["fx.EUR-USD", "ticker.coinbase.BTC", "ticker.kraken.BTC"]
    server.publish({name: {"last": "1"} for name in names})
    page = browser.open(server.url)
    groups = "all('#market .group').map((tr) => tr.textContent).join()"
    page.wait(f"topics().length === 3 && {groups} === 'fx1,ticker2'")
    places = "all('#market tr[title] [part=venue]').map((e) => e.textContent)"
    assert page.eval(places) == ["", "coinbase", "kraken"]
    page.click('#market tr[title="ticker.kraken.BTC"] .c-star button')
    page.wait(f"{groups} === 'Watchlist1,fx1,ticker2' && topics()[0] === 'ticker.kraken.BTC'")
    page.eval("location.reload()")
    page.wait(f"{groups} === 'Watchlist1,fx1,ticker2'")
    page.click("#channels button:nth-child(2)")
    page.wait("[...new Set(topics())].join() === 'ticker.kraken.BTC'")
    assert page.faults() == []


def test_colours_are_chosen_and_kept(browser: Browser, serve: Serve) -> None:
    page = browser.open(serve("--demo").url, scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.eval(ground)
    page.eval("document.querySelector('[name=theme][value=dark]').click()")
    page.wait(f"{ground} !== '{light}'")
    page.eval("location.reload()")
    page.wait(f"{ground} !== '{light}' && row('ticker.BTC-USD')")


def test_a_topic_has_a_page_of_its_own(browser: Browser, serve: Serve) -> None:
    server = serve(*OPEN)
    image = {"last": "1007.10", "open": "1000", "depth": {"bids": [["1.0", 2]]}, "note": "<i>"}
    server.publish({"ticker.x.A": image})
    page = browser.open(server.url)
    page.wait("row('ticker.x.A')")
    page.click('#market tr[title="ticker.x.A"] a')
    page.wait("text('.big') === '1,007.10' && text('#quote [part=change]') === '+0.71%'")
    page.wait("text('#base') === '+7.10 since open'")
    cells = page.eval("all('#image td').map((td) => td.textContent).filter((text) => text)")
    fields = ["last", "1007.10", "open", "1000", "depth", '{"bids":[["1.0",2]]}', "note", "<i>"]
    assert cells == fields
    assert f'src="{server.url}tickwire.js"' in page.eval("text('#snippets code')")
    assert '<tick-er topics="ticker.x.A">' in page.eval("text('#snippets code')")
    page.eval(
        "[...document.querySelectorAll('[role=tab]')].find((t) => t.textContent === 'curl').click()"
    )
    page.wait(f"text('#snippets code') === 'curl {server.url}v1/snapshot/ticker.x.A'")
    server.publish({"ticker.x.A": {"last": "1008.20", "depth": None}})
    page.wait("text('.big') === '1,008.20' && all('#image tbody tr').length === 3")
    page.wait("text('#events li') .includes('1008.20') && text('#high') === '1,008.20'")
    vendored = page.eval("import('./vendor/lightweight-charts.js').then((m) => 'createChart' in m)")
    page.wait("visible('#chart canvas')" if vendored else "visible('#chart .spark')")
    page.screenshot("topic.png")
    server.stop()
    page.wait("text('#quote [part=state]').startsWith('stale') && visible('.dim [part=last]')")


def test_a_tag_is_made_and_seen_live(browser: Browser, serve: Serve) -> None:
    server = serve("--demo")
    page = browser.open(f"{server.url}embed")
    page.wait("items().length === 6 && is('fresh', 5)")
    code = "text('#code code')"
    assert '<tick-er topics="ticker.*" max="6"></tick-er>' in page.eval(code)
    for kind, tag in {
        "tape": '<tick-er layout="tape"',
        "table": '<tick-table topics="ticker.*" columns="last change',
        "price": '<tick-price topic="ticker.',
        "spark": "<tick-spark ",
        "status": "<tick-status></tick-status>",
    }.items():
        page.eval(f"document.querySelector('[name=kind][value={kind}]').click()")
        page.wait(f"{code}.includes('{tag}')")
        element = tag[1:].split(" ")[0].split(">")[0]
        page.wait(f"/\\w/.test(document.querySelector('#stage {element}').shadowRoot.textContent)")
    attack = '"><img src=x onerror=window.broken=1>'
    page.eval("document.querySelector('[name=kind][value=rows]').click()")
    page.fill("[name=topics]", attack)
    page.wait("is('refused', 0)")
    assert page.eval("all('img').length + (window.broken ?? 0)") == 0


PATHS = ["", "topic?name=ticker.dex.PEPE-USD", "topic?name=premium.X", "embed"]
HARD = {
    "ticker.dex.PEPE-USD": {
        "last": "0.00000001227",
        "bid": "0.00000001225",
        "open": "0.0000000124",
    },
    "equity.MERVAL": {"last": "1225395.78", "bid": "1225395.70", "ask": "1225395.80"},
    "future.eurex.ESTX50-FUT-2026-12-EUREX-MINI": {"last": "4987.5", "open": "5001"},
    "chat.lobby": {"user": "Mira", "text": "word " * 40 + "w" * 80},
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_every_width(browser: Browser, serve: Serve, scheme: str) -> None:
    server = serve(*OPEN, "--set", 'topics."chat.>".delivery=event')
    server.publish(HARD | {f"sim.S{i:03}": {"last": f"{i}.25"} for i in range(500)})
    for width in (360, 768, 1280, 1920):
        for path in PATHS:
            page = browser.open(server.url + path, width=width, scheme=scheme)
            page.wait("!/^(Connecting)?$/.test(text('#connection b') ?? '')")
            page.wait("visible('.row') || visible('#quote') || is('fresh') || items().length === 0")
            assert page.eval("document.scrollingElement.scrollWidth") <= width, path
            cut = """all('.row [part=last], .big [part=last]').filter((last) => {
                const box = last.closest('td, .quote').getBoundingClientRect();
                const { left, right } = last.getBoundingClientRect();
                return right > box.right + 5 || left < box.left - 5; }).map((e) => e.textContent)"""
            assert page.eval(cut) == [], (path, width)
            name = path.partition("?")[0] or "topics"
            page.screenshot(f"{name}-{width}-{scheme}.png")
            assert page.faults() == []
            page.close()


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
        other = browser.open(f"{server.url}topic?name={topic}")
        other.wait("all('#image tbody tr').length > 0")
        assert other.eval("all('img').length + (window.broken ?? 0)") == 0
        assert other.faults() == []
        other.close()
    for name in (f'"></tick-er>{attack}<tick-er topics="a', "$(id)", "a b", "ticker.*"):
        other = browser.open(f"{server.url}topic?name={quote(name)}")
        other.wait("text('#reason, #connection') !== ''")
        assert not other.eval("visible('#use')"), "nobody copies what an address brought"
        assert other.eval("all('img').length + (window.broken ?? 0)") == 0
        other.close()
    server.publish({"z.1": {"last": "2.5"}})
    page.wait("cell('z.1', '[part=last]') === '2.5'")
    assert page.eval("all('img').length + (window.broken ?? 0)") == 0
    assert page.eval("cell('a.1', '[part=last]')") == attack
    assert page.eval("cell('a.2', '[part=last]')") == DASH
    assert page.faults() == []


def test_it_fits_a_phone(browser: Browser, serve: Serve) -> None:
    page = browser.open(serve("--demo").url, width=360, height=740, scale=2)
    page.wait("row('ticker.BTC-USD') && visible('#market')")
    assert page.eval("document.scrollingElement.scrollWidth") == 360
    box = "document.querySelector('#market tr[title] {}').getBoundingClientRect()"
    name, price = (page.eval(box.format(selector)) for selector in (".c-name a", "[part=last]"))
    assert 0 < name["left"] < name["right"] <= price["left"] < price["right"] <= 360
    page.screenshot("phone.png")
    assert page.faults() == []


def test_rows_go_stale_with_the_server_and_come_back(browser: Browser, serve: Serve) -> None:
    server = serve("--demo")
    page = browser.open(server.url)
    page.wait("fresh('ticker.BTC-USD')")
    server.kill()
    page.wait("!fresh('ticker.BTC-USD') && text('#connection').startsWith('Reconnecting')")
    page.wait("cell('ticker.BTC-USD', '[part=state]').startsWith('stale')")
    page.screenshot("stale.png")
    server.start()
    page.wait("fresh('ticker.BTC-USD') && text('#connection') === 'Live'")


def test_a_recorded_exchange_session_shows(browser: Browser, serve: Serve, checkout: Path) -> None:
    recorded = [json.loads(text)["price"] for _, text in read_recording()["ticker", "SKL-USD"]]
    with playing(speed=20) as exchange:
        feed = str(checkout / "feeds/coinbase.py")
        page = browser.open(serve(feed, "--set", f"plugins.coinbase.url={exchange.url}").url)
        price = "cell('ticker.coinbase.SKL-USD', '[part=last]')"
        first = page.wait(f"Number({price}) > 0 && {price}")
        later = page.wait(f"{price} !== {json.dumps(first)} && {price}")
        assert {first, later} <= set(recorded)
        page.wait("all('#tape li').length >= 3")
        page.screenshot("coinbase.png")
        assert page.faults() == []


def test_a_topics_chart_begins_with_the_servers_ring(browser: Browser, serve: Serve) -> None:
    server = serve("--set", "auth.publish=open")
    with server.publisher() as wire:
        for price in range(100, 110):
            wire.publish("ticker.A", {"last": f"{price}.50"})
    page = browser.open(f"{server.url}topic?name=ticker.A")
    vendored = page.eval("import('./vendor/lightweight-charts.js').then((m) => 'createChart' in m)")
    words = "from the server's ring" if vendored else "while this page was open"
    page.wait(f'text("#window").includes("{words}")')
    assert page.faults() == []
