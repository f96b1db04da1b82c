"""The record of a call, brought up to date with what was said of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from router.domain import phone
from router.domain.callflow import CallFacts, fold
from router.domain.model import CallState, OrganisationId
from router.services.attributing import Attributor, Question
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.store import calls as store
from router.store.calls import CallRow, Folded, Place, Told
from router.store.database import Queries

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A call as it was, what its `events` say of it now, and its attribution in force."""

    row: CallRow
    before: CallState
    facts: CallFacts
    events: int
    organisation_id: OrganisationId | None
    method: str | None
    level: str | None
    confidence: float | None


class Recorder:
    """Writes what events mean; tells it once it is committed. `decided` knows of calls whose decision is on its
    way into the database: it is what the company was told."""

    def __init__(
        self,
        attributor: Attributor,
        live: Live,
        metrics: CallMetrics,
        decided: Callable[[str], bool],
    ) -> None:
        self._decided = decided
        self._attributor = attributor
        self._live = live
        self._metrics = metrics

    async def bring_up_to_date(
        self, queries: Queries, calls: Sequence[Told], now: datetime, place: Place | None = None
    ) -> list[Change]:
        """Fold each call's events and write the outcome; `place` moves in the last commit of it."""
        changes = []
        for call in calls:
            facts = _folded(call)
            if facts is None:
                continue
            row = call.row or await self._created(queries, facts, now)
            if row is not None:
                changes.append(await self._credited(queries, row, facts, len(call.events), now))
        written = await store.update(
            queries,
            [Folded(id=one.row.id, facts=one.facts, events=one.events) for one in changes],
            place,
        )
        told, behind = [], []
        for change in changes:
            # None: somebody who knows more has written it meanwhile
            if (found := written.get(change.row.id)) is not None:
                before, said = found
                told.append(replace(change, before=before))
                behind += [change.row.linkedid] if said > change.events else []
        if behind:
            # another router stored more of it in between
            told += await self.bring_up_to_date(queries, await store.told(queries, behind), now)
        return told

    async def _created(self, queries: Queries, facts: CallFacts, now: datetime) -> CallRow | None:
        """The row of a call that nobody was asked about.

        Before the router was asked, or gave its answer, there is nothing to create: it writes the row.
        """
        past_the_router = facts.route_source is not None or facts.state == "ended"
        if not facts.arrived or not past_the_router or facts.arrived_at is None:
            return None
        question = _question(facts)
        await store.create(
            queries,
            ref=secrets.token_urlsafe(16),
            facts=facts,
            did=question.likeliest,
            caller=question.caller,
            arrived_at=facts.arrived_at,
            now=now,
        )
        return (await store.told(queries, [facts.linkedid]))[0].row

    async def _credited(
        self, queries: Queries, row: CallRow, facts: CallFacts, events: int, now: datetime
    ) -> Change:
        """What is going to be written of a call, which is credited now if nobody did so before."""
        method, level, confidence = row.method, row.level, row.confidence
        organisation_id = row.organisation_id
        if (
            row.attribution_id is None
            and facts.arrived
            and facts.arrived_at is not None
            # after its end nothing would be heard of the call that could still credit it
            and (facts.state == "ended" or not self._decided(row.linkedid))
        ):
            credit = await self._attributor.late(
                queries, row.id, _question(facts), facts.arrived_at, now
            )
            if credit is not None:
                found = credit.attribution
                method, level, confidence = found.method, found.level, found.confidence
                organisation_id = credit.found.organisation_id
        return Change(
            row=row,
            before=row.state,
            facts=facts,
            events=events,
            organisation_id=organisation_id,
            method=method,
            level=level,
            confidence=confidence,
        )

    def tell(self, change: Change) -> None:
        """To the live feed; and at a call's end its one line in the log, and the metrics."""
        row, facts = change.row, change.facts
        self._live.publish(
            row.ref,
            {
                "state": facts.state,
                "outcome": facts.outcome,
                "target": facts.target,
                "organisation_id": change.organisation_id,
            },
        )
        if facts.state != "ended" or change.before == "ended":
            return
        self._metrics.calls.labels(row.site or "", facts.outcome or "").inc()
        self._metrics.routes.labels(facts.route_source or "none").inc()
        if facts.ringing_at and facts.arrived_at:
            self._metrics.setup.observe((facts.ringing_at - facts.arrived_at).total_seconds())
        log.info(
            "call",
            linkedid=row.linkedid,
            ref=row.ref,
            sip_call_id=facts.sip_call_id,
            did=row.did,
            caller=row.caller,
            trunk=row.trunk,
            site=row.site,
            method=change.method,
            # `level` is the log's own word
            attributed_to=change.level,
            confidence=round(change.confidence, 4) if change.confidence is not None else None,
            outcome=facts.outcome,
            route=facts.route_source,
            target=facts.target,
            ring_ms=facts.ring_ms,
            talk_ms=facts.talk_ms,
            setup_ms=_setup_ms(facts),
            hung_up_by=facts.hung_up_by,
            cause=facts.hangup_cause,
        )


def _folded(call: Told) -> CallFacts | None:
    """None, and a line in the log, for events that cannot be folded: one bad call never stops the rest."""
    try:
        return fold(call.events)
    except (ValueError, ArithmeticError, LookupError):
        log.exception("call not folded", linkedid=call.linkedid)
        return None


def _question(facts: CallFacts) -> Question:
    return Question(
        did=facts.did,
        raw_did=facts.raw_did,
        caller=phone.caller(facts.caller),
        trunk=facts.trunk,
        linkedid=facts.linkedid,
    )


def _setup_ms(facts: CallFacts) -> int | None:
    """From the call's arrival to its first leg."""
    if facts.arrived_at is None or facts.dialled_at is None:
        return None
    return round((facts.dialled_at - facts.arrived_at).total_seconds() * 1000)
