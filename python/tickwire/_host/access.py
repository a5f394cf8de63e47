"""Answers the questions of access with the plugins' authorizers and their authenticator.

There are three answers, as in core/fanout/access.h: allow, deny, and unavailable for whatever is
neither. Only a `Deny` that a plugin returned denies.
"""

import asyncio
import json
import logging
import math
import reprlib
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tickwire._callables import name_of
from tickwire._core import AccessQuestion, Engine, overlap
from tickwire._escape import printable
from tickwire._fault_log import FaultLog
from tickwire._host.calls import Caller, Calls, FullError, LateError, RaisedError
from tickwire.plugins import (
    Action,
    Allow,
    Deny,
    Peer,
    only_patterns,
    rate_number,
    reason_text,
    ttl_seconds,
)

CLAIMS_BYTES_MAX: Final = 65_536
REASON_CHARS_MAX: Final = 1_000
"""A longer reason of a `Deny` is cut."""

_WILDCARDS: Final = frozenset("*>")

_log: Final = logging.getLogger("tickwire.plugins")


@dataclass(frozen=True, slots=True)
class Guard:
    """One function that decides. `failed` is called each time when it gave no answer."""

    pattern: str
    actions: tuple[Action, ...]
    function: Callable[..., Any]
    place: str
    """``file:line`` of its definition."""
    calls: Calls
    faults: FaultLog
    failed: Callable[[], None]

    @property
    def name(self) -> str:
        return name_of(self.function)


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    ruling: Literal["allow", "deny", "unavailable"]
    ttl_ms: int = 0
    text: str = ""
    max_rate: float = 0.0
    only: tuple[str, ...] | None = None
    guards: tuple[tuple[str, tuple[str, ...] | None], ...] = ()
    """Of a subscription to a pattern: see `Engine.answer`."""


class AccessDesk:
    """Answers questions, on the plugins' loop. Every question gets exactly one answer, by its
    deadline."""

    def __init__(self, engine: Engine) -> None:
        self.guards: list[Guard] = []
        self.authenticator: Guard | None = None
        self._engine = engine
        self._deadline_ms = engine.config.auth_deadline_ms
        self.tasks: set[asyncio.Task[None]] = set()

    def take(self, question: AccessQuestion) -> None:
        task = asyncio.create_task(self._answer(question))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, question: AccessQuestion) -> None:
        until = asyncio.get_running_loop().time() + self._deadline_ms / 1000
        try:
            answer = await self._decide(question, until)
        except asyncio.CancelledError:  # the host ends; exceptions of plugins are caught in _ask()
            raise
        except BaseException as e:  # a fault of this code, or a question that is not text
            _log.error("a question could not be answered:\n%s", _describe(e))
            answer = AccessAnswer("unavailable", text="the question could not be answered")
        self._engine.answer(
            question.id, answer.ruling, answer.ttl_ms, answer.text, answer.max_rate, answer.guards
        )

    async def _decide(self, question: AccessQuestion, until: float) -> AccessAnswer:
        peer = Peer(
            question.session,
            question.remote,
            question.token,
            json.loads(question.claims or "{}"),
            question.action,
            question.headers,
            question.cookies,
        )
        caller = Caller(question.session, question.address)
        if question.action == "authenticate":
            return await self._authenticate(peer, caller, until)
        return await self._authorize(peer, question.topic, question.action, caller, until)

    async def _authorize(
        self, peer: Peer, topic: str, action: Action, caller: Caller, until: float
    ) -> AccessAnswer:
        """Asks all matching authorizers. All must allow; the shortest ttl and the lowest max_rate
        count. Of a pattern, each says what may be seen of its own topics."""
        is_part = action == "subscribe" and bool(_WILDCARDS & set(topic))
        ttls, rates = list[int](), list[float]()
        parts = list[tuple[str, tuple[str, ...] | None]]()
        reason = ""
        for guard in self.guards:
            if action not in guard.actions or not overlap(guard.pattern, topic):
                continue
            answer = await self._ask(guard, _permission, caller, until, peer, topic)
            if answer.ruling == "allow":
                ttls.append(answer.ttl_ms)
                rates.append(answer.max_rate)
                allowed = answer.only is None or any(overlap(each, topic) for each in answer.only)
                if not is_part and not allowed:
                    return AccessAnswer("deny", text=Deny().reason)
                parts.append((guard.pattern, answer.only))
            elif is_part and answer.ruling == "deny":
                parts.append((guard.pattern, ()))
                reason = reason or answer.text
            else:
                return answer
        return AccessAnswer(
            "allow",
            min(filter(None, ttls), default=0),
            reason,
            min(filter(None, rates), default=0.0),
            guards=tuple(parts) if is_part else (),
        )

    async def _authenticate(self, peer: Peer, caller: Caller, until: float) -> AccessAnswer:
        guard = self.authenticator
        if guard is None:
            return AccessAnswer("unavailable", text="no authenticator is loaded")
        return await self._ask(guard, _identity, caller, until, peer)

    async def _ask(
        self,
        guard: Guard,
        judge: Callable[[Any], AccessAnswer],
        caller: Caller,
        until: float,
        *args: Any,
    ) -> AccessAnswer:
        """Asks a guard and returns what `judge` makes of its decision. Any fault is logged, and
        makes the answer "unavailable"."""
        try:
            decision = await guard.calls.call(guard.function, caller, *args, until=until)
        except LateError:
            return self._fault(guard, "late", "no answer in time", self._late_text())
        except FullError as e:
            guard.faults.error(f"{guard.name} not asked", "%s not asked: %s", guard.name, e)
            return AccessAnswer("unavailable", text="too many questions wait; try again later")
        except RaisedError as e:
            return self._fault(guard, "raised", f"raised\n{_describe(e.error)}")
        try:
            return judge(decision)
        except _BadAnswerError as e:
            return self._fault(guard, "bad answer", f"answered {e}")
        except BaseException as e:  # the answer's own methods may raise anything
            what = f"answered {_shown(decision)}, which cannot be read: {_summary(e)}"
            return self._fault(guard, "bad answer", what)

    def _late_text(self) -> str:
        return f"no answer within {self._deadline_ms} ms"

    def _fault(self, guard: Guard, kind: str, what: str, told: str = "") -> AccessAnswer:
        """Logs and counts a fault of a guard, and returns the answer for it."""
        first, *rest = what.split("\n", 1)
        text = "\n".join([f"{guard.place}: {guard.name} {printable(first)}", *rest])
        guard.faults.error(f"{guard.name} {kind}", "%s", text)
        guard.failed()
        role = "authenticator" if guard is self.authenticator else "authorizer"
        return AccessAnswer("unavailable", text=told or f"the {role} failed")


class _BadAnswerError(Exception):
    """A guard returned an object of a type that no answer has."""

    def __init__(self, decision: object, expected: str) -> None:
        super().__init__(f"{_shown(decision)}, which is not {expected}")


def _permission(decision: Any) -> AccessAnswer:
    """Reads an authorizer's decision. A subclass of `Allow` may have skipped the checks of its
    values."""
    if isinstance(decision, Allow):
        ttl_ms = 0 if (ttl := decision.ttl) is None else math.floor(ttl_seconds(ttl) * 1000)
        return AccessAnswer(
            "allow",
            ttl_ms,
            max_rate=0.0 if (rate := decision.max_rate) is None else rate_number(rate),
            only=None if (only := decision.only) is None else only_patterns(only),
        )
    return _denial(decision, "Allow or Deny")


def _identity(decision: Any) -> AccessAnswer:
    """Reads the authenticator's decision."""
    if isinstance(decision, Mapping):
        try:
            return AccessAnswer("allow", text=_claims_text(decision))
        except BaseException as e:  # of the mapping's own methods, too
            raise ValueError(f"claims are not JSON: {_summary(e)}") from e
    return _denial(decision, "a mapping of claims or Deny")


def _denial(decision: Any, expected: str) -> AccessAnswer:
    if isinstance(decision, Deny):
        return AccessAnswer("deny", text=reason_text(decision.reason)[:REASON_CHARS_MAX])
    raise _BadAnswerError(decision, expected)


def _claims_text(claims: Mapping[str, Any]) -> str:
    """Returns the claims as JSON. Raises TypeError or ValueError."""
    text = json.dumps(dict(claims), allow_nan=False)
    if len(text) > CLAIMS_BYTES_MAX:
        raise ValueError(f"{len(text)} bytes, at most {CLAIMS_BYTES_MAX}")
    _check_keys(claims)
    return text


def _check_keys(value: object) -> None:
    """Raises TypeError for keys that are not strings, which JSON would turn into strings."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {_shown(key)} is not a string")
            _check_keys(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_keys(inner)


def _shown(value: object) -> str:
    """Returns a short text for any object."""
    try:
        return reprlib.repr(value)
    except BaseException:  # of its own methods
        return f"a {type(value).__name__}"


def _summary(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # of its own methods
        return type(error).__name__


def _describe(error: BaseException) -> str:
    """Returns the traceback. The text of an exception may contain what a client sent, so it is made
    one line."""
    parts = traceback.TracebackException.from_exception(error, compact=True).format()
    lines = []
    for part in parts:
        is_stack = part.startswith(("  File ", "Traceback ", "\n"))
        lines.append(part.rstrip("\n") if is_stack else printable(part.rstrip("\n")))
    return "\n".join(lines)
