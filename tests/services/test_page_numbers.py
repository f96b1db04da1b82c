"""Several numbers on a page, each served by pools of its own; and visits of which nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from router.domain.errors import FieldError
from router.domain.page import OtherShown, VisitAnswer
from router.services.administration import Administration
from router.services.visits import Visits
from router.services.work import By
from router.store.database import Database
from tests.company import DEFAULT, PAGE, APool, a_heartbeat, a_leave, a_visit, e164, set_up
from tests.services.conftest import Browser, Clock, serving

NewBrowser = Callable[[], Browser]
SERVICE = "+74950000001"
POOLS = (
    APool(name="sales", numbers=(11, 12)),
    APool(name="service", numbers=(21,)),
)


async def two_numbers(
    database: Database, now: datetime, pools: Sequence[APool] = POOLS, pool: str = "service"
) -> Administration:
    """A site whose pages show the sales number and the service number; `pool` serves the latter."""
    await set_up(database, now, *pools)
    await database._pool.execute("UPDATE site SET page_numbers = $1", [DEFAULT, SERVICE])
    administration = Administration(database)
    await administration.serve_page_number(pool, SERVICE, by=By(actor="test", now=now))
    return administration


def others(answer: VisitAnswer) -> list[tuple[str, str, str]]:
    """(in the place of, number, how)"""
    return [(other.replace, other.number, other.how) for other in answer.others]


async def test_each_number_of_a_page_comes_from_its_own_pool(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """The visitor holds one number of each; both are renewed, both are history."""
    await two_numbers(database, now)
    first, second = await browser().opens(), await browser().opens()
    holders = await database._pool.fetch("SELECT e164 FROM number WHERE holder_id IS NOT NULL")

    assert (first.number, first.replace) == (e164(11), (DEFAULT,))
    assert others(first) == [(SERVICE, e164(21), "free")]
    assert first.others[0].session != first.session
    assert second.number == e164(12)
    assert others(second) == [(SERVICE, SERVICE, "default")]
    assert {row["e164"] for row in holders} == {e164(11), e164(12), e164(21)}


async def test_the_next_page_shows_the_same_numbers(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """All of them go on with the visit."""
    await two_numbers(database, now)
    visitor = browser()
    landed = await visitor.opens()
    clock.move(seconds=20)
    page = await visitor.opens(PAGE)

    assert (page.session, page.number) == (landed.session, landed.number)
    assert others(page) == [(SERVICE, e164(21), "kept")]
    assert page.others[0].session == landed.others[0].session


async def test_heartbeats_and_leaving_are_for_all_numbers_of_the_page(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """One request; of a session that nobody knows the page learns that it is unknown."""
    await two_numbers(database, now)
    page = await browser().opens()
    shown = tuple(OtherShown(session=o.session, shown=o.number, token=o.token) for o in page.others)
    stranger = OtherShown(session=uuid4(), shown=None, token=page.others[0].token)
    at = clock.move(seconds=30)
    beat = a_heartbeat(page.session, page.number, others=(*shown, stranger))
    answer = await visits.heartbeat(beat, at)
    await visits.leave(a_leave(page.session, others=shown), clock.move(seconds=5))
    sessions = await database._pool.fetch("SELECT seen_at, gone_kind FROM session")

    assert [told and told.how for told in answer.others] == ["kept", None]
    assert {tuple(row) for row in sessions} == {(at, "close")}


async def test_a_further_number_that_was_lost_is_swapped_when_its_visitor_returns(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """The page's own number stands in when there is none: the default of this part, not of the site."""
    await two_numbers(database, now)
    page = await browser().opens()
    shown = tuple(OtherShown(session=o.session, shown=o.number, token=o.token) for o in page.others)
    await visits.leave(a_leave(page.session, others=shown), clock.move(seconds=5))
    clock.move(hours=2)
    newcomer = await browser().opens()
    beat = a_heartbeat(page.session, page.number, others=shown)
    answer = await visits.heartbeat(beat, clock.move(seconds=5))

    assert others(newcomer) == [(SERVICE, e164(21), "free")]
    assert answer.others[0] is not None
    assert answer.others[0].number == SERVICE


async def test_rules_choose_among_the_pools_of_one_page_number(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """A page number has pools as the main one has: by priority, by rules, static ones too."""
    pools = (
        APool(name="sales", numbers=(11,)),
        APool(name="maps", kind="static", numbers=(31,), rules={"source": "maps"}, source="maps"),
    )
    await two_numbers(database, now, pools, pool="maps")
    from_maps = await browser().opens(f"{PAGE}?utm_source=maps")
    from_elsewhere = await browser().opens(f"{PAGE}?utm_source=mail")

    assert others(from_maps) == [(SERVICE, e164(31), "static")]
    assert others(from_elsewhere) == [(SERVICE, SERVICE, "default")]


async def test_only_numbers_of_the_sites_pages_are_served(
    database: Database, browser: NewBrowser, now: datetime
) -> None:
    """Refused with what is wrong; and taken back the pool serves the main number again."""
    administration = await two_numbers(database, now)
    by = By(actor="test", now=now)
    with pytest.raises(FieldError, match="not one of the numbers that the pages"):
        await administration.serve_page_number("sales", "+74959999999", by=by)
    await administration.serve_page_number("service", None, by=by)
    async with serving(Visits(database)) as visits:
        answer = await visits.visit(a_visit(), now)
    noted = await database._pool.fetch("SELECT detail->>'number' FROM audit_entry ORDER BY id")

    assert (answer.replace, answer.others) == ((DEFAULT, SERVICE), ())
    assert [row[0] for row in noted] == [SERVICE, "main"]


async def test_without_consent_nothing_is_kept(
    database: Database, visits: Visits, now: datetime
) -> None:
    """The static number for where the visitor comes from, else the default one; no row, no number held."""
    pools = (
        APool(name="visitors", numbers=(11,)),
        APool(name="leaflets", kind="static", numbers=(41,), source="leaflet"),
        APool(
            name="maps",
            kind="static",
            numbers=(31,),
            rules={"source": "maps"},
            source="maps",
            priority=200,
        ),
    )
    await set_up(database, now, *pools)
    denied: dict[str, Any] = {"consent": "denied"}
    from_maps = await visits.visit(a_visit(f"{PAGE}?utm_source=maps", **denied), now)
    from_mail = await visits.visit(a_visit(f"{PAGE}?utm_source=mail", **denied), now)

    assert (from_maps.number, from_maps.how) == (e164(31), "static")
    assert (from_mail.number, from_mail.how) == (DEFAULT, "default")
    assert await database._pool.fetchval("SELECT count(*) FROM session") == 0
    assert await database._pool.fetchval("SELECT count(holder_id) FROM number") == 0


async def test_why_is_told_only_to_who_asks(
    database: Database, visits: Visits, now: datetime
) -> None:
    """In words, for each number of the page, of the touch that counts."""
    await two_numbers(database, now)
    asked = await visits.visit(a_visit(debug=True), now)
    visitor = asked.visitor
    silent = await visits.visit(a_visit(PAGE, visitor=visitor), now)
    robot = await visits.visit(a_visit(debug=True, user_agent="Googlebot/2.1"), now)

    assert ["sales" in asked.why[0], "service" in asked.why[1]] == [True, True]
    assert silent.why == ()
    assert robot.why == ("a robot: the page's own number",)
