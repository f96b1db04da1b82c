"""The demo company: made once, completed if interrupted, asked for its newest visitor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import asyncpg
import pytest

from router.domain.page import VisitAnswer, VisitRequest
from router.firstrun import demo
from router.services.access import Access
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.visits import Visits
from router.services.work import By
from router.store import firstrun as store
from router.store.database import Database

SITE = "http://127.0.0.1:8088"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@asynccontextmanager
async def serving(database: Database) -> AsyncIterator[Visits]:
    visits = Visits(database)
    task = asyncio.create_task(visits.run())
    try:
        yield visits
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def visit(visits: Visits, now: datetime, query: str = "", site: str = SITE) -> VisitAnswer:
    return await visits.visit(
        VisitRequest(
            site=demo.SITE_KEY,
            origin=site,
            url=f"{site}/{query}",
            referrer="",
            user_agent=BROWSER,
            visitor=None,
            session=None,
        ),
        now,
    )


async def test_made_once(dsn: str, database: Database, now: datetime) -> None:
    done = await demo.prepare(dsn, SITE, now)
    assert done == ["Clearpane: one site, two pools, 12 numbers"]
    assert await demo.prepare(dsn, SITE, now) == []
    numbers = await Inventory(database).numbers(demo.ORGANISATION)
    assert [row.e164 for row in numbers if row.pool == "visitors"] == list(demo.DYNAMIC)
    assert [row.e164 for row in numbers if row.pool == "maps"] == list(demo.STATIC)


async def test_interrupted_set_up_is_completed(
    dsn: str, database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Administration, "add_numbers", interrupt)
        with pytest.raises(KeyboardInterrupt):
            await demo.prepare(dsn, SITE, now)
    assert await Inventory(database).numbers(demo.ORGANISATION) == []
    assert await demo.prepare(dsn, SITE, now) == ["Clearpane: one site, two pools, 12 numbers"]
    assert len(await Inventory(database).numbers(demo.ORGANISATION)) == 12


async def test_another_organisation_beside_it(dsn: str, database: Database, now: datetime) -> None:
    await Administration(database).add_organisation("Acme", by=By(actor="test", now=now))
    await demo.prepare(dsn, SITE, now)
    token, person = await demo.grant(dsn, "", now)
    assert token != person
    assert len(await Inventory(database).numbers(demo.ORGANISATION)) == 12


async def test_site_follows_the_port(dsn: str, database: Database, now: datetime) -> None:
    await demo.prepare(dsn, SITE, now)
    moved = "http://127.0.0.1:9088"
    assert await demo.prepare(dsn, moved, now) == [f"the demo site is now {moved}"]
    async with serving(database) as visits:
        assert (await visit(visits, now, site=moved)).number in demo.DYNAMIC


async def test_tokens(dsn: str, database: Database, now: datetime) -> None:
    await demo.prepare(dsn, SITE, now)
    access = Access(database)
    own, person = await demo.grant(dsn, "", now)
    assert await access.by_token(own, now=now) is not None
    assert await access.by_token(person, now=now) is not None
    assert await demo.grant(dsn, own, now) == (own, ""), "the person's token is shown once"
    replaced, shown = await demo.grant(dsn, "ct_live_lost", now)
    assert shown == ""
    assert await access.by_token(own, now=now) is None
    assert await access.by_token(replaced, now=now) is not None


async def test_sign_in_link_opens_once(dsn: str, database: Database, now: datetime) -> None:
    await demo.prepare(dsn, SITE, now)
    link = await demo.sign_in_link(dsn, "http://127.0.0.1:8081", now)
    url, _, code = link.partition("?code=")
    assert url == "http://127.0.0.1:8081/sign-in"
    assert await Access(database).sign_in(code, now=now)


async def test_newest_visitor_with_a_number(dsn: str, database: Database, now: datetime) -> None:
    await demo.prepare(dsn, SITE, now)
    assert await demo.newest_shown(dsn, now) is None
    before = await store.newest_visit(database)
    async with serving(database) as visits:
        await visit(visits, now, "?utm_source=bing&utm_medium=cpc")
        later = now + timedelta(seconds=1)
        second = await visit(visits, later, "?utm_source=google&utm_medium=cpc&utm_campaign=spring")
        static = await visit(visits, later, "?utm_source=maps")
    assert static.number in demo.STATIC
    shown = await demo.newest_shown(dsn, later)
    assert shown is not None
    assert (shown.e164, shown.session) == (second.number, second.session)
    assert (shown.source, shown.medium, shown.campaign) == ("google", "cpc", "spring")
    assert await demo.newest_shown(dsn, later + timedelta(minutes=4)) == shown
    assert await demo.newest_shown(dsn, later + timedelta(minutes=11)) is None
    told = await store.visits_after(database, before)
    assert [v.source for v in told] == ["bing", "google", "maps"]
    assert [v.shown for v in told][1:] == [second.number, static.number]
    assert await store.visits_after(database, told[-1].id) == []


async def test_overlapping_reservations_are_counted(
    dsn: str, database: Database, now: datetime
) -> None:
    await demo.prepare(dsn, SITE, now)
    async with serving(database) as visits:
        await visit(visits, now)
    assert await store.overlapping_reservations(database) == 0
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "UPDATE reservation SET started_at = now() - interval '1 hour', ended_at = NULL;"
        "INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)"
        " SELECT organisation_id, number_id, session_id, pool_id, now() FROM reservation"
    )
    await connection.close()
    assert await store.overlapping_reservations(database) == 1
