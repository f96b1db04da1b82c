"""A change that an administrator makes is in Asterisk's own database at once, and rings there."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.work import By
from router.store.database import Database
from router.telephony.failsafe import EVERY_SECONDS
from tests.system import System, new_system

NEW = "+74951350177"


@pytest.fixture
async def system() -> AsyncIterator[System]:
    with tempfile.TemporaryDirectory(prefix="ct-", ignore_cleanup_errors=True) as name:
        async with new_system(Path(name)) as running:
            yield running


@pytest.fixture
async def database(system: System) -> AsyncIterator[Database]:
    """A connection of its own, as the command line has."""
    connected = await Database.connect(system.postgres.dsn())
    yield connected
    await connected.close()


async def until_record(system: System, number: str, wanted: str) -> None:
    """Wait until Asterisk's record of a number holds `wanted` (empty: is gone), for less than the time after
    which the router compares them anyway."""
    end = time.monotonic() + EVERY_SECONDS / 2
    while True:
        said = await asyncio.to_thread(
            system.asterisk.cli, f"database get ct-did {number.removeprefix('+')}"
        )
        if (wanted in said) if wanted else ("Value:" not in said):
            return
        assert time.monotonic() < end, said
        await asyncio.sleep(0.05)


async def test_a_number_s_life(system: System, database: Database) -> None:
    """Added, given another target, withdrawn: Asterisk follows, and its record alone rings the company."""
    administration = Administration(database)
    now = datetime.now(UTC)
    by = By(actor="test", now=now)
    await administration.add_target("second", endpoint="company", ring_seconds=17, by=by)
    # its routes were compared just now: the next comparison is the usual time away
    await administration.add_numbers([NEW], target="second", by=by)
    await until_record(system, NEW, "PJSIP/company^17")

    system.router.kill()
    caller = system.new_caller()
    rung, _ = await system.talk(NEW, caller, seconds=0.2)
    assert rung.number == caller
    system.router.start()
    await system.router.ready()

    await administration.withdraw_numbers([NEW], by=by)
    await until_record(system, NEW, "")


async def test_a_shared_number_s_life(system: System, database: Database) -> None:
    """In the shared pool it has no line of its own; grown into a pool it rings that site's company, and so it
    does while it rests after the site gave it back."""
    administration = Administration(database)
    by = By(actor="test", now=datetime.now(UTC))
    (pool, *_) = [row for row in await Inventory(database).pools() if row.pool.kind == "dynamic"]
    await administration.add_numbers([NEW], by=by)
    await administration.share_numbers([NEW], listen=False, by=by)
    await until_record(system, NEW, "")

    await administration.grow_pool(pool.pool.name, site=pool.site, by=by)
    await until_record(system, NEW, "PJSIP/company^25")
    await administration.take_back_numbers([NEW], by=by)
    await asyncio.sleep(1)
    await until_record(system, NEW, "PJSIP/company^25")

    caller = system.new_caller()
    rung, _ = await system.talk(NEW, caller, seconds=0.2)
    assert rung.number == caller


async def test_a_code_that_changes(system: System, database: Database) -> None:
    """Its numbers ring in either form, with the router and without it."""
    administration = Administration(database)
    by = By(actor="test", now=datetime.now(UTC))
    other = NEW.replace("+7495", "+7499")
    await administration.add_target("second", endpoint="company", ring_seconds=17, by=by)
    await administration.add_numbers([NEW], target="second", by=by)
    until = (by.now + timedelta(days=90)).isoformat()
    await administration.change_code("7 495 135 01", "7 499 135 01", until=until, by=by)
    for form in (NEW, other):
        await until_record(system, form, "PJSIP/company^17")
        caller = system.new_caller()
        await system.talk(form, caller, seconds=0.2)

    system.router.kill()
    for form in (NEW, other):
        caller = system.new_caller()
        rung, _ = await system.talk(form, caller, seconds=0.2)
        assert rung.number == caller
