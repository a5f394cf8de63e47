"""Loads a plugin: finds the decorated functions of a file, a module or an object."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tickwire import _callables
from tickwire._host import plugin_files
from tickwire.errors import PluginError
from tickwire.plugins import MARKS, AuthenticatorMark, AuthorizerMark, FeedMark, Mark


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded plugin: its decorated functions with what their decorators said."""

    name: str
    """Its settings are ``plugins.<name>.*``."""
    feeds: list[tuple[FeedMark, Callable[..., Any]]] = field(default_factory=list)
    authorizers: list[tuple[AuthorizerMark, Callable[..., Any]]] = field(default_factory=list)
    authenticators: list[Callable[..., Any]] = field(default_factory=list)


def load(source: object, name: str | None = None) -> Plugin:
    """A plugin from a file's path, a module's name, or a module, function or object. `PluginError`.

    A name without dots is looked for among the feeds that come with tickwire first.
    """
    if isinstance(source, (str, Path)):
        text = str(source)
        if isinstance(source, Path) or text.endswith(".py") or "/" in text:
            return load(plugin_files.import_file(Path(source)), Path(source).stem)
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
        if plugin_files.exists(name):
            return load(plugin_files.import_name(name), dotted.rpartition(".")[2])
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
    if not callable(source) or MARKS not in getattr(source, "__dict__", {}):
        names = [name for name in dir(source) if not name.startswith("__")]
        candidates = [_attribute(source, name) for name in names]
    seen: set[int] = set()
    for function in candidates:
        marks = getattr(function, MARKS, None)
        if isinstance(marks, list) and callable(function) and id(marks) not in seen:
            seen.add(id(marks))
            for mark in marks:
                yield function, mark


def _attribute(source: object, name: str) -> Any:
    try:
        return getattr(source, name)
    except BaseException:  # a property raised; it is not a decorated function
        return None
