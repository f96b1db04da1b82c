"""What became of numbers, written straight into the database: shows and calls of weeks gone by."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from router.store.database import Database


async def shown(
    database: Database,
    number: str,
    began: datetime,
    ended: datetime,
    *,
    page_until: datetime | None = None,
) -> None:
    """A visitor had the number; his page spoke until `page_until`, else until the reservation ended."""
    await database._pool.execute(
        """
        WITH number AS (SELECT number.*, pool.site_id FROM number JOIN pool ON pool.id = pool_id WHERE e164 = $1),
        session AS (
            INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at,
                                 landing_url, referrer, source, medium, campaign, term, content, click_ids, shown,
                                 number_id)
            SELECT 1, site_id, $2, $2, 1, $3, $5, $5, '', '', '', '', '', '', '', '{}', e164, id FROM number
            RETURNING id
        ), reservation AS (
            INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at, ended_at, end_reason)
            SELECT 1, number.id, session.id, pool_id, $3, $4, 'expired' FROM number, session
            RETURNING id
        )
        UPDATE number SET released_at = greatest(released_at, $4), reserved_until = $4,
                          reservation_id = (SELECT id FROM reservation)
        WHERE e164 = $1
        """,
        number,
        uuid4(),
        began,
        ended,
        page_until or ended,
    )


async def rang(
    database: Database, number: str, *times: datetime, caller: str = "+79161234567"
) -> None:
    """Calls to the number."""
    for at in times:
        await database._pool.execute(
            """
            INSERT INTO call (organisation_id, ref, linkedid, number_id, did, caller, trunk, arrived_at, state,
                              created_at)
            SELECT 1, $2, $2, id, e164, $3, 'carrier1', $4, 'ended', $4 FROM number WHERE e164 = $1
            """,
            number,
            uuid4().hex,
            caller,
            at,
        )


async def grown(database: Database, at: datetime, *numbers: str) -> None:
    """These numbers came from the shared pool."""
    await database._pool.execute(
        "UPDATE number SET grown_at = $1, standing_since = $1, created_at = $1 WHERE e164 = ANY ($2)",
        at,
        list(numbers),
    )


async def standing(database: Database, number: str) -> tuple[str, int | None]:
    """Where it stands, and its pool."""
    row = await database._pool.fetchrow(
        "SELECT standing, pool_id FROM number WHERE e164 = $1", number
    )
    return row["standing"], row["pool_id"]


def days(n: float) -> timedelta:
    return timedelta(days=n)
