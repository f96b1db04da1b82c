"""How well a pool covers its visits; on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from router.domain.errors import FieldError
from router.services.coverage import Coverages
from router.services.visits import Visits
from router.store.database import Database
from tests.company import APool, set_up
from tests.services.conftest import Browser, Clock

MINUTE = timedelta(minutes=1)


async def visited(
    database: Database,
    pool: int,
    starts: Sequence[datetime],
    *,
    lasts: timedelta = MINUTE,
    counted_until: datetime | None = None,
    found_free: bool = True,
) -> None:
    """Visits that were closed after a while; the pool's classic 15 minutes follow."""
    await database._pool.executemany(
        "INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, "
        "input_at, gone_at, gone_kind, landing_url, referrer, source, medium, campaign, term, content, "
        "click_ids, shown, pool_id, counted_until, found_free) "
        "VALUES (1, 1, $1, $2, 1, $3, $4, $4, $4, 'close', '', '', '', '', '', '', '', '{}', '', $5, $6, $7)",
        [
            (uuid4(), uuid4(), start, start + lasts, pool, counted_until, found_free)
            for start in starts
        ],
    )


async def test_visits_are_replayed_through_the_numbers_the_pool_has(
    database: Database, now: datetime
) -> None:
    pools = await set_up(database, now, APool(numbers=(1, 2)))
    # three at a time, on two days: two numbers are enough for two of them
    for day in (3, 2):
        start = now - timedelta(days=day)
        await visited(database, pools["visitors"], [start, start + MINUTE, start + 2 * MINUTE])
    assert await Coverages(database).reckon(now) == 1
    (found,) = await Coverages(database).latest(None)

    assert (found.pool, found.site, found.numbers, found.days) == ("visitors", "shop", 2, 2)
    assert (found.coverage.visits, found.coverage.covered) == (6, 4)
    assert found.coverage.error == pytest.approx(0)
    assert found.found_free == 6


async def test_a_visit_that_came_back_late_does_not_count_as_having_held_all_the_time(
    database: Database, now: datetime
) -> None:
    pools = await set_up(database, now, APool(numbers=(1,)))
    start = now - timedelta(days=1)
    await visited(
        database,
        pools["visitors"],
        [start],
        lasts=timedelta(hours=6),
        counted_until=start + 16 * MINUTE,
    )
    await visited(database, pools["visitors"], [start + 16 * MINUTE], found_free=False)
    await Coverages(database).reckon(now)
    (found,) = await Coverages(database).latest(None)

    assert (found.coverage.covered, found.found_free) == (2, 1)


async def test_only_the_visits_of_two_weeks_and_of_pools_that_visitors_hold(
    database: Database, now: datetime
) -> None:
    pools = await set_up(
        database, now, APool(), APool(name="card", kind="static", source="card", numbers=(9,))
    )
    await visited(database, pools["visitors"], [now - timedelta(days=15)])
    await visited(database, pools["card"], [now - timedelta(days=1)])
    coverages = Coverages(database)
    assert await coverages.reckon(now) == 0
    assert list(await coverages.latest(None)) == []

    await visited(database, pools["visitors"], [now - timedelta(days=13)])
    assert await coverages.reckon(now) == 1


async def test_more_visits_than_a_page(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.services.coverage._PAGE", 7)
    pools = await set_up(database, now, APool(numbers=(1,)))
    await visited(
        database, pools["visitors"], [now - k * timedelta(hours=1) for k in range(50, 0, -1)]
    )
    coverages = Coverages(database)
    await coverages.reckon(now)
    (found,) = await coverages.latest(None)
    assert (found.coverage.visits, found.coverage.covered) == (50, 50)


async def test_an_older_reckoning_does_not_take_the_place_of_a_newer_one(
    database: Database, now: datetime
) -> None:
    pools = await set_up(database, now, APool(numbers=(1,)))
    await visited(database, pools["visitors"], [now - timedelta(days=1)])
    coverages = Coverages(database)
    await coverages.reckon(now)
    await coverages.reckon(now - timedelta(hours=2))
    assert [row.reckoned_at for row in await coverages.latest(None)] == [now]


async def test_an_organisation_nobody_knows(database: Database, now: datetime) -> None:
    await set_up(database, now)
    with pytest.raises(FieldError, match="organisation"):
        await Coverages(database).latest("Nobody")


async def test_what_visits_leave_behind(
    database: Database, visits: Visits, clock: Clock, now: datetime
) -> None:
    """One number, two at once: one of them found it free. The second page is idle for too long, then looked
    at again: its reservation in an endless pool had ended long before."""
    await set_up(database, now, APool(numbers=(1,), policy="longest_idle"))
    first, second = Browser(visits, clock), Browser(visits, clock)
    assert (await first.opens()).how == "free"
    assert (await second.opens()).how == "default"
    clock.move(seconds=20)
    await first.leaves()
    await second.leaves("hide")
    left = clock.now
    clock.move(hours=5)
    await second.speaks()
    clock.move(seconds=40)
    await second.leaves("close")
    clock.move(days=1)
    rows = await database._pool.fetch(
        "SELECT pool_id, found_free, counted_until FROM session ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        (1, True, None),
        (1, False, left + timedelta(seconds=900)),
    ]
    await Coverages(database).reckon(clock.now)
    (found,) = await Coverages(database).latest(None)
    assert (found.coverage.visits, found.coverage.covered, found.found_free) == (2, 1, 1)
