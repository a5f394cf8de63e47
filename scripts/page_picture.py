"""Takes the README's pictures of the page at /: page.png, wide, and page-narrow.png.

    page_picture.py FOLDER                    # `make pictures` writes into docs/

It serves made-up prices, made-up trades, and a feed that ends after its first price, so that its
topic is stale; then it photographs the page in Chromium.
"""

import asyncio
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
TRADED = ("BTC-USD", "ETH-USD", "SOL-USD")
READY = {
    "prices moved for a while": """all("#market .spark path:first-child")
        .filter((line) => line.getAttribute("d").split("L").length > 24).length >= 8""",
    "trades came": 'all("#tape li").length >= 14',
    "one topic is stale": 'text("#stale") === "1"',
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


def main(folder: Path) -> None:
    browser = Browser()
    try:
        with tickwire.Server(listen="127.0.0.1:0", plugins=["random_walk", oil]) as server:
            server.add_plugin(trades_of(server))
            pages = {
                name: browser.open(f"http://{server.address}/", width=w, height=h, scheme="dark")
                for name, (w, h) in VIEWS.items()
            }
            for name, page in pages.items():
                photograph(page, folder / name)
    finally:
        browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
