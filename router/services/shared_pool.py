"""The organisation's shared pool: what is in it, what goes back to it, what that costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from router.domain.model import OrganisationId
from router.domain.noise import ROUTER
from router.domain.organisation_settings import MEMORY_DAYS, OrganisationSettings
from router.domain.shared_pool import BackTest, allowance, back_test
from router.services.checks import Ref
from router.services.work import organisation_called
from router.store import organisation_settings
from router.store import shared_pool as store
from router.store.database import Database, Queries
from router.store.shared_pool import Idle, Member, TakenBack

# the back-test looks back so far
HISTORY = timedelta(days=180)


@dataclass(frozen=True, kw_only=True)
class Due:
    """A number that may go back, and whether it does now: else the month's share is used up."""

    idle: Idle
    goes: bool


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What would be taken back now, and what the rule would have cost in the past."""

    due: tuple[Due, ...]
    past: BackTest
    history: timedelta


def costs(numbers: Iterable[Idle | TakenBack]) -> dict[str, Decimal]:
    """What they cost a month, by currency; those whose cost nobody wrote down are left out."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in numbers:
        if one.monthly_cost is not None:
            sums[one.currency or ""] += one.monthly_cost
    return dict(sums)


class SharedPool:
    """One organisation's; without a name, of the only one there is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def members(self, organisation: Ref | None = None) -> list[Member]:
        """Numbers that wait, rest, are listened to or in quarantine, without belonging to a pool."""
        found = await organisation_called(self._database, organisation)
        return await store.members(self._database, found.id)

    async def log(
        self, organisation: Ref | None = None, *, below: int | None = None, most: int = 100
    ) -> list[TakenBack]:
        """What went back, newest first, with the calls that came since; the next page is `below`."""
        found = await organisation_called(self._database, organisation)
        wanted = await organisation_settings.load(self._database, found.id)
        within = timedelta(days=max(MEMORY_DAYS, wanted.shared_rest_days))
        return await store.taken(self._database, found.id, within, below=below, most=most)

    async def dry_run(self, now: datetime, organisation: Ref | None = None) -> DryRun:
        """What `take_back` would do now. Changes nothing."""
        found = await organisation_called(self._database, organisation)
        wanted = await organisation_settings.load(self._database, found.id)
        due = await _due(self._database, found.id, wanted, now)
        silences = await store.silences(
            self._database,
            found.id,
            since=now - HISTORY,
            now=now,
            idle=timedelta(days=wanted.shared_idle_days),
        )
        return DryRun(
            due=tuple(due),
            past=back_test(silences, wanted.shared_rest_days),
            history=HISTORY,
        )

    async def take_back(self, organisation_id: OrganisationId, now: datetime) -> list[Idle]:
        """Take back what the settings allow now."""
        async with self._database.transaction() as queries:
            return await take_back_due(queries, organisation_id, now, actor=ROUTER)


async def take_back_due(
    queries: Queries, organisation_id: OrganisationId, now: datetime, *, actor: str
) -> list[Idle]:
    """Let the numbers rest that are due, each answered for its site. To be called in a transaction: routers
    that do this at the same time share the month's allowance."""
    wanted = await organisation_settings.load(queries, organisation_id)
    await store.one_at_a_time(queries)
    due = await _due(queries, organisation_id, wanted, now)
    going = [one.idle for one in due if one.goes]
    went = await store.take_back(
        queries,
        [one.number_id for one in going],
        now - timedelta(days=wanted.shared_idle_days),
        why=f"neither called nor shown for {wanted.shared_idle_days} days",
        actor=actor,
        at=now,
    )
    return [one for one in going if one.number_id in went]


async def _due(
    queries: Queries, organisation_id: OrganisationId, wanted: OrganisationSettings, now: datetime
) -> list[Due]:
    """The longest idle go first, each site's as far as its allowance reaches."""
    shares = await store.shares(queries, organisation_id)
    left: defaultdict[int, int] = defaultdict(int)
    for site in shares:
        left[site.site_id] = allowance(site.grown, site.taken, wanted.shared_percent, now)
    due = []
    before = now - timedelta(days=wanted.shared_idle_days)
    for idle in await store.idle(queries, organisation_id, before):
        due.append(Due(idle=idle, goes=left[idle.site_id] > 0))
        left[idle.site_id] -= 1
    return due
