"""Calls that arrive together are served together, each as if it had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from router.domain.model import Arrival
from router.store import arrivals, decisions
from router.store.arrivals import Asked
from router.store.database import Database, Queries
from router.store.decisions import Noted
from tests.services.calls_world import NUMBER, World, arrival, build
from tests.store.plans import plan

S = timedelta(seconds=1)
HELD, FREE, STATIC, POOL_DEFAULT, SITE_DEFAULT, FOREIGN, STRANGE = (
    "74951234567",
    "74951234568",
    "74951230500",
    "74951230001",
    "74951230000",
    "74957654321",
    "12",
)
DIALLED = (HELD, FREE, STATIC, POOL_DEFAULT, SITE_DEFAULT, FOREIGN, STRANGE)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


class Commits:
    """How many calls each statement wrote down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        write = decisions.note

        async def counted(queries: Queries, calls: Sequence[Noted]) -> set[str]:
            self.sizes.append(len(calls))
            return await write(queries, calls)

        monkeypatch.setattr(decisions, "note", counted)


def calls(prefix: str) -> list[Arrival]:
    """One call to each kind of number."""
    return [
        arrival(f"{prefix}-{place}.0", did, f"+7916000000{place}")
        for place, did in enumerate(DIALLED)
    ]


async def told(world: World, linkedid: str) -> dict[str, Any]:
    """A call's row without what is its own alone."""
    row = await world.call(linkedid)
    return {
        name: value
        for name, value in row.items()
        if name not in {"id", "ref", "linkedid", "caller", "attribution_id"}
    }


async def test_together_as_alone(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same routes and the same rows, in one commit."""
    await world.visit(began=now - 100 * S, seen=now - 5 * S)
    await world.visit(None, began=now - 50 * S, shown=f"+{SITE_DEFAULT}")
    alone = [await world.calls.arrive(call, now) for call in calls("one")]
    await world.run("UPDATE session SET called = 0")
    # the callers of before would be known
    await world.run("UPDATE call SET caller = ''")
    commits = Commits(monkeypatch)
    together = await asyncio.gather(*(world.calls.arrive(call, now) for call in calls("all")))

    assert commits.sizes == [len(DIALLED)]
    for place, (one, other) in enumerate(zip(alone, together, strict=True)):
        assert (one.targets, one.code, one.name, one.tags, one.record) == (
            (other.targets, other.code, other.name, other.tags, other.record)
        )
        assert await told(world, f"one-{place}.0") == await told(world, f"all-{place}.0")
        assert (await world.call(f"all-{place}.0"))["ref"] == other.ref


async def test_asked_twice_at_once(world: World, now: datetime) -> None:
    """One row, one decision, one ref."""
    routes = await asyncio.gather(*(world.calls.arrive(arrival(), now) for _ in range(3)))
    call = await world.call("pbx1-1.0")

    assert {route.ref for route in routes} == {call["ref"]}
    assert call["decisions"] == 1
    assert await world.run("SELECT count(*) FROM attribution") == 1


async def test_calls_to_one_visit_add_up(world: World, now: datetime) -> None:
    """Two calls together count for a visit as two one after the other."""
    for _ in range(2):
        await world.visit(began=now - 100 * S, seen=now - 5 * S)
    await asyncio.gather(
        *(world.calls.arrive(arrival(f"pbx1-{n}.0", caller=f"+7916000000{n}"), now) for n in (1, 2))
    )
    called = [row["called"] for row in await world.rows("SELECT called FROM session")]

    assert called == [pytest.approx(1, abs=0.02)] * 2


async def test_one_that_cannot_be_written_fails_alone(world: World, now: datetime) -> None:
    """Those it came with are answered and on record."""
    good = [arrival(f"pbx1-{n}.0") for n in (1, 2)]
    one, bad, other = await asyncio.gather(
        *(world.calls.arrive(call, now) for call in (good[0], arrival("nul\0"), good[1])),
        return_exceptions=True,
    )

    assert isinstance(bad, asyncpg.PostgresError)
    for call, route in zip(good, (one, other), strict=True):
        assert not isinstance(route, BaseException)
        assert (await world.call(call.linkedid))["ref"] == route.ref
    assert await world.run("SELECT count(*) FROM call") == 2


async def test_one_look_up_for_all_says_what_each_alone_says(world: World, now: datetime) -> None:
    """Each at its own moment."""
    await world.visit(began=now - 100 * S, seen=now - 5 * S)
    asked = [
        Asked(numbers=numbers, caller="+79160000001", trunk="trunk1", t=now - wait * S)
        for wait, numbers in enumerate(
            ((NUMBER,), (), ("+74950000000", NUMBER), (f"+{STATIC}",), (f"+{SITE_DEFAULT}",))
        )
    ] + [Asked(numbers=(NUMBER,), caller="", trunk="", t=now - 1000 * S)]
    found = await arrivals.dialled_together(world.database, asked)

    assert found == [
        await arrivals.dialled(world.database, one.numbers, one.caller, one.trunk, one.t)
        for one in asked
    ]
    assert [len(one.candidates) for one in found] == [1, 0, 1, 0, 0, 0]


async def test_the_look_up_for_all_goes_by_index(world: World, now: datetime) -> None:
    """No table of visits or calls is read whole."""
    await world.run(
        "INSERT INTO number (organisation_id, e164, created_at)"
        " SELECT 1, '+7812' || (1000000 + n), '2026-09-01' FROM generate_series(1, 5000) AS n"
    )
    await world.run(
        "INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at,"
        " landing_url, referrer, source, medium, campaign, term, content, click_ids, number_id, shown)"
        " SELECT 1, 1, gen_random_uuid(), gen_random_uuid(), 1, at, at, at, '', '', 's', 'm', 'c', '', '', '{}',"
        " 1, $1 FROM generate_series(1, 10000) AS n, LATERAL (SELECT $2::timestamptz - n * interval '1 min') AS m (at)",
        NUMBER,
        now,
    )
    await world.run(
        "INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)"
        " SELECT 1, 4 + id % 5000, id, 1, started_at FROM session"
    )
    await world.run("ANALYZE")
    found = await plan(
        world.database,
        "arrivals.dialled_together",
        numbers=[NUMBER, ""],
        sinces=[now - timedelta(days=30)] * 2,
        untils=[now] * 2,
        callers=["+79161234567", ""],
        known_sinces=[now - timedelta(days=395)] * 2,
        trunks=["trunk1"] * 2,
        most=3000,
        linkedids=["a.1", "a.2"],
    )

    assert not found.read_whole & {"session", "reservation", "number", "call"}
    assert {"reservation_of_number", "session_pkey", "number_once"} <= found.indexes
