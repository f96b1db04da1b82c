"""Numbers bound to parameters: one for each combination, held by whoever comes with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store import arrivals
from router.store import upkeep as upkeep_store
from router.store.database import Database
from tests.company import DEFAULT, ORIGIN, APool, a_visit, e164, set_up
from tests.services.conftest import Browser, Clock

NewBrowser = Callable[[], Browser]


def _ad(campaign: str) -> str:
    return f"{ORIGIN}/?utm_source=google&utm_medium=cpc&utm_campaign={campaign}"


async def test_a_number_for_each_combination(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """However many visitors come with it; every one of them may be who calls."""
    await set_up(database, now, APool(binding=("source", "campaign"), policy="balanced"))
    shown = []
    for campaign in ("spring", "autumn", "spring", "spring", "winter", "summer"):
        clock.move(seconds=10)
        shown.append((await browser().opens(_ad(campaign))).number)
    found = await arrivals.dialled(database, (e164(1),), "", "", clock.now)

    assert shown == [e164(n) for n in (1, 2, 1, 1, 3)] + [DEFAULT]
    assert {(one.session_id, one.changed_at) for one in found.candidates} == {
        (1, None),
        (3, None),
        (4, None),
    }
    assert await upkeep_store.overlapping_reservations(database) == []


async def test_any_of_its_visits_renews_it(
    database: Database, browser: NewBrowser, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """Also one that was shown it before others were; leaving it does not end it for those who stay."""
    await set_up(database, now, APool(binding=("campaign",), numbers=(1,), reservation_seconds=60))
    first, second = browser(), browser()
    await first.opens(_ad("spring"))
    await second.opens(_ad("spring"))
    await second.leaves()
    for _ in range(10):
        clock.move(seconds=30)
        assert (await first.speaks()).how == "kept"
        await upkeep.sweep(clock.now)
    stranger = await browser().opens(_ad("autumn"))

    assert stranger.number == DEFAULT


async def test_it_is_released_by_itself(
    database: Database, browser: NewBrowser, clock: Clock, upkeep: Upkeep, now: datetime
) -> None:
    """A while after the last of its visits; then another combination may have it, but its own gets it back
    if none did."""
    await set_up(
        database, now, APool(binding=("campaign",), numbers=(1, 2), reservation_seconds=60)
    )
    for campaign in ("spring", "autumn"):
        visitor = browser()
        await visitor.opens(_ad(campaign))
        await visitor.leaves()
    await upkeep.sweep(clock.move(minutes=5))
    back = await browser().opens(_ad("autumn"))
    other = await browser().opens(_ad("winter"))
    late = await browser().opens(_ad("spring"))

    assert (back.number, other.number, late.number) == (e164(2), e164(1), DEFAULT)
    assert await upkeep_store.overlapping_reservations(database) == []


async def test_many_at_once(database: Database, visits: Visits, now: datetime) -> None:
    """Forty visits of four combinations in the same moment: four numbers."""
    await set_up(database, now, APool(binding=("campaign",), numbers=range(1, 9)))
    asked = [a_visit(_ad(f"campaign-{n % 4}")) for n in range(40)]
    answers = await asyncio.gather(*(visits.visit(one, now) for one in asked))
    shown = {(n % 4, answer.number) for n, answer in enumerate(answers)}

    assert len(shown) == len({number for _, number in shown}) == 4
    assert DEFAULT not in {number for _, number in shown}
    assert await upkeep_store.overlapping_reservations(database) == []
    until = await database._pool.fetchval(
        "SELECT min(reserved_until) FROM number WHERE ring <> '{}'"
    )
    assert until > now + timedelta(minutes=15)
