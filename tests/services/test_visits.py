"""A visitor opens a page; on a real PostgreSQL, with a clock the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from router.domain.errors import OriginRefused, UnknownSite
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store import upkeep as book
from router.store.database import Database
from tests.company import (
    DEFAULT,
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


async def test_a_visitor_gets_a_number(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """Reserved until the visit would be lost, and the pool's time after that."""
    await set_up(database, now)
    answer = await browser().opens()

    assert (answer.number, answer.how) == (e164(1), "free")
    assert answer.valid_until == now + LOST + T
    assert (answer.replace, answer.region, answer.heartbeat_seconds) == ((DEFAULT,), "RU", 30)
    assert await history(database) == [(e164(1), now, None, None)]


async def test_what_is_written_of_a_visit(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """The touch, cleaned, and what the page shows."""
    await set_up(database, now)
    campaign = "весна%0d%0a🌷%22"
    answer = await browser().opens(LANDING.replace("spring", campaign), "https://www.google.com/")
    row = await database._pool.fetchrow("SELECT * FROM session")

    assert (row["key"], row["visitor"], row["ordinal"]) == (answer.session, answer.visitor, 1)
    assert (row["source"], row["medium"], row["campaign"]) == ("google", "cpc", 'весна🌷"')
    assert row["click_ids"] == {"gclid": "abc"}
    assert (row["referrer"], row["device"]) == ("https://www.google.com/", "desktop")
    assert (row["shown"], row["overflow"], row["gone_at"]) == (e164(1), False, None)
    assert row["started_at"] == row["seen_at"] == row["input_at"] == now


async def test_visitors_get_different_numbers(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """Those who come at once are served together, and not with the same number."""
    await set_up(database, now, APool(numbers=range(1, 21)))
    answers = await asyncio.gather(*(browser().opens() for _ in range(20)))

    assert sorted(answer.number for answer in answers) == [e164(n) for n in range(1, 21)]


async def test_none_free_is_overflow(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """The pool's default number, counted on the session; nothing is reserved."""
    await set_up(database, now, APool(numbers=(1,), default_number=e164(99)))
    await browser().opens()
    answer = await browser().opens()

    assert (answer.number, answer.how, answer.valid_until) == (e164(99), "default", None)
    assert await database._pool.fetchval("SELECT count(*) FROM session WHERE overflow") == 1
    assert len(await history(database)) == 1


async def test_a_number_added_to_a_full_pool_is_found_at_once(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """That the pool was full a moment ago is remembered; what came since is looked for all the same."""
    await set_up(database, now, APool(numbers=(1,)))
    shown = [(await browser().opens()).number for _ in range(3)]
    await database._pool.execute(
        "INSERT INTO number (organisation_id, e164, pool_id, created_at) VALUES (1, $1, 1, $2)",
        e164(2),
        now,
    )
    shown.append((await browser().opens()).number)

    assert shown == [e164(1), DEFAULT, DEFAULT, e164(2)]


async def test_without_a_pool_the_site_shows_its_default_number(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """That is no overflow: no pool wanted this visit."""
    await set_up(database, now, APool(rules={"source": "vk"}))
    answer = await browser().opens()

    assert (answer.number, answer.how) == (DEFAULT, "default")
    assert await database._pool.fetchval("SELECT count(*) FROM session WHERE NOT overflow") == 1


async def test_a_static_pool_shows_its_number(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """To every visit that its rules match; nothing is handed out."""
    await set_up(
        database,
        now,
        APool(name="maps", kind="static", numbers=(50,), rules={"source": "maps"}, source="maps"),
        APool(),
    )
    url = f"{PAGE}?utm_source=Maps"
    answers = [await browser().opens(url), await browser().opens(url)]

    assert [(a.number, a.how, a.valid_until) for a in answers] == [(e164(50), "static", None)] * 2
    assert await history(database) == []


async def test_pools_are_asked_by_priority(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """Paid visitors have numbers of their own."""
    await set_up(
        database,
        now,
        APool(name="rest", numbers=(1, 2)),
        APool(name="paid", numbers=(11, 12), rules={"medium": "cpc"}, priority=10),
    )

    assert (await browser().opens(LANDING)).number == e164(11)
    assert (await browser().opens(PAGE)).number == e164(1)


@pytest.mark.parametrize("user_agent", ["", "curl/8.5.0", "Googlebot/2.1"])
async def test_bots_cost_no_number(
    database: Database, visits: Visits, now: datetime, user_agent: str
) -> None:
    """They get an answer like any other, and leave no trace."""
    await set_up(database, now)
    answer = await visits.visit(a_visit(user_agent=user_agent), now)

    assert (answer.number, answer.how, answer.valid_until) == (DEFAULT, "default", None)
    assert await database._pool.fetchval("SELECT count(*) FROM session") == 0


async def test_wrong_sites_and_origins_are_refused(
    database: Database, visits: Visits, now: datetime
) -> None:
    """Before anything is looked up."""
    await set_up(database, now)
    with pytest.raises(UnknownSite):
        await visits.visit(a_visit(site="nobody-12"), now)
    with pytest.raises(OriginRefused):
        await visits.visit(a_visit(origin="https://evil.example"), now)


async def test_a_new_site_is_found_at_once(
    database: Database, visits: Visits, clock: Clock, now: datetime
) -> None:
    """And a changed one within five seconds."""
    with pytest.raises(UnknownSite):
        await visits.visit(a_visit(), now)
    await set_up(database, now)
    await visits.visit(a_visit(), clock.move(seconds=1))
    await database._pool.execute("UPDATE site SET origins = '{}'")
    with pytest.raises(OriginRefused):
        await visits.visit(a_visit(), clock.move(seconds=5))


async def test_numbers_go_round_longest_idle_first(
    database: Database, browser: NewBrowser, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """Swept or not makes no difference, and no two reservations of a number overlap."""
    await set_up(database, now, APool(numbers=(1, 2, 3)))
    shown = []
    for turn in range(12):
        visitor = browser()
        shown.append((await visitor.opens()).number)
        await visitor.leaves()
        clock.move(minutes=10)
        if turn % 2:
            await upkeep.sweep(clock.now)

    assert shown == [e164(n) for n in (1, 2, 3)] * 4
    assert await book.overlapping_reservations(database) == []


async def test_withdrawn_numbers_are_not_handed_out(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Nor kept by who comes back to it."""
    await set_up(database, now, APool(numbers=(1, 2)))
    visitor = browser()
    await visitor.opens()
    await database._pool.execute("UPDATE number SET withdrawn_at = $1 WHERE id = 1", now)
    clock.move(seconds=30)
    answer = await visitor.speaks()

    assert (answer.how, answer.number) == ("swapped", e164(2))


async def test_routers_that_want_the_same_numbers_all_get_some(
    database: Database, visits: Visits, now: datetime
) -> None:
    """What one loses it decides again; no number goes twice, none is left while visitors go without."""
    await set_up(database, now, APool(numbers=range(1, 301)))
    async with (
        serving(Visits(database, Upkeep(database, "router 2"))) as second,
        serving(Visits(database, Upkeep(database, "router 3"))) as third,
    ):
        routers = [visits, second, third]
        answers = await asyncio.gather(
            *(routers[n % 3].visit(a_visit(), now) for n in range(330)),
        )
    shown = [answer.number for answer in answers if answer.how == "free"]

    assert len(shown) == len(set(shown)) == 300
    assert [a.number for a in answers if a.how == "default"] == [DEFAULT] * 30
