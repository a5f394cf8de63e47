"""What a page survives without a reload: a clock that jumps, a bad publish, a wrong address."""

from page.browser import Browser
from page.conftest import Serve, Site
from page.test_widget import OPEN, embed, wait_for_sessions

CLIENT = "document.querySelector('tick-er').client"


def test_a_clock_that_is_set_back_makes_it_stale_until_it_is_confirmed(
    browser: Browser, serve: Serve, site: Site
) -> None:
    server = serve(*OPEN)
    server.publish({"a.1": {"last": "1"}})
    page = browser.open(site(embed(server.url, 'topics="a.1"')))
    page.wait("is('fresh')")
    page.eval(f"""(() => {{
        globalThis.states = [];
        {CLIENT}.addEventListener('state', ({{ state, reason }}) => states.push([state, reason]));
        const real = Date.now;
        Date.now = () => real() - 3_600_000;
    }})()""")
    assert page.eval(f"{CLIENT}.status('a.1').fresh") is False
    page.wait("states.length >= 3 && is('fresh') && is('live')")
    away, *_, back = page.eval("states")
    assert away == ["away", "a clock was set, or the computer slept"]
    assert back[0] == "open"
    assert 0 <= page.eval(f"{CLIENT}.status('a.1').ageMs") < 60_000
    assert page.faults() == []


def test_a_server_that_hangs_is_noticed_though_the_clock_is_wrong(
    browser: Browser, serve: Serve, site: Site
) -> None:
    server = serve(*OPEN, "--set", "server.heartbeat_s=1")
    server.publish({"a.1": {"last": "1"}})
    page = browser.open(site(embed(server.url, 'topics="a.1"')))
    page.wait("is('fresh')")
    server.pause()
    page.eval("(() => { const real = Date.now; Date.now = () => real() - 3_600_000; })()")
    page.wait("is('stale') && note('connection') === 'connecting…'")
    server.go_on()
    page.wait("is('fresh') && note('connection') === ''")


def test_a_publish_that_is_too_long_takes_nothing_down(
    browser: Browser, serve: Serve, site: Site
) -> None:
    server = serve(*OPEN)
    server.publish({"a.1": {"last": "1"}})
    page = browser.open(site(embed(server.url, 'topics="a.1"')))
    page.wait("is('fresh')")
    refused = page.eval(
        f"{CLIENT}.publish('a.1', {{ last: 'x'.repeat(3e6) }})"
        ".catch(({ code, field, message }) => [code, field, message])"
    )
    assert refused[:2] == ["bad_data", "data"]
    assert "1048576 bytes" in refused[2]
    assert page.eval(f"{CLIENT}.publish('a.1', {{ last: '2' }})")["seq"] == 2
    page.wait("part('last') === '2' && is('fresh')")
    assert page.faults() == []


def test_an_address_that_cannot_work_is_said_and_may_be_mended(
    browser: Browser, serve: Serve, site: Site
) -> None:
    server = serve(*OPEN)
    server.publish({"a.1": {"last": "1"}})
    page = browser.open(site(embed(server.url, 'src="ftp://h" topics="a.1"')))
    page.wait("note('connection').startsWith('src: ftp://h: not a server')")
    for address in (f"ws://{server.address}/ws/", f"http://{server.address}", server.url):
        page.eval(f"document.querySelector('tick-er').setAttribute('src', '{address}')")
        page.wait("is('fresh') && part('last') === '1' && note('connection') === ''")
    assert page.faults() == []


def test_an_element_that_is_moved_and_put_back_leaves_nothing_behind(
    browser: Browser, serve: Serve, site: Site
) -> None:
    server = serve(*OPEN)
    server.publish({"a.1": {"last": "1"}})
    page = browser.open(site(embed(server.url, 'topics="a.1"') + "<div></div>"))
    page.wait("is('fresh')")
    page.eval("""(async () => {
        const element = document.querySelector('tick-er');
        const client = element.client;
        const count = globalThis.count = { add: 0, remove: 0 };
        for (const what of ['add', 'remove']) {
            const real = client[`${what}EventListener`];
            client[`${what}EventListener`] = (...args) => (count[what]++, real.apply(client, args));
        }
        for (let i = 0; i < 20; i++) {
            document.querySelector('div').append(element);
            element.remove();
            await 0;
            document.body.append(element);
            element.setAttribute('max', i + 1);
        }
    })()""")
    page.wait("is('fresh') && items().length === 1")
    count = page.eval("count")
    assert count["add"] == count["remove"] > 20, "the one of the start is exchanged each time"
    wait_for_sessions(page, server.url, 1)
    page.eval("document.querySelector('tick-er').remove()")
    wait_for_sessions(page, server.url, 0)
    assert page.faults() == []
