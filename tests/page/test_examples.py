"""Each example of examples/, as its README starts it, in several pages."""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from page.browser import Browser, Page
from page.conftest import Serve
from page.example_process import CHECKOUT, ExampleProcess

Start = Callable[[str], ExampleProcess]
EXAMPLES = CHECKOUT / "examples"
LINES = 'all("#messages li").map((line) => line.textContent.replace(/\\d\\d:\\d\\d/, " "))'


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Start]:
    running: list[ExampleProcess] = []

    def start(name: str) -> ExampleProcess:
        running.append(ExampleProcess(name, tmp_path))
        return running[-1]

    yield start
    for process in running:
        process.kill()


def says(page: Page, *lines: str) -> None:
    """The chat ends with these lines."""
    page.wait(f"{LINES}.slice(-{len(lines)}).join('|') === {json.dumps('|'.join(lines))}")


def sessions(example: ExampleProcess) -> int:
    with urllib.request.urlopen(f"{example.plant}/health", timeout=60) as health:
        count: int = json.load(health)["sessions"]
        return count


def test_the_list_names_each_example_and_each_has_a_picture() -> None:
    folders = sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))
    listed = re.findall(r"^\| \[(\w+)\]", (EXAMPLES / "README.md").read_text(), re.M)
    assert sorted(listed) == folders
    for name in folders:
        assert "](picture.png)" in (EXAMPLES / name / "README.md").read_text()
        assert (EXAMPLES / name / "picture.png").stat().st_size > 5_000


def test_the_pictures_can_be_taken_again(tmp_path: Path) -> None:
    script = CHECKOUT / "scripts/example_pictures.py"
    subprocess.run([sys.executable, script, tmp_path], timeout=240, check=True)
    made = sorted(path.parent.name for path in tmp_path.glob("*/picture.png"))
    assert made == sorted(path.parent.name for path in EXAMPLES.glob("*/picture.png"))


def test_ticker_shows_prices_and_trades_on_every_page(browser: Browser, example: Start) -> None:
    url = example("ticker").url
    for page in (browser.open(url), browser.open(url, width=390)):
        page.wait(
            "/ACME.*\\d\\.\\d\\d/s.test(document.querySelector('tick-table').shadowRoot.textContent)"
        )
        page.wait("[0, 1, 2, 3, 4].every((i) => is('fresh', i))")
        page.wait('all("#trades li").length === 16')
        page.wait("document.querySelector('tick-status').shadowRoot.textContent.includes('Live')")
        assert page.eval("document.documentElement.scrollWidth <= innerWidth")
        assert page.faults() == []


def enters(browser: Browser, url: str, name: str, width: int = 800) -> Page:
    page = browser.open(url, width=width)
    page.fill("[name=name]", name)
    page.click("#login button")
    page.wait("visible('#chat')")
    return page


def test_chat_has_rooms_true_names_history_and_applause(browser: Browser, example: Start) -> None:
    url = example("chat").url
    ann, bob = enters(browser, url, "ann"), enters(browser, url, "bob", 390)
    says(ann, "ann joined", "bob joined")
    ann.fill("[name=text]", "<b>hello</b>")
    ann.click("#write .main")
    says(bob, "ann joined", "bob joined", "ann <b>hello</b>")
    for page in (bob, bob, ann):
        page.click("#applaud")
    says(ann, "ann <b>hello</b>", "bob, ann, 3 times")

    carol = enters(browser, url, "carol")  # late
    says(carol, "ann joined", "bob joined", "ann <b>hello</b>", "bob, ann, 3 times", "carol joined")
    assert carol.eval('all("#messages p b").length') == 0

    bob.click("#rooms [value=music]")
    says(ann, "carol joined", "bob left")
    says(bob, "bob joined")
    carol.fill("[name=text]", "x" * 600)
    carol.click("#write .main")
    says(ann, "bob left", "carol " + "x" * 500)
    assert bob.eval('all("#messages li").length') == 1

    for page in (ann, bob, carol):
        assert page.eval("document.documentElement.scrollWidth <= innerWidth")
        assert page.faults() == []


def test_chat_refuses_a_name_twice_and_another_ones_name(browser: Browser, example: Start) -> None:
    chat = example("chat")
    ann = enters(browser, chat.url, "ann")
    second = browser.open(chat.url)
    for name, why in (("Ann", "Ann is taken: choose another name"), ("a b", "a name has 1 to 20")):
        second.fill("[name=name]", name)
        second.click("#login button")
        second.wait(f"text('#login .bad').startsWith({json.dumps(why)})")

    def publish(topic: str) -> str:
        client = f'import("{chat.plant}/tickwire.js").then(({{share}}) => share().client'
        sent = f'.publish("{topic}", {{kind: "text", text: "x"}})'
        code: str = ann.eval(f"{client}{sent}.then(() => 'published', ({{code}}) => code))")
        return code

    topics = ["chat.lobby.ann", "chat.lobby.bob", "chat.cellar.ann", "ticker.ACME"]
    assert [publish(topic) for topic in topics] == ["published", "denied", "denied", "denied"]


def test_guestbook_keeps_its_entries_over_a_restart(browser: Browser, example: Start) -> None:
    book = example("guestbook")
    first, second = browser.open(book.url), browser.open(book.url, width=390)

    def sign(page: Page, name: str, text: str) -> None:
        page.fill("[name=name]", name)
        page.fill("[name=text]", text)
        page.click("#sign button")

    def has(page: Page, *entries: str) -> None:
        shown = 'all("#entries li").map((entry) => entry.querySelector("p").textContent).join("|")'
        page.wait(f"{shown} === {json.dumps('|'.join(entries))}")

    assert first.eval("visible('#none')")
    sign(first, "Ann", "<img src=x onerror=alert(1)>")
    has(second, "<img src=x onerror=alert(1)>")
    sign(second, "Bob", "two")
    has(first, "two", "<img src=x onerror=alert(1)>")
    sign(first, "Ann", "   ")
    first.wait("text('#sign .bad') === 'text: 1 to 500 characters that can be shown'")

    assert book.stop() == 0
    first.wait(
        "document.querySelector('tick-status').shadowRoot.textContent.includes('Reconnecting')"
    )
    book.start()
    first.wait("document.querySelector('tick-status').shadowRoot.textContent.includes('Live')")
    late = browser.open(book.url)
    sign(late, "Carol", "three")
    for page in (first, second, late):
        has(page, "three", "two", "<img src=x onerror=alert(1)>")
        page.wait("document.querySelector('tick-status').shadowRoot.textContent.includes('Live')")
        assert page.eval("document.documentElement.scrollWidth <= innerWidth")
    assert late.faults() == []


def test_scoreboard_asks_once_or_stays(browser: Browser, example: Start, eventually) -> None:
    board = example("scoreboard")
    page, other = browser.open(board.url), browser.open(board.url, width=390)
    for each in (page, other):
        each.wait('all("#yesterday li").length === 3')
        assert "Barcelona3 : 1Real Madrid" in each.eval("text('#yesterday ol')")
        assert each.eval('all("#today li").length') == 0
    assert sessions(board) == 0

    page.click("#today button")
    page.wait('all("#today li").length === 3')
    minute = page.eval("text('#today small')")
    page.wait(f"text('#today small') !== {json.dumps(minute)}")
    assert sessions(board) == 1
    page.click("#today button")
    eventually(lambda: sessions(board) == 0)
    assert page.eval('all("#today li").length') == 3
    assert page.faults() + other.faults() == []


@pytest.mark.parametrize("plugin", ["csv_prices.py", "pandas_prices.py"])
def test_own_prices_are_those_of_the_file(
    plugin: str, browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    if plugin == "csv_prices.py":
        assert len((EXAMPLES / "own_prices" / plugin).read_text().splitlines()) == 10
    folder = shutil.copytree(EXAMPLES / "own_prices", tmp_path / "own_prices")
    server = serve(str(folder / plugin))
    pages = browser.open(server.url), browser.open(server.url, width=390)
    for page in pages:
        page.wait("prices()['ticker.OATS'] === '3.4450' && fresh('ticker.OATS')")
    prices = folder / "prices.csv"
    prices.write_text(prices.read_text().replace("3.4450", "3.50"))
    for page in pages:
        page.wait("prices()['ticker.OATS'] === '3.50'")
        assert page.faults() == []


def test_fastapi_serves_prices_to_members(browser: Browser, example: Start) -> None:
    desk = example("fastapi")
    member, guest = browser.open(desk.url), browser.open(desk.url, width=390)
    member.wait("visible('#login')")
    for password, name in (("orange", "ann"), ("lemon", "nobody"), ("", "nobody")):
        member.fill("[name=name]", name)
        member.fill("[name=password]", password or " ")
        member.click("#login .main")
        member.wait("text('#login .bad') === 'the name or the password is wrong'")
    member.fill("[name=name]", "ann")
    member.fill("[name=password]", "lemon")
    member.click("#login .main")
    shown = "document.querySelector('tick-table')?.shadowRoot?.textContent ?? ''"
    member.wait(f"/ACME.*\\d\\.\\d\\d/s.test({shown})")
    assert re.fullmatch(
        r"\d+\.\d\d",
        member.eval("fetch('/price/ACME').then((a) => a.json()).then(({last}) => last)"),
    )
    assert member.eval("fetch('/price/NONE').then(({status}) => status)") == 404

    guest.wait("visible('#login')")
    refusal = f"""import("{desk.plant}/tickwire.js").then(({{connect}}) =>
        new Promise((resolve) => {{
        const client = connect("{desk.plant}");
        client.subscribe("desk.ACME", () => resolve("served"));
        client.addEventListener("error", ({{error}}) => resolve(error.code));
    }}))"""
    assert guest.eval(refusal) == "denied"
    assert guest.eval("fetch('/price/ACME').then(({status}) => status)") == 401

    member.click("#logout")
    member.wait("visible('#login')")
    assert member.eval("fetch('/token').then(({status}) => status)") == 401
    assert desk.stop() in (0, -signal.SIGINT)  # uvicorn ends as the signal asks
