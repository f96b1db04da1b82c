"""What the first run asks of the database: the demo site's newest visitor, and whether all is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A number on a visitor's page, and where the visitor came from."""

    e164: str
    session: UUID
    source: str
    medium: str
    campaign: str


async def newest_shown(queries: Queries, site_key: str, now: datetime) -> Shown | None:
    """The newest visitor of the site who holds a number, None where nobody does."""
    row = await queries.fetchrow("firstrun.newest_shown", site_key=site_key, now=now)
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
