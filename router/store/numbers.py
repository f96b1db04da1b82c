"""Numbers that can be handed out, as they are read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from router.domain.allocation import Candidate, Holder, Masses
from router.domain.allocation.tiers import DRAINED_ABOVE, PROVISIONAL, SPEAKS_WITHIN
from router.domain.model import NumberId, PoolId, SessionId
from router.store import rings
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A number without what a score needs; `ring` names its last holders, newest first.

    `stamps`, one for each of them, are other ones once anything was written about them; None: not asked for. `drained`: its
    pool was found to be, see `allocation.tiers`.
    """

    pool_id: PoolId
    candidate: Candidate
    ring: tuple[SessionId, ...]
    stamps: tuple[int | None, ...] | None = None
    drained: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """How many of a pool's numbers are looked at, and which campaigns' numbers beside these."""

    most: int
    campaigns: Collection[str] = ()


async def open_numbers(
    queries: Queries,
    scans: Mapping[PoolId, Scan],
    *,
    beyond: int = 0,
    before: Callable[[NumberId], Read | None] | None = None,
) -> dict[PoolId, list[Read]]:
    """Of each pool the numbers that nobody looks at: so many, those first that have been reservable longest,
    and after them `beyond` of each campaign. Fewer than asked for where there are no more.

    A number whose holder fell silent, or whose reservation has run out, that was not swept yet is not among
    them: see `held`. `before` says what was read of a number before: if nothing of it was written since, it
    is returned again.
    """
    found: dict[PoolId, list[Read]] = {pool: [] for pool in scans}
    asked = [(pool, campaign) for pool, scan in scans.items() for campaign in scan.campaigns]
    rows = await queries.fetch(
        "numbers.open",
        pool_ids=list(scans),
        mosts=[scan.most for scan in scans.values()],
        campaign_pools=[pool for pool, _ in asked],
        campaigns=[campaign for _, campaign in asked],
        beyond=beyond,
    )
    for row in rows:
        known = before(row["id"]) if before is not None else None
        still = known is not None and _unchanged(known, row)
        found[row["pool_id"]].append(known if known is not None and still else _stamped(row))
    return found


async def held(
    queries: Queries, pool_id: PoolId, scan: Scan, now: datetime, *, oldest: int = 0
) -> list[Read]:
    """The held numbers of a pool that may be chosen at `now`, whatever their holders do: of each state the
    first `scan.most` and as many of each campaign, and so many of the `oldest` issue.

    Reads all held numbers of the pool: nothing that a heartbeat writes is indexed.
    """
    rows = await queries.fetch(
        "numbers.held",
        pool_id=pool_id,
        now=now,
        most=scan.most,
        campaigns=list(scan.campaigns),
        oldest=oldest,
        drained_above=DRAINED_ABOVE,
        begun=now - SPEAKS_WITHIN,
        provisional=now - PROVISIONAL,
    )
    return [replace(_stamped(row), drained=row["drained"]) for row in rows]


async def drained(queries: Queries, pool_id: PoolId, now: datetime) -> bool:
    """Whether too many of the pool's numbers are held by visits whose page never spoke."""
    return any(one.drained for one in await held(queries, pool_id, Scan(most=1), now))


async def bound(
    queries: Queries, combinations: Collection[tuple[PoolId, str]]
) -> dict[tuple[PoolId, str], Read]:
    """The numbers of combinations of parameters that have one, or had it last."""
    asked = list(combinations)
    rows = await queries.fetch(
        "numbers.bound",
        pool_ids=[pool for pool, _ in asked],
        combinations=[combination for _, combination in asked],
    )
    return {(row["pool_id"], row["bound_to"]): read(row) for row in rows}


async def with_memory(
    queries: Queries,
    numbers: Sequence[Read],
    known: dict[SessionId, tuple[int, Holder]] | None = None,
) -> list[Candidate]:
    """The same numbers with their rings and masses. A holder whose visit was deleted is left out. `known`:
    holders with their stamps, as read before; those that are still so are not read again, and it is
    filled with the others."""
    stamps = {
        session: stamp
        for one in numbers
        for session, stamp in zip(one.ring, one.stamps or (), strict=False)
        if stamp is not None
    }
    holders: dict[SessionId, Holder] = {}
    for session, stamp in stamps.items():
        before = known.get(session) if known is not None else None
        if before is not None and before[0] == stamp:
            holders[session] = before[1]
    missing = {session for one in numbers for session in one.ring if session not in holders}
    for session, holder in (await rings.holders(queries, missing)).items():
        holders[session] = holder
        if known is not None and session in stamps:
            known[session] = stamps[session], holder
    memory = await rings.masses(queries, [one.candidate.number_id for one in numbers])
    return [_filled(one, holders, memory) for one in numbers]


def _filled(
    one: Read,
    holders: Mapping[SessionId, Holder],
    memory: Mapping[NumberId, Masses],
) -> Candidate:
    return replace(
        one.candidate,
        ring=tuple(holders[session] for session in one.ring if session in holders),
        masses=memory.get(one.candidate.number_id),
    )


def _unchanged(known: Read, row: asyncpg.Record) -> bool:
    return (
        known.candidate.version == row["version"]
        and known.stamps is not None
        and known.stamps == tuple(row["stamps"])
        and known.ring == tuple(row["ring"])
        and known.candidate.holder == row["holder_id"]
        and known.pool_id == row["pool_id"]
        and not known.drained
    )


def _stamped(row: asyncpg.Record) -> Read:
    return read(row, stamps=tuple(row["stamps"]))


def read(
    row: asyncpg.Record,
    *,
    number_id: NumberId | None = None,
    stamps: tuple[int | None, ...] | None = None,
) -> Read:
    """From the columns of a number; `number_id` where its id is not called `id`."""
    ring = tuple(row["ring"])
    return Read(
        pool_id=row["pool_id"],
        candidate=Candidate(
            number_id=row["id"] if number_id is None else number_id,
            e164=row["e164"],
            version=row["version"],
            holder=row["holder_id"],
            newest_holder=ring[0] if ring else None,
            reserved_until=row["reserved_until"],
            issued_at=row["issued_at"],
        ),
        ring=ring,
        stamps=stamps,
    )
