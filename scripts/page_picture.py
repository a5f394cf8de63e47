"""Takes the pictures of README.md (the page at /, wide and narrow; a topic's page) and of
docs/WIDGET.md (each element).

    page_picture.py FOLDER                    # `make pictures` writes into docs/

It serves made-up prices, made-up trades, and a feed that ends after its first price, so that its
topic is stale; then it photographs the pages and the elements in Chromium.
"""

import asyncio
import json
import random
import sys
from pathlib import Path

import tickwire
from tickwire import feed
from tickwire.pub import Pub

CHECKOUT = Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT / "tests"))

from page.browser import Browser, Page  # noqa: E402

VIEWS = {"page.png": (1280, 720), "page-narrow.png": (400, 720)}
STYLE = """body { margin: 0; padding: 14px 16px; color-scheme: light; background: #fff;
    color: #1c2127; font: 16px/1.5 system-ui, sans-serif; } p { margin: 0; }"""
SYMBOLS = "ticker.BTC-USD ticker.ETH-USD ticker.SOL-USD ticker.AAPL ticker.HALT ticker.WTI"
ELEMENTS = {
    "element-tick-er.png": (700, 162, f'<tick-er topics="{SYMBOLS}"></tick-er>'),
    "element-tape.png": (700, 70, f'<tick-er layout="tape" topics="{SYMBOLS}"></tick-er>'),
    "element-tick-price.png": (
        700,
        56,
        '<p>Bitcoin trades at <tick-price topic="ticker.BTC-USD" change></tick-price> and crude oil'
        ' at <tick-price topic="ticker.WTI" change></tick-price>.</p>',
    ),
    "element-tick-table.png": (
        700,
        290,
        f'<tick-table topics="{SYMBOLS}" columns="last change spark state"></tick-table>',
    ),
    "element-tick-spark.png": (
        340,
        100,
        '<tick-spark topic="ticker.ETH-USD"></tick-spark>',
    ),
    "element-tick-status.png": (200, 62, '<tick-status topics="ticker.*"></tick-status>'),
}
ELEMENT_READY = """all("body *").filter(({ shadowRoot }) => shadowRoot).every((element) => {
    const text = element.shadowRoot?.textContent ?? "";
    return /\\d/.test(text) && !/connecting|last \\d\\Ws/.test(text);
}) && all(".spark .line", document.querySelector("tick-table, tick-spark")?.shadowRoot)
    .filter((line) => (line.getAttribute("d") ?? "").split("L").length > 8).length >=
    (document.querySelector("tick-table") ? 4 : document.querySelector("tick-spark") ? 1 : 0)"""
TRADED = ("BTC-USD", "ETH-USD", "SOL-USD")
READY = {
    "prices moved for a while": """all("#market .spark .line")
        .filter((line) => line.getAttribute("d").split("L").length > 12).length >= 6""",
    "trades came": 'all("#tape li").length >= 14',
    "one topic is stale": 'text("#connection").endsWith("stale")',
}


@feed("ticker.WTI")
async def oil(pub: Pub) -> None:
    """Ends at once: from then on nobody vouches for its price."""
    pub.publish("ticker.WTI", {"last": "71.42", "open": "70.95"})


def trades_of(server: tickwire.Server) -> object:
    @feed("trade.*", delivery="event")
    async def trades(pub: Pub) -> None:
        while True:
            await asyncio.sleep(random.uniform(0.2, 0.6))
            symbol = random.choice(TRADED)
            if quote := server.snapshot(f"ticker.{symbol}"):
                side = random.choice(("buy", "sell"))
                price = quote.data["ask" if side == "buy" else "bid"]
                size = f"{random.expovariate(2):.4f}"
                pub.publish(f"trade.{symbol}", {"price": price, "size": size, "side": side})

    return trades


def photograph(page: Page, path: Path) -> None:
    for code in READY.values():
        page.wait(code)
    page.screenshot(path)
    assert page.faults() == []


def photograph_elements(browser: Browser, address: str, folder: Path) -> None:
    for name, (width, height, html) in ELEMENTS.items():
        page = browser.open(f"http://{address}/health", width=width, height=height, scale=2)
        page.eval(f"""(() => {{
            document.head.innerHTML = {json.dumps(f"<style>{STYLE}</style>")};
            document.body.innerHTML = {json.dumps(html)};
            document.documentElement.lang = "en";
            return import("/tickwire.js").then(() => null);
        }})()""")
        page.wait(ELEMENT_READY)
        page.screenshot(folder / name)
        page.close()


def main(folder: Path) -> None:
    browser = Browser()
    try:
        with tickwire.Server(listen="127.0.0.1:0", plugins=["random_walk", oil]) as server:
            server.add_plugin(trades_of(server))
            pages = {
                name: browser.open(f"http://{server.address}/", width=w, height=h, scheme="dark")
                for name, (w, h) in VIEWS.items()
            }
            server.publish("ticker.HALT", {"last": "100.40", "open": "101.70"})
            server.set_status("ticker.HALT", "halted")
            for name, page in pages.items():
                photograph(page, folder / name)
            photograph_elements(browser, server.address, folder)
    finally:
        browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
