"""How the statements are run that every visit and every heartbeat needs."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from router.domain.model import SiteId
from router.store import numbers, reservations, sessions
from router.store.database import Database
from router.store.numbers import Scan
from router.store.sessions import Beat
from tests.company import APool, set_up
from tests.store.plans import Plan, plan
from tests.store.test_reservations import POOL, a_hand_out

SITE = SiteId(1)


@pytest.fixture
async def seeded(database: Database, now: datetime) -> Database:
    """Ten thousand numbers, a third of them held, and a past of two hundred thousand visits."""
    await set_up(database, now, APool(numbers=()))
    await database._pool.execute(
        """
        INSERT INTO number (organisation_id, e164, pool_id, created_at, released_at, holder_id,
                            reserved_until)
        SELECT 1, '+7495' || (1000000 + n), 1, $1, $1, CASE WHEN n <= 3000 THEN n END,
               $1::timestamptz + CASE WHEN n <= 3000 THEN interval '1 hour' ELSE interval '0' END
        FROM generate_series(1, 10000) AS n
        """,
        now,
    )
    await database._pool.execute(
        """
        INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at,
                             input_at, landing_url, referrer, source, medium, campaign, term, content,
                             click_ids, shown, number_id)
        SELECT 1, 1, gen_random_uuid(), gen_random_uuid(), 1, $1, $1, $1, '', '', '', '', '', '', '',
               '{}', '', 1 + (n - 1) % 10000
        FROM generate_series(1, 200000) AS n
        """,
        now,
    )
    await database._pool.execute(
        """
        INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at, ended_at)
        SELECT 1, number_id, id, 1, $1::timestamptz - interval '1 day', $1 FROM session
        """,
        now,
    )
    await database._pool.execute("ANALYZE")
    return database


async def test_the_hot_queries_go_by_index(seeded: Database, now: datetime) -> None:
    """Whatever the number of numbers and of past visits, none reads a table or an index whole."""
    read = (await numbers.open_numbers(seeded, {POOL: Scan(most=1)}))[POOL]
    row = a_hand_out(read[0].candidate, now)
    hand_out = {"visits": reservations.as_json([row]), "now": now}
    hear: dict[str, Any] = {
        "keys": [uuid4()],
        "site_ids": [1],
        "input_ats": [now],
        "gone_kinds": [None],
        "now": now,
    }
    nothing: frozenset[str] = frozenset()

    scan: dict[str, Any] = {
        "pool_ids": [1],
        "mosts": [9],
        "campaign_pools": [1],
        "campaigns": ["spring"],
        "beyond": 16,
    }
    assert await plan(seeded, "numbers.open", **scan) == Plan(
        frozenset({"number_open", "number_open_of_campaign", "session_pkey"}), nothing
    )
    assert await plan(seeded, "numbers.rings", session_ids=[1, 2, 3]) == Plan(
        frozenset({"session_pkey"}), nothing
    )
    assert await plan(seeded, "numbers.masses", number_ids=[1, 2, 3]) == Plan(
        frozenset({"number_mass_pkey"}), nothing
    )
    bound = {"pool_ids": [1], "combinations": ["google"]}
    assert await plan(seeded, "numbers.bound", **bound) == Plan(
        frozenset({"number_bound_once"}), nothing
    )
    assert await plan(seeded, "sessions.known", site_ids=[1], visitors=[uuid4()]) == Plan(
        frozenset({"session_ordinal_once", "number_pkey"}), nothing
    )
    handing = await plan(seeded, "reservations.hand_out", **hand_out)
    assert {"number_pkey", "session_pkey", "reservation_pkey"} <= handing.indexes
    assert handing.read_whole == nothing
    heard = await plan(seeded, "sessions.hear", **hear)
    assert {"session_key_key", "number_pkey", "session_pkey"} <= heard.indexes
    assert heard.read_whole & {"number", "session", "number_open"} == nothing
    held = await plan(
        seeded,
        "numbers.held",
        pool_id=1,
        now=now,
        most=5,
        campaigns=["spring"],
        oldest=0,
        drained_above=0.3,
        begun=now,
        provisional=now,
    )
    assert held == Plan(frozenset({"number_taken", "number_open", "session_pkey"}), nothing)


async def test_heartbeats_are_heap_only_updates(seeded: Database, now: datetime) -> None:
    """Nothing that a heartbeat moves is in an index."""
    rows = await seeded._pool.fetch(
        "SELECT session.key FROM session JOIN number ON holder_id = session.id ORDER BY session.id"
    )
    chance = random.Random(1)
    for turn in range(1, 21):
        beats = [
            Beat(row["key"], SITE, now + timedelta(seconds=3 * turn), None)
            for row in chance.sample(rows, 100)
        ]
        heard = await sessions.hear(seeded, beats, now + timedelta(seconds=3 * turn))
        assert sum(one.held for one in heard.values()) == 100
    stats = await _updates(seeded)

    assert [every for every, _ in stats.values()] == [2000, 2000]
    assert min(hot / every for every, hot in stats.values()) > 0.9


async def _updates(database: Database) -> dict[str, tuple[int, int]]:
    """(updates, heap-only updates) by table; a connection tells its own some time after it made them."""
    found: dict[str, tuple[int, int]] = {}
    for _ in range(50):
        rows = await database._pool.fetch(
            "SELECT relname, n_tup_upd, n_tup_hot_upd, pg_stat_force_next_flush() "
            "FROM pg_stat_user_tables WHERE relname IN ('session', 'number')"
        )
        found = {row["relname"]: (row["n_tup_upd"], row["n_tup_hot_upd"]) for row in rows}
        if all(every == 2000 for every, _ in found.values()):
            break
        await asyncio.sleep(0.2)
    return found
