"""Pools grow from the shared pool; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from router.domain.model import OrganisationId, Pool
from router.domain.shared_pool import may_grow
from router.services.growth import grow
from router.services.visits import Visits
from router.store import administration
from router.store.database import Database
from tests.company import DEFAULT, APool, a_visit, e164, set_up


async def share(
    database: Database, numbers: range, now: datetime, region: str | None = None
) -> None:
    """Numbers of the organisation's shared pool."""
    await database._pool.executemany(
        "INSERT INTO number (organisation_id, e164, standing, region, created_at) "
        "VALUES (1, $1, 'shared', $2, $3)",
        [(e164(n), region, now) for n in numbers],
    )


async def pools(database: Database) -> dict[str, Pool]:
    rows = await administration.pools(database, OrganisationId(1))
    return {row.pool.name: row.pool for row in rows}


async def test_a_pool_grows_by_one(database: Database, now: datetime) -> None:
    """The number is the pool's, in use, free, and known as a grown one; the log and the audit say why."""
    ids = await set_up(database, now, APool(numbers=()))
    await share(database, range(1, 3), now)
    later = now + timedelta(hours=1)

    grown = await grow(database, (await pools(database))["visitors"], later, why="a busy hour")

    assert grown is not None
    row = await database._pool.fetchrow("SELECT * FROM number WHERE id = $1", grown.number_id)
    assert (row["pool_id"], row["standing"], row["grown_at"], row["holder_id"]) == (
        ids["visitors"],
        "in_use",
        later,
        None,
    )
    assert (row["e164"], row["version"]) == (e164(1), grown.version)
    told = await database._pool.fetchrow("SELECT * FROM number_standing_change")
    assert (told["from_standing"], told["to_standing"], told["why"], told["actor"], told["at"]) == (
        "shared",
        "in_use",
        "a busy hour",
        "router",
        later,
    )
    audited = await database._pool.fetchrow("SELECT * FROM audit_entry")
    assert (audited["action"], audited["subject"]) == ("pool.grow", "visitors")
    assert audited["detail"] == {"number": e164(1), "was": "shared", "why": "a busy hour"}


async def test_an_empty_shared_pool_gives_nothing(database: Database, now: datetime) -> None:
    """Numbers in use, in quarantine or of another organisation are not the shared pool's."""
    await set_up(database, now, APool())
    await database._pool.execute(
        "INSERT INTO organisation (name, created_at) VALUES ('Other', $1)", now
    )
    await database._pool.execute(
        "INSERT INTO number (organisation_id, e164, standing, created_at) VALUES "
        "(2, '+74950000101', 'shared', $1), (1, '+74950000102', 'quarantined', $1), "
        "(1, '+74950000103', 'in_use', $1), (1, '+74950000104', 'listening', $1)",
        now,
    )
    # one that is about to be given up is not begun with
    await share(database, range(5, 6), now)
    await database._pool.execute(
        "UPDATE number SET leaves_at = $1 WHERE standing = 'shared' AND organisation_id = 1", now
    )

    assert await grow(database, (await pools(database))["visitors"], now) is None
    assert await database._pool.fetchval("SELECT count(*) FROM number_standing_change") == 0


async def test_no_number_goes_to_two_pools(database: Database, now: datetime) -> None:
    """Forty that ask at once for twenty-five numbers: each number goes to one, and none is left."""
    ids = await set_up(database, now, APool(name="a", numbers=()), APool(name="b", numbers=()))
    await share(database, range(1, 26), now)
    found = await pools(database)

    async def asks(n: int) -> str | None:
        # who passes over a row that another is taking, sees what is left a moment later
        for _ in range(50):
            grown = await grow(database, found["ab"[n % 2]], now)
            if grown is not None:
                return grown.e164
            await asyncio.sleep(0.01)
        return None

    grown = await asyncio.gather(*(asks(n) for n in range(40)))

    given = [number for number in grown if number]
    assert sorted(given) == [e164(n) for n in range(1, 26)]
    counted = await database._pool.fetch("SELECT pool_id FROM number")
    assert sum(Counter(row["pool_id"] for row in counted).values()) == 25
    assert {row["pool_id"] for row in counted} <= set(ids.values())
    assert await database._pool.fetchval("SELECT count(*) FROM number_standing_change") == 25


@pytest.mark.parametrize(
    ("pool_region", "expected"),
    [("RU-MOW", "RU-MOW"), ("RU", "RU-SPE"), (None, None), ("KZ", "nothing")],
)
async def test_a_pool_gets_numbers_of_its_region(
    database: Database, now: datetime, pool_region: str | None, expected: str | None
) -> None:
    """A country holds its regions; a number without a region goes where none is asked for."""
    await set_up(database, now, APool(numbers=()))
    await database._pool.execute("UPDATE pool SET region = $1", pool_region)
    await share(database, range(1, 2), now)
    await share(database, range(2, 3), now, "RU-SPE")
    await share(database, range(3, 4), now, "RU-MOW")

    grown = await grow(database, (await pools(database))["visitors"], now)

    if expected == "nothing":
        assert grown is None
    else:
        assert grown is not None
        region = await database._pool.fetchval(
            "SELECT region FROM number WHERE id = $1", grown.number_id
        )
        assert region == expected


async def test_a_pool_without_a_region_stays_in_its_sites_country(
    database: Database, now: datetime
) -> None:
    """Visitors of a Russian site are not shown a number of New York, however long it has been idle."""
    await set_up(database, now, APool(numbers=()))
    await share(database, range(1, 2), now, "US-NY")
    await share(database, range(2, 3), now, "RU-SPE")
    pool = (await pools(database))["visitors"]

    grown = await grow(database, pool, now)

    assert grown is not None
    assert grown.e164 == e164(2)
    assert await grow(database, pool, now) is None


async def test_a_static_pool_does_not_grow(database: Database, now: datetime) -> None:
    await set_up(database, now, APool(kind="static", source="maps", numbers=()))
    await share(database, range(1, 2), now)

    assert await grow(database, (await pools(database))["visitors"], now) is None


async def test_a_resting_number_goes_back_to_its_own_site_alone(
    database: Database, now: datetime
) -> None:
    """It is answered for its old site: that site may have it back, any other has to wait."""
    ids = await set_up(database, now, APool(name="a", numbers=range(1, 2)))
    await database._pool.execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) VALUES (1, 'other-key', 'other', '{}', 'RU', "
        "'Europe/Moscow', '+74950000000', '{}', 1, $1)",
        now,
    )
    other = await database._pool.fetchval(
        "INSERT INTO pool (organisation_id, site_id, name, kind, created_at) "
        "VALUES (1, 2, 'other', 'dynamic', $1) RETURNING id",
        now,
    )
    await database._pool.execute("UPDATE number SET standing = 'resting'")
    found = await pools(database)

    assert found["other"].id == other
    assert await grow(database, found["other"], now) is None
    again = await grow(database, found["a"], now)
    assert again is not None
    assert again.e164 == e164(1)
    assert await database._pool.fetchval("SELECT pool_id FROM number") == ids["a"]


async def test_calls_to_a_grown_number_reach_its_site(database: Database, now: datetime) -> None:
    """Asterisk's own route of the number is the site's from then on."""
    await set_up(database, now, APool(numbers=()))
    await share(database, range(1, 2), now)
    await grow(database, (await pools(database))["visitors"], now)

    rows = await database.fetch("failsafe.routes")

    assert [(row["numbers"], [t["name"] for t in row["targets"]]) for row in rows] == [
        ([e164(1)], ["office"])
    ]


def test_who_may_grow() -> None:
    """`mango` lives by it; the others where it is set; static pools never."""

    def a_pool(**values: object) -> Pool:
        base: dict[str, object] = {
            "id": 1, "organisation_id": 1, "site_id": 1, "name": "p", "kind": "dynamic",
            "policy": "balanced", "priority": 1, "reservation_seconds": 900, "rules": (),
            "default_number": None, "target_id": None, "record": True, "source": None,
            "medium": None, "campaign": None,
        }  # fmt: skip
        return Pool(**{**base, **values})  # type: ignore[arg-type]

    assert may_grow(a_pool(policy="mango"))
    assert may_grow(a_pool(grows=True))
    assert not may_grow(a_pool())
    assert not may_grow(a_pool(policy="mango", kind="static"))


async def test_two_sites_at_their_peak(database: Database, visits: Visits, now: datetime) -> None:
    """Forty visitors at once on two sites, twenty-five numbers in the shared pool: each number is on one
    page of one site, and who gets none sees his site's own."""
    await set_up(database, now, APool(numbers=(), policy="mango"))
    await database._pool.execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) VALUES (1, 'other-key', 'other', '{https://other.example}', "
        "'RU', 'Europe/Moscow', '+74950009999', '{}', 1, $1)",
        now,
    )
    await database._pool.execute(
        "INSERT INTO pool (organisation_id, site_id, name, kind, policy, created_at) "
        "VALUES (1, 2, 'other', 'dynamic', 'mango', $1)",
        now,
    )
    await share(database, range(1, 26), now)
    shop = a_visit()
    other = replace(shop, site="other-key", origin="https://other.example")

    answers = await asyncio.gather(*(visits.visit(request, now) for request in [shop, other] * 20))

    numbers = Counter(answer.number for answer in answers)
    assert [numbers[e164(n)] for n in range(1, 26)] == [1] * 25
    assert sum(numbers[default] for default in (DEFAULT, "+74950009999")) == 15
    rows = await database._pool.fetch(
        "SELECT e164, pool.site_id, session.site_id AS shown_on FROM number JOIN pool ON pool.id = pool_id "
        "JOIN session ON session.id = holder_id"
    )
    assert len(rows) == 25
    assert all(row["site_id"] == row["shown_on"] for row in rows)
