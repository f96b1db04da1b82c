"""What became of one number: who held it, who called it, what was done to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from router.domain.model import NumberId, OrganisationId
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class NumberFacts:
    """`target` is where its calls go: its own, its pool's or its site's. `shows`: how often it was handed out."""

    id: NumberId
    e164: str
    standing: str
    withdrawn_at: datetime | None
    created_at: datetime
    pool: str | None
    site: str | None
    trunk: str | None
    target: str | None
    carrier: str | None
    region: str | None
    rate_centre: str | None
    block: str | None
    monthly_cost: Decimal | None
    currency: str | None
    held: bool
    reserved_until: datetime
    moves_to: str | None
    leaves_at: datetime | None
    shows: int
    calls: int


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What retention has deleted of the session is None."""

    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    pool: str | None
    session: UUID | None
    visitor: UUID | None
    source: str | None
    medium: str | None
    campaign: str | None
    channel: str | None
    region: str | None


@dataclass(frozen=True, kw_only=True)
class CallOfNumber:
    ref: str
    arrived_at: datetime
    caller: str
    outcome: str | None
    level: str | None
    confidence: float | None
    source: str | None
    medium: str | None
    campaign: str | None


@dataclass(frozen=True, kw_only=True)
class NumberChange:
    """`what`: the number as it was written from then on, ``withdrawn``, or a change of its standing."""

    at: datetime
    what: str
    pool: str | None
    why: str
    actor: str


async def number(
    queries: Queries, organisation_id: OrganisationId, e164: str
) -> NumberFacts | None:
    row = await queries.fetchrow("histories.number", organisation_id=organisation_id, e164=e164)
    return None if row is None else NumberFacts(**row)


async def holdings(queries: Queries, number_id: NumberId, most: int) -> list[Holding]:
    rows = await queries.fetch("histories.holdings", number_id=number_id, most=most)
    return [Holding(**row) for row in rows]


async def calls(queries: Queries, number_id: NumberId, most: int) -> list[CallOfNumber]:
    rows = await queries.fetch("histories.calls", number_id=number_id, most=most)
    return [CallOfNumber(**row) for row in rows]


async def changes(queries: Queries, number_id: NumberId, most: int) -> list[NumberChange]:
    rows = await queries.fetch("histories.changes", number_id=number_id, most=most)
    return [NumberChange(**row) for row in rows]
