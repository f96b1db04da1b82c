"""Numbers that go to another pool, or out of use, at once or when nobody holds them any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.model import NumberId, OrganisationId, PoolId, Standing
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True, slots=True)
class Movable:
    """A number as moving it needs it. `held`: a reservation of it is in force."""

    id: NumberId
    e164: str
    carrier: str | None
    region: str | None
    standing: Standing
    withdrawn_at: datetime | None
    pool_id: PoolId | None
    pool: str | None
    moves_to: PoolId | None
    leaves_at: datetime | None
    held: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A number that nobody holds any more: it goes to the pool `moves_to`, or out of use."""

    id: NumberId
    organisation_id: OrganisationId
    e164: str
    standing: Standing
    moves_to: PoolId | None
    leaves_at: datetime | None


async def find(
    queries: Queries, organisation_id: OrganisationId, e164s: Sequence[str], now: datetime
) -> dict[str, Movable]:
    """The organisation's numbers among these, withdrawn ones too; locked to the end of the transaction."""
    rows = await queries.fetch(
        "moves.find", organisation_id=organisation_id, e164s=list(e164s), now=now
    )
    return {row["e164"]: Movable(**row) for row in rows}


async def put(
    queries: Queries, number_ids: Sequence[NumberId], pool_id: PoolId, now: datetime
) -> None:
    await queries.execute("moves.put", number_ids=list(number_ids), pool_id=pool_id, now=now)


async def await_end(
    queries: Queries,
    number_ids: Sequence[NumberId],
    *,
    moves_to: PoolId | None = None,
    leaves_at: datetime | None = None,
) -> None:
    await queries.execute(
        "moves.await_end", number_ids=list(number_ids), moves_to=moves_to, leaves_at=leaves_at
    )


async def waiting(queries: Queries, now: datetime, most: int) -> list[Due]:
    """What is due; locked to the end of the transaction."""
    return [Due(**row) for row in await queries.fetch("moves.waiting", now=now, most=most)]


async def forget_wait(queries: Queries, number_ids: Sequence[NumberId]) -> None:
    await queries.execute("moves.forget_wait", number_ids=list(number_ids))
