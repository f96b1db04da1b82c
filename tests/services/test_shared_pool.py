"""Numbers go back to the shared pool, rest, and are given to others; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from router.domain.model import OrganisationId
from router.services.administration import Administration
from router.services.growth import grow
from router.services.hygiene import Hygiene
from router.services.shared_pool import SharedPool
from router.services.work import By
from router.store import administration, arrivals
from router.store.database import Database
from tests.company import APool, e164, set_up
from tests.services.number_history import days, grown, rang, shown, standing

ACME = OrganisationId(1)


async def a_site_that_grew(database: Database, now: datetime, numbers: int = 3) -> None:
    """`numbers` grown numbers of one pool, last shown 20 days ago."""
    await set_up(database, now - days(90), APool(numbers=range(1, numbers + 1)))
    await grown(database, now - days(60), *(e164(n) for n in range(1, numbers + 1)))
    for n in range(1, numbers + 1):
        await shown(database, e164(n), now - days(20.5), now - days(20))


async def taken(database: Database, now: datetime) -> list[str]:
    return [one.e164 for one in await SharedPool(database).take_back(ACME, now)]


async def test_a_number_goes_back_after_two_weeks_without_call_and_show(
    database: Database, now: datetime
) -> None:
    """It rests, still in its pool; what is known of its last use is in the log."""
    await a_site_that_grew(database, now, 1)

    assert await taken(database, now - days(6.1)) == []
    assert await taken(database, now - days(5.9)) == [e164(1)]

    assert await standing(database, e164(1)) == ("resting", 1)
    (line,) = await SharedPool(database).log()
    assert (line.e164, line.site, line.pool) == (e164(1), "shop", "visitors")
    assert (line.at, line.last_shown_at, line.last_call_at) == (
        now - days(5.9),
        now - days(20),
        None,
    )
    (change,) = await Administration(database).standing_log()
    assert (change.from_standing, change.to_standing, change.why, change.actor) == (
        "in_use",
        "resting",
        "neither called nor shown for 14 days",
        "router",
    )


@pytest.mark.parametrize("used", ["called", "held", "on a page", "assigned", "new", "quarantined"])
async def test_what_does_not_go_back(database: Database, now: datetime, used: str) -> None:
    """One that was called or is on a page, that a person assigned, or that the site has just got."""
    await a_site_that_grew(database, now, 1)
    execute = database._pool.execute
    if used == "called":
        await rang(database, e164(1), now - days(13))
    elif used == "held":
        await execute(
            "UPDATE number SET holder_id = 1, reserved_until = $1", now + timedelta(minutes=5)
        )
    elif used == "on a page":
        # the number has been free for long, but an old page of it is still looked at
        await execute("UPDATE session SET seen_at = $1", now - days(13))
    elif used == "assigned":
        await execute("UPDATE number SET grown_at = NULL")
    elif used == "new":
        await execute("UPDATE number SET grown_at = $1", now - days(13))
    else:
        await execute("UPDATE number SET standing = 'quarantined'")

    assert await taken(database, now) == []


async def test_two_per_cent_a_month(database: Database, now: datetime) -> None:
    """Of a hundred idle numbers two go, the longest idle first, and the next two a month later."""
    await a_site_that_grew(database, now, 100)
    await shown(database, e164(50), now - days(19), now - days(18.9))
    for n in (70, 20):
        await database._pool.execute(
            "UPDATE number SET released_at = $1 WHERE e164 = $2", now - days(30), e164(n)
        )

    assert sorted(await taken(database, now)) == [e164(20), e164(70)]
    assert await taken(database, now + days(29)) == []
    again = await taken(database, now + days(30))
    assert len(again) == 1  # two per cent of 98 are one number and a bit


async def test_routers_share_the_allowance(database: Database, now: datetime) -> None:
    await a_site_that_grew(database, now, 100)

    went = await asyncio.gather(*(taken(database, now) for _ in range(4)))

    assert sum(map(len, went)) == 2


async def test_sites_have_allowances_of_their_own(database: Database, now: datetime) -> None:
    """And the settings say how much: everything at once, if somebody wants that."""
    await a_site_that_grew(database, now, 5)
    by = By(actor="test", now=now)
    await Administration(database).change_setting("shared_percent", 40, by=by)
    assert len(await taken(database, now)) == 2

    await Administration(database).change_setting("shared_percent", 0, by=by)
    assert await taken(database, now + days(31)) == []


async def test_the_rest_ends_in_the_shared_pool(database: Database, now: datetime) -> None:
    """For 30 days its calls reach the old site; another site gets it only after that."""
    await a_site_that_grew(database, now, 1)
    await database._pool.execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) VALUES (1, 'other-key', 'other', '{}', 'RU', "
        "'Europe/Moscow', '+74950000000', '{}', 1, $1)",
        now,
    )
    await database._pool.execute(
        "INSERT INTO pool (organisation_id, site_id, name, kind, created_at) "
        "VALUES (1, 2, 'other', 'dynamic', $1)",
        now,
    )
    other = {row.pool.name: row.pool for row in await administration.pools(database, ACME)}["other"]
    assert await taken(database, now) == [e164(1)]
    await database._pool.execute(
        "INSERT INTO number_mass (number_id, at, masses) SELECT id, $1, '{}' FROM number", now
    )
    hygiene = Hygiene(database)

    await hygiene.clean(ACME, now + days(29.9))
    assert await grow(database, other, now + days(29.9)) is None
    dialled = await arrivals.dialled(
        database, [e164(1)], "+79161234567", "carrier1", now + days(29.9)
    )
    assert (dialled.site_id, [target.name for target in dialled.targets]) == (1, ["office"])

    await hygiene.clean(ACME, now + days(30))
    assert await standing(database, e164(1)) == ("shared", None)
    row = await database._pool.fetchrow("SELECT grown_at, ring, reservation_id FROM number")
    assert tuple(row) == (None, [], None)
    assert await database._pool.fetchval("SELECT count(*) FROM number_mass") == 0
    got = await grow(database, other, now + days(31))
    assert got is not None
    assert await standing(database, e164(1)) == ("in_use", other.id)
    (line,) = await SharedPool(database).log()
    assert line.given_at == now + days(31)


async def test_the_log_counts_the_calls_that_came_since(database: Database, now: datetime) -> None:
    """They reached the old site while the number rested; the other site's calls are its own."""
    await a_site_that_grew(database, now, 1)
    await taken(database, now)
    await rang(database, e164(1), now - days(15), now + days(2), now + days(9), now + days(70))

    (line,) = await SharedPool(database).log()

    assert line.calls == (now + days(2), now + days(9))


async def test_a_number_that_rings_in_its_rest_is_not_clean(
    database: Database, now: datetime
) -> None:
    """Three calls to a number nobody was shown for two weeks: into quarantine, not to another site."""
    await a_site_that_grew(database, now, 1)
    await taken(database, now)
    await rang(database, e164(1), now + days(10), now + days(20), now + days(25))

    await Hygiene(database).clean(ACME, now + days(31))

    assert await standing(database, e164(1)) == ("quarantined", 1)


async def test_dry_run_changes_nothing_and_looks_back(database: Database, now: datetime) -> None:
    """What would go now, and what the rule would have cost: every silence of two weeks in the past, with
    the calls that came before the number was shown again."""
    await set_up(database, now - days(150), APool(numbers=range(1, 3)))
    await grown(database, now - days(150), e164(1), e164(2))
    await shown(database, e164(1), now - days(140), now - days(139))
    # idle from day -139: gone on -125; a call in its rest, one after it, then it is shown again
    await rang(database, e164(1), now - days(120), now - days(90))
    await shown(database, e164(1), now - days(80), now - days(79))
    await rang(database, e164(1), now - days(78))  # within the two weeks: costs nothing
    await shown(database, e164(2), now - days(5), now - days(4))
    pool = SharedPool(database)

    dry = await pool.dry_run(now)

    assert [(one.idle.e164, one.goes) for one in dry.due] == [(e164(1), True)]
    assert (dry.past.taken, dry.past.reached, dry.past.lost) == (2, 1, 1)
    assert await standing(database, e164(1)) == ("in_use", 1)
    assert await pool.log() == []


async def test_a_site_gets_its_own_number_back_from_rest(database: Database, now: datetime) -> None:
    """A new peak within the month: no other number is there, and its callers are the site's own."""
    await a_site_that_grew(database, now, 1)
    await taken(database, now)
    (row,) = await administration.pools(database, ACME)

    got = await grow(database, row.pool, now + days(3))

    assert got is not None
    assert await standing(database, e164(1)) == ("in_use", 1)
    (line,) = await SharedPool(database).log()
    assert line.given_at == now + days(3)
    assert await taken(database, now + days(4)) == []
