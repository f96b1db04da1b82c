"""A code is renumbered: both forms are one number for some time, in look-up, import and administration."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from router.domain.errors import FieldError
from router.services.administration import Administration
from router.services.codes import Codes
from router.services.histories import Histories
from router.services.stock.importing import StockImport
from router.services.work import By
from router.telephony.failsafe import FailsafeSync
from tests.services.calls_world import World, arrival, build

OLD, NEW = "+74951234567", "+74991234567"
DAY = timedelta(days=1)


@pytest.fixture
async def world(database: object) -> World:
    return await build(database)  # type: ignore[arg-type]


@pytest.fixture
def administration(world: World) -> Administration:
    return Administration(world.database)


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


async def change(administration: Administration, by: By, **given: str) -> int:
    until = (by.now + 90 * DAY).isoformat()
    return await administration.change_code(
        "7 495 123-4", "7 499 123-4", by=by, **{"until": until, **given}
    )


async def numbers(world: World) -> list[str]:
    return [row["e164"] for row in await world.rows("SELECT e164 FROM number ORDER BY e164")]


async def test_a_call_in_either_form_is_the_same_number(
    world: World, administration: Administration, by: By
) -> None:
    """The visit that was shown the old form is credited with the call that dials the new one; and the other
    way round. After its time the old form is nobody's."""
    visit = await world.visit(OLD, began=by.now - timedelta(minutes=2))
    assert await change(administration, by) == 2
    serving = asyncio.create_task(world.calls.run(lambda: by.now))
    for linkedid, did in (("pbx1-1.0", OLD), ("pbx1-2.0", NEW)):
        await world.calls.arrive(arrival(linkedid, did.lstrip("+")), by.now)
    await world.calls.arrive(arrival("pbx1-3.0", OLD.lstrip("+")), by.now + 91 * DAY)
    for _ in range(200):
        found = [await world.call(f"pbx1-{i}.0") for i in (1, 2, 3)]
        if all(row["method"] for row in found):
            break
        await asyncio.sleep(0.05)
    serving.cancel()

    assert await numbers(world) == ["+74951230500", NEW, "+74991234568"]
    assert [row["did"] for row in found[:2]] == [NEW, NEW]
    assert [row["session_id"] for row in found[:2]] == [visit, visit]
    assert [row["method"] for row in found] == ["reservation", "reservation", "unknown_number"]


async def test_asterisk_has_both_forms(
    world: World, administration: Administration, by: By
) -> None:
    """Until the old one is over."""
    await change(administration, by)

    async def routes(now: datetime) -> dict[str, str]:
        sync = FailsafeSync.__new__(FailsafeSync)
        sync._database, sync._clock = world.database, lambda: now
        found = await sync.desired()
        return {key: json.loads(value)["t"] for (family, key), value in found.items()}

    during, after = await routes(by.now), await routes(by.now + 91 * DAY)

    assert during["74951234567"] == during["74991234567"] == "PJSIP/company^25"
    assert "74951234567" not in after
    assert "74991234567" in after


async def test_a_change_to_come_begins_by_itself(
    world: World, administration: Administration, by: By
) -> None:
    """Until then numbers are as they were."""
    begins = by.now + 10 * DAY
    await change(administration, by, from_=begins.isoformat())
    codes = Codes(world.database)
    await codes.round(by.now)
    before = (await numbers(world), codes.forms([OLD], by.now))
    await codes.round(begins)

    assert before == (["+74951230500", OLD, "+74951234568"], (OLD,))
    assert await numbers(world) == ["+74951230500", NEW, "+74991234568"]
    assert codes.forms([OLD], begins) == (OLD, NEW)
    (row,) = await administration.code_changes(begins)
    assert row.applied_at == begins


async def test_what_is_imported_in_either_form_is_the_same_number(
    world: World, administration: Administration, by: By
) -> None:
    """Twice in one file, and again beside what is there."""
    await change(administration, by)
    stock = StockImport(world.database)
    with pytest.raises(FieldError, match="stands on line 2 already"):
        await stock.import_stock("number\n+74951234400\n+74991234400\n", by=by)
    await stock.import_stock("number\n+74951234400\n", by=by)
    for again in ("+74951234400", "+74991234400"):
        with pytest.raises(FieldError, match=r"\+74991234400 is registered already"):
            await stock.import_stock(f"number\n{again}\n", by=by)
    with pytest.raises(FieldError, match="already registered"):
        await administration.add_numbers([OLD], by=by)
    gone = await administration.withdraw_numbers([OLD], by=by)

    assert "+74991234400" in await numbers(world)
    assert gone == (NEW,)


async def test_what_is_named_in_either_form_is_the_same_number(
    world: World, administration: Administration, by: By
) -> None:
    """Shown, edited, put aside, brought back."""
    await change(administration, by)
    found = await Histories(world.database).number(OLD, by.now)
    edited = await administration.edit_number(OLD, record=False, by=by)
    aside = await administration.quarantine_numbers([OLD], by=by)
    back = await administration.release_numbers([OLD], by=by)

    assert found.number.e164 == NEW
    assert (edited, aside, back) == (NEW, (NEW,), (NEW,))


async def test_blocks_and_default_numbers_change_too(
    world: World, administration: Administration, by: By
) -> None:
    """A page may go on showing the old form: both are looked for on it."""
    await StockImport(world.database).import_stock(
        "number,block_id,contaminated\n7-495-555-3,b,007\n", by=by
    )
    await world.run(
        "UPDATE site SET default_number = '+74955550000', page_numbers = '{+74955550000}'"
    )
    await administration.change_code("7-495-555", "7-499-555", until="2027-06-01", by=by)
    (block,) = await world.rows("SELECT prefix, contaminated FROM block")
    (site,) = await world.rows("SELECT default_number, page_numbers FROM site")

    assert block == {"prefix": "+74995553", "contaminated": ["+74995553007"]}
    assert site == {
        "default_number": "+74995550000",
        "page_numbers": ["+74955550000", "+74995550000"],
    }
    assert await world.run("SELECT count(*) FROM number WHERE e164 LIKE '+74995553%'") == 999


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"until": "soon"}, "until: 'soon' is not a date"),
        ({"until": "2020-01-01"}, "until: both forms are valid for some time"),
        ({"from_": "2027-06-01T00:00"}, "from: .* has no time zone"),
    ],
)
async def test_times_that_are_none(
    administration: Administration, by: By, given: dict[str, str], problem: str
) -> None:
    with pytest.raises(FieldError, match=problem):
        await change(administration, by, **given)


async def test_codes_that_cannot_change(
    world: World, administration: Administration, by: By
) -> None:
    """Into themselves, twice at once, or onto numbers that are there."""
    until = "2027-06-01"
    with pytest.raises(FieldError, match="overlap"):
        await administration.change_code("7495", "74951", until=until, by=by)
    with pytest.raises(FieldError, match="not the beginning of a number"):
        await administration.change_code("abc", "7499", until=until, by=by)
    await administration.add_numbers([NEW], by=by)
    with pytest.raises(FieldError, match=r"registered in both forms, the first is \+74951234567"):
        await change(administration, by)
    await administration.change_code("7812", "7813", until=until, by=by)
    with pytest.raises(FieldError, match=r"\+7812 is changing already"):
        await administration.change_code("78121", "7814", until=until, by=by)


async def test_a_change_to_come_is_called_off(
    world: World, administration: Administration, by: By
) -> None:
    """It never begins; the code may change otherwise."""
    begins = by.now + DAY
    await change(administration, by, from_=begins.isoformat())
    await administration.end_code_change("74951234", by=by)
    codes = Codes(world.database)
    await codes.round(begins)

    assert await administration.code_changes(by.now) == []
    assert await numbers(world) == ["+74951230500", OLD, "+74951234568"]
    assert await change(administration, by) == 2


async def test_the_old_form_is_ended_early(
    world: World, administration: Administration, by: By
) -> None:
    await change(administration, by)
    later = By(actor="test", now=by.now + DAY)
    await administration.end_code_change("+7 495 123 4", by=later)
    codes = Codes(world.database)
    await codes.round(later.now)

    assert codes.forms([OLD], later.now) == (OLD,)
    assert await administration.code_changes(later.now) == []
