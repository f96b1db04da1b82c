"""Which numbers are looked at for the visits of a batch: as few as make sure that the right one is among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from router.domain.allocation import CampaignKey, Candidate
from router.domain.allocation.keys import as_text
from router.domain.allocation.tiers import SHORTLIST
from router.domain.model import NumberId, PoolId
from router.services.plan import Plan
from router.store import numbers
from router.store.database import Queries
from router.store.numbers import Read, Scan

# Of one campaign's numbers so many may be handed to others of the batch before its own visit's turn comes.
_SPARE = 4


@dataclass(kw_only=True, slots=True)
class Choice:
    """The numbers of a pool that may be handed to visits of one batch, as they are meanwhile.

    `of_campaign` are read for one campaign's visits alone. `handed` are on their way to somebody of the batch;
    `busy`: there are others, on their way to somebody else.
    """

    first: dict[NumberId, Candidate] = field(default_factory=dict)
    of_campaign: dict[CampaignKey, dict[NumberId, Candidate]] = field(default_factory=dict)
    handed: set[NumberId] = field(default_factory=set)
    busy: bool = False

    def take_away(self, busy: Collection[NumberId]) -> None:
        """What another batch has chosen meanwhile."""
        for number_id in busy:
            for known in (self.first, *self.of_campaign.values()):
                if known.pop(number_id, None) is not None:
                    self.busy = True

    def of(self, campaign: CampaignKey) -> list[Candidate]:
        return [*self.first.values(), *self.of_campaign.get(campaign, {}).values()]

    def handed_out(self, before: Candidate, after: Candidate) -> None:
        """A number is somebody's now: for those who come next it is as it is `after`."""
        self.handed.add(before.number_id)
        for known in (self.first, *self.of_campaign.values()):
            if known.pop(before.number_id, None) is not None:
                self.first[before.number_id] = after


async def scored(
    queries: Queries,
    wanting: Mapping[PoolId, Sequence[Plan]],
    busy: Collection[NumberId],
    now: datetime,
) -> dict[PoolId, Choice]:
    """For the policies that score: the numbers that nobody looks at, as many as a shortlist and all visits of
    the batch need; where there are fewer, also those that somebody looks at."""
    scans = {
        pool: Scan(
            most=2 * SHORTLIST + 1 + len(plans) + len(busy),
            campaigns={as_text(plan.visit.campaign) for plan in plans},
        )
        for pool, plans in wanting.items()
    }
    read = await numbers.open_numbers(queries, scans, beyond=SHORTLIST + _SPARE)
    # of a pool the first so many numbers are there for every visit
    shared = {pool: scan.most for pool, scan in scans.items()}
    for pool, scan in scans.items():
        if len(read[pool]) < scan.most:
            read[pool] += await numbers.held(queries, pool, scan, now)
            shared[pool] = len(read[pool])
    return await _with_memory(queries, read, shared, busy)


async def _with_memory(
    queries: Queries,
    read: Mapping[PoolId, Sequence[Read]],
    shared: Mapping[PoolId, int],
    busy: Collection[NumberId],
) -> dict[PoolId, Choice]:
    wanted = {
        one.candidate.number_id: one
        for of_pool in read.values()
        for one in of_pool
        if one.candidate.number_id not in busy
    }
    filled = {
        candidate.number_id: candidate
        for candidate in await numbers.with_memory(queries, list(wanted.values()))
    }
    found: dict[PoolId, Choice] = {}
    for pool, of_pool in read.items():
        choice = found[pool] = Choice()
        for place, one in enumerate(of_pool):
            candidate = filled.get(one.candidate.number_id)
            if candidate is None:
                choice.busy = True
            elif place < shared[pool] or not candidate.ring:
                choice.first[candidate.number_id] = candidate
            else:
                campaign = candidate.ring[0].campaign
                choice.of_campaign.setdefault(campaign, {})[candidate.number_id] = candidate
    return found
