"""A page is left, a number is tapped; on a real PostgreSQL, with a clock the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from router.services.visits import Visits
from router.store import sessions
from router.store.database import Database
from tests.company import (
    APool,
    a_leave,
    e164,
    history,
    set_up,
)
from tests.services.conftest import Browser, Clock

NewBrowser = Callable[[], Browser]
WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())"
IDLE = timedelta(seconds=30)
T = timedelta(minutes=15)


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


async def test_a_tap_that_is_being_written_while_the_page_is_left_counts(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Both beacons are sent at the same moment, and may reach two routers."""
    await set_up(database, now, APool(policy="balanced", numbers=(1,)))
    visitor = browser()
    shown = await visitor.opens()
    clock.move(seconds=5)
    async with database.transaction() as tapping:
        site_id = await database._pool.fetchval("SELECT site_id FROM session")
        await sessions.tap(
            tapping, shown.session, site_id, number=None, tapped_at=clock.now, copied_at=None
        )
        leaving = asyncio.create_task(visitor.leaves("hide"))
        while not await database._pool.fetchval(WAITS):
            await asyncio.sleep(0.01)
    await leaving

    until = await database._pool.fetchval("SELECT reserved_until FROM number")
    assert until == clock.now + timedelta(minutes=30)


async def test_a_page_that_speaks_as_its_number_moves_on_brings_nobody_back(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """The visitor's earlier session went at that moment."""
    await set_up(database, now, APool(policy="balanced", numbers=(1,)))
    visitor = browser()
    await visitor.opens()
    clock.move(seconds=40)
    async with database._pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE session SET moved_to = 2, gone_at = $1, gone_kind = 'hide'", clock.now
        )
        speaking = asyncio.create_task(visitor.speaks())
        while not await database._pool.fetchval(WAITS):
            await asyncio.sleep(0.01)
    await speaking

    assert await database._pool.fetchval("SELECT gone_at FROM session") == clock.now


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
    """Activity ended when there had been no input for 30 s."""
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

    assert tuple(row) == (clock.now, now + IDLE + T)


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
