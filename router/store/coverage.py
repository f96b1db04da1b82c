"""Recorded visits as the replay of coverage wants them, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from router.domain.model import Goal, OrganisationId, Pool, PoolId, SessionTimes
from router.domain.sizing import Coverage
from router.store.database import Queries
from router.store.sites import pool_from


class Visited(NamedTuple):
    """`day` counts days of the site's time zone; `counted_until` is set where the visit came back after
    its reservation in an endless pool had ended."""

    id: int
    pool_id: PoolId | None
    times: SessionTimes
    counted_until: datetime | None
    found_free: bool | None
    day: int


@dataclass(frozen=True, kw_only=True)
class Reckoned:
    """One pool's coverage over the visits from `since` to `reckoned_at`, on `days` days with visits.

    `coverage` is that of the replay with the pool's present `numbers`; `found_free`, how many of the visits
    really got a free number, with the numbers and the policy of their time.
    """

    pool: str
    site: str
    goal: Goal
    aim: float
    reckoned_at: datetime
    since: datetime
    days: int
    numbers: int
    coverage: Coverage
    found_free: int


async def newest(queries: Queries) -> datetime | None:
    """When coverage was last reckoned, by whatever router."""
    found: datetime | None = await queries.fetchval("coverage.newest")
    return found


async def pools(queries: Queries) -> list[tuple[Pool, int]]:
    """Each dynamic pool whose numbers visitors hold, and how many it has."""
    return [(pool_from(row), row["numbers"]) for row in await queries.fetch("coverage.pools")]


async def visits(queries: Queries, before: int, most: int) -> list[Visited]:
    """At most so many sessions with a smaller id than `before`, newest first."""
    return [
        Visited(
            id=row["id"],
            pool_id=row["pool_id"],
            times=SessionTimes(
                started_at=row["started_at"],
                seen_at=row["seen_at"],
                input_at=row["input_at"],
                gone_at=row["gone_at"],
                gone_kind=row["gone_kind"],
                tapped_at=row["tapped_at"],
                device=None,
            ),
            counted_until=row["counted_until"],
            found_free=row["found_free"],
            day=row["day"],
        )
        for row in await queries.fetch("coverage.visits", before=before, most=most)
    ]


async def put(
    queries: Queries,
    pool_id: PoolId,
    coverage: Coverage,
    *,
    reckoned_at: datetime,
    since: datetime,
    days: int,
    numbers: int,
    found_free: int,
) -> None:
    await queries.execute(
        "coverage.put",
        pool_id=pool_id,
        reckoned_at=reckoned_at,
        since=since,
        days=days,
        numbers=numbers,
        visits=coverage.visits,
        covered=coverage.covered,
        error=coverage.error,
        found_free=found_free,
    )


async def latest(queries: Queries, organisation_id: OrganisationId) -> Sequence[Reckoned]:
    """The newest reckoning of each pool that has one."""
    rows = await queries.fetch("coverage.latest", organisation_id=organisation_id)
    return [
        Reckoned(
            pool=row["pool"],
            site=row["site"],
            goal=row["goal"],
            aim=row["aim"],
            reckoned_at=row["reckoned_at"],
            since=row["since"],
            days=row["days"],
            numbers=row["numbers"],
            coverage=Coverage(visits=row["visits"], covered=row["covered"], error=row["error"]),
            found_free=row["found_free"],
        )
        for row in rows
    ]
