"""Numbers that change hands while pages show them: who keeps which digits, and what a call on them sees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store import arrivals
from router.store.database import Database
from tests.company import DEFAULT, LANDING, ORIGIN, PAGE, APool, e164, history, set_up
from tests.services.conftest import Browser, Clock

NewBrowser = Callable[[], Browser]
OTHER = f"{ORIGIN}/?utm_source=yandex&utm_medium=cpc&utm_campaign=autumn"


async def _candidates(database: Database, now: datetime, number: str) -> dict[int, datetime | None]:
    """Sessions that a call on the number may have come from, and when their pages changed."""
    found = await arrivals.dialled(database, (number,), "", "", now)
    return {one.session_id: one.changed_at for one in found.candidates}


async def test_nobody_who_looks_loses_his_number_while_another_can_be_had(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """First the one whose visitor is gone, then the one whose visitor does nothing, then the third."""
    await set_up(database, now, APool(policy="balanced"))
    looking, idle, gone = browser(), browser(), browser()
    mine = {await _number(one) for one in (looking, idle, gone)}
    for _ in range(2):
        clock.move(seconds=30)
        await looking.speaks()
        await idle.speaks(input=False)
    await gone.leaves("hide")
    taken = [await _number(browser()) for _ in range(3)]

    assert len(mine) == 3
    assert taken == [one.shown.number for one in (gone, idle, looking) if one.shown]


async def _number(visitor: Browser) -> str:
    return (await visitor.opens()).number


async def test_who_loses_his_number_keeps_the_digits_until_he_comes_back(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Also on another page that he opens meanwhile; his reservation is over as history at once, and a call on
    the digits may be his, without anything held against him."""
    await set_up(database, now, APool(policy="balanced", numbers=(1,)))
    first, second = browser(), browser()
    await first.opens()
    clock.move(seconds=20)
    taken_at = clock.now
    await second.opens()
    clock.move(seconds=10)
    beat = await first.speaks()
    page = await first.opens(PAGE)
    await second.speaks()

    assert (beat.how, beat.number, page.how, page.number) == ("kept", None, "kept", e164(1))
    assert (page.session, page.valid_until) == (first.shown and first.shown.session, None)
    assert [entry[1:] for entry in await history(database)] == [
        (now, taken_at, "taken"),
        (taken_at, None, None),
    ]
    assert await _candidates(database, clock.now, e164(1)) == {1: None, 2: None}


async def test_a_page_that_comes_back_to_a_taken_number_is_changed(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """From then on a call on the old digits is less likely his."""
    await set_up(database, now, APool(policy="balanced", numbers=(1, 2)))
    first, second, third = browser(), browser(), browser()
    await first.opens()
    await second.opens(OTHER)
    clock.move(seconds=30)
    await second.speaks()
    await first.leaves("hide")
    clock.move(seconds=30)
    await second.speaks()
    await third.opens(OTHER)
    assert (third.shown and third.shown.number) == e164(1)
    clock.move(seconds=30)
    await third.speaks()
    await second.leaves("hide")
    clock.move(seconds=30)
    back = await first.speaks()

    assert (back.how, back.number) == ("swapped", e164(2))
    assert await _candidates(database, clock.now, e164(1)) == {1: clock.now, 3: None}
    assert await _candidates(database, clock.now, e164(2)) == {1: None, 2: None}


async def test_a_new_campaign_takes_the_number_along(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Same digits, in all tabs; the new session enters the ring, the old one is gone at that moment and
    remains a candidate whose page did not change. What its open tabs say is said by the new one."""
    await set_up(database, now, APool(policy="balanced"))
    visitor = browser()
    old = await visitor.opens()
    clock.move(seconds=40)
    new = await visitor.opens(OTHER)
    moved_at = clock.now
    clock.move(seconds=30)
    told = await visitor.speaks(page=old)
    await visitor.taps()
    sessions = await database._pool.fetch("SELECT * FROM session ORDER BY id")
    number = await database._pool.fetchrow("SELECT * FROM number WHERE holder_id IS NOT NULL")
    assert number is not None

    assert old.session != new.session
    assert (new.number, new.how, told.how, told.number) == (old.number, "kept", "kept", None)
    assert (number["holder_id"], number["ring"], number["issued_at"]) == (2, [2, 1], moved_at)
    assert [row["gone_at"] for row in sessions] == [moved_at, None]
    assert [row["seen_at"] for row in sessions] == [now, clock.now]
    assert [row["tapped_at"] for row in sessions] == [None, clock.now]
    assert [entry[1:] for entry in await history(database)] == [
        (now, moved_at, "moved"),
        (moved_at, None, None),
    ]
    assert await _candidates(database, clock.now, old.number) == {1: None, 2: None}


async def test_three_campaigns_one_after_another(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """A tab of the first speaks for the third, and leaving it begins the tail of that."""
    await set_up(database, now, APool(policy="balanced", numbers=(1,)))
    visitor = browser()
    first = await visitor.opens()
    for url in (OTHER, LANDING):
        clock.move(seconds=40)
        await visitor.opens(url)
    clock.move(seconds=30)
    await visitor.speaks(page=first)
    visitor.shown = first
    await visitor.leaves("hide")
    gone = await database._pool.fetch("SELECT gone_at, moved_to FROM session ORDER BY id")

    assert [row["moved_to"] for row in gone] == [3, 3, None]
    assert gone[2]["gone_at"] == clock.now


async def test_ring_and_masses_are_what_the_number_remembers(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Three holders by name, those before them by what is still to be expected of them."""
    await set_up(database, now, APool(policy="balanced", numbers=(1,)))
    for url in (LANDING, OTHER, LANDING, OTHER, LANDING):
        visitor = browser()
        await visitor.opens(url)
        clock.move(seconds=40)
        await visitor.leaves()
    ring = await database._pool.fetchval("SELECT ring FROM number")
    row = await database._pool.fetchrow("SELECT * FROM number_mass")
    assert row is not None
    masses = row["masses"]

    assert ring == [5, 4, 3]
    assert row["at"] == now + timedelta(seconds=160)
    assert len(masses["sources"]) == len(masses["campaigns"]) == 2
    total = [sum(column) for column in zip(*(m for _, m in masses["sources"]), strict=True)]
    assert total == pytest.approx(masses["total"])


async def test_uis_changes_the_page_of_a_passive_visitor(
    database: Database, browser: NewBrowser, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """To the default number, when somebody needs his; a call on the old one is less likely his from then on."""
    await set_up(database, now, APool(policy="uis", numbers=(1,), reservation_seconds=60))
    passive, other = browser(), browser()
    await passive.opens()
    for _ in range(4):
        clock.move(seconds=30)
        await passive.speaks(input=False)
    await upkeep.sweep(clock.now)
    await other.opens()
    changed_at = clock.now
    clock.move(seconds=30)
    told = await passive.speaks(input=False)
    await other.speaks()

    assert (told.how, told.number) == ("default", DEFAULT)
    assert await _candidates(database, clock.now, e164(1)) == {1: changed_at, 2: None}


async def test_uis_lets_a_number_move_to_its_visitors_next_session(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """His own earlier session loses nothing by that: all his tabs speak for the new one, with the same digits."""
    await set_up(database, now, APool(policy="uis", numbers=(1, 2)))
    visitor = browser()
    first = await visitor.opens()
    clock.move(seconds=30)
    await visitor.speaks()
    second = await visitor.opens(OTHER)
    clock.move(seconds=10)
    told = await visitor.speaks(page=first)

    assert second.number == first.number
    assert (told.how, told.number) == ("kept", None)
    assert await _candidates(database, clock.now, first.number) == {1: None, 2: None}
    assert await database._pool.fetchval("SELECT moved_to FROM session WHERE id = 1") == 2


async def test_ringostat_leaves_the_page_of_the_oldest_as_it_is(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Even when its visitor comes back: a call is credited to either of them."""
    await set_up(database, now, APool(policy="ringostat", numbers=(1, 2)))
    visitors = [browser() for _ in range(3)]
    for visitor in visitors:
        clock.move(seconds=10)
        await visitor.opens()
    await visitors[0].leaves("hide")
    clock.move(seconds=10)
    back = await visitors[0].speaks()
    again = await visitors[0].opens(PAGE)

    assert (visitors[2].shown and visitors[2].shown.number) == e164(1)
    assert (back.how, back.number, again.number) == ("kept", None, e164(1))
    assert await _candidates(database, clock.now, e164(1)) == {1: None, 3: None}


async def test_a_pool_grows_when_all_its_numbers_are_looked_at(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """By one for each who needs one; an empty shared pool leaves what there is."""
    await set_up(database, now, APool(policy="balanced", numbers=(1,), grows=True))
    await database._pool.execute(
        "INSERT INTO number (organisation_id, e164, standing, created_at) "
        "VALUES (1, $1, 'shared', $2)",
        e164(7),
        now,
    )
    shown = [await _number(browser()) for _ in range(3)]

    assert shown[:2] == [e164(1), e164(7)]
    assert shown[2] in shown[:2]


async def test_a_visit_of_the_past_whose_page_is_changed_is_not_past(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """What was summed up with it is thrown away."""
    await set_up(database, now, APool(policy="balanced", numbers=(1,)))
    await browser().opens()
    await database._pool.execute(
        "INSERT INTO number_past (number_id, built_at, packed, kinds, unsettled) "
        "VALUES (1, $1, '\\x00', '[]', '{}')",
        now + timedelta(hours=3),
    )
    await database._pool.execute("UPDATE reservation SET changed_at = $1", now)

    assert await database._pool.fetchval("SELECT packed FROM number_past") is None
