"""Calls that arrive together: one look-up and one commit for all of them, each its own decision."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from router.domain import phone, routing
from router.domain.model import Arrival, Route, Target
from router.services.attributing import Attributor, Credit, Question
from router.services.batching import Waiting
from router.services.clocks import Clocks
from router.services.live import Live
from router.services.upkeep import Upkeep
from router.store import calls as store
from router.store import decisions
from router.store.arrivals import Dialled
from router.store.database import Database, Queries
from router.store.decisions import Arrived

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
        )


class Desk:
    """Serves batches of calls: the answer of each follows the commit of all."""

    def __init__(
        self,
        database: Database,
        attributor: Attributor,
        live: Live,
        upkeep: Upkeep,
        clocks: Clocks,
    ) -> None:
        self._database = database
        self._attributor = attributor
        self._live = live
        self._upkeep = upkeep
        self._clocks = clocks

    async def serve(self, batch: Sequence[Waiting[Announced, Route]]) -> None:
        """Look up, decide, write, answer."""
        async with self._database.connection() as queries:
            asked = [(waiting.question.question, waiting.question.at) for waiting in batch]
            looked = await self._attributor.look(queries, asked)
            decided = []
            for waiting, (question, _), found in zip(batch, asked, looked, strict=True):
                try:
                    decided.append((waiting, *self._decided(waiting.question, question, found)))
                except Exception as error:  # noqa: BLE001 - the one who asked is told
                    waiting.fail(error)
            if not decided:
                return
            made = await decisions.arrive(queries, [call for _, call, _ in decided])
            for waiting, call, credit in decided:
                ref = call.ref
                if ref in made:
                    self._attributor.count(credit)
                else:
                    ref = await self._known(queries, call, credit) or ref
                waiting.answer(self._route(ref, waiting.question.arrival, call))
                self._live.publish(
                    ref, {"state": "arrived", "organisation_id": call.found.organisation_id}
                )
                self._attributor.wish_to_settle(call.found, call.now)

    def _decided(
        self, announced: Announced, question: Question, found: Dialled
    ) -> tuple[Arrived, Credit]:
        arrival, now = announced.arrival, announced.at
        credit = self._attributor.credit(question, found, now, self._upkeep.gap(now))
        plan = routing.plan(found.targets, found.tracking)
        for problem in plan.refused:
            log.warning("target refused", linkedid=arrival.linkedid, problem=problem)
        call = Arrived(
            ref=secrets.token_urlsafe(16),
            linkedid=arrival.linkedid,
            found=found,
            did=credit.did,
            caller=question.caller,
            trunk=arrival.trunk,
            arrived_at=now + self._clocks.asterisk,
            target=plan.target,
            target_text=address(plan.target),
            attribution=credit.attribution,
            shares=credit.shares,
            now=now,
        )
        return call, credit

    async def _known(self, queries: Queries, call: Arrived, credit: Credit) -> str | None:
        """The ref of a call on record already: Asterisk asked twice, or its events came first."""
        known = await store.known(queries, call.linkedid)
        if known is None:
            return None
        call_id, ref, attribution_id = known
        if attribution_id is None:
            await self._attributor.write(queries, call_id, credit, call.now)
        return ref

    def _route(self, ref: str, arrival: Arrival, call: Arrived) -> Route:
        attribution = call.attribution
        foreign = attribution.method == "unknown_number" and routing.certainly_foreign(
            arrival.did, arrival.raw_did
        )
        return Route(
            ref=ref,
            targets=(call.target,) if call.target else (),
            code=NOT_OURS if foreign else None,
            name=routing.caller_name(attribution),
            tags=routing.tags(attribution),
            record=call.found.record if call.found.record is not None else True,
        )


def address(target: Target | None) -> str | None:
    """A target as the dialplan and its facts name it."""
    if target is None:
        return None
    return f"PJSIP/{target.endpoint}" if target.endpoint else f"PJSIP/{target.e164}@{target.trunk}"
