"""Numbers are assigned, moved and withdrawn gently; what became of them. On a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from router.domain.errors import FieldError, FieldErrors, NoSuch
from router.services.administration import Administration
from router.services.administration.moves import Moved
from router.services.departures import Departures
from router.services.histories import Histories
from router.services.stock.importing import StockImport
from router.services.work import By
from router.store import arrivals
from router.store.database import Database
from tests.company import DEFAULT, PAGE, APool, e164, history, set_up
from tests.services.conftest import Browser, Clock

NewBrowser = Callable[[], Browser]
POOLS = (
    APool(name="ads", numbers=range(1, 3), rules={"source": "google"}, priority=10),
    APool(name="rest", numbers=range(10, 11)),
)


@pytest.fixture
def administration(database: Database) -> Administration:
    return Administration(database)


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


async def pool_of(database: Database, number: str) -> tuple[str | None, str]:
    row = await database._pool.fetchrow(
        "SELECT pool.name, number.standing FROM number LEFT JOIN pool ON pool.id = pool_id"
        " WHERE e164 = $1",
        number,
    )
    return row["name"], row["standing"]


async def test_a_free_number_moves_at_once(
    database: Database, administration: Administration, browser: NewBrowser, by: By
) -> None:
    """And serves its new pool; the move is audited and in the number's history."""
    await set_up(database, by.now, *POOLS)
    moved = await administration.move_numbers(["8 495 000-00-01"], to="rest", region="RU", by=by)
    found = (await Histories(database).number(e164(1), by.now)).changes
    shown = {(await browser().opens(PAGE)).number for _ in range(2)}
    audited = await database._pool.fetchrow("SELECT * FROM audit_entry ORDER BY id DESC LIMIT 1")

    assert moved == Moved(at_once=(e164(1),), waiting=())
    assert await pool_of(database, e164(1)) == ("rest", "in_use")
    assert shown == {e164(1), e164(10)}
    assert [(one.what, one.pool) for one in found] == [(e164(1), "rest")]
    assert (audited["action"], audited["subject"]) == ("number.move", "rest")
    assert audited["detail"]["from"] == {e164(1): "ads"}


async def test_a_visitor_keeps_a_number_that_moves(
    database: Database,
    administration: Administration,
    browser: NewBrowser,
    clock: Clock,
    by: By,
) -> None:
    """On every page of his visit, and his call is matched; nobody new gets it until he is gone."""
    await set_up(database, by.now, *POOLS)
    visitor = browser()
    held = (await visitor.opens()).number
    moved = await administration.move_numbers([held], to="rest", by=by)
    departures = Departures(database)
    clock.move(minutes=5)
    again = await visitor.opens()
    others = {(await browser().opens()).number for _ in range(3)}
    early = await departures.round(clock.now)
    beat = await visitor.speaks()
    call = await arrivals.dialled(database, [held], "+79161234567", "trunk1", clock.now)
    before = await pool_of(database, held)
    await visitor.leaves()
    late = await departures.round(clock.move(minutes=30))

    assert moved == Moved(at_once=(), waiting=(held,))
    assert (again.number, again.how, beat.how) == (held, "kept", "kept")
    assert held not in others
    assert len(call.candidates) == 1
    assert (early, before) == (0, ("ads", "quarantined"))
    assert (late, await pool_of(database, held)) == (1, ("rest", "in_use"))
    # the visit that held it ends in history as it would have
    assert next(entry for entry in await history(database) if entry[0] == held)[2] is not None
    assert (await departures.round(clock.now)) == 0


async def test_a_late_call_is_matched_after_the_move(
    database: Database,
    administration: Administration,
    browser: NewBrowser,
    clock: Clock,
    by: By,
) -> None:
    """Who saw the number in its old pool is a candidate for its calls."""
    await set_up(database, by.now, *POOLS)
    visitor = browser()
    held = (await visitor.opens()).number
    await visitor.leaves()
    clock.move(hours=2)
    await administration.move_numbers([held], to="rest", by=By(actor="test", now=clock.now))
    call = await arrivals.dialled(database, [held], "+79161234567", "trunk1", clock.now)

    assert await pool_of(database, held) == ("rest", "in_use")
    assert len(call.candidates) == 1


async def test_only_within_a_region_and_a_carrier(
    database: Database, administration: Administration, by: By
) -> None:
    """Unless forced; every number that does not fit is told, and none is moved."""
    await set_up(database, by.now, *POOLS)
    await database._pool.execute(
        "UPDATE number SET carrier = 'MTS', region = 'RU-MOW' WHERE pool_id = 2"
    )
    await database._pool.execute("UPDATE pool SET region = 'RU-MOW' WHERE name = 'rest'")
    await database._pool.execute("UPDATE number SET carrier = 'Tele2' WHERE e164 = $1", e164(1))
    await database._pool.execute("UPDATE number SET region = 'RU-SPE' WHERE e164 = $1", e164(2))
    with pytest.raises(FieldErrors) as refused:
        await administration.move_numbers([e164(1), e164(2)], to="rest", by=by)
    before = [await pool_of(database, e164(n)) for n in (1, 2)]
    forced = await administration.move_numbers([e164(1), e164(2)], to="rest", force=True, by=by)

    assert [(one.field, one.problem.split(":")[0]) for one in refused.value.problems] == [
        ("carrier", e164(1)),
        ("region", e164(2)),
    ]
    assert [name for name, _ in before] == ["ads", "ads"]
    assert forced.at_once == (e164(1), e164(2))


async def test_numbers_of_the_shared_pool_are_assigned(
    database: Database, administration: Administration, by: By
) -> None:
    """They are in use from then on; one that listens goes on listening in its new pool; one that rests for
    its old site is moved only by force."""
    await set_up(database, by.now, *POOLS)
    await database._pool.execute(
        "UPDATE number SET pool_id = NULL, standing = 'shared' WHERE e164 = $1", e164(1)
    )
    await database._pool.execute(
        "UPDATE number SET pool_id = NULL, standing = 'listening' WHERE e164 = $1", e164(2)
    )
    await administration.move_numbers([e164(1), e164(2)], to="rest", by=by)
    await database._pool.execute("UPDATE number SET standing = 'resting' WHERE e164 = $1", e164(10))
    with pytest.raises(FieldError, match="still answered for its old site"):
        await administration.move_numbers([e164(10)], to="ads", by=by)
    await administration.move_numbers([e164(10)], to="ads", force=True, by=by)

    assert await pool_of(database, e164(1)) == ("rest", "in_use")
    assert await pool_of(database, e164(2)) == ("rest", "listening")
    assert await pool_of(database, e164(10)) == ("ads", "in_use")


@pytest.mark.parametrize(
    ("number", "to", "problem"),
    [
        (e164(99), "rest", "not one of our numbers in use"),
        (e164(1), "ads", "is in pool ads already"),
        (e164(1), "nowhere", "there is no 'nowhere'"),
    ],
)
async def test_moves_that_are_none(
    database: Database, administration: Administration, by: By, number: str, to: str, problem: str
) -> None:
    await set_up(database, by.now, *POOLS)
    with pytest.raises(FieldError, match=problem):
        await administration.move_numbers([number], to=to, by=by)


async def test_a_number_is_withdrawn_gently(
    database: Database,
    administration: Administration,
    browser: NewBrowser,
    clock: Clock,
    by: By,
) -> None:
    """Its visitor keeps it, nobody new gets it, its calls are matched; after its time it is out of use."""
    await set_up(database, by.now, APool(numbers=range(1, 2)))
    visitor = browser()
    held = (await visitor.opens()).number
    await administration.retire_numbers([held], days=10, by=by)
    departures = Departures(database)
    beat = await visitor.speaks()
    other = await browser().opens()
    await visitor.leaves()
    await departures.round(clock.move(days=9))
    call = await arrivals.dialled(database, [held], "", "trunk1", clock.now)
    waiting = await database._pool.fetchval("SELECT withdrawn_at FROM number")
    await departures.round(clock.move(days=2))
    found = await Histories(database).number(held, clock.now)

    assert (beat.how, other.how, len(call.candidates), waiting) == ("kept", "default", 1, None)
    assert found.number.withdrawn_at == clock.now
    assert found.changes[0].what.endswith("withdrawn")


async def test_who_is_released_meanwhile_stays(
    database: Database,
    administration: Administration,
    browser: NewBrowser,
    clock: Clock,
    by: By,
) -> None:
    """A person who releases a waiting number calls the move off."""
    await set_up(database, by.now, *POOLS)
    visitor = browser()
    held = (await visitor.opens()).number
    await administration.move_numbers([held], to="rest", by=by)
    await administration.release_numbers([held], by=by)
    await visitor.leaves()
    for _ in range(2):
        await Departures(database).round(clock.move(hours=1))

    assert await pool_of(database, held) == ("ads", "in_use")
    assert await database._pool.fetchval("SELECT count(*) FROM number WHERE moves_to > 0") == 0


async def test_the_history_of_a_number(
    database: Database,
    administration: Administration,
    browser: NewBrowser,
    clock: Clock,
    by: By,
) -> None:
    """Who held it when, how often it was shown and called; newest first, never another organisation's."""
    await set_up(database, by.now, APool(numbers=range(1, 2)))
    for _ in range(3):
        visitor = browser()
        await visitor.opens()
        await visitor.leaves()
        clock.move(hours=3)
    await database._pool.execute(
        "INSERT INTO call (organisation_id, ref, linkedid, site_id, number_id, did, caller, trunk,"
        " arrived_at, state, created_at)"
        " VALUES (1, 'reference-1', 'pbx-1', 1, 1, $1, '+79161234567', 't', $2, 'ended', $2)",
        e164(1),
        by.now,
    )
    await administration.quarantine_numbers([e164(1)], why="rings at night", by=by)
    await administration.withdraw_numbers([e164(1)], by=by)
    found = await Histories(database).number(e164(1), by.now, most=2)
    await administration.add_organisation("Other", by=by)

    assert (found.number.shows, found.number.calls, found.number.target) == (3, 1, "office")
    starts = [one.started_at for one in found.holdings]
    assert starts == [by.now + timedelta(hours=6), by.now + timedelta(hours=3)]
    assert {(one.source, one.campaign) for one in found.holdings} == {("google", "spring")}
    assert [one.caller for one in found.calls] == ["+79161234567"]
    assert len(found.changes) == 2
    with pytest.raises(NoSuch):
        await Histories(database).number(e164(1), by.now, organisation="Other")


async def test_what_stands_on_pages_is_handed_out_to_nobody(
    database: Database, administration: Administration, by: By
) -> None:
    """A site's own number is refused in a dynamic pool: added, imported or moved; a static one may have it."""
    await set_up(database, by.now, *POOLS)
    text = f"number,pool\n{DEFAULT},rest\n"
    for refused in (
        administration.add_numbers([DEFAULT], pool="rest", by=by),
        StockImport(database).import_stock(text, by=by),
    ):
        with pytest.raises(FieldError, match="stands on the pages of site"):
            await refused
    await administration.add_numbers([DEFAULT], by=by)
    with pytest.raises(FieldError, match="stands on the pages of site"):
        await administration.move_numbers([DEFAULT], to="rest", by=by)
    await administration.add_pool("print", site="shop", kind="static", source="print", by=by)
    moved = await administration.move_numbers([DEFAULT], to="print", by=by)
    assert moved.at_once == (DEFAULT,)
