"""The same visit goes on, or the visitor begins another; on a real PostgreSQL, with a clock the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store.database import Database
from tests.company import (
    LANDING,
    PAGE,
    APool,
    a_visit,
    e164,
    history,
    set_up,
)
from tests.services.conftest import Browser, Clock, serving

NewBrowser = Callable[[], Browser]
LOST = timedelta(seconds=75)
T = timedelta(minutes=15)
AUTUMN = LANDING.replace("spring", "autumn")


@pytest.mark.parametrize("url", [LANDING, PAGE])
async def test_a_reload_and_a_second_page_keep_the_number(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime, url: str
) -> None:
    """One session, one reservation, renewed."""
    await set_up(database, now)
    visitor = browser()
    first = await visitor.opens()
    clock.move(minutes=5)
    second = await visitor.opens(url, referrer=PAGE)

    assert (second.session, second.number, second.how) == (first.session, first.number, "kept")
    assert second.valid_until == clock.now + LOST + T
    assert await history(database) == [(first.number, now, None, None)]


async def test_a_second_page_stays_with_the_pool_of_the_landing(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """Its own URL has no tags; the session's do count."""
    await set_up(
        database,
        now,
        APool(name="rest", numbers=(1,)),
        APool(name="paid", numbers=(11,), rules={"medium": "cpc"}, priority=10),
    )
    visitor = browser()
    await visitor.opens(LANDING)

    assert (await visitor.opens(PAGE)).number == e164(11)


async def test_two_tabs_opened_at_once_agree(
    database: Database, visits: Visits, now: datetime
) -> None:
    """All show one number. Which one is open: two batches may want the same, and one gives way."""
    await set_up(database, now)
    visitor = uuid4()
    tabs = await asyncio.gather(*(visits.visit(a_visit(visitor=visitor), now) for _ in range(5)))

    assert len({(tab.session, tab.number) for tab in tabs}) == 1
    assert len(await history(database)) == 1


async def test_two_tabs_opened_at_once_at_two_routers_agree(
    database: Database, visits: Visits, now: datetime
) -> None:
    """Only one of the routers can write the visitor's n-th session down; the other reads it then."""
    await set_up(database, now, APool(numbers=range(1, 200)))
    async with serving(Visits(database, Upkeep(database, "router 2"))) as other:
        for _ in range(40):
            visitor = uuid4()
            one, two = await asyncio.gather(
                visits.visit(a_visit(visitor=visitor), now),
                other.visit(a_visit(visitor=visitor), now),
            )

            assert (one.session, one.number) == (two.session, two.number)
    assert len(await history(database)) == 40


@pytest.mark.parametrize(("away", "url"), [({"minutes": 1}, AUTUMN), ({"minutes": 31}, PAGE)])
async def test_another_session_of_a_visitor_takes_the_number_along(
    database: Database,
    browser: NewBrowser,
    clock: Clock,
    now: datetime,
    away: dict[str, float],
    url: str,
) -> None:
    """The digits stay on all tabs; history says that the number moved."""
    await set_up(database, now, APool(reservation_seconds=3600))
    visitor = browser()
    first = await visitor.opens()
    clock.move(**away)
    second = await visitor.opens(url)

    assert (second.number, second.how) == (first.number, "kept")
    assert second.session != first.session
    assert await history(database) == [
        (first.number, now, clock.now, "moved"),
        (first.number, clock.now, None, None),
    ]


async def test_the_tab_of_the_earlier_session_speaks_for_the_new_one(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """The visitor looks at the same digits there: they stay reserved."""
    await set_up(database, now)
    visitor = browser()
    old_tab = await visitor.opens()
    clock.move(minutes=1)
    await visitor.opens(AUTUMN)
    for _ in range(60):
        clock.move(seconds=30)
        answer = await visitor.speaks(page=old_tab)

        assert (answer.how, answer.number) == ("kept", None)
    assert answer.valid_until == clock.now + LOST + T
    assert len(await history(database)) == 2


async def test_a_returning_visitor_is_a_newcomer(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """The next day the number that was idle the longest is handed out, not the old one."""
    await set_up(database, now)
    visitor = browser()
    first = await visitor.opens()
    clock.move(days=1)
    second = await visitor.opens(PAGE)

    assert (second.number, second.how) == (e164(2), "free")
    assert second.visitor == first.visitor
    assert second.session != first.session
