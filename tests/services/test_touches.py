"""Touches and the ids of analytics, from the page to the record of the call; on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from router.domain.model import SessionId
from router.domain.touches import models
from router.services.visits import Visits
from router.store import touches
from router.store.database import Database
from tests.company import ORIGIN, APool, a_visit, set_up
from tests.services.conftest import Browser, Clock

ADS = f"{ORIGIN}/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=1"


async def test_every_landing_is_kept(
    database: Database, browser: Callable[[], Browser], clock: Clock
) -> None:
    """With its URL and referrer as they were; reloads and one's own pages are none; each model finds its own."""
    await set_up(database, clock.now, APool(numbers=range(1, 4)))
    visitor, started = browser(), clock.now
    again = f"{ADS}&utm_term=pumps"
    for minutes, url, referrer in (
        (0, ADS, ""),
        (1, f"{ORIGIN}/contacts", f"{ORIGIN}/"),
        (2, ADS, ""),
        (3, again, "https://www.google.com/"),
        (4, again, "https://www.google.com/"),
        (90, f"{ORIGIN}/?utm_source=crm&utm_medium=email", ""),
        (200, ORIGIN, ""),
    ):
        clock.now = started + timedelta(minutes=minutes)
        await visitor.opens(url, referrer)
    await browser().opens(f"{ORIGIN}/?yclid=1")
    found = await touches.of_visitor(database, SessionId(1), until=clock.now, most=50)
    early = await touches.of_visitor(
        database, SessionId(2), until=started + timedelta(minutes=2), most=50
    )
    wanted = models(found)

    assert [(one.url, one.visit, one.begins) for one in found] == [
        (ADS, 1, True),
        (again, 1, False),
        (f"{ORIGIN}/?utm_source=crm&utm_medium=email", 2, True),
        (ORIGIN, 3, True),
    ]
    assert (found[1].referrer, found[1].touch.term) == ("https://www.google.com/", "pumps")
    assert [one.touch.channel for one in found] == ["google_ads", "google_ads", "email", "direct"]
    assert (wanted.first, wanted.last, wanted.last_non_direct) == (found[0], found[3], found[2])
    assert early == found[:1]


async def test_a_page_is_answered_although_its_touch_cannot_be_written(
    database: Database, browser: Callable[[], Browser], clock: Clock
) -> None:
    """Its number is handed out by then."""
    await set_up(database, clock.now, APool(numbers=range(1, 4)))
    visitor = browser()
    first = await visitor.opens(ADS)
    async with database._pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE touch IN ACCESS EXCLUSIVE MODE")
        again = await visitor.opens(f"{ADS}&utm_term=pumps")

    assert (again.how, again.number) == ("kept", first.number)


async def test_the_first_touch_is_found_however_many_there_are(
    database: Database, browser: Callable[[], Browser], clock: Clock
) -> None:
    """Of the others the newest."""
    await set_up(database, clock.now, APool(numbers=range(1, 4)))
    visitor = browser()
    for number in range(5):
        await visitor.opens(
            f"{ORIGIN}/?utm_source=source{number}&utm_medium=x&utm_campaign=c{number}"
        )
        clock.move(minutes=40)
    found = await touches.of_visitor(database, SessionId(5), until=clock.now, most=2)

    assert [one.touch.source for one in found] == ["source0", "source3", "source4"]


async def test_ids_of_analytics_come_with_a_later_page(
    visits: Visits, database: Database, clock: Clock
) -> None:
    """They join the click ids of the session, which stay; and they make no channel."""
    await set_up(database, clock.now, APool(numbers=range(1, 4)))
    first = await visits.visit(a_visit(f"{ORIGIN}/?gclid=1"), clock.now)
    ids = {"_ga": "1203456789.1730000000", "_ga_session": "1747323152", "_ym_uid": "1699999999123"}
    later = a_visit(f"{ORIGIN}/contacts?gclid=2", visitor=first.visitor, client_ids=ids)
    second = await visits.visit(later, clock.move(seconds=5))
    alone = await visits.visit(a_visit(ORIGIN, client_ids=ids), clock.now)
    rows = await database._pool.fetch("SELECT key, click_ids, channel FROM session ORDER BY id")

    assert second.session == first.session
    assert (rows[0]["click_ids"], rows[0]["channel"]) == ({"gclid": "1", **ids}, "google_ads")
    assert rows[1]["key"] == alone.session
    assert (rows[1]["click_ids"], rows[1]["channel"]) == (ids, "direct")


async def test_a_program_that_opens_pages_for_ever_fills_no_table(
    database: Database, browser: Callable[[], Browser], clock: Clock
) -> None:
    """Of one session two hundred touches are kept beside its first."""
    await set_up(database, clock.now, APool(numbers=(1,)))
    visitor = browser()
    await visitor.opens(ADS)
    for page in range(205):
        await visitor.opens(f"{ADS}&page={page}")

    assert await database._pool.fetchval("SELECT count(*) FROM touch") == 200
