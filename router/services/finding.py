"""Which numbers are looked at for the visits of a batch: as few as make sure that the right one is among them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice

from router.domain.allocation import CampaignKey, Candidate
from router.domain.allocation.keys import as_text
from router.domain.allocation.tiers import SHORTLIST, Scales, reservable_first
from router.domain.model import NumberId, PoolId
from router.domain.visitstate import Outage
from router.services.plan import Plan
from router.services.remembered import Remembered
from router.store import numbers
from router.store.database import Queries
from router.store.numbers import Read, Scan

# Of one campaign's numbers so many may be handed to others of the batch before its own visit's turn comes.
_SPARE = 4


class Choice:
    """The numbers of a pool that may be handed to visits of one batch, as they are meanwhile.

    `handed` are on their way to somebody of the batch; `busy`: there are others, on their way to somebody else.
    """

    def __init__(self, numbers: Iterable[Candidate] = (), scales: Scales | None = None) -> None:
        self.scales = scales
        self.handed: set[NumberId] = set()
        self.busy = False
        self._numbers = {candidate.number_id: candidate for candidate in numbers}
        # nobody looks at them; those first that have been reservable longest
        self._open: list[Candidate] = []
        self._open_of: dict[CampaignKey, list[Candidate]] = {}

    def add(self, candidate: Candidate) -> None:
        """One for every visit."""
        self._numbers[candidate.number_id] = candidate

    def add_of_campaign(self, candidate: Candidate) -> None:
        """One for visits of the campaign that it was shown last."""
        self._open_of.setdefault(candidate.ring[0].campaign, []).append(candidate)

    def sort(self, scales: Scales, *, free_alone: bool) -> None:
        """To be called once all have been added."""
        found = [one for one in self._numbers.values() if scales.tier(one) == 0]
        if free_alone:
            found = [one for one in found if one.free(scales.now)] or found
        self._open = sorted(found, key=reservable_first)
        beyond = self._open_of
        self._open_of = {}
        for candidate in self._open:
            if candidate.ring:
                self._open_of.setdefault(candidate.ring[0].campaign, []).append(candidate)
        for campaign, candidates in beyond.items():
            wanted = [
                one
                for one in candidates
                if scales.tier(one) == 0 and (not free_alone or one.free(scales.now))
            ]
            self._open_of.setdefault(campaign, []).extend(wanted)

    def of(self, campaign: CampaignKey) -> tuple[list[Candidate], bool]:
        """Enough for a visit of the campaign, and whether the lowest tier has many more."""
        first = self._open
        if len(first) <= 2 * SHORTLIST:
            return list(self._numbers.values()), False
        shortlist = first[:SHORTLIST]
        last = reservable_first(shortlist[-1])
        alike = (one for one in self._open_of.get(campaign, ()) if reservable_first(one) > last)
        return shortlist + list(islice(alike, SHORTLIST)), True

    def handed_out(self, before: Candidate, after: Candidate | None) -> None:
        """A number is somebody's now: for those who come next it is as it is `after`; None: it is none of
        theirs."""
        self.handed.add(before.number_id)
        self._forget(before)
        if after is not None:
            self._numbers[before.number_id] = after
        else:
            self._numbers.pop(before.number_id, None)
            self.busy = True

    def take_away(self, busy: Collection[NumberId]) -> None:
        """What another batch has chosen meanwhile."""
        for known in (
            *(self._numbers[number_id] for number_id in busy if number_id in self._numbers),
            *(one for of in self._open_of.values() for one in of if one.number_id in busy),
        ):
            self.busy = True
            self._forget(known)
            self._numbers.pop(known.number_id, None)

    def _forget(self, candidate: Candidate) -> None:
        """It is not open any more."""
        self._open = [one for one in self._open if one is not candidate]
        if candidate.ring and (of := self._open_of.get(candidate.ring[0].campaign)):
            self._open_of[candidate.ring[0].campaign] = [one for one in of if one is not candidate]


async def scored(
    queries: Queries,
    remembered: Remembered,
    wanting: Mapping[PoolId, Sequence[Plan]],
    busy: Collection[NumberId],
    now: datetime,
    outages: Sequence[Outage] = (),
) -> dict[PoolId, Choice]:
    """For the policies that score: the numbers that nobody looks at, as many as a shortlist and all visits of
    the batch need; where there are fewer, also those that somebody looks at. `outages`: silence in them says
    nothing of a holder."""
    scans = {
        pool: Scan(
            most=2 * SHORTLIST + 1 + len(plans) + len(busy),
            campaigns={as_text(plan.visit.campaign) for plan in plans},
        )
        for pool, plans in wanting.items()
    }
    read = await numbers.open_numbers(
        queries, scans, beyond=SHORTLIST + _SPARE, before=remembered.read_before
    )
    # of a pool the first so many numbers are there for every visit
    shared = {pool: scan.most for pool, scan in scans.items()}
    for pool, scan in scans.items():
        if len(read[pool]) < scan.most:
            read[pool] += await numbers.held(queries, pool, scan, now)
            shared[pool] = len(read[pool])
    free_alone = {
        pool
        for pool, plans in wanting.items()
        if plans[0].pool is not None and plans[0].pool.policy == "exclusive"
    }
    filled = await _with_memory(remembered, read, busy)
    found: dict[PoolId, Choice] = {}
    for pool, of_pool in read.items():
        drained = any(one.drained for one in of_pool)
        scales = Scales(now, drained=drained, outages=outages, departed=remembered.departed)
        choice = found[pool] = Choice(scales=scales)
        for place, one in enumerate(of_pool):
            candidate = filled.get(one.candidate.number_id)
            if candidate is None:
                choice.busy = True
            elif place < shared[pool] or not candidate.ring:
                choice.add(candidate)
            else:
                choice.add_of_campaign(candidate)
        choice.sort(scales, free_alone=pool in free_alone)
    return found


async def _with_memory(
    remembered: Remembered, read: Mapping[PoolId, Sequence[Read]], busy: Collection[NumberId]
) -> dict[NumberId, Candidate]:
    """Those that are not busy, each once."""
    wanted = {
        one.candidate.number_id: one
        for of_pool in read.values()
        for one in of_pool
        if one.candidate.number_id not in busy
    }
    return await remembered.fill(list(wanted.values()))
