"""What a browser may not see: said, asked for again, and in nobody else's way."""

from pathlib import Path

import pytest

from page.browser import Browser
from page.conftest import Serve, Site
from page.test_widget import embed

DOORS = """
from pathlib import Path
from tickwire import Allow, Deny, authenticator, authorizer, feed

@authenticator
async def check(client):
    if Path("{down}").exists():
        raise OSError("the user database is restarting")
    return {{"user": "u"}} if client.token == "s3cret" else Deny("who is that?")

@authorizer("premium.>")
async def door(client, topic):
    return Allow() if client.claims else Deny("sign in first")

@feed("*.*", every=0.1, topics=["ticker.A", "ticker.B", "premium.X"])
async def prices(pub):
    for topic in pub.wanted:
        pub.publish(topic, {{"last": "1.50", "open": "1.00"}})
"""


@pytest.fixture
def down(tmp_path: Path) -> Path:
    """While this file exists, tokens cannot be judged."""
    return tmp_path / "down"


@pytest.fixture
def doors(tmp_path: Path, down: Path) -> str:
    path = tmp_path / "doors.py"
    path.write_text(DOORS.format(down=down))
    return str(path)


OPEN = ("--set", "auth.publish=open")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_page_says_what_needs_permission_and_shows_the_rest(
    browser: Browser, serve: Serve, doors: str, width: int, height: int
) -> None:
    server = serve(doors, *OPEN)
    server.publish({"ticker.A": {"last": "1.00"}, "ticker.C": {"last": "3.00"}})
    page = browser.open(server.url, width=width, height=height)
    page.wait("visible('#refused') && row('ticker.A') && row('ticker.C')")
    assert "Needs permission: some topics of >" in page.eval("text('#refused')")
    assert not page.eval("visible('#empty')")
    page.wait("fresh('ticker.A') && fresh('ticker.B')")
    assert page.eval("topics()") == ["ticker.A", "ticker.B", "ticker.C"]
    assert page.eval("document.scrollingElement.scrollWidth") == width
    page.screenshot(f"refused-{width}.png")
    assert page.faults() == []


def test_the_page_says_so_when_there_is_nothing_else(
    browser: Browser, serve: Serve, doors: str
) -> None:
    page = browser.open(serve(doors).url + "?topics=premium.>")
    page.wait("visible('#refused')")
    assert "premium.>" in page.eval("text('#refused')")
    assert not page.eval("visible('#empty')")
    page.screenshot("refused-all.png")
    assert page.faults() == []


def test_the_page_signs_in_with_the_token_of_its_address(
    browser: Browser, serve: Serve, doors: str
) -> None:
    page = browser.open(serve(doors).url + "#token=s3cret")
    page.wait("fresh('premium.X') && row('ticker.A')")
    assert not page.eval("visible('#refused')")
    assert page.faults() == []


def test_a_widget_shows_what_was_refused(
    browser: Browser, serve: Serve, site: Site, doors: str
) -> None:
    server = serve(doors)
    page = browser.open(site(embed(server.url, 'topics="ticker.A premium.X premium.*"')))
    page.wait("is('fresh', 0) && is('refused', 1)")
    page.wait("note('more') === 'premium.*: refused: sign in first'")
    token = "document.querySelector('tick-er').client.auth('s3cret')"
    page.eval(token)
    page.wait("is('fresh', 0) && is('fresh', 1) && note('more') === ''")
    assert page.faults() == []
