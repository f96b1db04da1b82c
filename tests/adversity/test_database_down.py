"""PostgreSQL stopped, frozen, killed, restarted: the company rings, the call is attributed afterwards."""

from __future__ import annotations

import asyncio

import pytest

from router.firstrun.http_client import RequestFailed
from tests.adversity.test_router_down import RINGS_WITHIN, spring
from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_database_stopped(system: System) -> None:
    """Calls take Asterisk's own routes; pages are told at once and keep their numbers."""
    visit = await system.visit()
    first, second = system.new_caller(), system.new_caller()
    system.postgres.stop()
    _, waited = await system.talk(visit.number, first, seconds=0.5)
    _, spared = await system.talk(visit.number, second, seconds=0.5)
    with pytest.raises(RequestFailed) as refused:
        await system.visit()
    system.postgres.start()
    await system.router.ready()

    assert "answers 503" in str(refused.value)
    assert max(waited, spared) < RINGS_WITHIN
    for caller in (first, second):
        record = await system.record(caller)
        assert spring(record)
        assert record["route_source"] == "failsafe_number"


async def test_database_frozen(system: System) -> None:
    """A server that holds its sockets and says nothing is left alone after its deadline."""
    visit = await system.visit()
    first, second = system.new_caller(), system.new_caller()
    system.postgres.freeze()
    _, waited = await system.talk(visit.number, first, seconds=0.5)
    _, spared = await system.talk(visit.number, second, seconds=0.5)
    system.postgres.thaw()
    await system.router.ready()

    assert waited < RINGS_WITHIN
    assert spared < waited, "the router asked the frozen database again"
    for caller in (first, second):
        assert spring(await system.record(caller))


async def test_database_killed(system: System) -> None:
    """kill -9 of the server and all its backends; it recovers, and nothing committed is lost."""
    visit = await system.visit()
    caller, later = system.new_caller(), system.new_caller()
    call = await system.dial(visit.number, caller)
    await call.answered()
    system.postgres.kill()
    await asyncio.sleep(0.5)
    call.hang_up()
    system.postgres.start()
    await system.router.ready()
    await system.talk(visit.number, later, seconds=0.5)

    assert spring(await system.record(caller))
    assert spring(await system.record(later))


async def test_database_restarted_between_calls(system: System) -> None:
    """The next call after a restart is routed by the router again, within a second or so."""
    visit = await system.visit()
    await asyncio.to_thread(system.postgres.restart)
    await system.router.ready()
    caller = system.new_caller()
    rung, _ = await system.talk(visit.number, caller, seconds=0.5)
    record = await system.record(caller)

    assert spring(record)
    assert record["route_source"] == "router"
    assert rung.tags["X-CT-Campaign"] == "spring"
