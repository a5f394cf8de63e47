"""What a plugin's function is, whatever it is wrapped in, and whether it can be called at all."""

import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

from tickwire.errors import PluginError


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling the function gives a coroutine: it is an ``async def``, also as a method, in
    a `functools.partial`, or as the ``__call__`` of an object."""
    call = getattr(function, "__call__", None)  # noqa: B004 - it is looked at, not called
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def name_of(function: object) -> str:
    """Returns the function's name in the plugin's code."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def place_of(function: object) -> str:
    """Returns ``file:line`` of the function's definition, or an empty text if Python does not know
    it."""
    code = _code_of(function)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else ""


def check(function: Callable[..., Any], kind: str, *arguments: str) -> None:
    """Raises `PluginError` if a call with these arguments could never do its work.

    kind: ``feed``, ``authorizer`` or ``authenticator``.
    """
    label = f"{place_of(function)}: {kind} {name_of(function)}".lstrip(": ")
    if inspect.isclass(function):
        raise PluginError(f"{label} is a class; decorate its methods, and pass an object of it")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        way = "publish with pub.publish(topic, data)" if kind == "feed" else "return the decision"
        raise PluginError(f"{label} has a yield, so a call only makes a generator; {way} instead")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function of a C extension
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        wanted = ", ".join(arguments)
        signature = signature.replace(return_annotation=inspect.Signature.empty)
        raise PluginError(
            f"{label}{signature} cannot be called with ({wanted}); "
            f"write: def {name_of(function)}({wanted})"
        ) from None


def _code_of(function: object) -> CodeType | None:
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function) if callable(function) else function
    for source in (function, getattr(function, "__func__", None), type(function).__call__):
        code = getattr(source, "__code__", None)
        if isinstance(code, CodeType):
            return code
    return None
