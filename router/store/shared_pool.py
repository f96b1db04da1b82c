"""The organisation's shared pool: numbers that sites get and give back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.domain.model import NumberId, PoolId
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """A number that a pool was given; `version` is its row's, for whoever hands it out next."""

    number_id: NumberId
    e164: str
    version: int


async def grow(
    queries: Queries, pool_id: PoolId, now: datetime, *, actor: str, why: str
) -> Grown | None:
    """Give the pool one number, with its log and audit entry, in one statement. None: there is none."""
    row = await queries.fetchrow("shared_pool.grow", pool_id=pool_id, now=now, actor=actor, why=why)
    if row is None:
        return None
    return Grown(number_id=NumberId(row["id"]), e164=row["e164"], version=row["version"])
