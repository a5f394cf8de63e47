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

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, Literal, TypeVar

from tickwire.errors import PluginError

Action = Literal["subscribe", "publish"]
Delivery = Literal["value", "event"]
Topics = Sequence[str] | Callable[[Mapping[str, Any]], Iterable[str]]

_F = TypeVar("_F", bound=Callable[..., Any])
_MARKS: Final = "__tickwire__"


@dataclass(frozen=True, slots=True)
class Allow:
    """An authorizer's yes. `ttl` seconds later it is asked again; None: never."""

    ttl: float | None = None


@dataclass(frozen=True, slots=True)
class Deny:
    """An authorizer's no, with the reason that the client is told."""

    reason: str = "not allowed"


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
    *,
    every: float | None = None,
    topics: Topics | None = None,
    name: str | None = None,
    delivery: Delivery | None = None,
) -> Callable[[_F], _F]:
    """Marks a function, called with a `Pub`, as a feed that publishes to the topics of `pattern`.

    every: seconds from call to call, on a fixed grid; without it the function is called once and
    runs on.
    topics: those it can make, or a function of the plugin's settings that lists them. Subscribers
    of patterns then want all of them that match; without it, only exact subscriptions are demand.
    delivery: ``event`` when every message matters (trades), else ``value``; what the configuration
    says comes first.
    A plain ``def`` runs in a thread of its own.
    """
    if every is not None and not every > 0:
        raise PluginError(f"every: must be more than 0 seconds, not {every}", field="every")

    def mark(function: _F) -> _F:
        label = name or str(getattr(function, "__name__", "feed"))
        return _mark(function, FeedMark(pattern, every, topics, label, delivery))

    return mark


def authorizer(pattern: str, *, actions: Iterable[Action] = ("subscribe",)) -> Callable[[_F], _F]:
    """Marks ``function(client, topic) -> Allow | Deny`` as guard of the topics of `pattern`.

    A subscription to a pattern that overlaps is asked too, with the pattern as `topic`; where
    several guards match, all must allow. It may be ``async``; a plain ``def`` runs in a thread. An
    exception, or no answer within ``auth.deadline_ms``, denies.
    actions: what it guards, ``subscribe`` and ``publish``.
    """
    wanted = tuple(actions)
    if not wanted or not set(wanted) <= {"subscribe", "publish"}:
        raise PluginError(f"actions: of subscribe and publish, not {wanted}", field="actions")
    return lambda function: _mark(function, AuthorizerMark(pattern, wanted))


def authenticator(function: _F) -> _F:
    """Marks ``function(client) -> claims | Deny``: ``client.token`` becomes a mapping of claims."""
    return _mark(function, AuthenticatorMark())


def _mark(function: _F, mark: Mark) -> _F:
    marks: list[Mark] = function.__dict__.setdefault(_MARKS, [])
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
            return load_file(Path(source))
        return load_module(text)
    label = name or _label(source)
    plugin = Plugin(label)
    for function, mark in _marks(source):
        match mark:
            case FeedMark():
                plugin.feeds.append((mark, function))
            case AuthorizerMark():
                plugin.authorizers.append((mark, function))
            case AuthenticatorMark():
                plugin.authenticators.append(function)
    if not (plugin.feeds or plugin.authorizers or plugin.authenticators):
        raise PluginError(f"{label}: has no @feed, @authorizer or @authenticator")
    return plugin


def load_file(path: Path) -> Plugin:
    if not path.is_file():
        raise PluginError(f"{path}: no such file", field="plugins.files")
    name = path.stem
    key = f"_tickwire_plugin_{name}"
    spec = importlib.util.spec_from_file_location(key, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path}: not a Python file", field="plugins.files")
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module  # dataclasses and pickle look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as e:
        del sys.modules[key]
        raise PluginError(_import_fault(e, str(path))) from e
    return load(module, name)


def load_module(dotted: str) -> Plugin:
    names = [dotted] if "." in dotted else [f"tickwire.feeds.{dotted}", dotted]
    for name in names:
        try:
            found = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:
            found = False
        if not found:
            continue
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as e:
            raise PluginError(_import_fault(e, name)) from e
        return load(module, dotted.rpartition(".")[2])
    raise PluginError(
        f"{dotted}: no such plugin: neither a file nor a module", field="plugins.files"
    )


def _import_fault(error: BaseException, source: str) -> str:
    """Where in the plugin it went wrong, and what."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [f for f in frames if f.filename == source or "importlib" not in f.filename]
    mine = [f for f in inside if f.filename == source] or inside
    place = f"{mine[-1].filename}:{mine[-1].lineno}" if mine else source
    return f"{place}: {type(error).__name__}: {error}"


def _label(source: object) -> str:
    if isinstance(source, ModuleType):
        return source.__name__.rpartition(".")[2]
    if isinstance(source, FunctionType):
        return source.__name__
    return type(source).__name__


def _marks(source: object) -> Iterator[tuple[Callable[..., Any], Mark]]:
    if inspect.isroutine(source):
        functions: list[Any] = [source]
    else:
        functions = [getattr(source, name) for name in dir(source) if not name.startswith("__")]
    seen: set[int] = set()
    for function in functions:
        marks = getattr(function, _MARKS, None)
        if isinstance(marks, list) and callable(function) and id(marks) not in seen:
            seen.add(id(marks))
            for mark in marks:
                yield function, mark
