"""How the statements of the shared pool and of noise are run, among many numbers and a long past."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from router.domain.model import OrganisationId, PoolId
from router.domain.organisation_settings import OrganisationSettings
from router.store import noise, shared_pool
from router.store.database import Database
from tests.company import APool, set_up
from tests.store.plans import plan


@pytest.fixture
async def seeded(database: Database, now: datetime) -> Database:
    """Twenty thousand shared numbers; forty thousand visits and two thousand calls on a hundred others."""
    await set_up(database, now, APool(numbers=range(1, 101)))
    for statement in (
        """
        INSERT INTO number (organisation_id, e164, standing, created_at, released_at)
        SELECT 1, '+7496' || (1000000 + n), 'shared', $1, $1::timestamptz - n * interval '1 s'
        FROM generate_series(1, 20000) AS n
        """,
        """
        INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at,
                             landing_url, referrer, source, medium, campaign, term, content, click_ids, shown,
                             number_id)
        SELECT 1, 1, gen_random_uuid(), gen_random_uuid(), 1, $1::timestamptz - n * interval '1 min',
               $1::timestamptz - n * interval '1 min', $1, '', '', '', '', '', '', '', '{}', '', 1 + n % 100
        FROM generate_series(1, 40000) AS n
        """,
        """
        INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at, ended_at, end_reason)
        SELECT 1, number_id, id, 1, started_at, started_at + interval '10 min', 'expired' FROM session
        WHERE started_at < $1
        """,
        """
        INSERT INTO call (organisation_id, ref, linkedid, number_id, did, caller, trunk, arrived_at, state, created_at)
        SELECT 1, 'reference-' || n, 'linked-' || n, 1 + n % 100, '', '', '', $1::timestamptz - n * interval '20 min',
               'ended', $1
        FROM generate_series(1, 2000) AS n
        """,
    ):
        await database._pool.execute(statement, now)
    await database._pool.execute("ANALYZE")
    return database


async def test_growing_reads_one_number(seeded: Database, now: datetime) -> None:
    """By the index that holds the shared pool in the order in which it is given out."""
    how = await plan(seeded, "shared_pool.grow", pool_id=1, now=now, actor="router", why="full")

    assert "number_aside" in how.indexes
    assert not {name for name in how.read_whole if name.startswith("number")}
    grown = await shared_pool.grow(seeded, PoolId(1), now, actor="router", why="full")
    assert grown is not None
    assert grown.e164 == "+74961020000"  # unused longest


async def test_noise_looks_calls_up_in_the_past(seeded: Database, now: datetime) -> None:
    """Each by its number's newest reservation before it: the past is not read from end to end."""
    how = await plan(
        seeded,
        "noise.heard",
        organisation_id=1,
        window_since=now - timedelta(days=30),
        since=now - timedelta(days=30),
        now=now,
        unshown=timedelta(days=14),
    )

    assert "reservation_of_number" in how.indexes
    assert not how.read_whole & {"reservation", "session", "call"}
    heard = await noise.heard(seeded, OrganisationId(1), OrganisationSettings(), now)
    assert sum(one.calls for one in heard) == 2000
    # visits go back 27.7 days and calls 27.7 too: each came to a number that was shown that day
    assert sum(len(one.noise) for one in heard) < 5
