"""Every example of docs/WIDGET.md, run in a page of its own."""

import re
from pathlib import Path

import pytest

from page.browser import Browser
from page.conftest import Serve, Site

DOCUMENT = Path(__file__).parents[2] / "docs/WIDGET.md"
EXAMPLES = re.findall(r"^```html\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)

SHOWS_A_PRICE = r"""/\d+\.\d\d/.test(text('output') ?? '') ||
    items().length && items().every((_, i) => is("fresh", i) && price(i) > 0) &&
    all('tick-price, tick-table, tick-spark').every((e) => e.shadowRoot.textContent.match(/\d/))"""


def test_the_document_has_examples() -> None:
    assert len(EXAMPLES) == 6
    assert DOCUMENT.read_text().count("```") == 2 * len(EXAMPLES), "one that no test runs"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: str, browser: Browser, serve: Serve, site: Site) -> None:
    assert "//localhost:8080" in example
    server = serve("--demo")
    page = browser.open(site(example.replace("localhost:8080", server.address)))
    page.wait(SHOWS_A_PRICE)
    page.screenshot(f"document-{EXAMPLES.index(example)}.png")
    assert page.faults() == []
