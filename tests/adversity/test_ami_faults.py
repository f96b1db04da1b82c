"""AMI kicked or half-open: calls go on, the router notices, and no call is written twice or lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.adversity.proxy import Proxy, proxy
from tests.adversity.test_router_down import RINGS_WITHIN, spring
from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def link(system: System) -> AsyncIterator[Proxy]:
    """The router's AMI connections lead through a proxy for the length of a test."""
    usual = system.router.settings["CALL_ROUTER_AMI_PORT"]
    async with proxy(("127.0.0.1", system.instance.ports.ami)) as made:
        system.router.stop()
        system.router.settings["CALL_ROUTER_AMI_PORT"] = str(made.port)
        system.router.start()
        await system.router.ready()
        yield made
        system.router.stop()
        system.router.settings["CALL_ROUTER_AMI_PORT"] = usual
        system.router.start()
        await system.router.ready()


async def test_ami_is_kicked_in_mid_call(system: System, link: Proxy) -> None:
    """The end of the call is heard all the same, once."""
    visit = await system.visit()
    caller = system.new_caller()
    call = await system.dial(visit.number, caller)
    await call.answered()
    before = link.connections
    link.cut()
    await asyncio.sleep(0.3)
    call.hang_up()
    record = await system.record(caller)
    await _until(lambda: link.connections >= before + 2, 10)

    assert spring(record)
    assert record["hung_up_by"] == "caller"
    assert record["route_source"] == "router"


async def test_asterisk_kicks_the_session(system: System) -> None:
    """By Asterisk's own command, both accounts; the router is back by itself."""
    visit = await system.visit()
    caller = system.new_caller()
    call = await system.dial(visit.number, caller)
    await call.answered()
    shown = await asyncio.to_thread(system.asterisk.cli, "manager show connected")
    sessions = [line.split() for line in shown.splitlines() if line.lstrip().startswith("ct-")]
    assert {session[0] for session in sessions} == {"ct-events", "ct-records"}
    for session in sessions:
        await asyncio.to_thread(system.asterisk.cli, f"manager kick session {session[-4]}")
    call.hang_up()
    record = await system.record(caller)
    await system.router.ready()

    assert spring(record)
    assert record["hung_up_by"] == "caller"


@pytest.mark.parametrize("file", [True, False], ids=["file and AMI", "AMI alone"])
async def test_ami_in_disorder(system: System, link: Proxy, file: bool) -> None:
    """Every event twice and shuffled, with Asterisk's file beside it and without: the same record."""
    cel_file = system.router.settings["CALL_ROUTER_CEL_FILE"]
    if not file:
        system.router.stop()
        del system.router.settings["CALL_ROUTER_CEL_FILE"]
        system.router.start()
        await system.router.ready()
    try:
        link.disorder = True
        visit = await system.visit()
        caller = system.new_caller()
        await system.talk(visit.number, caller, seconds=1.2)
        record = await system.record(caller)
    finally:
        link.disorder = False
        system.router.settings["CALL_ROUTER_CEL_FILE"] = cel_file

    assert link.disordered > 5
    assert spring(record)
    assert (record["outcome"], record["hung_up_by"]) == ("answered", "caller")
    assert 1000 <= record["talk_ms"] <= 2500
    assert len(record["decisions"]) == 1


async def test_ami_is_half_open(system: System, link: Proxy) -> None:
    """A link that says nothing is given up within ten seconds; calls do not wait for it."""
    visit = await system.visit()
    caller, later = system.new_caller(), system.new_caller()
    before = link.connections
    link.silent = True
    _, waited = await system.talk(visit.number, caller, seconds=0.5)
    await _until(lambda: link.connections > before, 12)
    link.silent = False
    link.cut()
    await system.router.ready()
    await system.talk(visit.number, later, seconds=0.5)

    assert waited < RINGS_WITHIN
    assert spring(await system.record(caller))
    assert spring(await system.record(later))


async def _until(happened, within: float) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(within):
        while not happened():
            await asyncio.sleep(0.1)


async def test_asterisk_restarted_between_calls(system: System) -> None:
    """Fail-safe records survive; the router finds its way back; the next call is routed by it."""
    visit = await system.visit()
    first, second, third = (system.new_caller() for _ in range(3))
    await system.talk(visit.number, first, seconds=0.3)
    await asyncio.to_thread(system.asterisk.stop)
    await asyncio.to_thread(system.asterisk.start)
    await system.pbx.wait_reachable("company")
    await system.talk(visit.number, second, seconds=0.3)
    await system.router.ready()
    await system.talk(visit.number, third, seconds=0.3)

    for caller in (first, second, third):
        record = await system.record(caller)
        assert spring(record)
        assert record["route_source"] == "router"


async def test_asterisk_restarted_without_a_router(system: System) -> None:
    """Asterisk alone still knows where each number rings."""
    visit = await system.visit()
    await asyncio.sleep(1.5)  # Asterisk commits its database once a second
    system.router.stop()
    await asyncio.to_thread(system.asterisk.stop)
    await asyncio.to_thread(system.asterisk.start)
    await system.pbx.wait_reachable("company")
    caller = system.new_caller()
    await system.talk(visit.number, caller, seconds=0.5)
    system.router.start()
    await system.router.ready()
    record = await system.record(caller)

    assert spring(record)
    assert record["route_source"] == "failsafe_number"


async def test_asterisk_killed_in_mid_call(system: System) -> None:
    """kill -9 of Asterisk: nothing stays `talking` for ever, and what was recorded is kept."""
    visit = await system.visit()
    caller = system.new_caller()
    call = await system.dial(visit.number, caller)
    await call.answered()
    await asyncio.sleep(2)
    await asyncio.to_thread(system.asterisk.kill)
    await asyncio.to_thread(system.asterisk.start)
    await system.router.ready()
    record = await _ended(system, caller)

    assert record["outcome"] == "lost"
    assert spring(record)


async def _ended(system: System, caller: str) -> dict:  # type: ignore[type-arg]
    for _ in range(150):
        for row in await system.calls(limit="50"):
            if row["caller"]["text"] == caller and row["state"] == "ended":
                return await system.explained(row["ref"])
        await asyncio.sleep(0.2)
    raise AssertionError("the call never ended in our records")
