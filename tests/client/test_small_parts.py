"""Patterns, URLs, pauses, errors, exit codes and the package's face."""

import subprocess
import sys

import pytest

import tickwire
from tickwire import errors, exit_codes
from tickwire._backoff import BACKOFF_S_MAX, STEADY_S, TOLD_S_MAX, Backoff
from tickwire._http import query_text
from tickwire._pattern import is_pattern, matches
from tickwire.codes import ERROR_CODES, should_reconnect
from tickwire.url import http_url, shown, websocket_url

# --- patterns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*", "a.b.c", False),
        ("*.b", "a.b", True),
        ("*.b", "a.c", False),
        ("*", "a", True),
        ("*", "a.b", False),
        (">", "a", True),
        (">", "a.b.c", True),
        ("a.>", "a", False),
        ("a.>", "a.b", True),
        ("a.>", "a.b.c", True),
        ("a.>", "b.c", False),
        ("*.x.>", "a.x.b", True),
        ("*.x.>", "a.y.b", False),
        ("a*", "ab", False),
    ],
)
def test_a_star_is_one_token_and_an_arrow_the_rest(
    pattern: str, topic: str, expected: bool
) -> None:
    assert matches(pattern, topic) is expected


def test_a_pattern_has_a_token_that_is_a_wildcard() -> None:
    assert all(is_pattern(name) for name in ("*", ">", "a.*", "*.a", "a.>", "a.*.b"))
    assert not any(is_pattern(name) for name in ("a", "a.b", "a*", ">.a", "a.>b"))


# --- URLs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "websocket", "health"),
    [
        ("ws://h:1/ws", "ws://h:1/ws", "http://h:1/health"),
        ("wss://h/ws", "wss://h/ws", "https://h/health"),
        ("http://h:1", "ws://h:1/ws", "http://h:1/health"),
        ("https://h:1/", "wss://h:1/ws", "https://h:1/health"),
        ("localhost:9000", "ws://localhost:9000/ws", "http://localhost:9000/health"),
        ("localhost", "ws://localhost/ws", "http://localhost/health"),
        ("[::1]:9000", "ws://[::1]:9000/ws", "http://[::1]:9000/health"),
        ("https://h/tick/ws", "wss://h/tick/ws", "https://h/tick/health"),
        ("ws://h/ws?token=t#x", "ws://h/ws?token=t", "http://h/health"),
    ],
)
def test_a_server_can_be_named_in_many_ways(text: str, websocket: str, health: str) -> None:
    assert websocket_url(text) == websocket
    assert http_url(text, "/health") == health


@pytest.mark.parametrize(
    "text", ["", "ftp://h", "ws://", "h:0", "h:x", "h:65536", "ws://[::1", "://h", "ws:///ws"]
)
def test_what_is_no_url_is_said_with_what_would_be(text: str) -> None:
    with pytest.raises(errors.ConfigError, match="url: ") as caught:
        websocket_url(text)
    assert caught.value.field == "url"


@pytest.mark.parametrize("text", ["ws://a..b/", f"http://{'a' * 64}.b", "ws://[::1]:x?s3cret"])
def test_a_host_that_can_be_none_is_said_without_secrets(text: str) -> None:
    with pytest.raises(errors.ConfigError, match="url: ") as caught:
        websocket_url(text)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["ws://me:s3cret@h/ws", "me:s3cret@h", "http://s3cret@h:1?s3cret"])
def test_a_user_or_password_is_refused_and_not_repeated(text: str) -> None:
    for read in (websocket_url, lambda text: http_url(text, "/health")):
        with pytest.raises(errors.ConfigError, match="user or password") as caught:
            read(text)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ws://h:1/ws", "ws://h:1/ws"),
        ("h:1/a@b", "h:1/a@b"),
        ("ws://h/ws?token=a@b/c#d", "ws://h/ws"),
        ("ws://me:pass@h/ws?a=b", "ws://h/ws"),
        ("me@h", "h"),
    ],
)
def test_messages_show_of_a_url_what_is_no_secret(text: str, expected: str) -> None:
    assert shown(text) == expected


# --- pauses ---------------------------------------------------------------------------------------


def test_pauses_double_up_to_a_limit_and_spread() -> None:
    most, least = Backoff(0.25, lambda: 1.0), Backoff(0.25, lambda: 0.0)
    pauses = [most.next_s(0, None) for _ in range(60)]
    assert pauses[:4] == [0.25, 0.5, 1.0, 2.0]
    assert pauses[-1] == BACKOFF_S_MAX
    assert [least.next_s(0, None) for _ in range(2)] == [0.125, 0.25]


def test_a_connection_that_held_begins_anew() -> None:
    backoff = Backoff(1.0, lambda: 1.0)
    held = (0, 0, STEADY_S - 0.01, STEADY_S)
    assert [backoff.next_s(held_s, None) for held_s in held] == [1, 2, 4, 1]


def test_drain_decides_the_pause_within_reason() -> None:
    most, least = Backoff(1.0, lambda: 1.0), Backoff(1.0, lambda: 0.0)
    assert (least.next_s(9, 1200), most.next_s(9, 1200)) == (1.7, 2.2), "and a crowd spreads out"
    assert least.next_s(9, 10**9) == TOLD_S_MAX + 0.5


# --- errors ---------------------------------------------------------------------------------------


def test_every_code_of_the_wire_has_a_class_that_says_whether_to_retry() -> None:
    for code, retryable in ERROR_CODES.items():
        error = errors.error_for(code, "m", field="f", topic="t")
        assert code in error.codes
        assert (error.code, error.retryable) == (code, retryable)
        assert (error.message, str(error), error.field, error.topic) == ("m", "m", "f", "t")


def test_what_the_server_says_about_retrying_counts() -> None:
    assert errors.error_for("denied", "m", retryable=True).retryable


def test_a_code_of_a_later_server_is_a_server_error() -> None:
    error = errors.error_for("sulking", "m")
    assert (type(error), error.code, error.retryable) == (errors.ServerError, "sulking", False)


def test_the_tree_in_the_documentation_is_the_tree() -> None:
    doc = (errors.__doc__ or "").split("\n\n")[2]
    drawn: list[tuple[int, str]] = []
    for line in doc.splitlines():
        name = line.strip("│├└─ ").split()[0]
        drawn.append((line.index(name) // 4 - 1, name))

    def walk(cls: type[Exception], depth: int) -> list[tuple[int, str]]:
        below = [pair for sub in cls.__subclasses__() for pair in walk(sub, depth + 1)]
        return [(depth, cls.__name__), *below]

    assert drawn == walk(errors.TickwireError, 0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("m"), 2),
        (errors.PluginError("m"), 2),
        (errors.ConnectionFailedError("m"), 3),
        (errors.ConnectionLostError("m"), 3),
        (errors.DeniedError("m"), 4),
        (errors.UnavailableError("m"), 5),
        (errors.TopicError("m"), 5),
        (errors.ServerError("m"), 5),
        (errors.StoreError("m"), 10),
        (errors.StoreError("m", code="store_io"), 15),
        (errors.ListenError("m"), 16),
    ],
)
def test_an_error_that_ends_a_process_has_its_exit_code(
    error: errors.TickwireError, code: int
) -> None:
    assert exit_codes.exit_code(error) == code


def test_close_codes_of_later_servers_follow_their_range() -> None:
    assert [should_reconnect(code) for code in (1006, 3000, 4499, 4502, 4999, 5000)] == [
        True,
        True,
        True,
        False,
        False,
        True,
    ]


# --- the package ----------------------------------------------------------------------------------


def test_importing_loads_nothing_that_is_not_used() -> None:
    code = """
import sys, tickwire
for heavy in ("websockets", "rich", "typer", "tickwire._core", "asyncio"):
    assert heavy not in sys.modules, heavy
tickwire.connect
assert "websockets" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_face_of_the_package_is_complete() -> None:
    for name in ("connect", "Client", "Subscription", "Update", "TickwireError", "errors"):
        assert getattr(tickwire, name)
        assert name in dir(tickwire)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tickwire.nothing  # noqa: B018


def test_a_query_says_a_space_as_the_server_reads_it() -> None:
    assert query_text({"pattern": "x y+z", "after": ""}) == "?pattern=x%20y%2Bz"
    assert query_text({"after": ""}) == ""
