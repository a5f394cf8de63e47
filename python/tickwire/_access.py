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
from tickwire._calls import Calls, FullError, LateError, RaisedError, Source
from tickwire._core import AccessQuestion, Engine, overlap
from tickwire._escape import printable
from tickwire._fault_log import FaultLog
from tickwire.plugins import Action, Allow, Deny, Peer

CLAIMS_BYTES_MAX: Final = 65_536
REASON_CHARS_MAX: Final = 1_000
"""A longer reason of a `Deny` is cut."""

_log: Final = logging.getLogger("tickwire.plugins")


@dataclass(frozen=True, slots=True)
class Guard:
    """One function that decides. `failed` is called for each answer that it owes."""

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
class Answer:
    ruling: Literal["allow", "deny", "unavailable"]
    ttl_ms: int = 0
    text: str = ""


class AccessDesk:
    """On the plugins' loop. Every question gets exactly one answer, by its deadline."""

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
        except Exception as e:  # ours, or what the question holds is no text
            _log.error("a question could not be answered:\n%s", _describe(e))
            answer = Answer("unavailable", text="the question could not be answered")
        self._engine.answer(question.id, answer.ruling, answer.ttl_ms, answer.text)

    async def _decide(self, question: AccessQuestion, until: float) -> Answer:
        peer = Peer(
            question.session,
            question.remote,
            question.token,
            json.loads(question.claims or "{}"),
            question.action,
        )
        source = Source(question.session, question.address)
        if question.action == "authenticate":
            return await self._authenticate(peer, source, until)
        return await self._authorize(peer, question.topic, question.action, source, until)

    async def _authorize(
        self, peer: Peer, topic: str, action: Action, source: Source, until: float
    ) -> Answer:
        """All that match must allow; the shortest ttl counts."""
        ttls = []
        for guard in self.guards:
            if action not in guard.actions or not overlap(guard.pattern, topic):
                continue
            decision = await self._ask(guard, source, until, peer, topic)
            if not isinstance(decision, Allow):
                return self._refusal(guard, decision, "Allow or Deny")
            if decision.ttl is not None:
                ttls.append(decision.ttl)
        ttl_ms = math.floor(min(ttls) * 1000) if ttls else 0
        return Answer("allow", ttl_ms)

    async def _authenticate(self, peer: Peer, source: Source, until: float) -> Answer:
        guard = self.authenticator
        if guard is None:
            return Answer("unavailable", text="no authenticator is loaded")
        claims = await self._ask(guard, source, until, peer)
        if not isinstance(claims, Mapping):
            return self._refusal(guard, claims, "a mapping of claims or Deny")
        try:
            return Answer("allow", text=_claims_text(claims))
        except Exception as e:  # whatever a mapping's own methods raise
            return self._fault(guard, "bad claims", f"claims are not JSON: {type(e).__name__}: {e}")

    async def _ask(self, guard: Guard, source: Source, until: float, *args: Any) -> Any:
        """What it returns, or the `Answer` "unavailable", which is logged."""
        try:
            return await guard.calls.call(guard.function, source, *args, until=until)
        except LateError:
            return self._fault(guard, "late", "no answer in time", self._late_text())
        except FullError as e:
            guard.faults.error(f"{guard.name} not asked", "%s not asked: %s", guard.name, e)
            return Answer("unavailable", text="too many questions wait; try again later")
        except RaisedError as e:
            return self._fault(guard, "raised", f"raised\n{_describe(e.error)}")

    def _late_text(self) -> str:
        return f"no answer within {self._deadline_ms} ms"

    def _refusal(self, guard: Guard, decision: Any, expected: str) -> Answer:
        if isinstance(decision, Answer):
            return decision
        if isinstance(decision, Deny):
            # Half a surrogate pair is no text on the wire.
            reason = decision.reason[:REASON_CHARS_MAX].encode(errors="replace").decode()
            return Answer("deny", text=reason)
        return self._fault(
            guard, "bad answer", f"answered {_shown(decision)}, which is not {expected}"
        )

    def _fault(self, guard: Guard, kind: str, what: str, told: str = "") -> Answer:
        """Logged with the function's place and counted."""
        first, *rest = what.split("\n", 1)
        text = "\n".join([f"{guard.place}: {guard.name} {printable(first)}", *rest])
        guard.faults.error(f"{guard.name} {kind}", "%s", text)
        guard.failed()
        role = "authenticator" if guard is self.authenticator else "authorizer"
        return Answer("unavailable", text=told or f"the {role} failed")


def _claims_text(claims: Mapping[str, Any]) -> str:
    """As JSON. TypeError, ValueError."""
    text = json.dumps(dict(claims), allow_nan=False)
    if len(text) > CLAIMS_BYTES_MAX:
        raise ValueError(f"{len(text)} bytes, at most {CLAIMS_BYTES_MAX}")
    _check_keys(claims)
    return text


def _check_keys(value: object) -> None:
    """JSON would make texts of numbers and None."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {_shown(key)} is not a string")
            _check_keys(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_keys(inner)


def _shown(value: object) -> str:
    """Short, whatever it is."""
    try:
        return reprlib.repr(value)
    except Exception:
        return f"a {type(value).__name__}"


def _describe(error: BaseException) -> str:
    """Its traceback. The texts of exceptions may hold what a client sent, so each is one line."""
    parts = traceback.TracebackException.from_exception(error, compact=True).format()
    lines = []
    for part in parts:
        is_stack = part.startswith(("  File ", "Traceback ", "\n"))
        lines.append(part.rstrip("\n") if is_stack else printable(part.rstrip("\n")))
    return "\n".join(lines)
