"""What a plugin is written with: decorators for feeds, authorizers and an authenticator.

A plugin is a Python file, a module, or any object with decorated functions::

    from tickwire import Allow, Deny, authorizer, feed

    @feed("ticker.*", every=0.5)
    async def random_walk(pub):
        for topic in pub.wanted:
            pub.publish(topic, {"last": "101.25"})

    @authorizer("premium.>")
    async def premium(client, topic):
        return Allow(ttl=60) if client.claims.get("tier") == "pro" else Deny("pro only")

docs/PLUGINS.md has the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Final, Literal, Never, TypeVar

from tickwire import _callables
from tickwire._core import overlap
from tickwire.errors import ConfigError, PluginError, TopicError

__all__ = [
    "TTL_S_MAX",
    "TTL_S_MIN",
    "Action",
    "Allow",
    "Delivery",
    "Deny",
    "Peer",
    "Topics",
    "authenticator",
    "authorizer",
    "feed",
]

Action = Literal["subscribe", "publish"]
Delivery = Literal["value", "event"]
Topics = Sequence[str] | Callable[[Mapping[str, Any]], Iterable[str]]

TTL_S_MAX: Final = 3_153_600_000
"""The longest `Allow.ttl` in seconds: a hundred years."""
TTL_S_MIN: Final = 1.0
"""The shortest `Allow.ttl` in seconds: a shorter one would be asked about without a pause."""

_F = TypeVar("_F", bound=Callable[..., Any])
MARKS: Final = "__tickwire__"
"""The attribute of a decorated function that holds its marks."""


MAX_RATE_MIN: Final = 0.02
"""The least `Allow.max_rate`, in messages a second."""
MAX_RATE_MAX: Final = 1_000.0
"""The greatest `Allow.max_rate`, in messages a second."""
ONLY_MAX: Final = 1_000
"""The most patterns of `Allow.only`."""


@dataclass(frozen=True, slots=True)
class Allow:
    """An authorizer's yes. A value that is not valid raises `ConfigError`."""

    ttl: float | None = None
    """For how many seconds, from `TTL_S_MIN` to `TTL_S_MAX`. The authorizer is asked again before
    they are over. None: for as long as the session lives."""
    max_rate: float | None = None
    """At most so many messages a second of each topic, from `MAX_RATE_MIN` to `MAX_RATE_MAX`. A
    client may ask for less. None: every update. It says nothing about publishing."""
    only: Iterable[str] | None = None
    """Only the topics that match one of these patterns, at most `ONLY_MAX`. Whoever subscribes to a
    pattern sees those of its topics, now and later. None: all that the authorizer guards. It is
    kept as a tuple."""

    def __post_init__(self) -> None:
        if self.ttl is not None:
            ttl_seconds(self.ttl)
        if self.max_rate is not None:
            rate_number(self.max_rate)
        if self.only is not None:
            object.__setattr__(self, "only", only_patterns(self.only))


@dataclass(frozen=True, slots=True)
class Deny:
    """An authorizer's or an authenticator's no. A reason that is not a `str` is a `ConfigError`."""

    reason: str = "not allowed"
    """What the client is told: its first 1,000 characters."""

    def __post_init__(self) -> None:
        reason_text(self.reason)


def ttl_seconds(ttl: object) -> float:
    """An `Allow.ttl` as a plain number. `ConfigError`."""
    limit = f"{TTL_S_MIN:g} to {TTL_S_MAX} seconds"
    return _number("ttl", ttl, "seconds as a number", TTL_S_MIN, TTL_S_MAX, limit)


def rate_number(max_rate: object) -> float:
    """An `Allow.max_rate` as a plain number. `ConfigError`."""
    limit = f"{MAX_RATE_MIN:g} to {MAX_RATE_MAX:g} messages a second"
    return _number("max_rate", max_rate, "a number", MAX_RATE_MIN, MAX_RATE_MAX, limit)


def _number(field: str, given: object, kind: str, low: float, high: float, limit: str) -> float:
    if isinstance(given, bool) or not isinstance(given, Real):
        raise ConfigError(f"{field}: must be {kind}, not a {type(given).__name__}", field=field)
    try:
        number = float(given)
    except OverflowError:
        number = float("inf")
    if not low <= number <= high:
        raise ConfigError(f"{field}: must be {limit}, not {number:g}", field=field)
    return number


def only_patterns(only: object) -> tuple[str, ...]:
    """An `Allow.only` as plain patterns. `ConfigError`."""
    if isinstance(only, str) or not isinstance(only, Iterable):
        kind = type(only).__name__
        raise ConfigError(f"only: must be a list of patterns, not a {kind}", field="only")
    patterns = list[str]()
    for pattern in only:
        if len(patterns) == ONLY_MAX:
            raise ConfigError(f"only: must be at most {ONLY_MAX} patterns", field="only")
        if not isinstance(pattern, str):
            kind = type(pattern).__name__
            raise ConfigError(f"only: each pattern must be a str, not a {kind}", field="only")
        try:
            overlap(pattern, pattern)
        except TopicError as e:
            raise ConfigError(f"only: {e}", field="only") from None
        patterns.append(str(pattern))
    return tuple(patterns)


def reason_text(reason: object) -> str:
    """A `Deny.reason` as a plain str that can be sent: half a surrogate pair is no text on the
    wire. `ConfigError`."""
    if not isinstance(reason, str):
        kind = type(reason).__name__
        raise ConfigError(f"reason: must be a str, not a {kind}", field="reason")
    return str.encode(reason, errors="replace").decode()


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks: the argument `client` of authorizers and of the authenticator."""

    session: str
    """The session's name, which is unique within this start of the server."""
    remote: str
    """``address:port`` of the client; only its address where a proxy named it without a port."""
    token: str
    """The last token that it sent; empty if it sent none."""
    claims: Mapping[str, Any]
    """What the authenticator made of the token; empty before that."""
    action: Literal["subscribe", "publish", "authenticate"]
    """What it wants to do."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of its WebSocket's request that ``auth.client_headers`` names, by name in lower case.
    The client can write any text into them, unless a proxy in front does."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Those that ``auth.client_cookies`` names. Empty unless the request came from a page that
    ``server.origins`` allows by name."""

    @property
    def address(self) -> str:
        """The IP address in `remote`; ``unknown`` if the client was gone already."""
        address, colon, port = self.remote.rpartition(":")
        has_port = (
            bool(colon) and port.isdecimal() and (address.endswith("]") or ":" not in address)
        )
        return (address if has_port else self.remote).strip("[]")


@dataclass(frozen=True, slots=True)
class FeedMark:
    pattern: str
    every: float | None
    topics: Topics | None
    name: str
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class AuthorizerMark:
    pattern: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class AuthenticatorMark:
    pass


Mark = FeedMark | AuthorizerMark | AuthenticatorMark


def feed(
    pattern: str,
    *others: Never,
    every: float | None = None,
    topics: Topics | None = None,
    name: str | None = None,
    delivery: Delivery | None = None,
    **unknown: Never,
) -> Callable[[_F], _F]:
    """Decorates a function as a feed that publishes to the topics of `pattern`.

    The function is called with a `tickwire.pub.Pub`. An ``async def`` runs on the event loop that
    all plugins share; a plain ``def`` runs in a thread of its own and may block.

    Args:
        pattern: The feed may publish to the topics that match.
        every: Seconds from call to call, at multiples of this time. Without it the function is
            called once and runs until the server stops.
        topics: The topics that the feed can produce, or a function of the plugin's settings that
            lists them. A subscription to a pattern then wants all of them that match. Without
            `topics`, only subscriptions to exact topics are demand.
        name: The feed's name in the log; by default the function's.
        delivery: ``event`` if every message matters (trades), else ``value``. A rule in the
            configuration takes precedence.

    Raises:
        PluginError: An argument is not valid.
    """
    if "topic" in unknown:
        raise PluginError(f"topic: did you mean topics={_listed(unknown['topic'])}?", field="topic")
    if unknown:
        raise PluginError(f"{min(unknown)}: no option of @feed", field=min(unknown))
    if others or isinstance(pattern, (list, tuple)):
        named = [*pattern, *others] if isinstance(pattern, (list, tuple)) else [pattern, *others]
        raise PluginError(
            "pattern: one pattern that all topics of the feed match, as in ticker.*;"
            f" did you mean topics={named!r} beside it?",
            field="pattern",
        )
    _check_pattern("feed", pattern)
    number = isinstance(every, (int, float)) and not isinstance(every, bool)
    if every is not None and not (number and 0 < every < float("inf")):
        raise PluginError(f"every: must be more than 0 seconds, not {every!r}", field="every")
    if isinstance(topics, str):
        raise PluginError(f"topics: a list, as in topics={_listed(topics)}", field="topics")
    if callable(topics) and _callables.is_async(topics):
        raise PluginError("topics: a plain def, for it is asked before feeds run", field="topics")
    if topics is not None and not callable(topics):
        topics = topic_list(topics)
    if name is not None and not isinstance(name, str):
        raise PluginError(f"name: a str, not {name!r}", field="name")
    if delivery not in (None, "value", "event"):
        raise PluginError(f"delivery: value or event, not {delivery!r}", field="delivery")

    def mark(function: _F) -> _F:
        label = name or _callables.name_of(function)
        return _mark(function, FeedMark(pattern, every, topics, label, delivery))

    return mark


def authorizer(pattern: str, *, actions: Iterable[Action] = ("subscribe",)) -> Callable[[_F], _F]:
    """Decorates ``function(client, topic) -> Allow | Deny`` as a guard of the topics of `pattern`.

    The function gets a `Peer` and a topic. It is also asked about a subscription to a pattern that
    overlaps `pattern`; then `topic` is that pattern, and the answer is about those of its topics
    that match both. A `Deny` hides them, `Allow(only=)` all but some, and the client sees the rest
    of its pattern. If several authorizers match a topic, all must allow it.
    The function may be ``async``; a plain ``def`` runs in a thread. An exception, any other answer,
    or no answer within ``auth.deadline_ms`` does not deny: the client is told ``unavailable`` and
    tries again.

    Args:
        pattern: The topics that it guards.
        actions: What it guards: ``subscribe``, ``publish`` or both.

    Raises:
        PluginError: An argument is not valid.
    """
    _check_pattern("authorizer", pattern)
    wanted = tuple(actions)
    if not wanted or not set(wanted) <= {"subscribe", "publish"}:
        raise PluginError(f"actions: of subscribe and publish, not {wanted}", field="actions")
    return lambda function: _mark(function, AuthorizerMark(pattern, wanted))


def authenticator(function: _F) -> _F:
    """Decorates ``function(client) -> claims | Deny`` as the server's authenticator.

    The function gets a `Peer` and turns its token into claims: a mapping with `str` keys, at most
    64 KiB as JSON, which authorizers see. A server has at most one authenticator.

    Raises:
        PluginError: It was written with brackets.
    """
    if not callable(function):
        raise PluginError("@authenticator takes no arguments; write it without brackets")
    return _mark(function, AuthenticatorMark())


def topic_list(topics: object) -> list[str]:
    """What `topics` of a feed names, or what its function returned. `PluginError`."""
    if isinstance(topics, str) or not isinstance(topics, Iterable):
        kind = type(topics).__name__
        raise PluginError(f"topics: must be a list of topics, not a {kind}", field="topics")
    listed = list(topics)
    for topic in listed:
        if not isinstance(topic, str):
            raise PluginError(f"topics: each must be a str, not {topic!r}", field="topics")
    return listed


def _listed(topics: object) -> str:
    return repr([topics] if isinstance(topics, str) else topics)


def _check_pattern(decorator: str, pattern: object) -> None:
    if callable(pattern):
        raise PluginError(
            f"@{decorator} needs the pattern of its topics in brackets: "
            f'@{decorator}("ticker.*") above {_callables.name_of(pattern)}'
        )
    if not isinstance(pattern, str):
        raise PluginError(f"pattern: a text such as ticker.*, not {pattern!r}", field="pattern")
    try:
        overlap(pattern, pattern)
    except TopicError as e:
        raise PluginError(f"pattern: {e}", field="pattern") from None


def _mark(function: _F, mark: Mark) -> _F:
    if not callable(function):
        raise PluginError(f"only a function can be decorated, not {function!r}")
    try:
        marks: list[Mark] = function.__dict__.setdefault(MARKS, [])
    except AttributeError:
        raise PluginError(f"{function!r} cannot be decorated; put it into a function") from None
    marks.append(mark)
    return function
