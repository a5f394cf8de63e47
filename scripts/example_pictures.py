"""Takes the picture of each example: what its README shows.

    example_pictures.py FOLDER [WIDTH]        # `make pictures` writes into examples/

It starts each example as its README says, does in Chromium what visitors do, and photographs the
page into FOLDER/NAME/picture.png; with WIDTH, as wide as that.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import tickwire

CHECKOUT = Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT / "tests"))

from page.browser import Browser, Page  # noqa: E402
from page.example_process import ExampleProcess  # noqa: E402

Open = Callable[[str], Page]
SPARKS = """all(".spark .line", document.querySelector("tick-table").shadowRoot)
    .filter((line) => (line.getAttribute("d") ?? "").split("L").length > 8).length >= 3"""


def ticker(open_page: Open, url: str) -> Page:
    page = open_page(url)
    page.wait(f'{SPARKS} && all("#trades li").length === 16')
    return page


def chat(open_page: Open, url: str) -> Page:
    def enters(name: str) -> Page:
        page = open_page(url)
        page.fill("[name=name]", name)
        page.click("#login button")
        page.wait("visible('#chat') && text('#messages').includes('joined')")
        return page

    ann, bob = enters("ann"), enters("bob")
    said = (
        (ann, "Wheat is up again. Has anybody seen why?"),
        (bob, "The harvest report came out at noon, ten percent below last year's."),
        (ann, "That explains it. Thank you!"),
    )
    for page, text in said:
        page.fill("[name=text]", text)
        page.click("#write .main")
        ann.wait(f'text("#messages").includes("{text}")')
    for page in (ann, bob, ann):
        page.click("#applaud")
    enters("carol")
    ann.wait('/3 times.*carol joined/s.test(text("#messages"))')
    return ann


def guestbook(open_page: Open, url: str) -> Page:
    page = open_page(url)
    entries = (
        ("Mary", "The pages here load at once, and then they stay up to date. Well done."),
        ("Tom", "Greetings from the night train to Vienna: three tunnels, and nothing was lost."),
        ("Ines", "I left this page open over lunch. When I came back, your entries were here."),
    )
    for name, text in entries:
        page.fill("[name=name]", name)
        page.fill("[name=text]", text)
        page.click("#sign button")
        page.wait(f'text("#entries").includes("{text}")')
    return page


def scoreboard(open_page: Open, url: str) -> Page:
    page = open_page(url)
    page.click("#today button")
    page.wait('all("#today li").length === 3 && all("#yesterday li").length === 3')
    return page


def fastapi(open_page: Open, url: str) -> Page:
    page = open_page(url)
    page.fill("[name=name]", "ann")
    page.fill("[name=password]", "lemon")
    page.click("#login .main")
    page.wait(f'document.querySelector("tick-table")?.shadowRoot && {SPARKS}')
    return page


SCENES = {scene.__name__: scene for scene in (ticker, chat, guestbook, scoreboard, fastapi)}


def photograph(page: Page, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(folder / "picture.png")
    page.close()


def own_prices(open_page: Open, folder: Path) -> None:
    plugin = CHECKOUT / "examples/own_prices/csv_prices.py"
    with tickwire.Server(listen="127.0.0.1:0", plugins=[plugin]) as server:
        page = open_page(f"http://{server.address}/")
        page.wait('all("#market tbody tr[title]").length === 5 && prices()["ticker.OATS"]')
        photograph(page, folder)


@contextmanager
def running(name: str):
    with tempfile.TemporaryDirectory() as folder:
        example = ExampleProcess(name, Path(folder))
        try:
            yield example
        finally:
            example.kill()


def main(folder: Path, width: int) -> None:
    browser = Browser()

    def open_page(url: str) -> Page:
        return browser.open(url, width=width, height=560, scheme="dark")

    try:
        for name, scene in SCENES.items():
            with running(name) as example:
                photograph(scene(open_page, example.url), folder / name)
        own_prices(open_page, folder / "own_prices")
    finally:
        browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
