"""The JavaScript client of an earlier tickwire, kept as a fixture, understands today's server."""

import shutil
from pathlib import Path

from page.browser import Browser
from page.conftest import Serve, Site

FOLLOW = """<script type="module">
  import {{ connect }} from "./client.js";
  Object.assign(window, {{ got: [], client: connect("{url}") }});
  client.subscribe(["e.log", "v.*"], (update) => got.push(update));
</script>"""


def test_the_old_javascript_client_talks_to_the_new_server(
    browser: Browser, serve: Serve, site: Site, tmp_path: Path
) -> None:
    old = Path(__file__).parents[1] / "fixtures" / "old_client" / "web"
    for module in old.glob("*.js"):
        shutil.copy(module, tmp_path / "site")
    server = serve("--set", "auth.publish=open", "--set", 'topics."e.>".delivery=event')
    server.publish({"e.log": {"n": 1}, "v.a": {"last": "0.10"}})
    page = browser.open(site(FOLLOW.format(url=f"ws://{server.address}/ws")))
    page.wait("got.length === 2")
    server.publish({"e.log": {"n": 2}, "v.a": {"last": "0.20"}})
    page.wait("got.length === 4")
    seqs = "got.map((update) => `${update.topic} ${update.seq}`).sort()"
    assert page.eval(seqs) == ["e.log 1", "e.log 2", "v.a 1", "v.a 2"]
    assert page.eval("client.images.get('v.a').last") == "0.20"
    assert page.eval("client.server").startswith("tickwire/")
    assert page.faults() == []
    page.close()
