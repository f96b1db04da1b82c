"""A visitor gets, keeps and leaves a number; on a real PostgreSQL, with a clock the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from router.domain.errors import OriginRefused, UnknownSession, UnknownSite
from router.domain.model import HeartbeatAnswer
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store import upkeep as book
from router.store.database import Database
from tests.company import DEFAULT, LANDING, PAGE, APool, a_heartbeat, a_leave, a_visit, e164, set_up
from tests.services.conftest import Browser, Clock, serving

NewBrowser = Callable[[], Browser]
LOST = timedelta(seconds=75)
T = timedelta(minutes=15)
AUTUMN = LANDING.replace("spring", "autumn")


async def history(database: Database) -> list[tuple[str, datetime, datetime | None, str | None]]:
    """(number, from, to, why it ended) of every reservation, in order."""
    rows = await database._pool.fetch(
        "SELECT e164, started_at, ended_at, end_reason FROM reservation "
        "JOIN number ON number.id = number_id ORDER BY reservation.id"
    )
    return [tuple(row) for row in rows]


# -- the first visit --------------------------------------------------------------------------------


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


# -- the same visit goes on --------------------------------------------------------------------------


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
    """In one batch: the second waits for the first."""
    await set_up(database, now)
    visitor = uuid4()
    tabs = await asyncio.gather(*(visits.visit(a_visit(visitor=visitor), now) for _ in range(5)))

    assert {(tab.session, tab.number) for tab in tabs} == {(tabs[0].session, e164(1))}
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


# -- the page speaks ---------------------------------------------------------------------------------


async def test_a_heartbeat_renews(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """For hours, if need be; the history is one reservation."""
    await set_up(database, now, APool(reservation_seconds=60))
    visitor = browser()
    await visitor.opens()
    for _ in range(100):
        clock.move(seconds=30)
        answer = await visitor.speaks()
    expected = HeartbeatAnswer(
        how="kept",
        number=None,
        region="RU",
        valid_until=clock.now + LOST + timedelta(seconds=60),
    )

    assert answer == expected
    assert len(await history(database)) == 1


async def test_an_idle_page_is_not_renewed(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Its number runs out, and is somebody else's then; the page keeps showing it until its visitor
    comes back, and shows another one from then on."""
    await set_up(database, now, APool(numbers=(1, 2)))
    idle = browser()
    first = await idle.opens()
    for _ in range(40):
        clock.move(seconds=30)
        answer = await idle.speaks(input=False)

        assert (answer.how, answer.number) == ("kept", None)
    others = [browser(), browser()]
    assert [(await other.opens()).number for other in others] == [e164(2), e164(1)]
    assert (await idle.speaks(input=False)).number is None
    await others[0].leaves()
    clock.move(minutes=15)
    back = await idle.speaks()

    assert (first.number, back.how, back.number) == (e164(1), "swapped", e164(2))


async def test_a_page_that_comes_back_keeps_its_number_while_nobody_else_had_it(
    database: Database, browser: NewBrowser, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """Run out, and even swept: its digits are still nobody else's."""
    await set_up(database, now)
    visitor = browser()
    page = await visitor.opens()
    await visitor.leaves("hide")
    await upkeep.sweep(clock.move(hours=2))
    back = await visitor.speaks()

    assert (back.how, back.number, back.valid_until) == ("kept", None, clock.now + LOST + T)
    assert await history(database) == [
        (page.number, now, now + T, "expired"),
        (page.number, clock.now, None, None),
    ]


async def test_a_page_takes_its_number_back_once_it_is_free_again(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Somebody else had it meanwhile, and left; there are numbers that were idle for longer."""
    await set_up(database, now, APool(numbers=(1,)))
    visitor, other = browser(), browser()
    await visitor.opens()
    await visitor.leaves("hide")
    clock.move(hours=1)
    assert (await other.opens()).number == e164(1)
    await other.leaves()
    await database._pool.execute(
        "INSERT INTO number (organisation_id, e164, pool_id, created_at) VALUES (1, $1, 1, $2)",
        e164(2),
        now,
    )
    clock.move(minutes=20)
    back = await visitor.speaks()

    assert (back.how, back.number) == ("kept", None)
    assert [entry[0] for entry in await history(database)] == [e164(1)] * 3


async def test_a_page_whose_number_is_gone_and_none_is_free(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """It shows the default number from then on, until its visitor comes back another time."""
    await set_up(database, now, APool(numbers=(1,)))
    visitor, other = browser(), browser()
    await visitor.opens()
    await visitor.leaves("hide")
    clock.move(minutes=16)
    await other.opens()
    back = await visitor.speaks()

    assert (back.how, back.number, back.valid_until) == ("default", DEFAULT, None)
    await other.leaves()
    for _ in range(40):
        clock.move(seconds=30)
        answer = await visitor.speaks()

        assert (answer.how, answer.number) == ("default", None)
    await visitor.leaves("hide")
    again = await visitor.speaks()

    assert (again.how, again.number) == ("swapped", e164(1))


async def test_a_heartbeat_race_does_not_shorten_a_reservation(
    database: Database, visits: Visits, now: datetime
) -> None:
    """Whatever order they arrive in, the latest counts."""
    await set_up(database, now)
    page = await visits.visit(a_visit(), now)
    late = now + timedelta(seconds=60)
    await visits.heartbeat(a_heartbeat(page.session, page.number), late)
    answer = await visits.heartbeat(a_heartbeat(page.session, page.number), now)

    assert answer.valid_until == late + LOST + T


async def test_a_forged_heartbeat_does_nothing(
    database: Database, visits: Visits, clock: Clock, now: datetime
) -> None:
    """Neither with a key nobody has, nor by naming somebody else's number."""
    await set_up(database, now)
    victim = await visits.visit(a_visit(), now)
    forger = await visits.visit(a_visit(), now)
    clock.move(seconds=30)
    with pytest.raises(UnknownSession):
        await visits.heartbeat(a_heartbeat(uuid4(), victim.number), clock.now)
    answer = await visits.heartbeat(a_heartbeat(forger.session, victim.number), clock.now)

    assert (answer.how, answer.number) == ("swapped", forger.number)
    assert await database._pool.fetchval(
        "SELECT reserved_until FROM number WHERE e164 = $1", victim.number
    ) == (now + LOST + T)


# -- the page is left --------------------------------------------------------------------------------


async def test_leaving_starts_the_tail(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """The number is free at the very moment its reservation time is over."""
    await set_up(database, now, APool(numbers=(1,)))
    visitor = browser()
    await visitor.opens()
    clock.move(seconds=40)
    await visitor.leaves("hide")
    clock.move(minutes=15, microseconds=-1)
    assert (await browser().opens()).how == "default"
    clock.move(microseconds=1)
    answer = await browser().opens()

    assert (answer.how, answer.number) == ("free", e164(1))
    assert (await history(database))[0][2:] == (clock.now, "expired")


async def test_a_second_leave_changes_nothing(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """First hidden, then closed: gone since it was hidden."""
    await set_up(database, now)
    visitor = browser()
    await visitor.opens()
    await visitor.leaves("hide")
    clock.move(seconds=50)
    await visitor.leaves("close")
    row = await database._pool.fetchrow(
        "SELECT gone_at, gone_kind, reserved_until FROM session JOIN number ON holder_id = session.id"
    )

    assert tuple(row) == (now, "hide", now + T)


async def test_leaving_while_idle_leaves_the_reservation_as_it_is(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Activity ended with the last input."""
    await set_up(database, now)
    visitor = browser()
    await visitor.opens()
    clock.move(seconds=30)
    await visitor.speaks(input=False)
    clock.move(seconds=20)
    await visitor.leaves()
    row = await database._pool.fetchrow(
        "SELECT gone_at, reserved_until FROM session JOIN number ON holder_id = session.id"
    )

    assert tuple(row) == (clock.now, now + LOST + T)


async def test_a_heartbeat_of_a_hidden_page_says_that_it_was_left(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """The beacon may have been lost."""
    await set_up(database, now)
    visitor = browser()
    await visitor.opens()
    clock.move(seconds=30)
    await visitor.speaks(visible=False)

    assert await database._pool.fetchval("SELECT gone_at FROM session") == clock.now


async def test_leaves_of_sessions_nobody_knows_are_ignored(
    database: Database, visits: Visits, now: datetime
) -> None:
    """Nobody reads the answer to a beacon."""
    await set_up(database, now)
    await visits.leave(a_leave(uuid4()), now)

    assert await database._pool.fetchval("SELECT count(*) FROM session") == 0


async def test_taps_and_copies(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Written down with the number, if the session was ever shown it."""
    await set_up(database, now)
    visitor = browser()
    page = await visitor.opens()
    await visitor.taps()
    await visitor.taps(e164(3))
    clock.move(seconds=5)
    await visitor.taps(page.number, "copy")
    row = await database._pool.fetchrow("SELECT tapped_at, tapped_number, copied_at FROM session")

    assert tuple(row) == (now, page.number, clock.now)


# -- all together ------------------------------------------------------------------------------------


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
