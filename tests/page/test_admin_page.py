"""The page of the admin listener in a browser: the token, and what it shows of a server."""

import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

import tickwire
from page.browser import Browser
from tickwire import feed
from tickwire.pub import Pub

TOKEN = "a long random text"


@feed("ticker.*")
async def failing(pub: Pub) -> None:
    pub.publish("ticker.A", {"last": "1"})
    raise ValueError("the source is gone")


def test_the_administrator_sees_sessions_plugins_limits_loops_and_the_store(
    browser: Browser, tmp_path: Path
) -> None:
    config = {
        "admin.listen": "127.0.0.1:0",
        "auth.admin_token": TOKEN,
        "store.path": str(tmp_path / "ticks.db"),
        "limits.topics_per_command_max": 1,
    }
    with tickwire.Server(config, listen="127.0.0.1:0", plugins=[failing]) as server:
        visitor = browser.open(f"http://{server.address}/?topics=ticker.A")
        visitor.eval(f"""import("/tickwire.js").then(({{connect}}) => {{
            globalThis.other = connect("ws://{server.address}/ws");
            other.subscribe(["ticker.A", "ticker.B"]);
        }})""")
        for width in (1280, 390):
            page = browser.open(f"http://{server.admin_address}/", width=width)
            page.wait("visible('#door')")
            page.fill("#door input", "wrong")
            page.click("#door button")
            page.wait("text('#denied').startsWith('The token is not')")
            page.fill("#door input", TOKEN)
            page.click("#door button")
            page.wait("visible('#plant') && all('#sessions tbody tr').length === 2")
            page.wait("/failing.*(backoff|running)/s.test(text('#feeds tbody'))")
            page.wait("text('#limits tbody').includes('topics_per_command_max')")
            page.wait("text('#loops tbody').includes('turns')")
            page.wait("/Storeok/.test(text('#facts'))")
            page.wait("/Messages out[\\d,.]+/.test(text('#tiles'))")  # a rate, from two readings
            assert page.eval("document.documentElement.scrollWidth <= innerWidth")
            page.screenshot(f"admin-{width}.png")
            faults = [fault for fault in page.faults() if "403" not in fault]
            assert faults == []


def test_the_administrator_acts_after_a_second_click(browser: Browser) -> None:
    config = {"admin.listen": "127.0.0.1:0", "auth.admin_token": TOKEN}
    with tickwire.Server(config, listen="127.0.0.1:0", plugins=[failing]) as server:
        browser.open(f"http://{server.address}/?topics=ticker.A")
        page = browser.open(f"http://{server.admin_address}/", width=390)
        page.wait("visible('#door')")
        page.fill("#door input", TOKEN)
        page.click("#door button")
        page.wait("/^0-|^1-/.test(text('#sessions tbody td'))")
        session = page.eval("text('#sessions tbody td')")

        page.click("#sessions .btn")
        page.wait("text('#sessions .btn') === 'Really?'")
        assert page.eval("text('#sessions tbody td')") == session
        page.click("#sessions .btn")
        page.wait("text('#done').startsWith('1 session ended.')")
        page.wait(f"![{session!r}, ''].includes(text('#sessions tbody td'))")  # it came back

        page.click("#feeds .btn")
        page.click("#feeds .btn")
        page.wait("/The feeds of .*failing start again/.test(text('#done'))")
        page.eval("""{ const level = document.querySelector("#level"); level.value = "error";
                       level.dispatchEvent(new Event("change", { bubbles: true })); }""")
        page.wait("text('#done').startsWith('The server logs from error on')")
        page.screenshot("admin-acts.png")

        server.publish("ticker.A", {"last": "1"})
        page.wait("text('#halts tbody').includes('No topic is halted')")
        for field, text in (("topic", "ticker.A"), ("reason", "price in doubt"), ("minutes", "5")):
            page.fill(f"#halt [name={field}]", text)
        page.click("#halt .btn")
        page.click("#halt .btn")
        page.wait("text('#done').startsWith('ticker.A is halted until 20')")
        page.wait("text('#halts tbody').includes('price in doubt')")
        assert server.snapshot("ticker.A").halt[0] == "price in doubt"
        page.click("#halts .btn")
        page.click("#halts .btn")
        page.wait("text('#done') === 'ticker.A goes on; 0 updates came meanwhile.'")
        page.wait("text('#halts tbody').includes('No topic is halted')")
        page.click("#drain .btn")
        page.wait("text('#drain .btn') === 'Really?'")
        page.click("#drain .btn")
        page.wait("text('#done').startsWith('Every client is told')")
        page.wait("text('#notice').includes('going away')")
        assert page.eval("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_is_for_everybody_and_what_it_asks_for_is_not() -> None:
    config = {"admin.listen": "127.0.0.1:0", "auth.admin_token": TOKEN}
    with tickwire.Server(config, listen="127.0.0.1:0") as server:
        with urlopen(f"http://{server.admin_address}/", timeout=60) as answer:
            page = answer.read().decode()
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "Access-Control-Allow-Origin" not in answer.headers
        assert "<h1" in page
        for name in re.findall(r'(?:src|href)="([\w.]+)"', page):
            with urlopen(f"http://{server.admin_address}/{name}", timeout=60) as answer:
                assert answer.status == 200
        for path in ("health", "v1/sessions", "metrics", "v1/topics", "none"):
            with pytest.raises(HTTPError) as refused:
                urlopen(f"http://{server.admin_address}/{path}", timeout=60)
            assert refused.value.code == 403
            refused.value.close()
