"""Numbers put aside and brought back by hand; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from router.domain.errors import FieldError, FieldErrors
from router.services.administration import Administration
from router.services.upkeep import Upkeep
from router.services.work import By
from router.store.database import Database
from tests.company import APool, e164, set_up
from tests.services.conftest import Browser, Clock
from tests.services.test_administration_cli import Command, command

__all__ = ["command"]


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


async def standing(database: Database, number: str) -> tuple[str, int | None]:
    row = await database._pool.fetchrow(
        "SELECT standing, pool_id FROM number WHERE e164 = $1", number
    )
    return row["standing"], row["pool_id"]


async def test_quarantine_and_release(database: Database, now: datetime, by: By) -> None:
    """Out of rotation and back to the same pool; the log has the reason in words, the audit who did it."""
    ids = await set_up(database, now, APool(numbers=range(1, 3)))
    administration = Administration(database)

    put = await administration.quarantine_numbers([e164(1)], why=" rings at night ", by=by)
    assert put == (e164(1),)
    assert await standing(database, e164(1)) == ("quarantined", ids["visitors"])
    await administration.release_numbers([e164(1)], by=by)

    assert await standing(database, e164(1)) == ("in_use", ids["visitors"])
    log = await administration.standing_log(e164(1))
    assert [(row.from_standing, row.to_standing, row.why, row.pool, row.actor) for row in log] == [
        ("quarantined", "in_use", "release by hand", "visitors", "test"),
        ("in_use", "quarantined", "rings at night", "visitors", "test"),
    ]
    assert await administration.standing_log(e164(2)) == []
    audited = await database._pool.fetch("SELECT action, subject FROM audit_entry ORDER BY id")
    assert [tuple(row) for row in audited] == [
        ("number.quarantine", e164(1)),
        ("number.release", e164(1)),
    ]


async def test_a_quarantined_number_is_answered_and_not_shown(
    database: Database, now: datetime, by: By, browser: Callable[[], Browser], clock: Clock
) -> None:
    """Its page keeps it, the next visitor gets another, and Asterisk's own route to it stays."""
    await set_up(database, now, APool(numbers=range(1, 3)))
    first = browser()
    shown = await first.opens()
    await Administration(database).quarantine_numbers([shown.number], by=by)
    clock.move(seconds=30)

    assert (await first.speaks()).number is None
    clock.move(days=1)
    later = [await browser().opens() for _ in range(2)]
    assert shown.number not in [visit.number for visit in later]
    routes = await database.fetch("failsafe.routes")
    assert shown.number in [number for row in routes for number in row["numbers"]]


async def test_nobody_gets_a_number_back_that_was_put_aside(
    database: Database,
    now: datetime,
    by: By,
    browser: Callable[[], Browser],
    clock: Clock,
    upkeep: Upkeep,
) -> None:
    """Not even its own visitor, once his reservation has ended."""
    await set_up(database, now, APool(numbers=range(1, 3), reservation_seconds=60))
    visitor = browser()
    shown = await visitor.opens()
    await visitor.leaves()
    await Administration(database).quarantine_numbers([shown.number], by=by)
    clock.move(minutes=5)
    await upkeep.sweep(clock.now)

    again = await visitor.opens()

    assert again.session == shown.session
    assert (again.number, again.how) == (e164(2), "free")


async def test_a_combination_whose_number_is_put_aside_gets_another(
    database: Database, now: datetime, by: By, browser: Callable[[], Browser], clock: Clock
) -> None:
    """One number for each combination: not the noisy one, and not two."""
    await set_up(database, now, APool(numbers=range(1, 3), binding=("campaign",)))
    first = await browser().opens()
    assert (await browser().opens()).number == first.number
    await Administration(database).quarantine_numbers([first.number], by=by)
    clock.move(seconds=10)

    others = {(await browser().opens()).number for _ in range(3)}

    assert others == {e164(2)}
    await Administration(database).release_numbers([first.number], by=by)
    assert (await browser().opens()).number == e164(2)


async def test_numbers_go_back_to_where_they_stood(
    database: Database, now: datetime, by: By
) -> None:
    """Listening, then quarantine: what counts is where the number stood before both."""
    await set_up(database, now, APool(numbers=range(1, 2)))
    administration = Administration(database)
    await administration.add_numbers([e164(9)], by=by)
    await administration.share_numbers([e164(9)], listen=False, by=by)
    for number in (e164(1), e164(9)):
        await administration.listen_to_numbers([number], by=by)
        await administration.quarantine_numbers([number], by=by)

    await administration.release_numbers([e164(1), e164(9)], by=by)

    assert await standing(database, e164(1)) == ("in_use", 1)
    assert await standing(database, e164(9)) == ("shared", None)


async def test_new_numbers_of_the_shared_pool_are_listened_to_first(
    database: Database, now: datetime, by: By
) -> None:
    """Unless somebody knows better; taken out again they are nobody's."""
    await set_up(database, now, APool(numbers=()))
    administration = Administration(database)
    await administration.add_numbers([e164(8), e164(9)], by=by)

    await administration.share_numbers([e164(8)], by=by)
    await administration.share_numbers([e164(9)], listen=False, by=by)
    assert await standing(database, e164(8)) == ("listening", None)
    assert await standing(database, e164(9)) == ("shared", None)

    await administration.release_numbers([e164(8)], by=by)
    await administration.unshare_numbers([e164(8), e164(9)], by=by)
    assert await standing(database, e164(8)) == ("in_use", None)
    assert await standing(database, e164(9)) == ("in_use", None)


async def test_a_new_number_of_a_pool_may_be_listened_to(
    database: Database, now: datetime, by: By, browser: Callable[[], Browser]
) -> None:
    """It is the pool's, and shown to nobody before it is released."""
    await set_up(database, now, APool(numbers=()))
    administration = Administration(database)
    await administration.add_numbers([e164(1)], pool="visitors", listen=True, by=by)

    assert await standing(database, e164(1)) == ("listening", 1)
    assert (await browser().opens()).how == "default"
    await administration.release_numbers([e164(1)], by=by)
    assert (await browser().opens()).number == e164(1)


async def test_refusals(database: Database, now: datetime, by: By) -> None:
    """All numbers of a command or none, and every reason at once."""
    await set_up(database, now, APool(numbers=range(1, 3)))
    administration = Administration(database)
    await administration.quarantine_numbers([e164(2)], by=by)

    with pytest.raises(FieldErrors) as refused:
        await administration.quarantine_numbers([e164(1), e164(2), e164(7)], by=by)

    assert [problem.problem for problem in refused.value.problems] == [
        f"{e164(2)} is in quarantine: there is nothing to quarantine",
        f"{e164(7)} is not one of our numbers in use",
    ]
    assert await standing(database, e164(1)) == ("in_use", 1)
    with pytest.raises(FieldError, match="belongs to a pool"):
        await administration.share_numbers([e164(1)], by=by)
    with pytest.raises(FieldError, match="is in use: there is nothing to release"):
        await administration.release_numbers([e164(1)], by=by)
    with pytest.raises(FieldError, match="why: has 301 characters"):
        await administration.quarantine_numbers([e164(1)], why="x" * 301, by=by)
    with pytest.raises(FieldError, match="why: contains control"):
        await administration.quarantine_numbers([e164(1)], why="a\nb", by=by)


async def test_a_default_number_is_not_shared(database: Database, now: datetime, by: By) -> None:
    await set_up(database, now)
    administration = Administration(database)
    await administration.add_numbers(["+74950000000"], by=by)

    with pytest.raises(FieldError, match="is a default number"):
        await administration.share_numbers(["+74950000000"], by=by)

    await administration.add_numbers([e164(8), e164(9)], by=by)
    await database._pool.execute(
        "INSERT INTO default_number (organisation_id, site_id, source, e164, created_at) "
        "VALUES (1, 1, 'maps', $1, $2)",
        e164(8),
        now,
    )
    await database._pool.execute("INSERT INTO page_number VALUES (1, $1)", e164(9))
    with pytest.raises(FieldErrors):
        await administration.share_numbers([e164(8), e164(9)], by=by)


async def test_withdrawal_and_return_are_in_the_log(
    database: Database, now: datetime, by: By
) -> None:
    """A number that comes back is in use, whatever it was when it went."""
    await set_up(database, now, APool(numbers=range(1, 2)))
    administration = Administration(database)
    await administration.quarantine_numbers([e164(1)], by=by)
    await administration.withdraw_numbers([e164(1)], by=by)
    later = By(actor="test", now=now + timedelta(days=1))
    await administration.add_numbers([e164(1)], pool="visitors", by=later)

    assert await standing(database, e164(1)) == ("in_use", 1)
    log = await administration.standing_log()
    assert [(row.from_standing, row.to_standing) for row in log] == [
        ("withdrawn", "in_use"),
        ("quarantined", "withdrawn"),
        ("in_use", "quarantined"),
    ]
    assert [row.id for row in await administration.standing_log(below=log[0].id, most=1)] == [
        log[1].id
    ]


async def test_the_commands(command: Command) -> None:
    """Each says what became of the numbers; the list shows where they stand."""
    for line in (
        "organisation add Acme",
        "target add office --endpoint office",
        "site add shop --origin https://shop.example --default-number 84951234567 --target office",
        "pool add ads --site shop",
        "number add +74951110001 +74951110002 --pool ads",
    ):
        assert (await asyncio.to_thread(command, line)).exit_code == 0

    said = [
        (await asyncio.to_thread(command, line)).stdout
        for line in (
            "number quarantine +74951110001 --why silent",
            "number listen +74951110002",
            "number release +74951110001",
        )
    ]
    listed = (await asyncio.to_thread(command, "number list")).stdout.splitlines()
    logged = (await asyncio.to_thread(command, "number log +74951110001")).stdout.splitlines()

    assert said == [
        "number +7 495 111-00-01 in quarantine\n",
        "number +7 495 111-00-02 listening\n",
        "number +7 495 111-00-01 released\n",
    ]
    assert [line.split()[-1] for line in listed[1:]] == ["free", "listening"]
    assert "silent" in logged[2]
    assert len(logged) == 3
