"""Handing out numbers in one statement: what it writes, and what it refuses."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from router.domain.allocation import Candidate
from router.domain.model import NumberId, OrganisationId, PoolId, SessionId, SiteId
from router.store import numbers, reservations, sessions, upkeep
from router.store.database import Database
from router.store.numbers import Scan
from router.store.reservations import HandOut
from tests.company import APool, e164, set_up

POOL = PoolId(1)
SITE = SiteId(1)
LATER = timedelta(minutes=10)


def a_hand_out(number: Candidate | None, now: datetime, **changes: Any) -> HandOut:
    """A new session that takes `number`, or is shown a default one."""
    values: dict[str, Any] = {
        "key": uuid4(),
        "session_id": None,
        "organisation_id": OrganisationId(1),
        "site_id": SITE,
        "visitor": uuid4(),
        "ordinal": 1,
        "device": "desktop",
        "landing_url": "https://shop.example/",
        "referrer": "",
        "source": "google",
        "medium": "cpc",
        "campaign": "",
        "term": "",
        "content": "",
        "click_ids": "{}",
        "channel": "google_ads",
        "region": None,
        "city": None,
        "rate": 0.03,
        "number_id": number.number_id if number else None,
        "version": number.version if number else 0,
        "take": number is not None,
        "pool_id": POOL if number else None,
        "ends": "expired",
        "until": now + LATER if number else None,
        "shown": number.e164 if number else e164(0),
        "overflow": number is None,
    }
    return HandOut(**{**values, **changes})


async def free(database: Database, most: int = 10) -> list[Candidate]:
    read = await numbers.open_numbers(database, {POOL: Scan(most=most)})
    return [one.candidate for one in read[POOL]]


async def held(database: Database, now: datetime) -> list[Candidate]:
    read = await numbers.held(database, POOL, Scan(most=9), now)
    return [one.candidate for one in read]


async def test_free_numbers_come_longest_idle_first(database: Database, now: datetime) -> None:
    """No more than were asked for, and none that is held or withdrawn."""
    await set_up(database, now, APool(numbers=range(1, 6)))
    await database._pool.execute(
        "UPDATE number SET released_at = CASE id WHEN 1 THEN $1 ELSE released_at END, "
        "withdrawn_at = CASE id WHEN 2 THEN $1 END, holder_id = CASE id WHEN 3 THEN 7 END",
        now,
    )

    assert [c.e164 for c in await free(database)] == [e164(4), e164(5), e164(1)]
    assert [c.e164 for c in await free(database, 2)] == [e164(4), e164(5)]
    assert [c.e164 for c in await held(database, now)] == [e164(3)]


async def test_a_number_is_taken_once(database: Database, now: datetime) -> None:
    """Whoever read it before it was taken comes too late, whole: without session, without history."""
    await set_up(database, now)
    read = (await free(database))[0]
    first, second = a_hand_out(read, now), a_hand_out(read, now)

    assert await reservations.hand_out(database, [first], now) == {first.key}
    assert await reservations.hand_out(database, [second], now) == set()
    assert await database._pool.fetchval("SELECT array_agg(key) FROM session") == [first.key]
    assert await database._pool.fetchval("SELECT count(*) FROM reservation") == 1


async def test_hundreds_at_once_take_each_number_once(database: Database, now: datetime) -> None:
    """From eight connections, in batches that overlap in any order; nothing hangs."""
    await set_up(database, now, APool(numbers=range(1, 41)))
    read = await free(database, 40)

    async def batch(turn: int) -> int:
        order = read[turn:] + read[:turn]
        visits = [a_hand_out(number, now) for number in order]
        return len(await reservations.hand_out(database, visits, now))

    async with asyncio.timeout(20):
        taken = await asyncio.gather(*(batch(turn) for turn in range(40)))

    assert sum(taken) == 40
    assert await database._pool.fetchval("SELECT count(DISTINCT number_id) FROM reservation") == 40
    assert await upkeep.overlapping_reservations(database) == []


async def test_one_number_twice_in_a_batch_is_a_mistake_of_ours(
    database: Database, now: datetime
) -> None:
    """It is not sent to the database."""
    await set_up(database, now)
    read = (await free(database))[0]
    with pytest.raises(ValueError, match="twice"):
        await reservations.hand_out(database, [a_hand_out(read, now), a_hand_out(read, now)], now)


async def test_the_losers_of_a_batch_do_not_harm_the_others(
    database: Database, now: datetime
) -> None:
    """Each of a batch stands for itself."""
    await set_up(database, now)
    read = await free(database)
    await reservations.hand_out(database, [a_hand_out(read[1], now)], now)
    batch = [a_hand_out(read[0], now), a_hand_out(read[1], now), a_hand_out(None, now)]

    assert await reservations.hand_out(database, batch, now) == {batch[0].key, batch[2].key}


async def test_a_session_that_began_elsewhere_meanwhile_takes_nothing(
    database: Database, now: datetime
) -> None:
    """Two routers may not begin the same visit of a visitor; the number stays free."""
    await set_up(database, now)
    read = await free(database)
    visitor = uuid4()
    first = a_hand_out(read[0], now, visitor=visitor)
    second = a_hand_out(read[1], now, visitor=visitor)
    await reservations.hand_out(database, [first], now)

    assert await reservations.hand_out(database, [second], now) == set()
    assert read[1] in await free(database)


async def test_a_number_that_ran_out_ends_when_it_did(database: Database, now: datetime) -> None:
    """Taken before it was swept: its history ends at its time, not now."""
    await set_up(database, now, APool(numbers=(1,)))
    await reservations.hand_out(database, [a_hand_out((await free(database))[0], now)], now)
    run_out = (await held(database, now))[0]
    later = now + timedelta(hours=1)
    await reservations.hand_out(database, [a_hand_out(run_out, later)], later)
    history = await database._pool.fetch(
        "SELECT started_at, ended_at, end_reason FROM reservation ORDER BY id"
    )

    assert [tuple(row) for row in history] == [
        (now, now + LATER, "expired"),
        (later, None, None),
    ]


async def test_a_router_whose_clock_is_behind_writes_no_overlap(
    database: Database, now: datetime
) -> None:
    """A number that moves within a session's first second, at a router two seconds behind."""
    await set_up(database, now, APool(numbers=(1,)))
    first = a_hand_out((await free(database))[0], now)
    await reservations.hand_out(database, [first], now)
    reserved = (await held(database, now))[0]
    behind = now - timedelta(seconds=2)
    moved = a_hand_out(reserved, behind, visitor=first.visitor, ordinal=2, ends="moved")

    assert await reservations.hand_out(database, [moved], behind) == {moved.key}
    assert await upkeep.overlapping_reservations(database) == []


async def test_overlapping_reservations_are_found(database: Database, now: datetime) -> None:
    """Also when a shorter one lies between the two."""
    await set_up(database, now, APool(numbers=(1, 2)))
    rows = [(1, 0, 60), (1, 10, 20), (1, 30, None), (2, 0, 10), (2, 10, None)]
    for number, start, end in rows:
        await database._pool.execute(
            "INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at, "
            "ended_at) VALUES (1, $1, 1, 1, $2, $3)",
            number,
            now + timedelta(seconds=start),
            None if end is None else now + timedelta(seconds=end),
        )

    assert [row["id"] for row in await upkeep.overlapping_reservations(database)] == [2, 3]


async def test_sessions_and_numbers_are_found_by_their_ids(
    database: Database, now: datetime
) -> None:
    """What is known of a visitor: the newest session, and who was handed its number last."""
    await set_up(database, now, APool(numbers=(1,)))
    visit = a_hand_out((await free(database))[0], now)
    await reservations.hand_out(database, [visit], now)
    await upkeep.sweep(database, now + timedelta(hours=1), 10)
    known = await sessions.known(database, [(SITE, visit.visitor), (SITE, uuid4())])
    own = known[(SITE, visit.visitor)].own

    assert list(known) == [(SITE, visit.visitor)]
    assert known[(SITE, visit.visitor)].key == visit.key
    assert own is not None
    candidate = own.candidate
    assert (candidate.number_id, candidate.holder, candidate.newest_holder, own.ring) == (
        NumberId(1),
        None,
        SessionId(1),
        (SessionId(1),),
    )
