"""What the first run asks of the database: the demo site's newest visitor, and whether all is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from router.store.database import Queries

LATELY = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A number on a visitor's page, and where the visitor came from."""

    e164: str
    session: UUID
    source: str
    medium: str
    campaign: str


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A visit that began: where from, and what its page shows."""

    id: int
    session: UUID
    source: str
    medium: str
    campaign: str
    shown: str
    overflow: bool


async def newest_visit(queries: Queries) -> int:
    """Id of the newest visit, 0 where there was none."""
    newest: int = await queries.fetchval("firstrun.newest_visit")
    return newest


async def visits_after(queries: Queries, visit_id: int) -> list[Visit]:
    """The visits that began after the one given, oldest first, 50 at most."""
    rows = await queries.fetch("firstrun.visits_after", id=visit_id)
    return [
        Visit(
            id=row["id"],
            session=row["key"],
            source=row["source"],
            medium=row["medium"],
            campaign=row["campaign"],
            shown=row["shown"],
            overflow=row["overflow"],
        )
        for row in rows
    ]


async def newest_shown(queries: Queries, site_key: str, now: datetime) -> Shown | None:
    """The newest visitor of the site who holds a number and was there lately, None where nobody does.

    A tail that began long ago will do for a caller, yet it is no fair demonstration: whoever left that
    quickly, and that long ago, hardly calls, and the attribution says so.
    """
    row = await queries.fetchrow(
        "firstrun.newest_shown", site_key=site_key, now=now, since=now - LATELY
    )
    if row is None:
        return None
    return Shown(
        e164=row["e164"],
        session=row["key"],
        source=row["source"],
        medium=row["medium"],
        campaign=row["campaign"],
    )


async def move_site(queries: Queries, site_key: str, origins: Sequence[str]) -> bool:
    """Give the site other origins; False if it has these already or does not exist."""
    moved = await queries.fetchval("firstrun.move_site", site_key=site_key, origins=list(origins))
    return moved is not None


async def overlapping_reservations(queries: Queries) -> int:
    """How many reservations of the last 30 days overlap another one of their number."""
    count: int = await queries.fetchval("firstrun.overlapping_reservations")
    return count
