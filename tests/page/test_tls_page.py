"""The plant's page over TLS."""

from pathlib import Path

import tickwire
from page.browser import Browser
from server.certificates import CERTIFICATE, KEY, make_certificate


def test_the_page_is_live_over_https_and_wss(browser: Browser, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    files = {"certificate": str(tmp_path / CERTIFICATE), "key": str(tmp_path / KEY)}
    config = {"server": {"listen": "https://127.0.0.1:0"}, "tls": files}
    with tickwire.Server(config) as server:
        server.publish("ticker.A", {"last": "1.10"})
        page = browser.open(f"https://{server.address}/")
        page.wait("text('#connection') === 'Live' && row('ticker.A')")
        server.publish("ticker.A", {"last": "1.20"})
        page.wait("cell('ticker.A', '[part=last]') === '1.20'")
        assert page.faults() == []
