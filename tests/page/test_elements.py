"""The elements in real Chromium: what they show, and that no state, width or price breaks them."""

import json
from typing import Any

import pytest

import tickwire
from page.browser import Browser, Page
from page.conftest import Serve, Site
from tickwire import Deny, authorizer

WIDTHS = (160, 220, 390, 800)
STATED = "t.coinbase.BTC-USD"
OPEN = ("--set", "auth.publish=open")

MEASURE = "measure()"  # measure.js

HOSTS = {
    "light": "color-scheme:light;background:#fbf8f1;color:#2a2520;font:18px/1.6 Georgia,serif;"
    "--tick-head:#fbf8f1",
    "dark": "color-scheme:dark;background:#0c1018;color:#dfe6f0;font:14px/1.4 sans-serif;"
    "--tick-background:#141a24;--tick-head:#141a24;--tick-border:#263040",
}
PRICES = {
    "ticker.coinbase.BTC-USD": {"last": "64288.69", "open": "64250.00", "bid": "64288.60"},
    "ticker.kraken.BTC-USD": {"last": "64291.40", "open": "65000", "ask": "64291.50"},
    "ticker.dex.PEPE-USD": {"last": "0.00000001227", "bid": "0.00000001225", "ask": "0.0000000123"},
    "equity.MERVAL": {"last": "1225395.78", "open": "1225395.78", "volume": "48211.5"},
    "future.eurex.ESTX50-FUT-2026-12-EUREX-MINI": {"last": "4987.5", "open": "5001"},
    "equity.GLOBEX": {"last": "100.40", "open": "101.70"},
}


@authorizer("premium.>")
async def door(client: object, topic: str) -> Deny:
    return Deny("subscription required")


def plant(**settings: Any) -> tickwire.Server:
    return tickwire.Server({"server": {"listen": "127.0.0.1:0"}, **settings}, plugins=[door])


def script(server: tickwire.Server) -> str:
    return f'<script type="module" src="http://{server.address}/tickwire.js"></script>'


def each_element(topics: str, one: str) -> str:
    return (
        f'<tick-er topics="{topics}"></tick-er><tick-er layout="tape" topics="{topics}"></tick-er>'
        f'<tick-table topics="{topics}"></tick-table><tick-spark topic="{one}"></tick-spark>'
        f'<p>At <tick-price topic="{one}" change>64,100.00</tick-price> now '
        "<tick-status></tick-status></p>"
    )


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_is_cut_or_pale_at_any_width(host: str, browser: Browser, site: Site) -> None:
    with plant() as server:
        server.publish_many(PRICES.items())
        server.set_status("equity.GLOBEX", "halted")
        server.set_status("equity.MERVAL", "closed")
        topics = " ".join([*PRICES, "premium.NKY", "equity.NONE"])
        boxes = "".join(
            f'<div style="width:{width}px">{each_element(topics, one)}</div>'
            for width in (*WIDTHS, 1880)
            for one in ("ticker.coinbase.BTC-USD", "premium.NKY")
        )
        page = browser.open(
            site(f'{script(server)}<html lang="en"><body style="{HOSTS[host]}">{boxes}'),
            width=1920,
            motion="reduce",
        )
        page.wait("is('halted', 5) && is('refused', 6)")
        measured = page.eval(MEASURE)
        assert measured["texts"] > 300
        assert measured["faults"] == []
        page.screenshot(f"elements-{host}.png")
    page.wait("is('stale', 0)")
    assert page.eval(MEASURE)["faults"] == [], "stale"


def sizes(page: Page) -> list[str]:
    """Boxes of all elements and of what is in them that may not move."""
    found: list[str] = page.eval(
        """all('tick-er, tick-table, tick-spark, tick-price').flatMap((host) => [host,
            ...all('li:not([aria-hidden]), tr.row, .box', host.shadowRoot)].map((e) => {
                const { width, height } = e.getBoundingClientRect();
                return [host.tagName, host.parentElement.style.width, e.tagName,
                    Math.round(width), Math.round(2 * height) / 2].join(' ');
            }))"""
    )
    return found


def test_no_state_changes_a_size(browser: Browser, site: Site) -> None:
    with plant() as server:
        server.publish(STATED, {"last": "64288.69", "open": "64250.00"})
        boxes = "".join(
            f'<div style="width:{width}px">{each_element(STATED, STATED)}</div>' for width in WIDTHS
        )
        page = browser.open(site(f'{script(server)}<html lang="en">{boxes}'), motion="reduce")
        page.wait("is('live') && is('up')")
        page.wait("all('tick-spark').at(-1).shadowRoot.textContent.includes('last')")
        live = sizes(page)
        server.publish(STATED, {"last": "64200.00"})
        page.wait("is('down')")
        assert sizes(page) == live, "down"
        for status in ("stale", "halted", "closed"):
            server.set_status(STATED, status)
            page.wait(f"is('{status}') && part('state').startsWith('{status}')")
            assert sizes(page) == live, status
    page.wait("is('stale') && is('old')")
    assert sizes(page) == live, "the connection is lost"


def test_fallback_content_stands_until_the_plant_is_there(
    browser: Browser, serve: Serve, site: Site
) -> None:
    server = serve(*OPEN)
    source = f'src="http://{server.address}"'
    module = f'<script type="module" src="{server.url}tickwire.js"></script>'
    page = browser.open(site(f'{module}<p id="host"></p><tick-er {source} topics="a.1"></tick-er>'))
    page.wait("is('fresh')")
    server.stop()
    page.wait("document.querySelector('tick-er').client.state !== 'open'")
    price = f'<tick-price {source} topic="a.1">99.00 (Friday)</tick-price>'
    page.eval(f"text('#host') || (document.querySelector('#host').innerHTML = {json.dumps(price)})")
    slot = "document.querySelector('tick-price').shadowRoot.querySelector('slot')"
    page.wait(f"visible('tick-price') && !{slot}.hidden")
    server.start()
    server.publish({"a.1": {"last": "101.25"}})
    last = "document.querySelector('tick-price').shadowRoot.querySelector('[part=last]')"
    page.wait(f"{slot}.hidden && {last}.textContent === '101.25'")


def test_figures_follow_the_language_and_keep_their_digits(browser: Browser, site: Site) -> None:
    with plant() as server:
        server.publish("a.1", {"last": "1234567.10", "open": "1000000"})
        ticker = '<tick-er topics="a.1" {}></tick-er>'
        for attributes, shown in {
            'locale="de"': "1.234.567,10|+23,46%",
            'locale="en" currency="USD"': "$1,234,567.10|+23.46%",
            'locale="no such"': "1,234,567.10|+23.46%",
        }.items():
            page = browser.open(site(script(server) + ticker.format(attributes)))
            page.wait("is('fresh')")
            assert page.eval("part('last') + '|' + part('change')") == shown
            page.close()


def test_topics_of_one_symbol_are_told_apart(browser: Browser, site: Site) -> None:
    with plant() as server:
        names = ["ticker.kraken.BTC", "ticker.coinbase.BTC", "candle.kraken.BTC", "ticker.ETH"]
        server.publish_many((name, {"last": "1"}) for name in names)
        page = browser.open(site(f'{script(server)}<tick-er topics="{" ".join(names)}"></tick-er>'))
        page.wait("is('fresh', 3)")
        places = [page.eval(f"part('venue', {i})") for i in range(4)]
        assert places == ["ticker · kraken", "coinbase", "candle · kraken", ""]


TABLE = "document.querySelector('tick-table').shadowRoot"
ROWS = f"all('.row [part=symbol]', {TABLE}).map((e) => e.textContent)"


def test_a_table_sorts_and_has_only_the_rows_in_sight(browser: Browser, site: Site) -> None:
    with plant(topics={"trade.>": {"delivery": "event"}}) as server:
        server.publish_many((f"t.S{i:03}", {"last": f"{i * 7 % 500}.50"}) for i in range(500))
        server.publish("t.NONE", {"note": "no price"})
        server.publish("trade.S", {"price": "1"})
        attributes = 'topics="t.* trade.*" columns="last" style="--tick-height:400px"'
        table = f"<tick-table {attributes}></tick-table>"
        page = browser.open(site(script(server) + table))
        page.wait(f"{ROWS}[0] === 'NONE' && {ROWS}[1] === 'S000'")
        assert page.eval(f"{ROWS}.length") < 40
        assert page.eval(f"{TABLE}.querySelector('table').ariaRowCount") == "502"
        for order, first in (("descending", "S357"), ("ascending", "S000")):
            page.eval(f"{TABLE}.querySelector('[data-sort=last]').click()")
            page.wait(f"{TABLE}.querySelector('th.last').ariaSort === '{order}'")
            page.wait(f"{ROWS}[0] === '{first}'")
        page.eval(f"{TABLE}.querySelector('.wrap').scrollTo(0, 1e6)")
        page.wait(f"{ROWS}.at(-1) === 'NONE'")
        head = page.eval(f"{TABLE}.querySelector('th.last').getBoundingClientRect().top")
        wrap = page.eval(f"{TABLE}.querySelector('.wrap').getBoundingClientRect().top")
        assert abs(head - wrap) < 3, "the head stays"
        assert page.faults() == []


def test_a_tape_that_fits_stands_still(browser: Browser, site: Site) -> None:
    with plant() as server:
        server.publish_many((f"t.S{i}", {"last": "1"}) for i in range(20))
        tapes = "".join(
            f'<tick-er layout="tape" topics="{topics}"></tick-er>' for topics in ("t.S1", "t.*")
        )
        address = site(script(server) + tapes)
        moves = "all('tick-er').map((e) => e.shadowRoot.querySelector('ul').getAnimations().length)"
        page = browser.open(address)
        page.wait(f"items().length === 2 && is('fresh') && {moves}.join() === '0,1'")
        calm = browser.open(address, motion="reduce")
        calm.wait("items().length === 2 && is('fresh')")
        assert calm.eval(moves) == [0, 0]
