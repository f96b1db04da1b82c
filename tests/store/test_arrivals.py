"""What decides a call, read in one trip, by index only."""

from __future__ import annotations

from array import array
from datetime import datetime, timedelta

import pytest

from router.domain.model import Origin
from router.domain.past import Kind, Past
from router.store import arrivals
from router.store.candidates import pack, past
from router.store.database import Database
from tests.services.calls_world import NUMBER, World, build
from tests.store.plans import plan

S = timedelta(seconds=1)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


async def ask(world: World, now: datetime, *numbers: str, caller: str = "") -> arrivals.Dialled:
    return await arrivals.dialled(world.database, numbers or (NUMBER,), caller, "trunk1", now)


async def test_visits_of_the_last_thirty_days(world: World, now: datetime) -> None:
    """Each once, with its last hand-out; older ones, and those that came after the call, are not in it."""
    await world.visit(began=now - timedelta(days=31))
    recent = await world.visit(began=now - timedelta(days=29))
    await world.run(
        "INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)"
        " VALUES (1, 1, $1, 1, $2)",
        recent,
        now - timedelta(days=2),
    )
    await world.visit(began=now + S)
    found = await ask(world, now)

    assert [one.session_id for one in found.candidates] == [recent]
    assert found.candidates[0].handed_at == now - timedelta(days=2)


async def test_a_call_waits_for_the_newest_visits_only(world: World, now: datetime) -> None:
    """However many a number was shown to; whoever sums them up reads all."""
    visits = [await world.visit(began=now - n * 60 * S) for n in range(1, 8)]
    newest = await arrivals.dialled(world.database, (NUMBER,), "", "trunk1", now, most=3)
    whole = await arrivals.dialled(world.database, (NUMBER,), "", "trunk1", now, most=None)

    assert {one.session_id for one in newest.candidates} == set(visits[:3])
    assert {one.session_id for one in whole.candidates} == set(visits)


async def test_when_the_page_changed(world: World, now: datetime) -> None:
    """As it stands at the last hand-out: who was handed the number again has it on his page again, and whose
    number was only taken over still shows it."""
    other = await world.visit(began=now - 900 * S)
    again = await world.visit(began=now - 800 * S)
    taken = await world.visit(began=now - 700 * S)
    await world.run("UPDATE reservation SET ended_at = $1", now - 300 * S)
    await world.run(
        "UPDATE reservation SET changed_at = $1 WHERE session_id IN ($2, $3)",
        now - 300 * S,
        other,
        again,
    )
    await world.run(
        "INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)"
        " VALUES (1, 1, $1, 1, $2)",
        again,
        now - 100 * S,
    )
    found = await ask(world, now)
    together = await arrivals.dialled_together(
        world.database,
        [arrivals.Asked(numbers=(NUMBER,), caller="", trunk="trunk1", t=now)],
    )
    expected = {other: now - 300 * S, again: None, taken: None}

    for looked in (found, *together):
        assert {one.session_id: one.changed_at for one in looked.candidates} == expected


async def test_a_tap_on_another_number(world: World, now: datetime) -> None:
    """Says nothing about this one."""
    await world.visit(began=now - 60 * S, tapped=now - 5 * S)
    first = (await ask(world, now)).candidates[0].times.tapped_at
    await world.run("UPDATE session SET tapped_number = '+74951230000'")
    second = (await ask(world, now)).candidates[0].times.tapped_at

    assert (first, second) == (now - 5 * S, None)


async def test_the_first_reading_that_is_ours(world: World, now: datetime) -> None:
    """Of what a trunk sent, in the order of likelihood."""
    found = await ask(world, now, "+79999999999", "+74951230500", NUMBER)

    assert (found.e164, found.shown.kind) == ("+74951230500", "static")


async def test_a_withdrawn_number_still_has_its_line(world: World, now: datetime) -> None:
    """Whoever saw it may call for weeks."""
    await world.run("UPDATE number SET withdrawn_at = $1", now)
    found = await ask(world, now)

    assert [target.name for target in found.targets] == ["office"]


async def test_number_before_pool_before_site(world: World, now: datetime) -> None:
    """All three are offered, so that a refused one has a successor."""
    await world.run("UPDATE pool SET target_id = 2 WHERE id = 1")
    await world.run("UPDATE number SET target_id = 1, record = false WHERE e164 = $1", NUMBER)
    found = await ask(world, now)

    assert [target.name for target in found.targets] == ["office", "loop", "office"]
    assert found.tracking == {"+74951234568"}
    assert not found.record


async def test_known_callers(world: World, now: datetime) -> None:
    """Who called before, within 13 months; nobody is known by a hidden number."""
    await world.run(
        "INSERT INTO call (ref, linkedid, did, caller, trunk, arrived_at, state, created_at)"
        " VALUES ('reference', 'x', '', '+79161234567', '', $1, 'ended', $1), "
        " ('reference2', 'y', '', '', '', $1, 'ended', $1),"
        " ('reference3', 'z', '', '+79160000000', '', $2, 'ended', $1)",
        now - S,
        now - timedelta(days=400),
    )

    assert (await ask(world, now, caller="+79161234567")).known_caller
    assert not (await ask(world, now, caller="+79160000000")).known_caller
    assert not (await ask(world, now, caller="")).known_caller
    assert not (await ask(world, now - 2 * S, caller="+79161234567")).known_caller


async def test_hot_statements_scan_no_table(world: World, now: datetime) -> None:
    """With 20,000 visits on record, the plan kept for any call reads them by index."""
    await world.database._pool.execute(
        "INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at,"
        " landing_url, referrer, source, medium, campaign, term, content, click_ids, number_id, shown)"
        " SELECT 1, 1, gen_random_uuid(), gen_random_uuid(), 1, at, at, at, '', '', 's', 'm', 'c', '', '', '{}',"
        " id, e164 FROM generate_series(1, 200) AS n,"
        " LATERAL (SELECT timestamptz '2026-11-20' + n * interval '1 min' AS at) AS moment,"
        " generate_series(1, 100), LATERAL (SELECT id, e164 FROM number WHERE id = 1 + n % 2) AS own;"
        " INSERT INTO number (organisation_id, e164, created_at)"
        " SELECT 1, '+7812' || (1000000 + n), '2026-09-01' FROM generate_series(1, 5000) AS n;"
        " INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)"
        " SELECT 1, 4 + id % 5000, id, 1, started_at FROM session;"
        " ANALYZE"
    )
    found = await plan(
        world.database,
        "arrivals.dialled",
        numbers=[NUMBER],
        since=now - timedelta(days=30),
        until=now,
        caller="+79161234567",
        known_since=now - timedelta(days=395),
        trunk="trunk1",
        most=3000,
        linkedid="a.1",
    )

    assert not found.read_whole & {"session", "reservation", "number", "call"}
    assert {"reservation_of_number", "session_pkey", "number_once"} <= found.indexes


def test_the_past_as_bytes(now: datetime) -> None:
    """What is stored is what is read."""
    before = Past(
        built_at=now,
        session_ids=array("q", [1, 2**40]),
        since=array("d", [1.5, 2.25]),
        handed_at=array("d", [1.0, 2.0]),
        kind_of=array("I", [0, 1]),
        kinds=[Kind(True, False, Origin("a", "b", "c", "d")), Kind(False, True, Origin("я"))],
    )
    packed, kinds = pack(before)
    after = past({"past_packed": packed, "past_kinds": kinds, "past_built_at": now})

    assert after == before
    assert past({"past_packed": None}) is None
