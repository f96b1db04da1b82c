"""Pulses, outages, and the sweep; on a real PostgreSQL, with a clock the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from router.domain.errors import StoreUnavailable
from router.domain.model import Policy
from router.domain.visitstate import Outage
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store import upkeep as store
from router.store.database import Database
from tests.company import ORIGIN, APool, a_heartbeat, a_leave, a_visit, e164, set_up
from tests.services.conftest import Clock, serving

LOST = timedelta(seconds=75)
T = timedelta(minutes=15)


@pytest.fixture
async def alone(database: Database, upkeep: Upkeep) -> AsyncIterator[Visits]:
    """The only router: while it cannot write, nobody does."""
    async with serving(Visits(database, upkeep)) as running:
        yield running


async def reserved_until(database: Database, number: int = 1) -> datetime:
    found: datetime = await database._pool.fetchval(
        "SELECT reserved_until FROM number WHERE e164 = $1", e164(number)
    )
    return found


async def outages(database: Database) -> list[tuple[datetime, datetime, int]]:
    rows = await database._pool.fetch("SELECT started_at, ended_at, prolonged FROM outage")
    return [tuple(row) for row in rows]


async def lived_until(database: Database, at: datetime) -> None:
    """A router wrote so."""
    await database._pool.execute("UPDATE router_pulse SET at = $1", at)


async def test_a_number_that_ran_out_in_an_outage_is_nobody_elses(
    database: Database, alone: Visits, clock: Clock, now: datetime
) -> None:
    """Its page may have been open all the time: the first visit after the gap sees to it, before it
    is served."""
    await set_up(database, now, APool(numbers=(1,)))
    page = await alone.visit(a_visit(), now)
    clock.move(hours=1)
    newcomer = await alone.visit(a_visit(), clock.now)
    back = await alone.heartbeat(a_heartbeat(page.session, page.number), clock.now)

    assert newcomer.how == "default"
    assert (back.how, back.number) == ("kept", None)
    assert await outages(database) == [(now, clock.now, 1)]
    assert await reserved_until(database) == clock.now + LOST + T


async def test_reservations_run_on_for_as_long_as_the_outage_lasted(
    database: Database, alone: Visits, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """Those in force when it began; what had run out before is handed out."""
    await set_up(database, now, APool(numbers=(1, 2)))
    gone = await alone.visit(a_visit(), now)
    await alone.leave(a_leave(gone.session), now)
    began = clock.move(minutes=15)
    await lived_until(database, began - timedelta(seconds=60))
    stays = await alone.visit(a_visit(), began - timedelta(seconds=60))
    await lived_until(database, began)
    await upkeep.pulse(clock.move(minutes=30))

    assert stays.valid_until is not None
    assert await outages(database) == [(began, clock.now, 1)]
    assert await reserved_until(database, 1) == now + T
    assert await reserved_until(database, 2) == stays.valid_until + timedelta(minutes=30)
    assert (await alone.visit(a_visit(), clock.now)).number == gone.number


async def test_who_looked_when_an_outage_began_is_not_gone_after_it(
    database: Database, alone: Visits, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """The pages that could not speak are looked at: the number of the one that was left is taken."""
    await set_up(database, now, APool(policy="balanced", numbers=(1, 2)))
    looking = await alone.visit(a_visit(), now)
    # of another source: by the score alone the newcomer would get the other number
    left = await alone.visit(a_visit(f"{ORIGIN}/?utm_source=yandex&utm_medium=cpc"), now)
    for page in (looking, left):
        await alone.heartbeat(a_heartbeat(page.session, page.number), clock.move(seconds=3))
    await alone.leave(a_leave(left.session), clock.now)
    newcomer = await alone.visit(a_visit(), clock.move(seconds=300))

    assert len(await outages(database)) == 1
    assert newcomer.number == left.number != looking.number


async def test_a_short_pause_is_no_outage(
    database: Database, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """Ten seconds, or another router that lived."""
    await upkeep.pulse(now)
    await upkeep.pulse(clock.move(seconds=10))
    await Upkeep(database, "router 2").pulse(clock.move(seconds=9))
    await upkeep.pulse(clock.move(seconds=9))

    assert await outages(database) == []


async def test_the_first_pulse_of_all_is_no_outage(
    database: Database, upkeep: Upkeep, now: datetime
) -> None:
    """Nothing was before it."""
    await upkeep.pulse(now)

    assert await outages(database) == []


async def test_one_router_prolongs(
    database: Database, alone: Visits, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """However many come back at once, an outage is one."""
    await set_up(database, now, APool(numbers=(1,)))
    await alone.visit(a_visit(), now)
    clock.move(minutes=5)
    others = [Upkeep(database, f"router {n}") for n in range(2, 8)]
    await asyncio.gather(*(router.pulse(clock.now) for router in [upkeep, *others]))

    assert await outages(database) == [(now, clock.now, 1)]
    assert await reserved_until(database) == now + LOST + T + timedelta(minutes=5)


async def test_outages_are_told(
    database: Database, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """To whoever judges a visitor's silence."""
    await upkeep.pulse(now)
    end = clock.move(minutes=1)
    await upkeep.pulse(end)
    later = now + timedelta(hours=1)

    assert await upkeep.outages(now) == [Outage(started_at=now, ended_at=end)]
    assert await upkeep.outages(later) == []


async def test_the_sweep(
    database: Database, visits: Visits, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """Frees what has run out, no earlier; history ends when it ran out, not when it was swept."""
    await set_up(database, now, APool(numbers=(1, 2)))
    page = await visits.visit(a_visit(), now)
    await visits.visit(a_visit(), now + timedelta(minutes=10))
    await visits.leave(a_leave(page.session), now)
    clock.move(minutes=15, microseconds=-1)
    early = await upkeep.sweep(clock.now)
    clock.move(microseconds=1)
    swept = await upkeep.sweep(clock.now), await upkeep.sweep(clock.now)
    ended = await database._pool.fetch(
        "SELECT ended_at, end_reason FROM reservation WHERE ended_at IS NOT NULL"
    )
    freed = await database._pool.fetchrow("SELECT * FROM number WHERE holder_id IS NULL")

    assert (early, swept) == (0, (1, 0))
    assert [tuple(row) for row in ended] == [(now + T, "expired")]
    assert (freed["e164"], freed["released_at"]) == (page.number, now + T)


async def test_the_sweep_looks_for_an_outage_first(
    database: Database, alone: Visits, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """What ran out only because nobody could renew it is not freed."""
    await set_up(database, now, APool(numbers=(1,)))
    await alone.visit(a_visit(), now)

    assert await upkeep.sweep(clock.move(hours=1)) == 0


async def test_routers_that_are_no_more_are_forgotten(
    database: Database, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """After a day."""
    await Upkeep(database, "earlier").pulse(now)
    await upkeep.sweep(clock.move(hours=25))

    assert await database._pool.fetchval("SELECT array_agg(router) FROM router_pulse") == [
        "router 1"
    ]


async def test_a_locked_database_is_walked_away_from(
    database: Database, visits: Visits, now: datetime
) -> None:
    """The page keeps its own number; when the database answers again, so do we."""
    await set_up(database, now)
    await visits.visit(a_visit(), now)
    loop = asyncio.get_running_loop()
    async with database._pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE session")
        began = loop.time()
        answers = await asyncio.gather(
            *(visits.visit(a_visit(), now) for _ in range(20)), return_exceptions=True
        )
        waited = loop.time() - began

    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert waited < 1.3
    assert (await visits.visit(a_visit(), now)).number


async def test_an_arriving_call_knows_of_an_outage_that_nobody_has_written_down(
    database: Database, now: datetime
) -> None:
    """From memory alone: the call does not wait for a pulse."""
    upkeep = Upkeep(database, "router 1")
    assert upkeep.gap(now) is None
    await upkeep.pulse(now)

    assert upkeep.gap(now + timedelta(seconds=9)) is None
    gap = upkeep.gap(now + timedelta(seconds=60))
    assert gap is not None
    assert (gap.started_at, gap.ended_at) == (now, now + timedelta(seconds=60))


@pytest.mark.parametrize("policy", ["balanced", "exclusive", "longest_idle", "uis", "mango"])
async def test_what_was_swept_is_free_whatever_the_clock_does_then(
    database: Database, visits: Visits, clock: Clock, upkeep: Upkeep, now: datetime, policy: Policy
) -> None:
    """It steps back to before the reservation ran out: nobody holds the number all the same, and its history
    has no two at one time."""
    await set_up(database, now, APool(policy=policy, numbers=(1,)))
    page = await visits.visit(a_visit(), now)
    clock.move(seconds=20)
    await visits.leave(a_leave(page.session, "hide"), clock.now)
    await upkeep.sweep(clock.move(hours=1))
    clock.move(minutes=-58)
    newcomer = await visits.visit(a_visit(), clock.now)

    assert newcomer.number == page.number
    assert (
        await database._pool.fetchval("SELECT started_at FROM reservation WHERE id = 2")
        == clock.now
    )
    assert await store.overlapping_reservations(database) == []
