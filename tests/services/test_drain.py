"""Robots that load pages by the dozen take no number from a visitor who looks at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import structlog

from router.domain.allocation.tiers import DRAINED_ABOVE, SPEAKS_WITHIN
from router.domain.model import OrganisationId, Pool, PoolId, SiteId
from router.services.rations import Rations
from router.services.visits import Visits
from router.store import numbers
from router.store.database import Database
from router.store.numbers import Scan
from tests.company import LANDING, APool, e164, set_up
from tests.services.conftest import Browser, Clock, serving

NewBrowser = Callable[[], Browser]
NUMBERS = tuple(range(1, 11))


async def drained(database: Database, now: datetime) -> bool:
    read = await numbers.held(database, await _pool(database), Scan(most=50), now)
    assert len({one.drained for one in read}) == 1
    return read[0].drained


async def _pool(database: Database) -> PoolId:
    return PoolId(await database._pool.fetchval("SELECT min(id) FROM pool"))


def _a_pool(number: int) -> Pool:
    return Pool(
        id=PoolId(number),
        organisation_id=OrganisationId(1),
        site_id=SiteId(1),
        name="visitors",
        kind="dynamic",
        policy="balanced",
        priority=100,
        reservation_seconds=900,
        rules=(),
        default_number=None,
        target_id=None,
        record=True,
        source=None,
        medium=None,
        campaign=None,
    )


async def test_pages_that_never_speak_lose_their_numbers_first(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Two people look at their pages, eight robots never spoke: the next visitors get numbers of the robots,
    until these hold no more than three of ten."""
    await set_up(database, now, APool(policy="balanced", numbers=NUMBERS))
    people = [browser() for _ in range(2)]
    robots = [browser() for _ in range(8)]
    for one in (*people, *robots):
        await one.opens()
    clock.move(seconds=15)
    for one in people:
        await one.speaks()
    with structlog.testing.capture_logs() as logs:
        taken = []
        for _ in range(5):
            visitor = browser()
            taken.append((await visitor.opens()).number)
            await visitor.speaks()

    assert len(set(taken)) == 5
    assert set(taken) < {one.shown.number for one in robots if one.shown}
    assert [log["pool"] for log in logs if "drained" in log["event"]] == ["visitors"]
    assert not await drained(database, clock.now)


async def test_few_that_never_spoke_are_visitors_like_any_other(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Three of ten are no drain; and nobody is counted before his page could speak."""
    await set_up(database, now, APool(policy="balanced", numbers=NUMBERS))
    for _ in range(3):
        await browser().opens()
    clock.move(seconds=15)
    few = await drained(database, clock.now)
    await browser().opens()
    early = await drained(database, clock.now)
    clock.move(seconds=SPEAKS_WITHIN.total_seconds())

    assert len(NUMBERS) * DRAINED_ABOVE == 3
    assert (few, early, await drained(database, clock.now)) == (False, False, True)


async def test_a_number_is_held_30_s_for_a_page_that_does_not_speak(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Then it goes to others before that of a visitor who does nothing; until then, after it."""
    await set_up(database, now, APool(policy="balanced", numbers=(1, 2, 3, 4)))
    idle = browser()
    await idle.opens()
    for _ in range(2):
        looking = browser()
        await looking.opens()
        await looking.speaks()
    clock.move(seconds=20)
    silent = browser()
    await silent.opens()
    clock.move(seconds=20)
    await idle.speaks(input=False)
    early = (await browser().opens()).number
    clock.move(seconds=10)
    late = (await browser().opens()).number

    assert idle.shown
    assert silent.shown
    assert (early, late) == (idle.shown.number, silent.shown.number)


async def test_a_page_that_has_spoken_once_is_verified(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Only by a page that is seen: one in the background proves nothing."""
    await set_up(database, now, APool(policy="balanced", numbers=(1, 2)))
    seen, hidden = browser(), browser()
    await seen.opens()
    await hidden.opens()
    clock.move(seconds=3)
    await seen.speaks()
    await hidden.speaks(visible=False)
    rows = await database._pool.fetch("SELECT verified_at FROM session ORDER BY id")

    assert [row["verified_at"] for row in rows] == [clock.now, None]


@pytest.mark.parametrize("policy", ["balanced", "longest_idle", "ringostat"])
async def test_a_pool_hands_out_so_many_a_minute(
    database: Database, clock: Clock, now: datetime, policy: str
) -> None:
    """Then its visitors see the default number; who has a number keeps it, and the bucket fills again."""
    await set_up(database, now, APool(policy=policy, numbers=NUMBERS))
    async with serving(Visits(database, pool_reservations=3)) as visits:
        crowd = [Browser(visits, clock) for _ in range(5)]
        with structlog.testing.capture_logs() as logs:
            first = [(await one.opens()).how for one in crowd]
        again = (await crowd[0].opens()).how
        clock.move(seconds=20)
        later = [(await Browser(visits, clock).opens()).how for _ in range(2)]

    assert first == ["free", "free", "free", "default", "default"]
    assert again == "kept"
    assert later == ["free", "default"]
    assert [log["a_minute"] for log in logs if log["event"] == "pool rationed"] == [3]


def test_a_bucket_fills_evenly_and_no_further(now: datetime) -> None:
    """Each pool has its own; a clock that is set back gives nothing away."""
    rations = Rations(2)
    one, other = _a_pool(1), _a_pool(2)
    rations.take(one, now)
    rations.take(one, now)

    assert not rations.left(one.id, now)
    assert not rations.left(one.id, now + timedelta(seconds=29))
    assert rations.left(one.id, now + timedelta(seconds=30))
    back = now - timedelta(hours=1)
    assert not rations.left(one.id, back)
    # the clock was set back: it fills from there, and not in an hour only
    assert rations.left(one.id, back + timedelta(seconds=30))
    assert rations.left(other.id, now)
    tomorrow = now + timedelta(days=1)
    for _ in range(2):
        rations.take(one, tomorrow)
    assert not rations.left(one.id, tomorrow)
    assert Rations(None).left(one.id, now)


async def _share(database: Database, numbers: range, now: datetime) -> None:
    await database._pool.executemany(
        "INSERT INTO number (organisation_id, e164, standing, created_at) "
        "VALUES (1, $1, 'shared', $2)",
        [(e164(n), now) for n in numbers],
    )


async def _still_shared(database: Database) -> int:
    count: int = await database._pool.fetchval(
        "SELECT count(*) FROM number WHERE standing = 'shared'"
    )
    return count


@pytest.mark.parametrize("policy", ["mango", "balanced", "exclusive"])
async def test_a_drained_pool_leaves_the_shared_pool_to_others(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime, policy: str
) -> None:
    """Who comes while robots hold its numbers makes it no larger; once these speak, they do."""
    await set_up(database, now, APool(policy=policy, grows=True, numbers=NUMBERS))
    await _share(database, range(21, 26), now)
    people, robots = [browser() for _ in range(6)], [browser() for _ in range(4)]
    for one in (*people, *robots):
        await one.opens()
    clock.move(seconds=15)
    for one in people:
        await one.speaks()
    with structlog.testing.capture_logs() as logs:
        await browser().opens()
    while_drained = await _still_shared(database)
    clock.move(seconds=12)
    for one in (*people, *robots):
        await one.speaks()
    grown = await browser().opens()

    assert (while_drained, await _still_shared(database)) == (5, 4)
    assert [log["pool"] for log in logs if "drained" in log["event"]] == ["visitors"]
    assert grown.number == e164(21)


async def test_combinations_of_a_drained_pool_leave_it_alone_too(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """A robot that makes up campaigns gets no number for each."""
    pool = APool(policy="balanced", grows=True, numbers=(1, 2), binding=("campaign",))
    await set_up(database, now, pool)
    await _share(database, range(21, 26), now)
    for campaign in ("a", "b"):
        await browser().opens(LANDING.replace("spring", campaign))
    clock.move(seconds=15)
    for campaign in ("c", "d", "e"):
        await browser().opens(LANDING.replace("spring", campaign))

    assert await _still_shared(database) == 5


async def test_a_pool_grows_by_so_many_a_minute(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Before anybody can be told from a robot; then its visitors see the default number."""
    await set_up(database, now, APool(policy="mango", numbers=()))
    await _share(database, range(1, 61), now)
    crowd = [browser() for _ in range(35)]
    first = [(await one.opens()).how for one in crowd]
    clock.move(seconds=20)
    for one in crowd[:30]:
        await one.speaks()
    later = [(await browser().opens()).how for _ in range(11)]

    assert (first.count("free"), first[30:]) == (30, ["default"] * 5)
    assert (later.count("free"), later[10:]) == (10, ["default"])
    assert await _still_shared(database) == 20
