"""The router never started, killed, frozen: the company rings all the same, and the call is attributed."""

from __future__ import annotations

import asyncio

import pytest

from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Whatever is broken, the company's telephone rings within this. How fast exactly is for `make bench` to say:
# a test on a busy machine can only tell the guard's second from waiting for ever.
RINGS_WITHIN = 3.0


def spring(record: dict) -> bool:  # type: ignore[type-arg]
    """Whether the record says which advertisement it was, and how sure that is."""
    attribution = record["attribution"]
    return (
        attribution["source"] == "google"
        and attribution["campaign"] == "spring"
        and attribution["level"] == "session"
        and 0.5 <= attribution["confidence"] <= 1
    )


async def test_all_is_well(system: System) -> None:
    """The main job, as a measure for the faults below."""
    visit = await system.visit()
    caller = system.new_caller()
    rung, _ = await system.talk(visit.number, caller, seconds=1.5)
    record = await system.record(caller)

    assert spring(record)
    assert record["session"]["session"] == visit.session
    assert record["route_source"] == "router"
    assert rung.tags["X-CT-Source"] == "google"
    assert rung.tags["X-CT-Campaign"] == "spring"
    assert rung.number == caller
    assert record["hung_up_by"] == "caller"
    assert 1000 <= record["talk_ms"] <= 2500
    (recording,) = record["recordings"]
    assert abs(recording["duration_ms"] - record["talk_ms"]) < 300
    assert not recording["truncated"]


async def test_router_never_there(system: System) -> None:
    """The visit was made before; the call comes while no router runs; the next one completes it."""
    visit = await system.visit()
    system.router.stop()
    caller = system.new_caller()
    rung, setup = await system.talk(visit.number, caller)
    system.router.start()
    await system.router.ready()
    record = await system.record(caller)

    assert setup < RINGS_WITHIN
    assert "X-CT-Source" not in rung.tags
    assert spring(record)
    assert record["session"]["session"] == visit.session
    assert record["route_source"] == "failsafe_number"


async def test_router_killed_while_ringing(system: System) -> None:
    """kill -9 between the answer to Asterisk and the company's answer."""
    visit = await system.visit()
    caller = system.new_caller()

    async def ring_long(call) -> None:  # type: ignore[no-untyped-def]
        await call.ring(1.0)
        await call.accept()

    usual, system.company.behaviour = system.company.behaviour, ring_long
    try:
        call = await system.dial(visit.number, caller)
        await call.ringing()
        system.router.kill()
        await call.answered()
        await asyncio.sleep(1)
        call.hang_up()
    finally:
        system.company.behaviour = usual
    system.router.start()
    await system.router.ready()
    record = await system.record(caller)

    assert spring(record)
    assert record["route_source"] == "router"
    assert record["ring_ms"] >= 900
    assert record["talk_ms"] >= 800


async def test_router_killed_while_talking(system: System) -> None:
    """kill -9 in mid-call: the call runs to its end, the recording is whole, the row is closed."""
    visit = await system.visit()
    caller = system.new_caller()
    call = await system.dial(visit.number, caller)
    await call.answered()
    await asyncio.sleep(0.5)
    system.router.kill()
    await asyncio.sleep(1)
    call.hang_up()
    await (await system.company.next_call()).ended()
    system.router.start()
    await system.router.ready()
    record = await system.record(caller)

    assert spring(record)
    assert record["outcome"] == "answered"
    assert record["recordings"][0]["duration_ms"] >= 1300
    assert not record["recordings"][0]["truncated"]


async def test_router_frozen(system: System) -> None:
    """SIGSTOP: the guard ends the silence; the breaker spares the next caller."""
    visit = await system.visit()
    first, second = system.new_caller(), system.new_caller()
    system.router.freeze()
    _, waited = await system.talk(visit.number, first)
    _, spared = await system.talk(visit.number, second)
    system.router.thaw()
    await system.router.ready()

    assert waited < RINGS_WITHIN
    assert spared < waited, "the breaker did not spare the second caller"
    for caller in (first, second):
        record = await system.record(caller)
        assert spring(record)
        assert record["route_source"] == "failsafe_number"


async def test_an_open_page_survives_an_outage(system: System) -> None:
    """Heartbeats lost in an outage do not turn an open page into a lost one."""
    visit = await system.visit()
    system.router.stop()
    await asyncio.sleep(12)
    caller = system.new_caller()
    await system.talk(visit.number, caller)
    system.router.start()
    await system.router.ready()
    beat = await system.heartbeat(visit)
    record = await system.record(caller)

    assert beat["how"] == "kept"
    assert beat["number"] is None
    assert spring(record)
    assert record["session"]["session"] == visit.session


async def test_calls_of_an_outage_are_made_once(system: System) -> None:
    """Two restarts read the same file; each call is one row and one decision."""
    visit = await system.visit()
    system.router.stop()
    callers = [system.new_caller() for _ in range(3)]
    for caller in callers:
        await system.talk(visit.number, caller, seconds=0.3)
    for _ in range(2):
        system.router.start()
        await system.router.ready()
        records = [await system.record(caller) for caller in callers]
        system.router.kill()

    assert all(spring(record) for record in records)
    assert [len(record["decisions"]) for record in records] == [1, 1, 1]


async def test_spring_is_strict() -> None:
    """The check used by these tests can fail."""
    good = {"source": "google", "campaign": "spring", "level": "session", "confidence": 0.9}

    assert spring({"attribution": good})
    assert not spring({"attribution": {**good, "level": "source"}})
    assert not spring({"attribution": {**good, "confidence": 0.3}})
