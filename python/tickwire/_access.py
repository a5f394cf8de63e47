"""Answers the questions of access with the plugins' authorizers and their authenticator."""

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tickwire._core import AccessQuestion, Engine, overlap
from tickwire._workers import WorkerPool
from tickwire.plugins import Action, Allow, Deny, Peer


@dataclass(frozen=True, slots=True)
class Guard:
    """One function that decides. `failed` is called when it raises or answers nonsense."""

    pattern: str
    actions: tuple[Action, ...]
    function: Callable[..., Any]
    log: logging.Logger
    failed: Callable[[], None]


class AccessDesk:
    """On the plugins' loop. Every question gets exactly one answer, by its deadline."""

    def __init__(self, engine: Engine) -> None:
        self.guards: list[Guard] = []
        self.authenticator: Guard | None = None
        self._engine = engine
        self._deadline_ms = engine.config.auth_deadline_ms
        self._threads = WorkerPool("authorizer")
        self.tasks: set[asyncio.Task[None]] = set()

    def take(self, question: AccessQuestion) -> None:
        task = asyncio.create_task(self._answer(question))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def end(self) -> None:
        self._threads.end()

    async def _answer(self, question: AccessQuestion) -> None:
        peer = Peer(
            question.session,
            question.remote,
            question.token,
            json.loads(question.claims or "{}"),
            question.action,
        )
        try:
            async with asyncio.timeout(self._deadline_ms / 1000):
                if question.action == "authenticate":
                    decision, text = await self._authenticate(peer)
                else:
                    decision, text = await self._authorize(peer, question.topic, question.action)
        except TimeoutError:
            decision, text = Deny(f"no answer within {self._deadline_ms} ms"), ""
        match decision:
            case Allow(ttl):
                # A ttl that is over already asks again at once, it does not mean for ever.
                ttl_ms = 0 if ttl is None else max(1, round(ttl * 1000))
                self._engine.answer(question.id, True, ttl_ms, text)
            case Deny(reason):
                self._engine.answer(question.id, False, 0, reason)

    async def _authorize(self, peer: Peer, topic: str, action: Action) -> tuple[Allow | Deny, str]:
        """All that match must allow; the shortest ttl counts."""
        ttls = []
        for guard in self.guards:
            if action in guard.actions and overlap(guard.pattern, topic):
                decision = await self._ask(guard, peer, topic)
                if not isinstance(decision, Allow):
                    return self._refusal(guard, decision), ""
                if decision.ttl is not None:
                    ttls.append(decision.ttl)
        return Allow(min(ttls, default=None)), ""

    async def _authenticate(self, peer: Peer) -> tuple[Allow | Deny, str]:
        guard = self.authenticator
        if guard is None:
            return Deny("no authenticator is loaded"), ""
        claims = await self._ask(guard, peer)
        if isinstance(claims, Mapping):
            try:
                return Allow(), json.dumps(dict(claims), ensure_ascii=False, allow_nan=False)
            except (TypeError, ValueError):
                guard.log.exception("the authenticator's claims are not JSON")
                guard.failed()
                return Deny("the authenticator failed"), ""
        return self._refusal(guard, claims), ""

    async def _ask(self, guard: Guard, *args: Any) -> Any:
        """What it says; when it raised, which is logged, a `Deny`."""
        try:
            if inspect.iscoroutinefunction(guard.function):
                return await guard.function(*args)
            return await self._threads.call(guard.function, *args)
        except asyncio.CancelledError:
            guard.log.error("%s: no answer in time", guard.function.__name__)
            guard.failed()
            raise
        except (Exception, SystemExit, KeyboardInterrupt):
            guard.log.exception("%s raised", guard.function.__name__)
            guard.failed()
            return Deny("the authorizer failed")

    def _refusal(self, guard: Guard, decision: Any) -> Deny:
        if isinstance(decision, Deny):
            return decision
        guard.log.error("%s answered %r", guard.function.__name__, decision)
        guard.failed()
        return Deny("the authorizer failed")
