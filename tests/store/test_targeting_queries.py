"""Trials and touches go by index: a page of either costs the same however many sessions there are."""

from __future__ import annotations

from datetime import datetime

from router.domain.model import SiteId
from router.store import rehearsal
from router.store.database import Database
from tests.company import APool, set_up
from tests.store.plans import Plan, plan


async def seed(database: Database, now: datetime) -> None:
    """Sessions of two sites in turn."""
    await set_up(database, now, APool(numbers=(1,)))
    await database._pool.execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) SELECT organisation_id, 'second-1', 'second', origins, "
        "region, time_zone, default_number, page_numbers, target_id, created_at FROM site"
    )
    await database._pool.execute(
        """
        INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at,
                             input_at, landing_url, referrer, source, medium, campaign, term, content,
                             click_ids, shown)
        SELECT 1, 1 + n % 2, gen_random_uuid(), gen_random_uuid(), 1, $1::timestamptz + n * interval '1 s',
               $1, $1, '', '', 'a', 'b', '', '', '', '{}', ''
        FROM generate_series(1, 3000) AS n
        """,
        now,
    )
    await database._pool.execute("ANALYZE")


async def test_a_page_of_past_sessions(database: Database, now: datetime) -> None:
    """Read backwards by the sessions' ids, and each one's reservation by its own index."""
    await seed(database, now)
    found = await plan(database, "rehearsal.past", site_id=1, before=2000, most=100)

    assert found == Plan(
        frozenset({"session_pkey", "reservation_of_session", "number_pkey"}), frozenset()
    )


async def test_pages_follow_each_other_to_the_end(database: Database, now: datetime) -> None:
    """Every session of the site once, the newest first; of other sites only the place."""
    await seed(database, now)
    seen: list[datetime] = []
    before: int | None = rehearsal.NEWEST
    pages = 0
    while before is not None:
        page = await rehearsal.past(database, SiteId(1), before, 700)
        seen += [session.started_at for session in page.sessions]
        before, pages = page.before, pages + 1

    assert (len(seen), pages) == (1500, 5)
    assert seen == sorted(seen, reverse=True)


async def test_touches_of_a_visitor(database: Database, now: datetime) -> None:
    """By the visitor's sessions, and theirs."""
    await seed(database, now)
    found = await plan(database, "touches.of_visitor", session_id=5, until=now, most=50)

    assert found == Plan(
        frozenset({"session_pkey", "session_ordinal_once", "touch_of_session"}), frozenset()
    )
