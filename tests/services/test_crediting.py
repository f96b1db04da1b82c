"""A call is on record before its answer; what was decided follows, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from router.domain.errors import StoreUnavailable
from router.services import crediting
from router.services.calls import Calls
from router.services.crediting import Answered, Crediting
from router.services.metrics import CallMetrics
from router.services.upkeep import Upkeep
from router.store import decisions
from router.store.database import Database, Queries
from router.store.decisions import Decided
from tests.services.calls_world import NUMBER, World, arrival, build, retold

S = timedelta(seconds=1)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


async def bare(world: World, linkedid: str = "pbx1-1.0") -> dict[str, Any]:
    """The call's row as it is this moment: what is being written is not waited for."""
    row = await world.database._pool.fetchrow("SELECT * FROM call WHERE linkedid = $1", linkedid)
    assert row is not None
    return dict(row)


class Held:
    """The writing of decisions, stopped until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = asyncio.Event()
        self.tries = 0
        self.failures: list[Exception] = []
        write = decisions.credit

        async def held(queries: Queries, calls: Sequence[Decided]) -> set[str]:
            await self.free.wait()
            self.tries += 1
            if self.failures:
                raise self.failures.pop()
            return await write(queries, calls)

        monkeypatch.setattr(decisions, "credit", held)


async def test_the_row_is_there_before_the_answer(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed, with who called whom; the decision comes after the answer, and completes it."""
    session = await world.visit(began=now - 100 * S, seen=now - 5 * S)
    held = Held(monkeypatch)
    route = await world.calls.arrive(arrival(), now)
    noted = await bare(world)
    held.free.set()
    credited = await world.call("pbx1-1.0")

    assert (noted["ref"], noted["did"], noted["caller"]) == (route.ref, NUMBER, "+79161234567")
    assert noted["attribution_id"] is None
    assert route.tags["campaign"] == "spring"
    assert (credited["session_id"], credited["target"]) == (session, "PJSIP/company")
    assert (credited["route_source"], credited["decisions"]) == ("router", 1)


async def test_no_row_no_answer(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the look-up says: a route is given to a call on record only."""

    async def fails(_queries: Queries, _calls: object) -> set[str]:
        raise StoreUnavailable("away")

    monkeypatch.setattr(decisions, "note", fails)
    with pytest.raises(StoreUnavailable):
        await world.calls.arrive(arrival(), now)

    assert await world.run("SELECT count(*) FROM attribution") == 0


async def test_killed_between_answer_and_decision(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next router credits the call from its events as the first one did, though visits came since."""
    session = await world.visit(began=now - 100 * S, seen=now - 5 * S)
    monkeypatch.setattr(Crediting, "add", lambda _self, _answered: None)
    route = await world.calls.arrive(arrival(), now)
    await world.visit(began=now + S, seen=now + 2 * S, campaign="autumn")
    other = await build_again(world)
    assert (await bare(world))["attribution_id"] is None

    await other.calls.absorb(
        retold("answered", "pbx1-1.0", now, did="74951234567"), source="file", now=now + 60 * S
    )
    call = await other.call("pbx1-1.0")

    assert (call["ref"], call["session_id"], call["decisions"]) == (route.ref, session, 1)
    assert (call["campaign"], call["state"]) == ("spring", "ended")
    assert (call["organisation_id"], call["site_id"]) == (1, 1)


async def build_again(world: World) -> World:
    """Another router on the same database."""
    registry = CollectorRegistry()
    calls = Calls(
        world.database,
        world.live,
        Upkeep(world.database),
        CallMetrics(registry),
        world.clocks,
        patience=5,
    )
    return World(world.database, calls, world.clocks, world.live, registry)


async def test_its_events_are_quicker_than_the_decision(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One decision stays: the first; the visit is counted once."""
    await world.visit(began=now - 100 * S, seen=now - 5 * S)
    held = Held(monkeypatch)
    await world.calls.arrive(arrival(), now)
    events = retold("answered", "pbx1-1.0", now, did="74951234567", cid="+79161234567")
    await world.calls.absorb(events, source="file", now=now + S)
    first = (await bare(world))["attribution_id"]
    held.free.set()
    call = await world.call("pbx1-1.0")
    (visit,) = await world.rows("SELECT called FROM session")

    assert (call["attribution_id"], call["decisions"], call["state"]) == (first, 1, "ended")
    assert visit["called"] == pytest.approx(1, abs=0.02)


async def test_what_the_company_was_told_is_what_is_written(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what would be decided anew, by Asterisk's clock, when the first events come before the writing."""
    session = await world.visit(began=now - 100 * S, seen=now - 5 * S)
    # began in the second by which Asterisk's clock is ahead
    await world.visit(began=now + 0.5 * S, seen=now + 0.5 * S, campaign="autumn")
    held = Held(monkeypatch)
    route = await world.calls.arrive(arrival(), now)
    events = retold("answered", "pbx1-1.0", now + S, did="74951234567", cid="+79161234567")
    begun = [event for event in events if event.kind in ("CHAN_START", "CT_IN")]
    await world.calls.absorb(begun, source="ami", now=now + S)
    held.free.set()
    call = await world.call("pbx1-1.0")

    assert route.tags["campaign"] == call["campaign"] == "spring"
    assert (call["session_id"], call["decisions"], call["route_source"]) == (session, 1, "router")
    assert call["confidence"] > 0.99


async def test_the_database_goes_away_in_between(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written is written later, in its order."""
    monkeypatch.setattr(crediting, "RETRY_SECONDS", 0.01)
    held = Held(monkeypatch)
    held.failures = [StoreUnavailable("away"), StoreUnavailable("away")]
    held.free.set()
    for number in range(3):
        await world.calls.arrive(arrival(f"pbx1-{number}.0"), now)

    for number in range(3):
        assert (await world.call(f"pbx1-{number}.0"))["decisions"] == 1
    assert held.tries >= 3


async def test_a_decision_that_cannot_be_written_stands_in_nobodys_way(
    world: World, now: datetime
) -> None:
    """The others of its batch are written."""
    seen: list[Answered] = []
    add = Crediting.add
    world.calls._crediting.add = seen.append  # type: ignore[method-assign]
    for number in range(3):
        await world.calls.arrive(arrival(f"pbx1-{number}.0"), now)
    object.__setattr__(seen[1].decided, "did", "nul\0")
    for answered in seen:
        add(world.calls._crediting, answered)

    assert [(await world.call(f"pbx1-{n}.0"))["decisions"] for n in range(3)] == [1, 0, 1]


async def test_no_caller_is_known_from_the_call_itself(world: World, now: datetime) -> None:
    """Also where Asterisk's clock is behind ours, so that the row seems to be of the past."""
    world.clocks.asterisk = -2 * S
    await world.visit(began=now - 100 * S, seen=now - 5 * S)
    alone = [await world.calls.arrive(arrival("pbx1-1.0", caller="+79160000001"), now)]
    together = await asyncio.gather(
        *(world.calls.arrive(arrival(f"pbx1-{n}.0", caller=f"+7916000000{n}"), now) for n in (2, 3))
    )
    known = await world.calls.arrive(arrival("pbx1-4.0", caller="+79160000001"), now + 10 * S)
    rows = await world.rows(
        "SELECT (inputs->>'known_caller')::bool AS known FROM attribution JOIN call"
        " ON call.attribution_id = attribution.id ORDER BY linkedid"
    )

    assert len({route.ref for route in (*alone, *together, known)}) == 4
    assert [row["known"] for row in rows] == [False, False, False, True]


async def test_other_work_waits_for_arriving_calls(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events are taken in once the call has its answer, and after a moment in any case."""
    noted, go_on = asyncio.Event(), asyncio.Event()
    note = decisions.note

    async def slow(queries: Queries, calls: Sequence[decisions.Noted]) -> set[str]:
        noted.set()
        await go_on.wait()
        return await note(queries, calls)

    monkeypatch.setattr(decisions, "note", slow)
    arriving = asyncio.create_task(world.calls.arrive(arrival(), now))
    await noted.wait()
    at_rest = asyncio.create_task(world.calls.at_rest())
    await asyncio.sleep(0)
    assert not at_rest.done()
    go_on.set()
    await arriving
    await at_rest

    go_on.clear()
    stuck = asyncio.create_task(world.calls.arrive(arrival("pbx1-2.0"), now))
    await asyncio.sleep(0)
    await world.calls.at_rest()
    assert not stuck.done()
    go_on.set()
    await stuck


async def test_warming_up_writes_nothing(world: World, now: datetime) -> None:
    """What the first calls would wait for is done with no call."""
    await world.calls.warm(now, 3)

    assert await world.run("SELECT count(*) FROM call") == 0


async def test_a_decision_that_comes_as_the_writing_ends_is_written_too(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look at what waits and the end of the task another call may be answered."""
    add, late = Crediting.add, list[Answered]()
    monkeypatch.setattr(Crediting, "add", lambda _self, answered: late.append(answered))
    await world.calls.arrive(arrival(linkedid="pbx1-2.0"), now)
    monkeypatch.setattr(Crediting, "add", add)
    written = Crediting._written

    async def then_another(self: Crediting, batch: list[Answered]) -> None:
        await written(self, batch)
        while late:
            asyncio.get_running_loop().call_soon(self.add, late.pop())

    monkeypatch.setattr(Crediting, "_written", then_another)
    await world.calls.arrive(arrival(), now)
    await world.calls.settled()

    assert await world.run("SELECT count(*) FROM attribution") == 2
