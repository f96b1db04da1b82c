"""The organisation's shared pool: numbers that sites get and give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from router.domain.model import NumberId, OrganisationId, PoolId, SiteId, Standing
from router.domain.shared_pool import Silence
from router.store.database import Queries

# Any constant will do; it must only be the same in every router.
_TAKING_BACK = 0x63_74_62_61_63_6B


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """A number that a pool was given; `version` is its row's, for whoever hands it out next."""

    number_id: NumberId
    e164: str
    version: int


async def grow(
    queries: Queries, pool_id: PoolId, now: datetime, *, actor: str, why: str
) -> Grown | None:
    """Give the pool one number, with its log and audit entry, in one statement. None: there is none."""
    row = await queries.fetchrow("shared_pool.grow", pool_id=pool_id, now=now, actor=actor, why=why)
    if row is None:
        return None
    return Grown(number_id=NumberId(row["id"]), e164=row["e164"], version=row["version"])


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteShare:
    """How many numbers a site has from the shared pool, and when it gave others back."""

    site_id: SiteId
    site: str
    grown: int
    taken: tuple[datetime, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Idle:
    """A grown number that its site has not needed for a while; None is never."""

    number_id: NumberId
    e164: str
    site_id: SiteId
    site: str
    pool: str
    grown_at: datetime
    last_shown_at: datetime | None
    last_call_at: datetime | None
    monthly_cost: Decimal | None
    currency: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenBack:
    """One line of the log. `calls` came after `at`, for the length of a rest, until a site got the number
    again (`given_at`); `standing` is where it stands now."""

    id: int
    at: datetime
    e164: str
    site: str | None
    pool: str | None
    grown_at: datetime
    last_shown_at: datetime | None
    last_call_at: datetime | None
    given_at: datetime | None
    standing: Standing
    monthly_cost: Decimal | None
    currency: str | None
    calls: tuple[datetime, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A number of the shared pool, or on its way there; `site` and `pool` while it rests."""

    e164: str
    standing: Standing
    since: datetime
    region: str | None
    carrier: str | None
    site: str | None
    pool: str | None


async def one_at_a_time(queries: Queries) -> None:
    """Wait for other routers that take numbers back; held to the end of the transaction."""
    await queries.execute("upkeep.one_at_a_time", key=_TAKING_BACK)


async def shares(queries: Queries, organisation_id: OrganisationId) -> list[SiteShare]:
    rows = await queries.fetch("shared_pool.grown", organisation_id=organisation_id)
    return [SiteShare(**{**row, "taken": tuple(row["taken"])}) for row in rows]


async def idle(queries: Queries, organisation_id: OrganisationId, before: datetime) -> list[Idle]:
    """Grown numbers without a call and a show since `before`, the longest idle first."""
    rows = await queries.fetch("shared_pool.idle", organisation_id=organisation_id, before=before)
    return [Idle(**row) for row in rows]


async def take_back(
    queries: Queries,
    numbers: Sequence[NumberId],
    before: datetime,
    *,
    why: str,
    actor: str,
    at: datetime,
) -> set[NumberId]:
    """Let grown numbers rest, with both logs; one that was shown or called since `before`, or is held,
    stays. Returns those that went."""
    rows = await queries.fetch(
        "shared_pool.take_back",
        number_ids=list(numbers),
        before=before,
        why=why,
        actor=actor,
        at=at,
    )
    return {row["number_id"] for row in rows}


async def silences(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    since: datetime,
    now: datetime,
    idle: timedelta,
) -> list[Silence]:
    """Every time since `since` that a grown number was idle for so long."""
    rows = await queries.fetch(
        "shared_pool.silences", organisation_id=organisation_id, since=since, now=now, idle=idle
    )
    return [Silence(**{**row, "calls": tuple(row["calls"])}) for row in rows]


async def taken(
    queries: Queries,
    organisation_id: OrganisationId,
    within: timedelta,
    *,
    below: int | None = None,
    most: int = 100,
) -> list[TakenBack]:
    """What went back, newest first, with the calls `within` so long; `below` is the id after which a page
    goes on."""
    rows = await queries.fetch(
        "shared_pool.taken",
        organisation_id=organisation_id,
        below=below,
        most=most,
        within=within,
    )
    return [TakenBack(**{**row, "calls": tuple(row["calls"])}) for row in rows]


async def members(queries: Queries, organisation_id: OrganisationId) -> list[Member]:
    rows = await queries.fetch("shared_pool.members", organisation_id=organisation_id)
    return [Member(**row) for row in rows]
