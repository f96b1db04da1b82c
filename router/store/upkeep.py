"""Pulses of the routers, outages, and the sweep of reservations that ran out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from router.domain.visitstate import Outage
from router.store.database import Queries

# Any constant will do; it must only be the same in every router.
_HEALING = 0x63_74_68_65_61


async def newest_pulse(queries: Queries) -> datetime | None:
    """When a router last wrote that it lives."""
    newest: datetime | None = await queries.fetchval("upkeep.newest_pulse")
    return newest


async def pulse(queries: Queries, router: str, now: datetime) -> None:
    await queries.execute("upkeep.pulse", router=router, now=now)


async def one_at_a_time(queries: Queries) -> None:
    """Wait for other routers that look at an outage; held to the end of the transaction."""
    await queries.execute("upkeep.one_at_a_time", key=_HEALING)


async def prolong(queries: Queries, gap_started_at: datetime, now: datetime) -> int:
    """Write an outage down; returns how many reservations run on for as long as it lasted."""
    prolonged: int = await queries.fetchval(
        "upkeep.prolong", gap_started_at=gap_started_at, now=now
    )
    return prolonged


async def outages(queries: Queries, since: datetime) -> list[Outage]:
    """The outages that were not over at `since`."""
    rows = await queries.fetch("upkeep.outages", since=since)
    return [Outage(started_at=row["started_at"], ended_at=row["ended_at"]) for row in rows]


async def sweep(queries: Queries, now: datetime, most: int) -> int:
    """Free at most so many numbers whose reservation has run out; returns how many."""
    swept: int = await queries.fetchval("upkeep.sweep", now=now, most=most)
    return swept


async def silent(queries: Queries, now: datetime, most: int) -> int:
    """Look at so many numbers of whose holders nothing was heard: where they are lost, the index is told.
    Returns how many were looked at."""
    return len(await queries.fetch("upkeep.silent", now=now, most=most))


async def forget_pulses(queries: Queries, before: datetime) -> None:
    await queries.execute("upkeep.forget_pulses", before=before)


async def overlapping_reservations(queries: Queries) -> list[dict[str, Any]]:
    """Reservations that began before an earlier one of their number ended: an empty list."""
    return [dict(row) for row in await queries.fetch("upkeep.overlapping_reservations")]
