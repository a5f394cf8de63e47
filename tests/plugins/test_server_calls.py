"""The methods of a server work from wherever they are called, or say at once why they cannot."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tickwire import Allow, Server, authorizer, feed
from tickwire.errors import PluginError, ServerError
from tickwire.pub import Pub

CONFIG = {"server": {"listen": "127.0.0.1:0", "drain_s": 1}}
WITHIN_S = 60.0


@feed("b.*")
async def added(pub: Pub) -> None:
    pub.publish("b.x", {})
    await asyncio.sleep(3600)


class Caller:
    """Makes one call from a given place, and keeps what came of it."""

    def __init__(self, call: Callable[[Server], Any]) -> None:
        self.server: Server
        self.returned = threading.Event()
        self.result: Any = None
        self.fault: BaseException | None = None
        self._call = call

    def __call__(self) -> None:
        try:
            self.result = self._call(self.server)
        except BaseException as e:
            self.fault = e
        self.returned.set()


def from_async_feed(caller: Caller) -> object:
    @feed("a.*")
    async def first(pub: Pub) -> None:
        caller()
        await asyncio.sleep(3600)

    return first


def from_def_feed(caller: Caller) -> object:
    @feed("a.*")
    def first(pub: Pub) -> None:
        caller()
        pub.wait(3600)

    return first


def from_periodic_feed(caller: Caller) -> object:
    @feed("a.*", every=3600)
    def first(pub: Pub) -> None:
        caller()

    return first


def from_a_thread_of_a_feed(caller: Caller) -> object:
    @feed("a.*")
    async def first(pub: Pub) -> None:
        await asyncio.to_thread(caller)
        await asyncio.sleep(3600)

    return first


def from_a_child_thread_of_a_def_feed(caller: Caller) -> object:
    @feed("a.*")
    def first(pub: Pub) -> None:
        child = threading.Thread(target=caller)
        child.start()
        child.join()

    return first


def from_async_authorizer(caller: Caller) -> object:
    @authorizer("a.*")
    async def guard(client: Any, topic: str) -> Allow:
        caller()
        return Allow()

    return guard


def from_def_authorizer(caller: Caller) -> object:
    @authorizer("a.*")
    def guard(client: Any, topic: str) -> Allow:
        caller()
        return Allow()

    return guard


PLUGINS = [
    from_async_feed,
    from_def_feed,
    from_periodic_feed,
    from_a_thread_of_a_feed,
    from_a_child_thread_of_a_def_feed,
    from_async_authorizer,
    from_def_authorizer,
]
IN_THREADS_OF_THEIR_OWN = [from_a_thread_of_a_feed, from_a_child_thread_of_a_def_feed]  # may wait


def call_from(place: Callable[[Caller], object], call: Callable[[Server], Any], remote) -> Caller:
    caller = Caller(call)
    caller.server = Server(CONFIG, plugins=[place(caller)])
    caller.server.start()
    if "authorizer" in place.__name__:
        remote(caller.server).send(type="subscribe", id=1, topics=["a.x"])
    assert caller.returned.wait(WITHIN_S), "the call waits for itself"
    return caller


@pytest.mark.parametrize("place", PLUGINS)
def test_stop_from_a_plugin_stops_the_server(place, remote):
    caller = call_from(place, Server.stop, remote)
    assert caller.fault is None
    waiting = threading.Thread(target=caller.server.wait)
    waiting.start()
    waiting.join(WITHIN_S)
    assert not waiting.is_alive()
    caller.server.stop()
    with pytest.raises(ServerError, match="stopped"):
        caller.server.publish("a.x", {})


@pytest.mark.parametrize("place", PLUGINS)
def test_add_plugin_from_a_plugin_adds_it(place, remote, eventually):
    caller = call_from(place, lambda server: server.add_plugin(added), remote)
    assert caller.fault is None
    eventually(lambda: caller.server.snapshot("b.x"))
    caller.server.stop()


@pytest.mark.parametrize("place", [p for p in PLUGINS if p not in IN_THREADS_OF_THEIR_OWN])
def test_wait_from_a_plugin_says_that_it_would_wait_for_itself(place, remote):
    caller = call_from(place, Server.wait, remote)
    assert isinstance(caller.fault, ServerError)
    assert "would wait for itself" in str(caller.fault)
    caller.server.stop()


def look_around(server: Server) -> list[object]:
    server.publish("n.x", {"a": 1})
    server.publish_many([("n.y", {"a": 1})])
    server.publish_table(["n.x", "n.y"], {"a": ["2", "3"]})
    server.set_status("n.x", "halted")
    with server.subscribe("n.x") as updates:
        first = updates.get(WITHIN_S)
    return [
        server.snapshot("n.x").status,
        server.topics("n.*"),
        server.address,
        server.url,
        server.health["status"],
        server.config.listen,
        first.status,
    ]


@pytest.mark.parametrize("place", PLUGINS)
def test_every_other_method_works_from_a_plugin(place, remote):
    caller = call_from(place, look_around, remote)
    assert caller.fault is None
    assert caller.result[0] == "halted"
    assert caller.result[1] == ["n.x", "n.y"]
    caller.server.stop()


@pytest.mark.parametrize("call", [Server.start, Server.__enter__])
@pytest.mark.parametrize("place", PLUGINS)
def test_start_from_a_plugin_says_that_it_has_started(place, call, remote):
    if call is Server.__enter__ and place is not from_async_feed:
        pytest.skip("the same as start()")
    caller = call_from(place, call, remote)
    assert isinstance(caller.fault, ServerError)
    assert "starts once in its life" in str(caller.fault)
    caller.server.stop()


def test_a_plain_for_in_an_async_plugin_says_to_use_async_for(remote):
    def iterate(server: Server) -> None:
        with server.subscribe("n.x") as updates:
            for _ in updates:
                pass

    caller = call_from(from_async_feed, iterate, remote)
    assert isinstance(caller.fault, ServerError)
    assert "async for" in str(caller.fault)
    caller.server.stop()


def test_a_plugin_may_follow_topics_of_its_own_server(start_server, eventually):
    seen: list[dict[str, Any]] = []

    @feed("copy.*")
    async def copy(pub: Pub) -> None:
        with server.subscribe("n.x") as updates:
            async for update in updates:
                seen.append(update.data)  # noqa: PERF401 - looked at while it runs

    server = start_server(copy)
    server.publish("n.x", {"a": 1})
    eventually(lambda: seen == [{"a": 1}])


async def test_another_event_loop_may_start_use_and_stop_it():
    with Server(CONFIG, plugins=[added]) as server:
        server.publish("n.x", {"a": 1})
        async for update in server.subscribe("n.x"):
            assert update.data == {"a": 1}
            break
        server.add_plugin(from_def_feed(Caller(lambda _: None)))


def test_a_signal_handler_may_stop_it_while_the_main_thread_waits():
    server = Server(CONFIG)
    before = signal.signal(signal.SIGUSR1, lambda *_: server.stop())
    try:
        server.start()
        threading.Timer(0.1, lambda: signal.pthread_kill(main, signal.SIGUSR1)).start()
        main = threading.main_thread().ident
        server.wait()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_handler_may_stop_it_while_it_starts(tmp_path):
    path = tmp_path / "starting.py"
    path.write_text(
        "import signal\nfrom tickwire import feed\nsignal.raise_signal(signal.SIGUSR1)\n"
        '@feed("a.*")\nasync def f(pub): ...\n'
    )
    server = Server(CONFIG, plugins=[path])
    before = signal.signal(signal.SIGUSR1, lambda *_: server.stop())
    try:
        server.start()
        server.wait()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_threads_that_stop_and_add_at_once_all_come_back():
    for _ in range(5):
        server = Server(CONFIG)
        server.start()

        def add(server: Server = server) -> None:
            while True:
                try:
                    server.add_plugin(from_def_feed(Caller(lambda _: None)))
                except ServerError:
                    return
                except PluginError:  # another plugin has that name
                    pass

        threads = [threading.Thread(target=add) for _ in range(3)]
        threads += [threading.Thread(target=server.stop) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WITHIN_S)
        assert not [thread for thread in threads if thread.is_alive()]


def test_a_server_starts_once_in_its_life():
    server = Server(CONFIG)
    with server, pytest.raises(ServerError, match="starts once"):
        server.start()
    with pytest.raises(ServerError, match="starts once"):
        server.start()
    with pytest.raises(ServerError, match="stopped"):
        server.add_plugin(added)


def test_get_keeps_its_timeout_however_many_heartbeats_come():
    config = {"server": {**CONFIG["server"], "heartbeat_s": 1}}
    with Server(config) as server, server.subscribe("n.x") as updates:
        begun = time.monotonic()
        assert updates.get(2.5) is None
        assert time.monotonic() - begun >= 2.5
