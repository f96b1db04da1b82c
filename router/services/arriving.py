"""Calls that arrive together: one commit and, beside it, one look-up for all of them, each its own decision.

A call's row is written while what decides the call is looked up, so that its answer waits for the longer
of the two and not for both. What was decided is written after the answer (crediting.py).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from router.domain import phone, routing
from router.domain.model import Arrival, Route, Target
from router.domain.routing import Plan
from router.services.attributing import Attributor, Credit, Question
from router.services.batching import Waiting
from router.services.clocks import Clocks
from router.services.crediting import Answered, Crediting
from router.services.upkeep import Upkeep
from router.store import calls as store
from router.store import decisions
from router.store.arrivals import Dialled
from router.store.database import Database
from router.store.decisions import Decided, Noted

log = structlog.get_logger(__name__)

NOT_OURS = 404


@dataclass(frozen=True, kw_only=True, slots=True)
class Announced:
    """A call that waits for its route since `at`, a moment of our clock."""

    arrival: Arrival
    at: datetime

    @property
    def question(self) -> Question:
        arrival = self.arrival
        return Question(
            did=arrival.did,
            raw_did=arrival.raw_did,
            caller=phone.caller(arrival.caller),
            trunk=arrival.trunk,
            linkedid=arrival.linkedid,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """One of a batch, with the row it is written down as."""

    waiting: Waiting[Announced, Route]
    question: Question
    noted: Noted


class Desk:
    """Serves batches of calls: the answer of each follows the commit of all."""

    def __init__(
        self,
        database: Database,
        attributor: Attributor,
        crediting: Crediting,
        upkeep: Upkeep,
        clocks: Clocks,
    ) -> None:
        self._database = database
        self._attributor = attributor
        self._crediting = crediting
        self._upkeep = upkeep
        self._clocks = clocks

    async def serve(self, batch: Sequence[Waiting[Announced, Route]]) -> None:
        """Write down, look up, decide, answer."""
        asked = [self._asked(waiting) for waiting in batch]
        deciding = asyncio.ensure_future(self._decided(asked))
        try:
            # begun first, since a commit takes longer than a look-up
            made = await decisions.note(self._database.kept, [one.noted for one in asked])
            decided = await deciding
        except BaseException:
            deciding.cancel()
            await asyncio.gather(deciding, return_exceptions=True)
            raise
        for one, answered, route in decided:
            if one.noted.ref not in made:
                ref = await self._known(one.noted)
                answered, route = replace(answered, ref=ref), replace(route, ref=ref)
            one.waiting.answer(route)
            self._crediting.add(answered)

    def _asked(self, waiting: Waiting[Announced, Route]) -> _Asked:
        announced = waiting.question
        question = announced.question
        noted = Noted(
            ref=secrets.token_urlsafe(16),
            linkedid=question.linkedid,
            did=question.likeliest,
            caller=question.caller,
            trunk=question.trunk,
            arrived_at=announced.at + self._clocks.asterisk,
            now=announced.at,
        )
        return _Asked(waiting=waiting, question=question, noted=noted)

    async def _decided(self, asked: Sequence[_Asked]) -> list[tuple[_Asked, Answered, Route]]:
        looked = await self._attributor.look(
            self._database.kept, [(one.question, one.noted.now) for one in asked]
        )
        decided = []
        for one, found in zip(asked, looked, strict=True):
            try:
                decided.append((one, *self._decision(one, found)))
            except Exception as error:  # noqa: BLE001 - the one who asked is told
                one.waiting.fail(error)
        return decided

    def _decision(self, one: _Asked, found: Dialled) -> tuple[Answered, Route]:
        """Everything that the answer is made of: while the row is being committed there is time for it."""
        now = one.noted.now
        credit = self._attributor.credit(one.question, found, now, self._upkeep.gap(now))
        plan = routing.plan(found.targets, found.tracking)
        for problem in plan.refused:
            log.warning("target refused", linkedid=one.noted.linkedid, problem=problem)
        decided = Decided(
            linkedid=one.noted.linkedid,
            found=found,
            did=credit.did,
            target=plan.target,
            target_text=address(plan.target),
            attribution=credit.attribution,
            shares=credit.shares,
            now=now,
        )
        answered = Answered(ref=one.noted.ref, credit=credit, decided=decided)
        return answered, self._route(one, credit, plan)

    async def _known(self, noted: Noted) -> str:
        """The ref of a call on record already: Asterisk asked twice, or its events came first."""
        known = await store.known(self._database.kept, noted.linkedid)
        return known if known is not None else noted.ref

    def _route(self, one: _Asked, credit: Credit, plan: Plan) -> Route:
        attribution = credit.attribution
        arrival = one.waiting.question.arrival
        foreign = attribution.method == "unknown_number" and routing.certainly_foreign(
            arrival.did, arrival.raw_did
        )
        record = credit.found.record
        return Route(
            ref=one.noted.ref,
            targets=(plan.target,) if plan.target else (),
            code=NOT_OURS if foreign else None,
            name=routing.caller_name(attribution),
            tags=routing.tags(attribution),
            record=record if record is not None else True,
        )


def address(target: Target | None) -> str | None:
    """A target as the dialplan and its facts name it."""
    if target is None:
        return None
    return f"PJSIP/{target.endpoint}" if target.endpoint else f"PJSIP/{target.e164}@{target.trunk}"
