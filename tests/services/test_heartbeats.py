"""A page speaks of itself; on a real PostgreSQL, with a clock the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from random import Random
from uuid import uuid4

import pytest

from router.domain.allocation import ReservationTimes, reserved_until
from router.domain.errors import UnknownSession
from router.domain.model import Policy, SessionTimes
from router.domain.page import HeartbeatAnswer
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store.database import Database
from tests.company import (
    DEFAULT,
    PAGE,
    APool,
    a_heartbeat,
    a_visit,
    e164,
    history,
    set_up,
)
from tests.services.conftest import Browser, Clock

NewBrowser = Callable[[], Browser]
LOST = timedelta(seconds=75)
T = timedelta(minutes=15)
TIMES = ReservationTimes(classic=T)


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
    """Run out, and even swept: its digits are still nobody else's, and its reservation goes on."""
    await set_up(database, now)
    visitor = browser()
    page = await visitor.opens()
    await visitor.leaves("hide")
    await upkeep.sweep(clock.move(hours=2))
    back = await visitor.speaks()

    assert (back.how, back.number, back.valid_until) == ("kept", None, clock.now + LOST + T)
    assert await history(database) == [(page.number, now, None, None)]
    assert await database._pool.fetchval("SELECT max(issued_at) FROM number") == now


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


@pytest.mark.parametrize("policy", ["balanced", "longest_idle", "uis", "ringostat"])
@pytest.mark.parametrize("seed", range(3))
async def test_reservations_end_when_the_rules_say(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime, seed: int, policy: Policy
) -> None:
    """Whatever a page does: what the statements write is what domain/allocation computes."""
    await set_up(database, now, APool(policy=policy))
    visitor, chance = browser(), Random(seed)
    await visitor.opens()
    for _ in range(60):
        clock.move(seconds=chance.choice([1, 14, 16, 30, 30, 30, 44, 75, 76, 400]))
        match chance.randrange(7):
            case 0 | 1:
                await visitor.leaves(chance.choice(["hide", "close"]))
            case 2:
                await visitor.opens(PAGE)
            case 3 if chance.random() < 0.2:
                await visitor.taps()
            case action:
                await visitor.speaks(input=action == 5)
        row = await database._pool.fetchrow(
            "SELECT session.*, number.reserved_until, number.released_at, number.holder_left, "
            "number.silent_at, number.issued_at "
            "FROM session JOIN number ON holder_id = session.id"
        )
        times = SessionTimes(**{field.name: row[field.name] for field in fields(SessionTimes)})
        until = reserved_until(policy, times, TIMES, issued_at=row["issued_at"])

        assert row["reserved_until"] == until
        assert row["holder_left"] == (row["gone_at"] is not None)
        assert not row["holder_left"] or row["released_at"] == until
        # one who does nothing moves it no more: the sweep does
        assert row["silent_at"] <= row["seen_at"] + LOST
