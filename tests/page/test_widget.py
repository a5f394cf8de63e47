"""<tick-er> in pages of other origins, in a real browser; helpers.js has words for that."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import tickwire
from page.browser import Browser, Page
from page.conftest import Serve, Site

OPEN = ("--set", "auth.publish=open")
DASH = "\N{EN DASH}"


def embed(server: str, *tickers: str) -> str:
    """The snippet, with one element for each of `tickers`: its attributes."""
    elements = "".join(f"<tick-er {attributes}></tick-er>" for attributes in tickers)
    return f'<script type="module" src="{server}tickwire.js"></script>{elements}'


def test_the_snippet_works_from_another_origin(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve("--demo")
    snippet = embed(server.url, 'topics="ticker.BTC-USD ticker.ETH-USD"')
    page = browser.open(site(snippet))
    page.wait("is('fresh', 0) && is('fresh', 1)")
    assert page.eval("titles()") == ["ticker.BTC-USD", "ticker.ETH-USD"]
    before = page.eval("part('last')")
    assert page.eval("price()") > 0
    page.wait(f"part('last') !== '{before}'")
    page.screenshot("widget.png")
    assert page.faults() == []


def assert_stale_then_fresh(
    page: Page, stop: Callable[[], None], go_on: Callable[[], None]
) -> None:
    page.wait("is('fresh') && !dimmed() && note('connection') === ''")
    stop()
    page.wait("is('stale') && is('old') && dimmed()")
    page.wait(r"/^stale \d+\Ws$/.test(part('state')) && note('connection') === 'connecting…'")
    page.screenshot("widget-stale.png")
    last = page.eval("part('last')")
    assert page.eval("price()") > 0, "the last price stays in sight"
    go_on()
    page.wait("is('fresh') && is('live') && !dimmed()")
    page.wait(f"part('state') + note('connection') === '' && part('last') !== '{last}'")


def test_a_server_that_hangs_makes_it_stale(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve("--demo", "--set", "server.heartbeat_s=1")
    page = browser.open(site(embed(server.url, 'topics="ticker.BTC-USD"')))
    assert_stale_then_fresh(page, server.pause, server.go_on)


def test_a_server_that_dies_makes_it_stale(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve("--demo")
    page = browser.open(site(embed(server.url, 'topics="ticker.BTC-USD"')))
    assert_stale_then_fresh(page, server.kill, server.start)


def test_a_server_that_drains_is_found_again(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve("--demo")
    page = browser.open(site(embed(server.url, 'topics="ticker.BTC-USD"')))
    assert_stale_then_fresh(page, server.stop, server.start)


def wait_for_sessions(page: Page, server: str, count: int) -> None:
    health = f"fetch('{server}health').then((answer) => answer.json())"
    deadline = time.monotonic() + 10
    while page.eval(health)["sessions"] != count:
        assert time.monotonic() < deadline, f"not {count} sessions"
        time.sleep(0.05)


def test_elements_share_one_connection(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve(*OPEN)
    server.publish({"a.1": {"last": "1"}, "a.2": {"last": "2"}})
    page = browser.open(site(embed(server.url, 'topics="a.1"', 'topics="a.2 a.1"', 'topics="a.*"')))
    fresh = "all('tick-er').map((t) => all('[part~=fresh]', t.shadowRoot).length).join()"
    page.wait(f"{fresh} === '1,2,2'")
    wait_for_sessions(page, server.url, 1)
    page.eval("all('tick-er').slice(1).forEach((element) => element.remove())")
    server.publish({"a.1": {"last": "3"}})
    page.wait("part('last') === '3'")
    page.eval("document.querySelector('tick-er').remove()")
    wait_for_sessions(page, server.url, 0)
    page.eval("document.body.innerHTML = '<tick-er topics=a.2></tick-er>'")
    page.wait("is('fresh') && part('last') === '2'")
    assert page.faults() == []


def test_a_pattern_shows_what_appears_in_order(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve(*OPEN)
    server.publish({"a.3": {"last": "3"}, "b.1": {"last": "9"}})
    page = browser.open(site(embed(server.url, 'topics="a.* b.1" max="3"')))
    page.wait("titles().join() === 'b.1,a.3'")
    server.publish({"a.1": {"last": "1"}})
    page.wait("titles().join() === 'b.1,a.1,a.3'")
    server.publish({f"a.{i}": {"last": "1"} for i in (2, 4, 5)})
    page.wait("note('more') === 'and 2 more'")
    assert page.eval("titles()") == ["b.1", "a.1", "a.2", "a.3"]


def test_attributes_change_it(browser: Browser, serve: Serve, site: Site) -> None:
    server, other = serve(*OPEN), serve(*OPEN)
    server.publish({"a.1": {"last": "1", "p": "5.0", "o": "4"}, "a.2": {"last": "2"}})
    other.publish({"a.2": {"last": "7"}})
    ticker = f'src="{server.url}" topics="a.1" fields="last:p open:o"'
    page = browser.open(site(embed(other.url, ticker)))
    page.wait("is('fresh')")
    assert page.eval("shown()") == "1||5.0|+25.00%|"
    assert page.eval("is('up')")
    page.eval("document.querySelector('tick-er').removeAttribute('fields')")
    page.eval("document.querySelector('tick-er').setAttribute('topics', 'a.2 a.none not/one')")
    page.wait("is('fresh', 0) && is('fresh', 1) && is('refused', 2)")
    assert [page.eval(f"shown({i})") for i in range(3)] == [
        "2||2||",
        "none||\N{EN DASH}||no data yet",
        "not/one||refused||not a topic or pattern of 1 to 200 bytes",
    ]
    page.eval("document.querySelector('tick-er').removeAttribute('src')")
    page.wait("part('last') === '7'")
    assert page.faults() == []


def test_what_it_shows_stays_when_it_moves_or_changes(
    browser: Browser, serve: Serve, site: Site
) -> None:
    server = serve(*OPEN)
    server.publish({"a.1": {"last": "1"}, "b.1": {"last": "2"}})
    page = browser.open(site(embed(server.url, 'topics="a.1 b.*"') + "<div></div>"))
    shown = "items().filter((item) => item.part.contains('fresh')).map((i) => i.title).join()"
    page.wait(f"{shown} === 'a.1,b.1' && part('last') === '1'")
    for change, titles in (
        ("replaceWith(element.nextSibling, element)", "a.1,b.1"),
        ("setAttribute('max', '3')", "a.1,b.1"),
        ("setAttribute('fields', 'last:last')", "a.1,b.1"),
        ("setAttribute('topics', 'a.1 b.* c.1')", "a.1,c.1,b.1"),
        ("setAttribute('topics', 'b.1 a.*')", "b.1,a.1"),
    ):
        page.eval(
            f"(() => {{ const element = document.querySelector('tick-er'); element.{change}; }})()"
        )
        page.wait(f"{shown} === '{titles}'")
    assert page.eval("[part('last', 0), part('last', 1)]") == ["2", "1"]
    assert page.faults() == []


RECORD_FLASHES = """(() => {
    const last = items()[0].querySelector('[part=last]');
    window.flashes = [];
    const seen = new WeakSet();
    const note = () => {
      const begun = last.getAnimations().filter((each) => !seen.has(each));
      begun.forEach((each) => seen.add(each));
      flashes.push(begun.length);
    };
    new MutationObserver(note).observe(last, {subtree: true, characterData: true});
})()"""


def test_it_flashes_only_where_motion_is_wanted(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve(*OPEN)
    server.publish({"a.1": {"last": "10.00"}})
    address = site(embed(server.url, 'topics="a.1"'))
    pages = moving, calm = browser.open(address), browser.open(address, motion="reduce")
    for page in pages:
        page.wait("is('fresh')")
        page.eval(RECORD_FLASHES)
    shapes = set()
    for last, trend in (("10.50", "up"), ("9.50", "down")):
        server.publish({"a.1": {"last": last, "open": "10"}})
        for page in pages:
            page.wait(f"is('{trend}') && part('last') === '{last}'")
        shapes.add(page.eval("items()[0].querySelector('[part=change] path').getAttribute('d')"))
    assert len(shapes) == 2, "colour is not the only sign"
    assert max(moving.eval("flashes")) == 1
    assert max(calm.eval("flashes")) == 0


def test_hostile_values_are_text(browser: Browser, serve: Serve, site: Site) -> None:
    server = serve(*OPEN)
    attack = "<img src=x onerror=window.broken=1>"
    odd = [attack, None, {"toString": 1}, [[]], True, 1e300, "9" * 100_000, ""]
    server.publish({f"a.{i}": {"last": v, "change": v, "x": 1} for i, v in enumerate(odd)})
    topics = " ".join(f"a.{i}" for i in range(len(odd)))
    page = browser.open(site(embed(server.url, f'topics="{topics} {attack}"')))
    page.wait(f"items().filter((item) => item.part.contains('fresh')).length === {len(odd)}")
    shown = [page.eval(f"part('last', {i})") for i in range(len(odd))]
    assert shown[:6] == [attack, DASH, DASH, DASH, "true", "1e+300"]
    assert [len(text) for text in shown[6:]] == [41, 1]
    server.publish({"a.0": {"last": "1.50"}})
    page.wait("part('last') === '1.50'")
    images = "all('img', document.querySelector('tick-er').shadowRoot).length"
    assert page.eval(f"{images} + (window.broken ?? 0)") == 0
    assert page.faults() == []


@contextmanager
def flood(server: tickwire.Server, topics: list[str]) -> Iterator[None]:
    """Each topic moves 20 times a second."""
    over = threading.Event()

    def publish() -> None:
        turn = 0
        while not over.wait(0.05):
            turn += 1
            prices = (f"{100 + turn % 7}.{n:03}" for n in range(len(topics)))
            server.publish_many(
                (topic, {"last": last}) for topic, last in zip(topics, prices, strict=True)
            )

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# An observer is called once for all that a frame wrote.
WATCH = """new Promise((done) => {
    const root = document.querySelector('tick-er').shadowRoot;
    const seen = {frames: 0, draws: 0, writes: 0, twice: 0, flashes: 0};
    new MutationObserver((records) => {
        seen.draws++;
        seen.writes += records.length;
        seen.twice += records.length - new Set(records.map(({target}) => target)).size;
    }).observe(root, {subtree: true, characterData: true});
    const end = performance.now() + 3000;
    const frame = (now) => {
        seen.frames++;
        seen.flashes = Math.max(seen.flashes, root.getAnimations().length);
        now < end ? requestAnimationFrame(frame) : done(seen);
    };
    requestAnimationFrame(frame);
})"""


FLASHES_MAX = 40  # web/looks.js

# What drawing takes in each frame, with the style and layout that it causes.
TIME_FRAMES = """<script>
    window.took = [];
    const real = requestAnimationFrame;
    window.requestAnimationFrame = (draw) => real((now) => {
        const start = performance.now();
        draw(now);
        const drawn = performance.now();
        document.body.offsetHeight;
        took.push([performance.now() - start, drawn - start]);
    });
</script>"""
QUANTILES = """(() => {
    const at = (part, kind) => took.map((times) => times[kind]).sort((a, b) => a - b)
        [Math.floor(part * (took.length - 1))].toFixed(1);
    const [drawing, scripts] = [0, 1].map((kind) => `${at(.5, kind)} ms, 95 % ${at(.95, kind)} ms`);
    return `${took.length} frames: median ${drawing}; scripts alone: median ${scripts}`;
})()"""


def test_500_fast_topics_are_written_once_a_frame_and_few_of_them_flash(
    browser: Browser, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    topics = [f"t.{i}" for i in range(500)]
    with tickwire.Server({"server": {"listen": "127.0.0.1:0"}}) as server, flood(server, topics):
        snippet = embed(f"http://{server.address}/", 'topics="t.*"')
        page = browser.open(site(TIME_FRAMES + snippet))
        page.wait("items().length === 500 && items().every((_, i) => is('fresh', i))")
        page.eval("took.length = 0")
        seen = page.eval(WATCH)
        took = page.eval(QUANTILES)
    with capsys.disabled():
        print(f"\n500 topics x 20 updates/s, drawing with layout: {took}")
    assert seen["writes"] > 100, seen
    assert seen["draws"] <= seen["frames"] + 1, seen
    assert seen["twice"] == 0, seen
    assert 0 < seen["flashes"] <= FLASHES_MAX, seen
    assert page.faults() == [], json.dumps(seen)
