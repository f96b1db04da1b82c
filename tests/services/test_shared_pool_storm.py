"""Two sites, four routers and people, all at the shared pool at once; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

import pytest

from router.domain.errors import FieldError, FieldErrors
from router.domain.model import OrganisationId
from router.services.administration import Administration
from router.services.growth import grow
from router.services.hygiene import Hygiene
from router.services.shared_pool import SharedPool
from router.services.work import By
from router.store import administration
from router.store.database import Database
from tests.company import APool, e164, set_up
from tests.services.number_history import rang

ACME = OrganisationId(1)
NUMBERS = range(1, 25)


@pytest.mark.parametrize("seed", range(3))
async def test_no_number_is_two_sites(
    dsn: str, database: Database, now: datetime, seed: int
) -> None:
    """Whatever happens at once, the log of each number is one story: it stands where the last change put
    it, and between two sites it has rested."""
    chance = Random(seed)
    await set_up(database, now, APool(name="a", numbers=()))
    await database._pool.execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) VALUES (1, 'other-key', 'other', '{}', 'RU', "
        "'Europe/Moscow', '+74950000000', '{}', 1, $1)",
        now,
    )
    await database._pool.execute(
        "INSERT INTO pool (organisation_id, site_id, name, kind, created_at) "
        "VALUES (1, 2, 'b', 'dynamic', $1)",
        now,
    )
    by = By(actor="test", now=now)
    people = Administration(database)
    await people.change_setting("shared_percent", 50, by=by)
    await people.add_numbers([e164(n) for n in NUMBERS], by=by)
    await people.share_numbers([e164(n) for n in NUMBERS], listen=False, by=by)
    pools = [row.pool for row in await administration.pools(database, ACME)]
    routers = [await Database.connect(dsn, connections=3) for _ in range(4)]

    async def something(at: datetime) -> None:
        router = chance.choice(routers)
        number = e164(chance.choice(NUMBERS))
        who = By(actor="test", now=at)
        with suppress(FieldError, FieldErrors):  # a person asks for what cannot be done just now
            match chance.randrange(7):
                case 0 | 1:
                    await grow(router, chance.choice(pools), at)
                case 2:
                    await Hygiene(router).round(at)
                case 3:
                    await SharedPool(router).take_back(ACME, at)
                case 4:
                    await Administration(router).take_back_numbers([number], by=who)
                case 5:
                    await Administration(router).quarantine_numbers([number], by=who)
                case 6:
                    await Administration(router).release_numbers([number], by=who)

    for _ in range(12):
        now += timedelta(days=chance.choice((0, 4, 11, 20)))
        if chance.random() < 0.3:
            await rang(database, e164(chance.choice(NUMBERS)), now, now, now)
        await asyncio.gather(*(something(now) for _ in range(14)))
    for router in routers:
        await router.close()

    stories = defaultdict(list)
    for row in await database._pool.fetch(
        "SELECT change.*, site_id FROM number_standing_change AS change "
        "LEFT JOIN pool ON pool.id = change.pool_id ORDER BY change.id"
    ):
        stories[row["number_id"]].append(row)
    for row in await database._pool.fetch("SELECT * FROM number"):
        story = stories[row["id"]]
        assert [one["from_standing"] for one in story[1:]] == [
            one["to_standing"] for one in story[:-1]
        ]
        assert row["standing"] == story[-1]["to_standing"]
        assert (row["pool_id"] is None) == (row["grown_at"] is None)
        site, left = None, None
        for one in story:
            if one["to_standing"] == "resting":
                left = one["at"]
            if one["from_standing"] in ("shared", "resting") and one["to_standing"] == "in_use":
                if site not in (None, one["site_id"]):
                    assert left is not None
                    assert one["at"] - left >= timedelta(days=30)
                site = one["site_id"]
    assert sum(len(story) for story in stories.values()) > 3 * len(NUMBERS)
