"""Which calls are noise, and the background round; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from router.domain.model import OrganisationId
from router.services import hygiene
from router.services.administration import Administration
from router.services.hygiene import Hygiene
from router.services.work import By
from router.store.database import Database
from tests.company import DEFAULT, APool, e164, set_up
from tests.services.conftest import Clock
from tests.services.number_history import days, grown, rang, shown, standing

ACME = OrganisationId(1)


async def counted(database: Database, now: datetime) -> dict[str, int]:
    """Noise calls by number."""
    return {one.heard.e164: one.calls for one in await Hygiene(database).noise(now)}


async def test_calls_after_two_weeks_without_a_show_are_noise(
    database: Database, now: datetime
) -> None:
    """Counted from the end of the show, to the minute; and from the show before the call, not after it."""
    await set_up(database, now - days(90), APool(numbers=range(1, 2)))
    await shown(database, e164(1), now - days(25), now - days(24))
    minute = timedelta(minutes=1)

    await rang(database, e164(1), now - days(26), now - days(24.5), now - days(10) - minute)
    found = await Hygiene(database).noise(now)
    assert [(one.calls, one.heard.calls) for one in found] == [
        (1, 3)
    ]  # the one before its first show
    await rang(database, e164(1), now - days(10) + minute, now - days(1))
    (one,) = await Hygiene(database).noise(now)

    assert (one.calls, one.callers, one.days, one.dirty) == (3, 1, 3, True)
    # silent: from the window's begin to the first show, and from two weeks after it to now
    assert one.heard.silent_days == pytest.approx(5 + 10)


async def test_a_page_that_stays_open_shows_the_number(database: Database, now: datetime) -> None:
    """Its reservation is long over, but somebody still looks at the digits."""
    await set_up(database, now - days(90), APool(numbers=range(1, 2)))
    await shown(database, e164(1), now - days(28), now - days(27), page_until=now - days(10))
    await rang(database, e164(1), now - days(5))
    assert await counted(database, now) == {e164(1): 0}

    await database._pool.execute("UPDATE session SET shown = '+74950000000'")
    assert await counted(database, now) == {e164(1): 1}


async def test_a_held_number_is_shown(database: Database, now: datetime) -> None:
    """Its reservation has no end yet."""
    await set_up(database, now - days(90), APool(numbers=range(1, 2)))
    await shown(database, e164(1), now - days(20), now - days(20), page_until=now - days(20))
    await database._pool.execute("UPDATE reservation SET ended_at = NULL, end_reason = NULL")
    await database._pool.execute("UPDATE number SET holder_id = 1")
    await rang(database, e164(1), now - days(1))
    assert await counted(database, now) == {e164(1): 1}  # run out 20 days ago, and not swept yet

    await database._pool.execute(
        "UPDATE number SET reserved_until = $1", now + timedelta(minutes=20)
    )
    assert await counted(database, now) == {e164(1): 0}


async def test_numbers_in_the_street_are_not_noisy(database: Database, now: datetime) -> None:
    """Static pools' numbers and default numbers are shown where no page tells of it."""
    await set_up(
        database,
        now - days(90),
        APool(numbers=range(1, 2)),
        APool(name="maps", kind="static", source="maps", numbers=range(2, 3)),
    )
    by = By(actor="test", now=now - days(90))
    await Administration(database).add_numbers([DEFAULT, e164(8)], by=by)
    await Administration(database).withdraw_numbers([e164(8)], by=by)
    for number in (e164(1), e164(2), DEFAULT, e164(8)):
        await rang(database, number, now - days(1))

    assert await counted(database, now) == {e164(1): 1}


async def test_the_round_puts_dirty_numbers_aside_and_brings_quiet_ones_back(
    database: Database, now: datetime
) -> None:
    """Weeks in one pool: rung, put aside, silent, back. The log says why, in words."""
    await set_up(database, now - days(90), APool(numbers=range(1, 5)))
    await rang(database, e164(2), now - days(3), now - days(2), now - days(1))
    service = Hygiene(database)

    await service.round(now)
    assert await standing(database, e164(2)) == ("quarantined", 1)
    await service.round(now + days(28.9))
    assert await standing(database, e164(2)) == ("quarantined", 1)
    await service.round(now + days(30))
    assert await standing(database, e164(2)) == ("in_use", 1)

    log = await Administration(database).standing_log()
    assert [(row.e164, row.to_standing, row.actor) for row in log] == [
        (e164(2), "in_use", "router"),
        (e164(2), "quarantined", "router"),
    ]
    assert log[0].why == "no call for 30 days"
    assert log[1].why.startswith(
        "3 calls after nobody had been shown it for 14 days; from 1 caller"
    )


async def test_new_numbers_are_listened_to(database: Database, now: datetime) -> None:
    """A quiet one comes into the shared pool, one that rings into quarantine, before its time is over."""
    await set_up(database, now, APool(numbers=()))
    administration, by = Administration(database), By(actor="test", now=now)
    await administration.add_numbers([e164(1), e164(2)], by=by)
    await administration.share_numbers([e164(1), e164(2)], by=by)
    await rang(database, e164(2), now + days(1), now + days(2), now + days(3), caller="")
    service = Hygiene(database)

    await service.round(now + days(4))
    assert await standing(database, e164(1)) == ("listening", None)
    assert await standing(database, e164(2)) == ("quarantined", None)
    await service.round(now + days(14))
    assert await standing(database, e164(1)) == ("shared", None)
    await service.round(now + days(40))
    assert await standing(database, e164(2)) == ("shared", None)


async def test_a_quarantine_by_hand_ends_by_hand(database: Database, now: datetime) -> None:
    await set_up(database, now - days(90), APool(numbers=range(1, 5)))
    await Administration(database).quarantine_numbers([e164(1)], by=By(actor="anna", now=now))

    await Hygiene(database).round(now + days(300))

    assert await standing(database, e164(1)) == ("quarantined", 1)


async def test_each_organisation_has_its_own_settings(database: Database, now: datetime) -> None:
    """What one wishes does not touch the other."""
    await set_up(database, now - days(90), APool(numbers=range(1, 5)))
    await database._pool.execute(
        "INSERT INTO organisation (name, created_at) VALUES ('Other', $1)", now
    )
    await Administration(database).change_setting(
        "quarantine_automatic", "no", by=By(actor="test", now=now, organisation="Acme")
    )
    await rang(database, e164(2), now - days(3), now - days(2), now - days(1))

    await Hygiene(database).round(now)

    assert await standing(database, e164(2)) == ("in_use", 1)
    assert [one.dirty for one in await Hygiene(database).noise(now, "Acme")].count(True) == 1
    assert await Hygiene(database).noise(now, "Other") == []


async def test_rounds_go_on(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round after another, by the clock."""
    await set_up(database, clock.now - days(90), APool(numbers=range(1, 3)))
    await grown(database, clock.now - days(80), e164(1))
    monkeypatch.setattr(hygiene, "FIRST", timedelta(0))
    monkeypatch.setattr(hygiene, "EVERY", timedelta(seconds=0.02))
    monkeypatch.setattr(hygiene, "_LONGEST", timedelta(seconds=5))
    task = asyncio.create_task(Hygiene(database).run(clock))
    try:
        async with asyncio.timeout(20):
            while (await standing(database, e164(1)))[0] != "resting":
                await asyncio.sleep(0.02)
            clock.move(days=30)
            while (await standing(database, e164(1)))[0] != "shared":
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
