"""A call arrives, is told of, ends; and what is made of it when somebody was away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import structlog

from router.domain.errors import StoreUnavailable
from router.domain.past import settle
from router.services.attributing import Question
from router.services.calls import Calls, Position
from router.services.upkeep import Upkeep
from router.store import arrivals
from router.store.database import Database
from tests.services.calls_world import NUMBER, World, arrival, build, retold

S = timedelta(seconds=1)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


# --- arriving --------------------------------------------------------------------------------------


async def test_a_call_on_a_held_number(world: World, now: datetime) -> None:
    """The visit that looks at the number is credited, and the call is on record."""
    session = await world.visit(began=now - 100 * S, seen=now - 5 * S)
    route = await world.calls.arrive(arrival(), now)
    call = await world.call("pbx1-1.0")

    assert [target.name for target in route.targets] == ["office"]
    assert route.code is None
    assert route.name == "google / cpc / spring 99%"
    assert route.tags["campaign"] == "spring"
    assert call["ref"] == route.ref
    assert (call["did"], call["caller"], call["state"]) == (NUMBER, "+79161234567", "arrived")
    assert (call["method"], call["level"], call["session_id"]) == (
        "reservation",
        "session",
        session,
    )
    assert call["confidence"] == pytest.approx(4e-5 / (4e-5 + 0.02 / 86400))
    assert call["term"] == "a term"
    assert (call["organisation_id"], call["site_id"], call["target"]) == (1, 1, "PJSIP/company")
    assert call["inputs"]["candidates"] == 1
    assert call["evidence"][0]["words"].startswith("the page was open and in use")


async def test_a_static_number(world: World, now: datetime) -> None:
    """Its source is sure, and this pool's calls are not recorded."""
    route = await world.calls.arrive(arrival(did="74951230500"), now)
    call = await world.call("pbx1-1.0")

    assert (call["method"], call["level"], call["confidence"]) == ("static", "source", 1.0)
    assert route.name == "yandex / maps"
    assert not route.record


async def test_the_sites_default_number(world: World, now: datetime) -> None:
    """Visits that were shown it are candidates as any."""
    await world.visit(None, began=now - 100 * S, seen=now - S, shown="+74951230000")
    route = await world.calls.arrive(arrival(did="74951230000"), now)
    call = await world.call("pbx1-1.0")

    assert (call["method"], call["level"]) == ("default", "session")
    assert [target.name for target in route.targets] == ["office"]


async def test_a_page_number_that_nothing_stood_in_the_place_of(
    world: World, now: datetime
) -> None:
    """Several numbers on a page: the visit that saw this one, not the one that saw the default."""
    service = "+74951230077"
    await world.run("UPDATE site SET page_numbers = ARRAY['+74951230000', $1]", service)
    times = {"began": now - 100 * S, "seen": now - S}
    await world.visit(None, **times, shown="+74951230000")
    seen = await world.visit(None, **times, shown=service)
    await world.calls.arrive(arrival(did=service[1:]), now)
    call = await world.call("pbx1-1.0")

    assert (call["method"], call["session_id"]) == ("default", seen)


async def test_a_default_number_with_a_source(world: World, now: datetime) -> None:
    """Credited to its source, without looking for the visit."""
    await world.calls.arrive(arrival(did="74951230001"), now)
    call = await world.call("pbx1-1.0")

    assert (call["method"], call["level"], call["source"]) == ("default", "source", "google")


async def test_a_number_of_somebody_else(world: World, now: datetime) -> None:
    """404, and a row: somebody may have misdirected our number."""
    route = await world.calls.arrive(arrival(did="74957654321"), now)
    call = await world.call("pbx1-1.0")

    assert (route.code, route.targets) == (404, ())
    assert (call["method"], call["organisation_id"]) == ("unknown_number", 1)


async def test_a_number_we_cannot_read(world: World, now: datetime) -> None:
    """No code: it may be ours in another form, so Asterisk's own line rings."""
    route = await world.calls.arrive(arrival(did="4567"), now)

    assert (route.code, route.targets) == (None, ())


async def test_nobody_was_shown_the_number(world: World, now: datetime) -> None:
    """A row without a session, and the company rings all the same."""
    route = await world.calls.arrive(arrival(), now)

    assert (await world.call("pbx1-1.0"))["method"] == "without_session"
    assert route.targets


async def test_a_target_that_is_one_of_our_numbers(world: World, now: datetime) -> None:
    """Refused; the site's own target rings."""
    await world.run("UPDATE number SET target_id = 2 WHERE e164 = $1", NUMBER)
    route = await world.calls.arrive(arrival(), now)

    assert [target.name for target in route.targets] == ["office"]


async def test_a_hidden_number_is_served_like_any_other(world: World, now: datetime) -> None:
    """No number of his to keep, everything else as usual."""
    await world.visit(began=now - 100 * S, seen=now)
    await world.calls.arrive(arrival(caller=""), now)
    call = await world.call("pbx1-1.0")

    assert (call["caller"], call["level"]) == ("", "session")


async def test_asterisk_asks_twice(world: World, now: datetime) -> None:
    """One row, one decision, the same ref."""
    first = await world.calls.arrive(arrival(), now)
    second = await world.calls.arrive(arrival(), now + S)

    assert first.ref == second.ref
    assert (await world.call("pbx1-1.0"))["decisions"] == 1


async def test_twenty_at_once(world: World, now: datetime) -> None:
    """Every call gets its row, whoever came first."""
    await world.visit(began=now - 100 * S, seen=now)
    routes = await asyncio.gather(
        *(world.calls.arrive(arrival(f"pbx1-{n}.0", caller=""), now) for n in range(20))
    )

    assert len({route.ref for route in routes}) == 20
    assert await world.run("SELECT count(*) FROM call") == 20
    assert await world.run("SELECT called FROM session") == 1.0


async def test_who_has_called_is_less_likely_the_next_time(world: World, now: datetime) -> None:
    """Another caller a minute later is probably not the same visit; the same caller may well be."""
    session = await world.visit(began=now - 400 * S, gone=now - 100 * S)
    other = await world.visit(began=now - 900 * S, gone=now - 700 * S, campaign="autumn")
    await world.calls.arrive(arrival("pbx1-1.0"), now)
    first = (await world.call("pbx1-1.0"))["confidence"]
    await world.calls.arrive(arrival("pbx1-2.0", caller="+79167654321"), now + 60 * S)
    stranger = await world.call("pbx1-2.0")
    await world.calls.arrive(arrival("pbx1-3.0"), now + 120 * S)
    again = await world.call("pbx1-3.0")

    called = dict(await world.database._pool.fetch("SELECT id, called FROM session"))
    assert (await world.call("pbx1-1.0"))["session_id"] == session
    assert stranger["session_id"] != session
    assert again["session_id"] == session
    assert called[session] > first
    assert called[other] > 0.02


async def test_a_database_that_does_not_answer(database: Database, now: datetime) -> None:
    """StoreUnavailable within the deadline, not when the lock is gone."""
    world = await build(database, patience=0.3)
    calls = world.calls
    await calls.arrive(arrival("pbx1-0.0"), now)
    async with _locked(world, "call"):
        began = asyncio.get_running_loop().time()
        with pytest.raises(StoreUnavailable):
            await calls.arrive(arrival(), now)

        assert asyncio.get_running_loop().time() - began < 0.6


@asynccontextmanager
async def _locked(world: World, table: str) -> AsyncIterator[None]:
    connection: asyncpg.Connection
    async with world.database._pool.acquire() as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table}")
        yield


# --- the past, summed up -----------------------------------------------------------------------------


async def test_a_number_with_many_past_visits(world: World, now: datetime) -> None:
    """The decision is the same whether they are listed or summed up; those who return are noticed."""
    for hours in range(2, 120):
        began = now - hours * timedelta(hours=5)
        await world.visit(began=began, gone=began + 60 * S, campaign=f"c{hours % 3}")
    open_page = await world.visit(began=now - 30 * S, seen=now)
    listed = await _decision(world, now)
    assert await world.calls.settle(NUMBER, now)
    settled = await _decision(world, now)
    returning = await world.run("SELECT min(id) FROM session")
    await world.run("UPDATE session SET seen_at = $1, gone_at = NULL WHERE id = $2", now, returning)
    spoke = await _decision(world, now)

    assert listed["found"].past is None
    assert len(settled["found"].candidates) == 1
    assert settled["attribution"].session_id == open_page
    assert settled["attribution"].confidence == pytest.approx(
        listed["attribution"].confidence, rel=1e-9
    )
    assert settled["shares"].p_none == pytest.approx(listed["shares"].p_none, rel=1e-9)
    assert settled["shares"].count == listed["shares"].count == 119
    assert spoke["found"].past is None
    assert spoke["attribution"].confidence < settled["attribution"].confidence


async def test_a_visit_that_speaks_while_the_past_is_summed_up(world: World, now: datetime) -> None:
    """What was summed up without it is not kept, but made anew."""
    for hours in range(2, 80):
        await world.visit(
            began=now - hours * timedelta(hours=5), gone=now - hours * timedelta(hours=5)
        )
    number_id = await world.run("SELECT id FROM number WHERE e164 = $1", NUMBER)
    version = await arrivals.begin_past(world.database, number_id, now)
    found = await arrivals.dialled(world.database, [NUMBER], "", "", now)
    await world.run("UPDATE session SET tapped_at = $1 WHERE id = 1", now)
    kept = await arrivals.keep_past(
        world.database, number_id, version, settle(found.candidates, now)
    )

    assert not kept
    assert await arrivals.lacking_past(world.database, 5) == [(number_id, NUMBER)]


async def test_the_past_is_kept_summed_up(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a call on a number with many visits, and again after one of them has spoken."""
    monkeypatch.setattr("router.services.attributing.SETTLE_EVERY", 0.05)
    for hours in range(2, 90):
        began = now - hours * timedelta(hours=5)
        await world.visit(began=began, gone=began + 60 * S)
    running = asyncio.create_task(world.calls.run(lambda: now + 60 * S))
    version = "SELECT version FROM number_past WHERE packed IS NOT NULL"

    async def summed_up(after: int) -> int:
        async with asyncio.timeout(5):
            while (found := await world.run(version) or 0) <= after:
                await asyncio.sleep(0.02)
        return int(found)

    await world.calls.arrive(arrival(), now)
    first = await summed_up(0)
    await world.run("UPDATE session SET seen_at = $1 WHERE id = 1", now + 30 * S)
    second = await summed_up(first)
    running.cancel()

    listed = (await _decision(world, now + 90 * S))["found"].candidates

    assert second > first
    # the one that spoke, and those who were credited with a share of the call
    assert {one.session_id for one in listed if one.called == 0 or one.session_id == 1} == {1}
    assert len(listed) < 10


async def _decision(world: World, now: datetime) -> dict[str, Any]:
    question = Question(did=NUMBER[1:], raw_did=NUMBER, caller="", trunk="trunk1")
    credit = await world.calls._attributor.decide(world.database, question, now)
    return {"found": credit.found, "attribution": credit.attribution, "shares": credit.shares}


# --- what Asterisk tells ------------------------------------------------------------------------------


async def test_a_call_from_its_arrival_to_its_end(world: World, now: datetime) -> None:
    """Events complete the row that was written at its arrival; one line in the log, at its end."""
    route = await world.calls.arrive(arrival(), now)
    events = retold("answered", "pbx1-1.0", now + 0.01 * S)
    with structlog.testing.capture_logs() as logs, world.live.subscription() as feed:
        for event in events:
            await world.calls.absorb([event], source="ami", now=now)
        changes = [change.change["state"] for _ in range(30) if (change := await feed.next(0))]
    call = await world.call("pbx1-1.0")
    (line,) = [log for log in logs if log["event"] == "call"]

    assert (call["ref"], call["state"], call["outcome"]) == (route.ref, "ended", "answered")
    assert (call["talk_ms"], call["hung_up_by"], call["hangup_cause"]) == (1012, "caller", 16)
    assert call["arrived_at"] == now + 0.01 * S
    assert list(dict.fromkeys(changes)) == ["arrived", "ringing", "talking", "ended"]
    assert (line["linkedid"], line["outcome"], line["talk_ms"]) == ("pbx1-1.0", "answered", 1012)
    assert call["decisions"] == 1
    assert (
        world.registry.get_sample_value(
            "call_router_calls_total", {"site": "Acme", "outcome": "answered"}
        )
        == 1
    )


@pytest.mark.parametrize("seed", range(5))
async def test_duplicates_and_disorder(world: World, now: datetime, seed: int) -> None:
    """Each event twice, shuffled, in pieces, over two ways at once: the same row, one line in the log."""
    await world.calls.arrive(arrival(), now)
    events = retold("company_hangs_up", "pbx1-1.0", now) * 2
    random.Random(seed).shuffle(events)
    pieces = [events[i : i + 5] for i in range(0, len(events), 5)]
    with structlog.testing.capture_logs() as logs:
        await asyncio.gather(
            *(world.calls.absorb(piece, source="ami", now=now) for piece in pieces)
        )
    call = await world.call("pbx1-1.0")

    assert (call["outcome"], call["talk_ms"], call["hung_up_by"]) == ("answered", 1007, "company")
    assert [log["event"] for log in logs].count("call") == 1
    assert await world.run("SELECT count(*) FROM call_event") == len(events) // 2


async def test_two_routers_hear_the_same(world: World, now: datetime) -> None:
    """Both store, one row comes of it."""
    other = _second_router(world)
    events = retold("answered", "pbx1-1.0", now)
    await asyncio.gather(
        *(
            router.absorb(events[::step], source="ami", now=now)
            for router, step in ((world.calls, 1), (other, -1))
        ),
    )
    call = await world.call("pbx1-1.0")

    assert (call["outcome"], call["decisions"]) == ("answered", 1)


def _second_router(world: World) -> Calls:
    first = world.calls
    return Calls(world.database, world.live, Upkeep(world.database), first._metrics, world.clocks)


async def test_a_call_nobody_was_asked_about(world: World, now: datetime) -> None:
    """The router was away: row and attribution come from the events, as of the call's start, once."""
    session = await world.visit(began=now - 60 * S, seen=now - 10 * S)
    # what happened after the call must not count
    await world.visit("+74951234568", began=now + 5 * S, seen=now + 600 * S)
    await world.run(
        "UPDATE session SET seen_at = $1, gone_at = $2, gone_kind = 'hide' WHERE id = $3",
        now + 30 * S,
        now + 40 * S,
        session,
    )
    events = retold("failsafe_number", "pbx1-7.0", now)
    later = now + timedelta(minutes=10)
    for source in ("file", "ami"):
        await world.calls.absorb(events, source=source, now=later)
        world.calls._heard.clear()
    call = await world.call("pbx1-7.0")

    assert (call["route_source"], call["outcome"]) == ("failsafe_number", "answered")
    assert (call["arrived_at"], call["created_at"]) == (now, later)
    assert (call["method"], call["session_id"], call["decisions"]) == ("reservation", session, 1)
    assert call["evidence"][0]["words"].startswith("the page was open and in use")
    assert (call["organisation_id"], call["site_id"], call["target_id"]) == (1, 1, 1)


async def test_heartbeats_lost_in_an_outage(world: World, now: datetime) -> None:
    """A page that was open when everything stopped is still open for a call in the outage."""
    session = await world.visit(began=now - 300 * S, seen=now - 200 * S)
    await world.run(
        "INSERT INTO outage (started_at, ended_at, prolonged) VALUES ($1, $2, 1)",
        now - 190 * S,
        now + 30 * S,
    )
    await world.calls.absorb(
        retold("failsafe_default", "pbx1-7.0", now, did="74951234567", raw="+74951234567"),
        source="file",
        now=now + 60 * S,
    )
    call = await world.call("pbx1-7.0")

    assert call["session_id"] == session
    assert call["inputs"]["top"][0]["state"] == "active"


async def test_events_before_the_question(world: World, now: datetime) -> None:
    """The events of a call came first: Asterisk's question finds the row and adds nothing to it."""
    await world.calls.absorb(retold("answered", "pbx1-1.0", now), source="file", now=now)
    before = await world.call("pbx1-1.0")
    route = await world.calls.arrive(arrival(), now + S)
    after = await world.call("pbx1-1.0")

    assert route.ref == before["ref"]
    assert before == after


async def test_question_and_events_at_once(world: World, now: datetime) -> None:
    """Whoever comes first: one row, one decision, and the ref that Asterisk is told is the row's."""
    await world.visit(began=now - 60 * S, seen=now)
    other = _second_router(world)
    linkedids = [f"pbx1-{n}.0" for n in range(25)]
    routes = await asyncio.gather(
        *(world.calls.arrive(arrival(linkedid), now) for linkedid in linkedids),
        *(
            router.absorb(retold("answered", linkedid, now), source=source, now=now)
            for linkedid in linkedids
            for router, source in ((world.calls, "ami"), (other, "file"))
        ),
    )
    rows = [await world.call(linkedid) for linkedid in linkedids]

    assert [row["ref"] for row in rows] == [route.ref for route in routes[:25]]
    assert {(row["outcome"], row["decisions"]) for row in rows} == {("answered", 1)}


async def test_nothing_is_written_before_the_routers_answer(world: World, now: datetime) -> None:
    """While Asterisk may still be asking, a call's first events make no row."""
    events = [e for e in retold("answered", "pbx1-1.0", now) if e.kind in ("CHAN_START", "CT_IN")][
        :2
    ]
    await world.calls.absorb(events, source="ami", now=now)

    assert await world.run("SELECT count(*) FROM call") == 0


async def test_asterisk_took_its_own_route(world: World, now: datetime) -> None:
    """The router answered too late: the row says who chose, and what rang."""
    await world.run("UPDATE call SET target = 'PJSIP/other'")
    await world.calls.arrive(arrival(), now)
    await world.run("UPDATE call SET target = 'PJSIP/other', target_id = NULL")
    await world.calls.absorb(retold("failsafe_default", "pbx1-1.0", now), source="ami", now=now)
    call = await world.call("pbx1-1.0")

    assert call["route_source"] == "failsafe_default"
    assert (call["target"], call["target_id"]) == ("PJSIP/company", 1)


async def test_the_files_place_moves_with_its_rows(world: World, now: datetime) -> None:
    """Both or neither."""
    place = Position(host="pbx1", inode=7, head="a", read_bytes=1000)
    events = retold("answered", "pbx1-1.0", now)
    await world.calls.absorb(events, source="file", now=now, position=place)

    assert await world.calls.position("pbx1") == place
    bad = Position(host="pbx1", inode=7, head="a", read_bytes=2**70)
    with pytest.raises(Exception, match="int64"):
        await world.calls.absorb(
            retold("busy", "pbx1-2.0", now), source="file", now=now, position=bad
        )
    assert await world.run("SELECT count(*) FROM call WHERE linkedid = 'pbx1-2.0'") == 0


async def test_calls_that_asterisk_forgot(world: World, now: datetime) -> None:
    """Killed in the middle: closed as lost. Alive, young, of another host or ended: left alone."""
    talking = [e for e in retold("answered", "pbx1-1.0", now) if e.kind not in ("HANGUP", "CT_TRY")]
    talking = [e for e in talking if not e.kind.endswith(("END", "EXIT"))]
    for linkedid, started in (
        ("pbx1-1.0", now),
        ("pbx1-2.0", now),
        ("pbx2-3.0", now),
        ("pbx1-4.0", now + 50 * S),
    ):
        await world.calls.arrive(arrival(linkedid), started)
    await world.calls.absorb(talking, source="ami", now=now)
    await world.calls.arrive(arrival("pbx1-5.0"), now)
    later = now + 60 * S
    lost = await world.calls.reconcile({"pbx1-2.0"}, "pbx1", later)
    again = await world.calls.reconcile({"pbx1-2.0"}, "pbx1", later)
    first, unheard = await world.call("pbx1-1.0"), await world.call("pbx1-5.0")

    assert sorted(lost) == ["pbx1-1.0", "pbx1-5.0"]
    assert again == []
    assert (first["state"], first["outcome"]) == ("ended", "lost")
    assert first["answered_at"] is not None
    assert (unheard["outcome"], unheard["ended_at"]) == ("lost", later)


async def test_a_lost_call_that_was_not(world: World, now: datetime) -> None:
    """Its end is in the file after all."""
    await world.calls.arrive(arrival(), now)
    await world.calls.reconcile(set(), "pbx1", now + 60 * S)
    await world.calls.absorb(retold("answered", "pbx1-1.0", now), source="file", now=now + 70 * S)

    assert (await world.call("pbx1-1.0"))["outcome"] == "answered"


async def test_a_second_decision_stands_beside_the_first(world: World, now: datetime) -> None:
    """Re-attribution rewrites nothing."""
    await world.calls.arrive(arrival(), now)
    session = await world.visit(began=now - 60 * S, seen=now)
    done = await world.calls.attribute_again("pbx1-1.0", now + 100 * S)
    call = await world.call("pbx1-1.0")
    methods = [
        row["method"] for row in await world.rows("SELECT method FROM attribution ORDER BY id")
    ]

    assert done
    assert methods == ["without_session", "reservation"]
    assert (call["session_id"], call["decisions"]) == (session, 2)


async def test_other_channels_are_no_calls(world: World, now: datetime) -> None:
    """Events of a channel that the dialplan did not take in are kept, and nothing is made of them."""
    events = [e for e in retold("answered", "pbx1-1.0", now) if not e.kind.startswith("CT_")]
    await world.calls.absorb(events, source="file", now=now)

    assert await world.run("SELECT count(*) FROM call") == 0


async def test_clocks_that_differ(world: World, now: datetime) -> None:
    """Asterisk is 3 s ahead: times are Asterisk's, the visits' are ours, and they are compared rightly."""
    world.clocks.note("asterisk", now + 3 * S, now, now)
    session = await world.visit(began=now - 60 * S, gone=now - 2 * S, tapped=now - 3 * S)
    await world.calls.arrive(arrival("pbx1-1.0"), now)
    await world.calls.absorb(
        retold("failsafe_number", "pbx1-2.0", now + 3 * S), source="file", now=now
    )
    first, second = await world.call("pbx1-1.0"), await world.call("pbx1-2.0")

    assert first["arrived_at"] == second["arrived_at"] == now + 3 * S
    assert first["session_id"] == second["session_id"] == session
    assert second["inputs"]["top"][0]["tap_age_s"] == 3
