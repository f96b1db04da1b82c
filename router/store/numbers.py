"""Numbers that can be handed out."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from router.domain.allocation import Candidate
from router.domain.model import PoolId
from router.store.database import Queries


async def free(queries: Queries, wanted: Mapping[PoolId, int]) -> dict[PoolId, list[Candidate]]:
    """So many free numbers of each pool, longest idle first; fewer where there are no more.

    A number whose reservation has run out and that was not swept yet is not among them: see `taken`.
    """
    found: dict[PoolId, list[Candidate]] = {pool: [] for pool in wanted}
    rows = await queries.fetch("numbers.free", pool_ids=list(wanted), limits=list(wanted.values()))
    for row in rows:
        found[row["pool_id"]].append(candidate(row))
    return found


async def taken(queries: Queries, pool_id: PoolId, most: int) -> list[Candidate]:
    """The held numbers of a pool whose reservations end first, or ended already.

    Reads all held numbers of the pool: nothing that a heartbeat writes is indexed.
    """
    rows = await queries.fetch("numbers.taken", pool_id=pool_id, most=most)
    return [candidate(row) for row in rows]


def candidate(row: asyncpg.Record) -> Candidate:
    """From the columns of a number, and `newest_holder`."""
    return Candidate(
        number_id=row["id"],
        e164=row["e164"],
        version=row["version"],
        holder=row["holder_id"],
        newest_holder=row["newest_holder"],
        reserved_until=row["reserved_until"],
    )
