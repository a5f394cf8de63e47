"""However a feed ends, it is stale, counted and restarted; what could never run is not loaded."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import FunctionType
from typing import Any

import pytest

from tickwire import Deny, authenticator, authorizer, feed
from tickwire._host.loading import load
from tickwire.errors import PluginError
from tickwire.pub import Pub

HOUR_S = 3600


class Panic(BaseException):
    """No `Exception`, as extensions in other languages raise it."""


def plugin_health(server):
    (health,) = server.health["plugins"].values()
    return health


async def raises(fault: BaseException, pub: Pub) -> None:
    raise fault


async def in_a_group(fault: BaseException, pub: Pub) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(raises(fault, pub))
        group.create_task(asyncio.sleep(HOUR_S))


async def in_an_awaited_task(fault: BaseException, pub: Pub) -> None:
    await asyncio.create_task(raises(fault, pub))


async def in_a_task_that_nobody_awaits(fault: BaseException, pub: Pub) -> None:
    asyncio.create_task(raises(fault, pub))  # noqa: RUF006 - as many programs do
    await asyncio.sleep(HOUR_S)


async def in_a_task_that_is_kept(fault: BaseException, pub: Pub) -> None:
    kept = {asyncio.create_task(raises(fault, pub))}
    for task in kept:
        task.add_done_callback(kept.discard)  # as asyncio's documentation asks
    again = asyncio.create_task(raises(fault, pub))
    await asyncio.sleep(HOUR_S)
    again.cancel()


async def in_a_callback(fault: BaseException, pub: Pub) -> None:
    def callback() -> None:
        raise fault

    asyncio.get_running_loop().call_later(0.01, callback)
    await asyncio.sleep(HOUR_S)


WAYS = [
    raises,
    in_a_group,
    in_an_awaited_task,
    in_a_task_that_nobody_awaits,
    in_a_task_that_is_kept,
    in_a_callback,
]
FAULTS = [
    ValueError("an ordinary one"),
    Panic("index out of bounds"),
    SystemExit(3),
    KeyboardInterrupt(),
    BaseExceptionGroup("several", [Panic()]),
    GeneratorExit(),
]


def assert_restarted(server, eventually, caplog):
    """It ran, failed, was shown so, and runs again."""
    eventually(lambda: plugin_health(server)["errors"] >= 1)
    eventually(lambda: plugin_health(server)["restarts"] >= 1)
    assert "again in 0.5 s" in caplog.text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_coroutine_that_ends_in_any_way_is_stale_counted_and_restarted(
    way, fault, start_server, eventually, caplog
):
    go = threading.Event()

    @feed("t.*")
    async def coroutine(pub: Pub) -> None:
        pub.publish("t.x", {"last": "1"})
        await asyncio.to_thread(go.wait)
        if plugin_health(server)["restarts"] == 0:
            await way(fault, pub)
        await asyncio.sleep(HOUR_S)

    @feed("t.*")
    async def beside(pub: Pub) -> None:
        await asyncio.sleep(HOUR_S)

    server = start_server(coroutine)
    with server.subscribe("t.x") as updates:
        eventually(lambda: server.snapshot("t.x"))
        go.set()
        while updates.get(10).status != "stale":
            pass
    assert_restarted(server, eventually, caplog)
    eventually(lambda: server.snapshot("t.x").status == "live")
    server.add_plugin(beside)
    assert server.health["plugins"]["beside"]["state"] == "running", "the loop goes on"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_thread_that_ends_in_any_way_is_stale_counted_and_restarted(
    fault, start_server, eventually, caplog
):
    @feed("t.*")
    def thread(pub: Pub) -> None:
        pub.publish("t.x", {"last": "1"})
        if plugin_health(server)["restarts"] == 0:
            raise fault
        pub.wait(HOUR_S)

    server = start_server(thread)
    assert_restarted(server, eventually, caplog)
    eventually(lambda: server.snapshot("t.x").status == "live")


async def cancel_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def cancel_all_tasks() -> None:
    for task in asyncio.all_tasks():
        task.cancel()
    await asyncio.sleep(0)


async def stop_the_loop() -> None:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0)
    raise LookupError("it goes on")


async def take_what_tells_of_faults() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    loop.set_task_factory(None)
    kept = asyncio.create_task(raise_soon())
    await asyncio.sleep(HOUR_S)
    kept.cancel()


async def raise_soon() -> None:
    raise LookupError("nobody awaits it")


async def raise_in_a_callback() -> None:
    def callback() -> None:
        raise SystemExit

    asyncio.get_running_loop().call_soon(callback)
    await asyncio.sleep(0)
    raise LookupError("it goes on")


@pytest.mark.parametrize(
    "harm",
    [
        cancel_itself,
        cancel_all_tasks,
        stop_the_loop,
        take_what_tells_of_faults,
        raise_in_a_callback,
    ],
)
def test_what_a_feed_does_to_the_loop_of_all_plugins_is_survived(
    harm, start_server, eventually, caplog
):
    @feed("t.*")
    async def harmful(pub: Pub) -> None:
        pub.publish("t.x", {"last": "1"})
        if plugin_health(server)["restarts"] == 0:
            await harm()
        await asyncio.sleep(HOUR_S)

    server = start_server(harmful)
    assert_restarted(server, eventually, caplog)
    eventually(lambda: server.snapshot("t.x").status == "live")


# --- asynchronous in disguise ---------------------------------------------------------------------


def plain_decorator(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def wraps_decorator(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


async def body(pub: Pub) -> None:
    pub.publish("t.x", {"last": "1"})
    await asyncio.sleep(HOUR_S)


async def body_of_two(extra: str, pub: Pub) -> None:
    await body(pub)


class CallableObject:
    async def __call__(self, pub: Pub) -> None:
        await body(pub)

    async def method(self, pub: Pub) -> None:
        await body(pub)


class CustomAwaitable:
    def __init__(self, pub: Pub) -> None:
        self._pub = pub

    def __await__(self) -> Any:
        return body(self._pub).__await__()


def returns_an_awaitable(pub: Pub) -> Awaitable[None]:
    return CustomAwaitable(pub)


DISGUISES: dict[str, Callable[..., Any]] = {
    "plain decorator": plain_decorator(body),
    "wraps decorator": wraps_decorator(body),
    "partial": functools.partial(body_of_two, "extra"),
    "partial of a decorated": functools.partial(plain_decorator(body_of_two), "extra"),
    "callable object": CallableObject(),
    "method": CallableObject().method,
    "returns an awaitable": returns_an_awaitable,
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_feed_runs_whatever_its_coroutine_is_wrapped_in(disguise, start_server, eventually):
    function = DISGUISES[disguise]
    copied = plain_decorator(function) if disguise == "method" else function
    server = start_server(feed("t.*", name="t")(copied))
    eventually(lambda: server.snapshot("t.x"))
    assert plugin_health(server) == {"state": "running", "restarts": 0, "errors": 0}


def test_a_generator_that_only_its_call_shows_is_a_fault(start_server, eventually, caplog):
    async def generator(pub: Pub) -> AsyncIterator[int]:
        yield 1

    start_server(feed("t.*", name="t")(plain_decorator(generator)))
    eventually(lambda: "returned a generator, which publishes nothing" in caplog.text)


# --- what could never run -------------------------------------------------------------------------


def unmarked(function: FunctionType) -> FunctionType:
    """A copy: a decorator's mark stays on its function."""
    return FunctionType(function.__code__, function.__globals__, function.__name__)


async def async_generator(pub: Pub) -> AsyncIterator[int]:
    yield 1


def generator(pub: Pub) -> Iterator[int]:
    yield 1


async def without_pub() -> None: ...


async def with_too_many(pub: Pub, topic: str) -> None: ...


class Methods:
    @feed("t.*")
    async def feed(self, pub: Pub) -> None: ...


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (async_generator, "has a yield.*publish with pub.publish"),
        (generator, "has a yield.*publish with pub.publish"),
        (without_pub, r"cannot be called with \(pub\); write: def without_pub\(pub\)"),
        (with_too_many, r"\(pub: .*topic: .*\) cannot be called with \(pub\)"),
        (functools.partial(without_pub), r"cannot be called with \(pub\)"),
    ],
)
def test_a_feed_that_could_never_run_is_refused_with_its_place(function, fault, start_server):
    with pytest.raises(PluginError, match=rf"test_feed_ends\.py:\d+: feed .*{fault}"):
        start_server(feed("t.*")(function))


@pytest.mark.parametrize(
    ("decorate", "fault"),
    [
        (
            lambda: load(authorizer("t.*")(unmarked(without_pub))),
            r"write: def without_pub\(client, topic\)",
        ),
        (lambda: load(authenticator(unmarked(without_pub))), r"write: def without_pub\(client\)"),
        (lambda: load(authorizer("t.*")(unmarked(generator))), "return the decision instead"),
        (lambda: load(Methods), r"Methods is a class; pass an object of it: Methods\(\)"),
        (lambda: feed(without_pub), r'@feed\("ticker\.\*"\) above without_pub'),
        (lambda: authorizer(without_pub), r'@authorizer\("ticker\.\*"\) above without_pub'),
        (lambda: authenticator("t.*"), "write it without brackets"),
        (lambda: feed("t.*")("text"), "only a function can be decorated"),
        (lambda: feed(7), r"pattern: a text such as ticker\.\*"),
        (lambda: feed(["t.x", "t.y"]), r"did you mean topics=\['t\.x', 't\.y'\] beside it\?"),
        (lambda: feed("t.x", "t.y"), r"did you mean topics=\['t\.x', 't\.y'\] beside it\?"),
        (lambda: feed("t.*", topic="t.x"), r"topic: did you mean topics=\['t\.x'\]\?"),
        (lambda: feed("t.*", evry=1), "evry: no option of @feed"),
        (lambda: feed("t..x"), r"pattern: .*t\.\.x"),
        (lambda: feed("t.*", topics="t.x"), r"topics: a list, as in topics=\['t\.x'\]"),
        (lambda: feed("t.*", every="1"), "every: must be more than 0 seconds, not '1'"),
        (lambda: feed("t.*", every=True), "every: must be more than 0 seconds, not True"),
        (lambda: feed("t.*", delivery="events"), "delivery: value or event, not 'events'"),
    ],
)
def test_a_decorator_used_wrongly_names_the_way_out(decorate, fault):
    with pytest.raises(PluginError, match=fault):
        decorate()


def test_an_authorizer_may_be_wrapped_as_a_feed_may(start_server, remote):
    async def decide(client: Any, topic: str) -> Deny:
        return Deny("asked " + topic)

    class Guard:
        async def __call__(self, client: Any, topic: str) -> Deny:
            return await decide(client, topic)

    client = remote(start_server(authorizer("t.*")(Guard())))
    assert client.denial("t.x").endswith("asked t.x")
