"""Numbering plans are imported, and callers' regions weigh in attribution; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from router.domain.errors import FieldError, FieldErrors
from router.services.administration import Administration
from router.services.regions import CallerPlace, Regions
from router.services.work import By
from router.store.database import Database
from tests.services.calls_world import World, arrival, build

PLAN = """\
from;to;region;operator
9160000000;9169999999;RU-MOW;MTS
9110000000;9119999999;RU-SPE;Megafon
9111200000;9111299999;;nobody
"""


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


async def load(
    world: World, by: By, text: str = PLAN.replace("9111200000;9111299999;;nobody\n", "")
) -> int:
    return await Administration(world.database).import_plan(text, country="ru", by=by)


async def test_a_plan_says_where_mobiles_are(world: World, by: By) -> None:
    """Its word goes before what phonenumbers knows; a new plan takes the old one's place."""
    regions = Regions(world.database)
    await regions.round(by.now)
    before = regions.place("+79161234567")
    assert await load(world, by) == 2
    await regions.round(by.now)
    loaded = [regions.place(n) for n in ("+79161234567", "+79111234567", "+78121234567")]
    await load(world, by, "prefix,region\n916,RU-TUL\n")
    await regions.round(by.now)
    again = [regions.place(n) for n in ("+79161234567", "+79111234567")]
    (row,) = await Administration(world.database).plans()

    assert before.region == "RU"
    assert loaded[:2] == [CallerPlace("RU-MOW", "MTS"), CallerPlace("RU-SPE", "Megafon")]
    assert loaded[2].region == "RU-SPE"
    assert again[0] == CallerPlace("RU-TUL", None)
    assert again[1].region == "RU"
    assert (row.country, row.ranges, row.version) == ("RU", 1, 2)


@pytest.mark.parametrize("caller", ["", "anonymous", "112", "+7", "+999"])
async def test_strange_callers_are_nowhere(database: Database, caller: str) -> None:
    assert Regions(database).place(caller) == CallerPlace()
    assert Regions(database).caller(caller, None) is None


async def test_every_problem_of_a_plan_is_told(world: World, by: By) -> None:
    """By line and column; the plan before stays."""
    await load(world, by)
    text = (
        "prefix,from,to,region,operator\n"
        "916,,,RU-MOW,MTS\n"
        ",9160000000,9160009999,RU-MOW,\n"  # 3 inside line 2
        "9x6,,,RU-MOW,\n"
        ",911,9119,RU-SPE,\n"
        ",919,911,RU-SPE,\n"
        "920,,,US-NY,\n"
        "921,,,Moscow,\n"
        "922,9220000000,9229999999,RU-MOW,\n"
    )
    with pytest.raises(FieldErrors) as refused:
        await load(world, by, text)
    (row,) = await Administration(world.database).plans()

    assert [one.field for one in refused.value.problems] == [
        "line 3, from",
        "line 4, prefix",
        "line 5, to",
        "line 6, to",
        "line 7, region",
        "line 8, region",
        "line 9, prefix",
    ]
    assert row.ranges == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "line 1, region: this column is missing"), ("region\n", "file: it has no line")],
)
async def test_files_that_are_no_plan(world: World, by: By, text: str, problem: str) -> None:
    with pytest.raises(FieldError, match=problem):
        await load(world, by, text)


async def test_a_dry_run_loads_nothing(world: World, by: By) -> None:
    administration = Administration(world.database)

    assert (
        await administration.import_plan(
            "prefix,region\n916,RU-MOW\n", country="RU", dry_run=True, by=by
        )
        == 1
    )
    assert await administration.plans() == []


async def test_calls_and_visits_are_counted_by_region(world: World, by: By) -> None:
    """Each once, a minute behind; a region that was only visited from counts as seen."""
    await world.visit(began=by.now - timedelta(hours=1))
    await world.run("UPDATE session SET region = 'RU-TUL'")
    for i, region in enumerate(("RU-MOW", "RU-MOW", "RU-SPE", None)):
        await world.run(
            "INSERT INTO call (organisation_id, ref, linkedid, site_id, did, caller, trunk, arrived_at,"
            " state, created_at, caller_region) VALUES (1, $1, $1, 1, '1', '', 't', $2, 'ended', $2, $3)",
            f"reference-{i}",
            by.now - timedelta(minutes=30 if i < 2 else 0),
            region,
        )
    regions = Regions(world.database)
    for _ in range(2):
        await regions.round(by.now)
    early = dict(regions._calls[1])  # type: ignore[index]
    await regions.round(by.now + timedelta(minutes=2))

    assert early == {"RU-TUL": 0, "RU-MOW": 2}
    assert regions._calls == {1: {"RU-TUL": 0, "RU-MOW": 2, "RU-SPE": 1}}
    caller = regions.caller("+78121234567", 1)  # type: ignore[arg-type]
    assert caller is not None
    assert (caller.code, caller.population) == ("RU-SPE", 4 / 10)


async def test_the_caller_s_region_weighs(world: World, by: By) -> None:
    """Of two visits alike, that of the caller's region; the region is on the call's record."""
    await load(world, by)
    regions = Regions(world.database)
    regions._calls = {1: {"RU-MOW": 20, "RU-SPE": 5, "RU-TUL": 60}}  # type: ignore[dict-item]
    await regions.read()
    regions._calls = {1: {"RU-MOW": 20, "RU-SPE": 5, "RU-TUL": 60}}  # type: ignore[dict-item]
    world.calls._attributor._regions = regions
    gone = by.now - timedelta(minutes=10)
    here = await world.visit(began=gone - timedelta(minutes=1), gone=gone, campaign="here")
    await world.run("UPDATE session SET region = 'RU-MOW' WHERE id = $1", here)
    there = await world.visit(began=gone - timedelta(minutes=1), gone=gone, campaign="there")
    await world.run("UPDATE session SET region = 'RU-SPE' WHERE id = $1", there)
    serving = asyncio.create_task(world.calls.run(lambda: by.now))
    await world.calls.arrive(arrival("pbx1-1.0", caller="+79111234567"), by.now)
    for _ in range(200):
        row = await world.call("pbx1-1.0")
        if row["method"]:
            break
        await asyncio.sleep(0.05)
    serving.cancel()

    assert row["session_id"] == there
    assert row["caller_region"] == row["inputs"]["caller_region"] == "RU-SPE"
    assert any("the visit too" in reason["words"] for reason in row["evidence"])
