"""A browser whose connection is cut loses nothing."""

from collections.abc import Iterator

import pytest

from page.browser import Browser
from page.conftest import Serve, Site
from page.road import Road

FOLLOW = """<script type="module">
  import {{ connect }} from "{server}tickwire.js";
  Object.assign(window, {{ got: [], resumed: [], client: connect("{road}") }});
  client.subscribe(["e.log", "v.*"], (update) => got.push(update));
  const note = ({{ topic, recovered, missed }}) => resumed.push([topic, recovered, missed]);
  client.addEventListener("resume", note);
</script>"""
SEQS = "got.filter((u) => u.topic === 'e.log' && u.kind !== 'status').map((u) => u.data.n)"


@pytest.fixture
def roads() -> Iterator[list[Road]]:
    made: list[Road] = []
    yield made
    for road in made:
        road.close()


def test_a_page_whose_connection_is_cut_gets_every_event(
    browser: Browser, serve: Serve, site: Site, roads: list[Road]
) -> None:
    server = serve("--set", "auth.publish=open", "--set", 'topics."e.>".delivery=event')
    road = Road(server.address)
    roads.append(road)
    server.publish({"e.log": {"n": 1}, "v.a": {"last": "1", "open": "1"}})
    page = browser.open(site(FOLLOW.format(server=server.url, road=road.url)))
    page.wait("got.length === 2")
    with server.publisher() as feed:
        for n in range(2, 20):
            feed.publish("e.log", {"n": n})
            if n == 6:
                page.wait(f"{SEQS}.length === 6")
                road.cut()
                page.wait("client.state === 'away'")
            feed.publish("v.a", {"last": str(n)})
    road.mend()
    page.wait("client.status('v.a').fresh && client.status('e.log').fresh")
    assert page.eval(SEQS) == list(range(1, 20)), "each once and in order"
    assert page.eval("client.images.get('v.a')") == {"last": "19", "open": "1"}
    assert sorted(page.eval("resumed")) == [["e.log", True, 13], ["v.*", True, 14]]
    faults = [fault for fault in page.faults() if "WebSocket connection to" not in fault]
    assert faults == []
