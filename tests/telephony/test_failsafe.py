"""The routes in Asterisk's own database follow what administrators set up."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
import structlog

from router.store.database import Database
from router.store.listening import listening
from router.telephony import variables
from router.telephony.failsafe import FailsafeSync
from router.telephony.manager import AmiRefused
from tests.conftest import MONDAY
from tests.services.calls_world import World, build
from tests.telephony.fake_ami import FakeAmi, fake_ami, listed, message
from tests.telephony.test_manager import login, until


class AstDb(dict[tuple[str, str], str]):
    """Asterisk's database, behind a fake manager interface."""

    def behind(self, fake: FakeAmi) -> None:
        fake.answers |= {"DBPut": self._put, "DBDel": self._delete, "DBGetTree": self._tree}

    def _put(self, action: Mapping[str, str]) -> str:
        self[action["family"], action["key"]] = action["val"]
        return message(Response="Success", ActionID=action["actionid"], Message="Updated")

    def _delete(self, action: Mapping[str, str]) -> str:
        del self[action["family"], action["key"]]
        return message(Response="Success", ActionID=action["actionid"], Message="Key deleted")

    def _tree(self, action: Mapping[str, str]) -> str:
        family = action["family"]
        entries = [
            {"event": "DBGetTreeResponse", "Key": f"/{family}/{key}", "Val": value}
            for (of, key), value in self.items()
            if of == family
        ]
        return listed(action, "DBGetTree", entries)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


@asynccontextmanager
async def syncing(world: World, astdb: AstDb) -> AsyncIterator[tuple[FailsafeSync, FakeAmi]]:
    async with fake_ami() as fake:
        astdb.behind(fake)
        async with login(fake) as records:
            yield FailsafeSync(world.database, records, lambda: MONDAY), fake


async def test_every_number_in_use_has_its_line(world: World) -> None:
    """The number's target, else the pool's, else the site's; not recorded where the pool is not."""
    await world.run("UPDATE trunk SET target_id = 1")
    astdb = AstDb()
    async with syncing(world, astdb) as (sync, _):
        outcome = await sync.sync()
    records = {at: json.loads(value) for at, value in astdb.items()}

    assert (outcome.written, outcome.deleted, outcome.kept) == (4, 0, 0)
    assert records["ct-did", "74951234567"]["t"] == "PJSIP/company^25"
    assert records["ct-did", "74951230500"]["rec"] == "0"
    assert records["ct-trunk", "trunk1"]["t"] == "PJSIP/company^25"
    assert all(len(value) <= 1000 for value in astdb.values())


async def test_what_is_right_is_not_written_again(world: World) -> None:
    """The second comparison only reads."""
    astdb = AstDb()
    async with syncing(world, astdb) as (sync, fake):
        await sync.sync()
        before = len(fake.asked("DBPut"))
        outcome = await sync.sync()

        assert (outcome.written, outcome.deleted, outcome.kept) == (0, 0, 3)
        assert len(fake.asked("DBPut")) == before


async def test_changes_follow(world: World) -> None:
    """A new target gives a new version; a withdrawn number's record goes, and so does a stranger's."""
    astdb = AstDb({("ct-did", "70000000000"): "left behind", ("ct-trunk", "old"): "{}"})
    async with syncing(world, astdb) as (sync, _):
        await sync.sync()
        before = json.loads(astdb["ct-did", "74951234567"])
        await world.run("UPDATE target SET ring_seconds = 40 WHERE id = 1")
        await world.run("UPDATE number SET withdrawn_at = $1 WHERE e164 = '+74951234568'", MONDAY)
        await sync.sync()
    after = json.loads(astdb["ct-did", "74951234567"])

    assert after["t"] == "PJSIP/company^40"
    assert after["v"] != before["v"]
    assert set(astdb) == {("ct-did", "74951234567"), ("ct-did", "74951230500")}


async def test_somebody_changed_a_record(world: World) -> None:
    """It is put right, whatever its version says."""
    astdb = AstDb()
    async with syncing(world, astdb) as (sync, _):
        await sync.sync()
        right = astdb["ct-did", "74951234567"]
        astdb["ct-did", "74951234567"] = right.replace("company", "premium")
        outcome = await sync.sync()

    assert outcome.written == 1
    assert astdb["ct-did", "74951234567"] == right


async def test_a_line_that_may_not_be_called(world: World) -> None:
    """A target that is one of our own numbers is not written down; the site's is."""
    await world.run("UPDATE number SET target_id = 2 WHERE e164 = '+74951234567'")
    astdb = AstDb()
    async with syncing(world, astdb) as (sync, _):
        await sync.sync()

    assert json.loads(astdb["ct-did", "74951234567"])["t"] == "PJSIP/company^25"


async def test_asterisk_refuses(world: World) -> None:
    """An account without the right: said, and not taken for success."""
    async with syncing(world, AstDb()) as (sync, fake):
        fake.answers["DBPut"] = lambda action: message(
            Response="Error", ActionID=action["actionid"], Message="Permission denied"
        )
        with pytest.raises(ExceptionGroup) as refused:
            await sync.sync()

    assert refused.group_contains(AmiRefused, match="Permission denied")


async def test_after_each_login_and_on_demand(world: World) -> None:
    """A new Asterisk is filled at once, a change is there within moments, without waiting a minute."""
    astdb = AstDb()
    async with syncing(world, astdb) as (sync, fake):
        running = asyncio.create_task(sync.run())
        await until(lambda: len(astdb) == 3)
        await world.run("UPDATE target SET ring_seconds = 33 WHERE id = 1")
        sync.refresh()
        await until(lambda: "^33" in astdb["ct-did", "74951234567"])
        astdb.clear()
        fake.kick()
        await until(lambda: len(astdb) == 3)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_a_failure_is_said_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task goes on."""
    monkeypatch.setattr("router.telephony.failsafe.RETRY_SECONDS", 0.05)
    astdb = AstDb()
    with structlog.testing.capture_logs() as logs:
        async with syncing(world, astdb) as (sync, fake):
            good = fake.answers.pop("DBPut")
            fake.answers["DBPut"] = lambda action: message(
                Response="Error", ActionID=action["actionid"], Message="Permission denied"
            )
            running = asyncio.create_task(sync.run())
            await until(lambda: any("fail-safe" in log["event"] for log in logs))
            fake.answers["DBPut"] = good
            await until(lambda: len(astdb) == 3)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def test_the_database_tells_of_a_change(world: World, dsn: str) -> None:
    """Whoever makes it: what differs from what was written last is written, and Asterisk is not read again."""
    astdb = AstDb()
    async with syncing(world, astdb) as (sync, fake), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in (sync.run(), sync.listen(dsn))]
        await until(lambda: len(astdb) == 3)
        await told(world)
        trees = len(fake.asked("DBGetTree"))
        await world.run(
            "INSERT INTO number (organisation_id, e164, pool_id, created_at)"
            " VALUES (1, '+74951234569', 1, $1)",
            MONDAY,
        )
        await until(lambda: ("ct-did", "74951234569") in astdb)
        await world.run("UPDATE target SET ring_seconds = 44 WHERE id = 1")
        await until(lambda: all("^44" in value for value in astdb.values()))
        await world.run("UPDATE number SET withdrawn_at = $1 WHERE id = 1", MONDAY)
        await until(lambda: ("ct-did", "74951234567") not in astdb)

        assert len(fake.asked("DBGetTree")) == trees
        for task in running:
            task.cancel()


async def told(world: World) -> None:
    """Wait until somebody listens to the database."""
    for _ in range(200):
        if await world.run(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'call-router routes'"
            " AND datname = current_database() AND query LIKE 'LISTEN%'"
        ):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody listens")


async def test_a_heartbeat_is_no_change_of_routes(world: World, dsn: str) -> None:
    """What every visit writes on a number's row is not told: notifications wait for each other at commit."""
    heard = asyncio.Event()
    async with listening(dsn, "routes", heard.set, lambda: None):
        await world.run("UPDATE number SET reserved_until = $1, version = version + 1", MONDAY)
        await world.run("SELECT pg_sleep(0.1)")
        assert not heard.is_set()
        await world.run("UPDATE number SET pool_id = 2 WHERE id = 1")
        await asyncio.wait_for(heard.wait(), 5)


async def test_a_record_is_short_enough_for_ami(world: World) -> None:
    """Asterisk refuses longer lines: the longest possible name still fits."""
    await world.run("UPDATE target SET endpoint = repeat('e', 60) WHERE id = 1")
    async with syncing(world, AstDb()) as (sync, _):
        desired = await sync.desired()

    assert max(map(len, desired.values())) < variables.RECORD_BYTES
