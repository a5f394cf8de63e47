"""Where no WebSocket gets through: pages live over a stream of events, or polls, and say so."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from page.browser import Browser, Page
from page.conftest import Serve, Site
from page.proxy_road import ProxyRoad
from page.server_process import ServerProcess
from server.tokens import Issuer

TABS = 7  # one more than a browser opens connections to one host
PAGE = "import('/tickwire.js').then(({connect}) => { window.connect = connect; })"
NOTE = """(() => {
  window.notes = [];
  window.client = connect('/ws', {pauseHidden: false});
  client.subscribe('chat.room', (update) => notes.push(update));
  client.subscribe('chat.now', () => {});
})()"""
LEADS = """navigator.locks.request('mine', async () => {
  const { held } = await navigator.locks.query();
  const of = (pattern) => held.find(({ name }) => pattern.test(name)).clientId;
  return of(/^mine$/) === of(/^tickwire [0-9a-f]+$/);
})"""
HANG = """for (let status = 404; status === 404;) {  // one task, until somebody publishes
  const request = new XMLHttpRequest();
  request.open('GET', '/v1/snapshot/chat.release', false);
  request.send();
  status = request.status;
}"""
FRESH = "client.status('chat.now').fresh && client.status('chat.room').fresh"


@pytest.fixture
def server(serve: Serve) -> ServerProcess:
    return serve(
        "--demo", "--set", "auth.publish=open", "--set", 'topics."chat.room".delivery=event'
    )


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[ProxyRoad]:
    road = ProxyRoad(server.address)
    yield road
    road.close()


def say(page: Page, topic: str, number: int) -> None:
    page.eval(f"client.publish('{topic}', {{n: {number}}}).then(() => true)")


def begin(page: Page) -> Page:
    page.eval(PAGE)
    page.wait("window.connect")
    page.eval(NOTE)
    page.wait(FRESH)  # its subscription is answered
    return page


def numbers(page: Page) -> list[int]:
    """Those of the room that came, each update once; a gap counts as what it names."""
    got: list[int] = page.eval("notes.filter(u => u.kind === 'update').map(u => u.data.n)")
    return got


def test_a_page_is_live_over_a_stream_of_events(browser: Browser, proxy: ProxyRoad) -> None:
    page = browser.open(f"http://{proxy.address}/health")
    body = '<tick-status></tick-status><tick-er topics="ticker.*"></tick-er>'
    page.eval(f"import('/tickwire.js').then(() => document.body.innerHTML = '{body}')")
    page.wait("document.querySelector('tick-er').client?.transport === 'sse'")
    page.wait(
        "document.querySelector('tick-status').shadowRoot.textContent.includes('Live over SSE')"
    )
    page.wait(
        "[...document.querySelector('tick-er').client.images.keys()].length > 3 &&"
        "[...document.querySelector('tick-er').client.images.keys()]"
        ".every(t => document.querySelector('tick-er').client.status(t).fresh)"
    )
    client = "document.querySelector('tick-er').client"
    seq = page.eval(f"{client}.status('ticker.BTC-USD').seq")
    page.wait(f"{client}.status('ticker.BTC-USD').seq > {seq} + 2")
    got = page.eval(f"{client}.get('ticker.*').then((states) => states.size)")
    assert got > 3


def test_where_a_stream_is_held_back_a_page_polls(browser: Browser, proxy: ProxyRoad) -> None:
    proxy.holds_streams = True
    page = begin(browser.open(f"http://{proxy.address}/health"))
    say(page, "chat.now", 1)
    page.wait("client.transport === 'poll'")
    page.wait("client.images.get('chat.now')?.n === 1 && client.status('chat.now').fresh")
    for number in range(5):
        say(page, "chat.room", number)
    page.wait("notes.filter(u => u.kind === 'update').length === 5")
    assert numbers(page) == [0, 1, 2, 3, 4]
    polls = [target for target in proxy.targets if target.startswith("/poll")]
    assert len(polls) < 30, "a poll that brings nothing waits"


def test_seven_tabs_share_one_stream(browser: Browser, proxy: ProxyRoad) -> None:
    url = f"http://{proxy.address}/health"
    first = begin(browser.open(url))
    tabs = [first, *(begin(first.tab(url)) for _ in range(TABS - 1))]
    say(first, "chat.now", 1)
    for tab in tabs:
        tab.wait("client.transport === 'sse'")
        tab.wait("client.images.get('chat.now')?.n === 1")
    said = 0
    while len(tabs) > TABS - 3:
        for _ in range(3):
            say(tabs[-1], "chat.room", said)
            said += 1
        for tab in tabs:
            tab.wait(f"client.images.get('chat.room')?.n === {said - 1} && {FRESH}")
        # The tab that has the stream is closed, and what is said meanwhile reaches the others.
        leader = next(tab for tab in tabs if tab.eval(LEADS))
        tabs.remove(leader)
        say(leader, "chat.room", said)
        said += 1
        leader.close_tab()
    for tab in tabs:
        tab.wait(f"client.images.get('chat.room')?.n === {said - 1}")
        assert numbers(tab) == list(range(said)), "nothing is missed, and nothing comes twice"


def test_a_tab_that_hangs_is_followed_by_another(browser: Browser, serve: Serve) -> None:
    server = serve(
        *("--set", "auth.publish=open", "--set", "server.heartbeat_s=1"),
        *("--set", 'topics."chat.room".delivery=event'),
    )
    with closing(ProxyRoad(server.address)) as proxy:
        url = f"http://{proxy.address}/health"
        first = begin(browser.open(url))
        tabs = [first, begin(first.tab(url))]
        say(first, "chat.room", 0)
        for tab in tabs:
            tab.wait("client.images.get('chat.room')?.n === 0")
        leader = next(tab for tab in tabs if tab.eval(LEADS))
        other = next(tab for tab in tabs if tab is not leader)
        leader.eval(f"setTimeout(() => {{ {HANG} }}), true")
        proxy.await_target("chat.release")
        say(other, "chat.room", 1)
        other.wait("client.images.get('chat.room')?.n === 1")
        assert other.eval(LEADS)
        say(other, "chat.release", 1)
        leader.wait("client.images.get('chat.room')?.n === 1")
        say(leader, "chat.room", 2)
        for tab in tabs:
            tab.wait(f"client.images.get('chat.room')?.n === 2 && {FRESH}")
            assert numbers(tab) == [0, 1, 2], "nothing is missed, and nothing comes twice"


def test_a_token_stays_out_of_addresses(
    browser: Browser, serve: Serve, site: Site, tmp_path: Path
) -> None:
    issuer = Issuer("HS256", tmp_path)
    token = issuer.token("ticker.*")
    server = serve("--demo", "--set", issuer.setting, "--set", "auth.publish=grant")
    with closing(ProxyRoad(server.address)) as proxy:
        page = browser.open(site("<p>a page of another origin</p>"))
        plant = f"http://{proxy.address}"
        page.eval(f"import('{plant}/tickwire.js').then((module) => {{ window.plant = module; }})")
        page.wait("window.plant")
        page.eval(f"""(() => {{
          window.token = '{token}';
          const address = '{plant}/ws?token=' + token;
          window.client = plant.connect(address, {{token: async () => token}});
          client.subscribe(['ticker.*', 'chat.room'], () => {{}});
        }})()""")
        page.wait("client.transport === 'sse' && client.status('ticker.BTC-USD').fresh")
        page.wait("client.refused.get('chat.room')?.code === 'denied'")
        assert page.eval("client.auth('nonsense').catch((error) => error.code)") == "denied"
        page.wait("!client.status('ticker.BTC-USD').fresh")
        more = issuer.token("ticker.*", "chat.*", publish=["chat.>"])
        assert page.eval(f"client.auth('{more}').then(() => 'accepted')") == "accepted"
        page.wait("client.status('ticker.BTC-USD').fresh && !client.refused.size")
        assert page.eval("client.publish('chat.room', {n: 1}).then(({seq}) => seq)") == 1
        page.wait("client.images.get('chat.room')?.n === 1")
        named = "client.publish('chat.room', {n: 2}, {once: 'a'})"
        twice = page.eval(f"{named}.then(async (first) => [first, await {named}])")
        assert [(one["seq"], one.get("duplicate")) for one in twice] == [(2, None), (2, True)]
        assert any("authorization: bearer" in head.lower() for head in proxy.heads)
        assert not any(token in target or more in target for target in proxy.targets)


def test_after_an_hour_of_sleep_no_price_is_silently_old(
    browser: Browser, proxy: ProxyRoad
) -> None:
    page = begin(browser.open(f"http://{proxy.address}/health"))
    say(page, "chat.now", 1)
    page.wait("client.images.get('chat.now')?.n === 1 && client.status('chat.now').fresh")
    # The wall clock goes on while the computer sleeps, and the monotonic clock does not.
    slept = "(now => { Date.now = () => now() + 3_600_000; })(Date.now)"
    assert page.eval(f"{slept}, !client.status('chat.now').fresh"), "stale from the first moment"
    page.wait("client.state === 'open' && client.status('chat.now').fresh")
    say(page, "chat.now", 2)
    page.wait("client.images.get('chat.now')?.n === 2")
