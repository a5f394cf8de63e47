"""What a plugin is written with: decorators for feeds and authorizers, and their loader.

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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, Never, TypeVar

from tickwire import _callables, _plugin_files
from tickwire._core import overlap
from tickwire.errors import ConfigError, PluginError, TopicError

Action = Literal["subscribe", "publish"]
Delivery = Literal["value", "event"]
Topics = Sequence[str] | Callable[[Mapping[str, Any]], Iterable[str]]

TTL_S_MAX: Final = 3_153_600_000
"""A hundred years; a permission without an end has no ttl."""
TTL_S_MIN: Final = 1.0
"""A shorter permission would have its authorizer asked again without a pause."""

_F = TypeVar("_F", bound=Callable[..., Any])
_MARKS: Final = "__tickwire__"


@dataclass(frozen=True, slots=True)
class Allow:
    """An authorizer's yes. It is asked again before `ttl` seconds are over; None: never.

    ttl: `TTL_S_MIN` to `TTL_S_MAX` seconds; else a ConfigError, as for any wrong ttl.
    """

    ttl: float | None = None

    def __post_init__(self) -> None:
        if self.ttl is None:
            return
        if isinstance(self.ttl, bool) or not isinstance(self.ttl, Real):
            kind = type(self.ttl).__name__
            raise ConfigError(f"ttl: must be seconds as a number, not a {kind}", field="ttl")
        if not TTL_S_MIN <= self.ttl <= TTL_S_MAX:
            limit = f"{TTL_S_MIN:g} to {TTL_S_MAX} seconds"
            raise ConfigError(f"ttl: must be {limit}, not {self.ttl}", field="ttl")


@dataclass(frozen=True, slots=True)
class Deny:
    """An authorizer's no, with the reason that the client is told (a text, else a ConfigError)."""

    reason: str = "not allowed"

    def __post_init__(self) -> None:
        if not isinstance(self.reason, str):
            kind = type(self.reason).__name__
            raise ConfigError(f"reason: must be a str, not a {kind}", field="reason")


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks: the `client` that authorizers and the authenticator get."""

    session: str
    remote: str
    """``address:port``"""
    token: str
    """The last one it sent; empty when none."""
    claims: Mapping[str, Any]
    """What the authenticator made of the token; empty before."""
    action: Literal["subscribe", "publish", "authenticate"]


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


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded plugin: its decorated functions with what their decorators said."""

    name: str
    """Its settings are ``plugins.<name>.*``."""
    feeds: list[tuple[FeedMark, Callable[..., Any]]] = field(default_factory=list)
    authorizers: list[tuple[AuthorizerMark, Callable[..., Any]]] = field(default_factory=list)
    authenticators: list[Callable[..., Any]] = field(default_factory=list)


def feed(
    pattern: str,
    *others: Never,
    every: float | None = None,
    topics: Topics | None = None,
    name: str | None = None,
    delivery: Delivery | None = None,
    **unknown: Never,
) -> Callable[[_F], _F]:
    """Marks a function, called with a `Pub`, as a feed that publishes to the topics of `pattern`.

    every: seconds from call to call, on a fixed grid; without it the function is called once and
    runs on.
    topics: those it can make, or a function of the plugin's settings that lists them. Subscribers
    of patterns then want all of them that match; without it, only exact subscriptions are demand.
    delivery: ``event`` when every message matters (trades), else ``value``; what the configuration
    says comes first.
    A plain ``def`` runs in a thread of its own. `PluginError` where that could not work.
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
    if delivery not in (None, "value", "event"):
        raise PluginError(f"delivery: value or event, not {delivery!r}", field="delivery")

    def mark(function: _F) -> _F:
        label = name or _callables.name_of(function)
        return _mark(function, FeedMark(pattern, every, topics, label, delivery))

    return mark


def authorizer(pattern: str, *, actions: Iterable[Action] = ("subscribe",)) -> Callable[[_F], _F]:
    """Marks ``function(client, topic) -> Allow | Deny`` as guard of the topics of `pattern`.

    A subscription to a pattern that overlaps is asked too, with the pattern as `topic`; where
    several guards match, all must allow. It may be ``async``; a plain ``def`` runs in a thread. An
    exception, another answer, or none within ``auth.deadline_ms`` is no denial: the client is told
    ``unavailable`` and tries again.
    actions: what it guards, ``subscribe`` and ``publish``.
    """
    _check_pattern("authorizer", pattern)
    wanted = tuple(actions)
    if not wanted or not set(wanted) <= {"subscribe", "publish"}:
        raise PluginError(f"actions: of subscribe and publish, not {wanted}", field="actions")
    return lambda function: _mark(function, AuthorizerMark(pattern, wanted))


def authenticator(function: _F) -> _F:
    """Marks ``function(client) -> claims | Deny``: ``client.token`` becomes a mapping of claims."""
    if not callable(function):
        raise PluginError("@authenticator takes no arguments; write it without brackets")
    return _mark(function, AuthenticatorMark())


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
        marks: list[Mark] = function.__dict__.setdefault(_MARKS, [])
    except AttributeError:
        raise PluginError(f"{function!r} cannot be decorated; put it into a function") from None
    marks.append(mark)
    return function


# --- loading --------------------------------------------------------------------------------------


def load(source: object, name: str | None = None) -> Plugin:
    """A plugin from a file's path, a module's name, or a module, function or object. `PluginError`.

    A name without dots is looked for among the feeds that come with tickwire first.
    """
    if isinstance(source, (str, Path)):
        text = str(source)
        if isinstance(source, Path) or text.endswith(".py") or "/" in text:
            return load(_plugin_files.import_file(Path(source)), Path(source).stem)
        return load_module(text)
    label = name or _label(source)
    if isinstance(source, type):
        raise PluginError(f"{label} is a class; pass an object of it: {label}()")
    plugin = Plugin(label)
    for function, mark in _marks(source):
        match mark:
            case FeedMark():
                _callables.check(function, "feed", "pub")
                plugin.feeds.append((mark, function))
            case AuthorizerMark():
                _callables.check(function, "authorizer", "client", "topic")
                plugin.authorizers.append((mark, function))
            case AuthenticatorMark():
                _callables.check(function, "authenticator", "client")
                plugin.authenticators.append(function)
    if not (plugin.feeds or plugin.authorizers or plugin.authenticators):
        raise PluginError(f"{label}: has no @feed, @authorizer or @authenticator")
    return plugin


def load_module(dotted: str) -> Plugin:
    names = [dotted] if "." in dotted else [f"tickwire.feeds.{dotted}", dotted]
    for name in names:
        if _plugin_files.exists(name):
            return load(_plugin_files.import_name(name), dotted.rpartition(".")[2])
    beside = f"; did you mean ./{dotted}.py?" if Path(f"{dotted}.py").is_file() else ""
    raise PluginError(
        f"{dotted}: no such plugin: neither a file nor a module{beside}", field="plugins.files"
    )


def _label(source: object) -> str:
    if isinstance(source, ModuleType):
        return source.__name__.rpartition(".")[2]
    return _callables.name_of(source)


def _marks(source: object) -> Iterator[tuple[Callable[..., Any], Mark]]:
    candidates: list[Any] = [source]
    if not callable(source) or _MARKS not in getattr(source, "__dict__", {}):
        names = [name for name in dir(source) if not name.startswith("__")]
        candidates = [_attribute(source, name) for name in names]
    seen: set[int] = set()
    for function in candidates:
        marks = getattr(function, _MARKS, None)
        if isinstance(marks, list) and callable(function) and id(marks) not in seen:
            seen.add(id(marks))
            for mark in marks:
                yield function, mark


def _attribute(source: object, name: str) -> Any:
    try:
        return getattr(source, name)
    except Exception:  # of a property: whatever it does, it is no decorated function
        return None
