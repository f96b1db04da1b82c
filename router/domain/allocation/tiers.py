"""The policies that score: `balanced`, and `exclusive`, which prefers any free number.

The numbers of the lowest tier present are the candidates; of more than 32 only a shortlist is scored, so that
an allocation costs the same with 30 numbers and with 100,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from router.domain.allocation.scoring import PRICE, Departed, Weighed
from router.domain.allocation.values import GROW, OVERFLOW, Candidate, Decision, Visit
from router.domain.visitstate import Outage, phase

SHORTLIST = 16
# A pool is drained when a larger share of its numbers is held by visits whose page never spoke: robots that
# load pages by the thousand run no script, or close before it speaks.
DRAINED_ABOVE = 0.3
# A page speaks 3 s after it was shown its number. Before it could, nothing is held against it.
SPEAKS_WITHIN = timedelta(seconds=10)
# So long a number is held for a page that never speaks; the first heartbeat makes the reservation a full one.
PROVISIONAL = timedelta(seconds=30)
# Scores this close are equal: then the lowest number.
EQUAL = 1e-12


class Scales:
    """Numbers weighed at one moment, each once, for all visits that are decided together.

    `drained`: too many numbers of the pool are held by visits whose page never spoke, though it had the time.
    `outages`: silence in them says nothing of a holder. `departed`: what earlier moments found out.
    """

    def __init__(
        self,
        now: datetime,
        *,
        drained: bool = False,
        outages: Sequence[Outage] = (),
        departed: Departed | None = None,
    ) -> None:
        self.now = now
        self._departed = departed
        self.drained = drained
        # what a page has to speak in before its number counts as nobody's
        self._patience = SPEAKS_WITHIN if drained else PROVISIONAL
        self._outages = outages
        # by identity: a number that was handed to somebody meanwhile is another value
        self._tiers: dict[int, tuple[int, Candidate]] = {}
        self._weighed: dict[int, Weighed] = {}
        self._scores: dict[tuple[object, ...], dict[int, float]] = {}

    def scores(self, candidates: Iterable[Candidate], visit: Visit, price: float) -> list[float]:
        """Of each number for the visit. Visits that a score cannot tell apart share theirs."""
        alike = (visit.session, visit.source, visit.campaign, visit.device, visit.region, price)
        known = self._scores.setdefault(alike, {})
        found = []
        for candidate in candidates:
            value = known.get(id(candidate))
            if value is None:
                reserved = not candidate.free(self.now)
                value = self._weigh(candidate).score(visit, price, reserved=reserved)
                known[id(candidate)] = value
            found.append(value)
        return found

    def _weigh(self, candidate: Candidate) -> Weighed:
        known = self._weighed.get(id(candidate))
        if known is None:
            known = Weighed(candidate, self.now, self._outages, self._departed)
            self._weighed[id(candidate)] = known
        return known

    def tier(self, candidate: Candidate) -> int:
        """0: nobody looks at it (free, or its holder is gone). 1: its holder is idle. 2: active. A holder whose
        page did not speak within 30 s counts as gone, in a drained pool within 10 s. One of whom nothing is
        known counts as active."""
        if candidate.free(self.now):
            return 0
        known = self._tiers.get(id(candidate))
        if known is None:
            known = self._tiers[id(candidate)] = (self._tier(candidate), candidate)
        return known[0]

    def _tier(self, candidate: Candidate) -> int:
        if not candidate.ring:
            return 2
        holder = candidate.ring[0]
        if not holder.verified and self.now - holder.times.started_at >= self._patience:
            return 0
        kind = phase(holder.times, self.now, self._outages)[0]
        return 0 if kind == "gone" else 1 if kind == "idle" else 2


def tier(
    candidate: Candidate, now: datetime, *, drained: bool = False, outages: Sequence[Outage] = ()
) -> int:
    """0, 1 or 2: nobody looks at the number, its holder is idle, or active. See `Scales`."""
    return Scales(now, drained=drained, outages=outages).tier(candidate)


def lowest_tier(
    candidates: Iterable[Candidate], scales: Scales, *, free_first: bool = False
) -> tuple[int, list[Candidate]]:
    """The lowest tier present, and its numbers. `free_first`: the free ones alone, if there are any."""
    best, found = 3, list[Candidate]()
    free = list[Candidate]()
    now, tier_of = scales.now, scales.tier
    for candidate in candidates:
        if free_first and candidate.free(now):
            free.append(candidate)
            continue
        its = tier_of(candidate)
        if its < best:
            best, found = its, [candidate]
        elif its == best:
            found.append(candidate)
    return (0, free) if free else (best, found)


def shortlist(
    candidates: list[Candidate], visit: Visit, its_tier: int, size: int, *, many: bool = False
) -> list[Candidate]:
    """All, if they are no more than twice `size`; else the `size` that have been reservable longest and, of
    the rest, the first `size` that were last handed to the visit's campaign. `many`: there are more than
    twice `size` in the pool, although not all of them were read."""
    if not many and len(candidates) <= 2 * size:
        return candidates
    ordered = sorted(candidates, key=_issued_first if its_tier == 2 else reservable_first)
    campaign = visit.campaign
    alike = (c for c in ordered[size:] if c.ring and c.ring[0].campaign == campaign)
    return ordered[:size] + list(islice(alike, size))


def reservable_first(candidate: Candidate) -> tuple[datetime, int]:
    return candidate.reserved_until, candidate.number_id


def _issued_first(candidate: Candidate) -> tuple[datetime, int]:
    # who is active holds his number by an issue; without one the order is still a total one
    return candidate.issued_at or candidate.reserved_until, candidate.number_id


def least_score(
    candidates: Iterable[Candidate],
    visit: Visit,
    now: datetime,
    *,
    free_first: bool = False,
    price: float = PRICE,
    size: int = SHORTLIST,
    grows: bool = False,
    drained: bool = False,
    many: bool = False,
    outages: Sequence[Outage] = (),
    scales: Scales | None = None,
) -> Decision:
    """The number with the least score of the lowest tier present; `new` if the pool grows and somebody looks
    at every number it has."""
    if scales is None:
        scales = Scales(now, drained=drained, outages=outages)
    its_tier, found = lowest_tier(candidates, scales, free_first=free_first)
    if grows and its_tier > 0:
        return GROW
    if not found:
        return OVERFLOW
    return best(shortlist(found, visit, its_tier, size, many=many), visit, scales, price=price)


def best(
    candidates: Sequence[Candidate], visit: Visit, scales: Scales, *, price: float = PRICE
) -> Decision:
    """The number with the least score of a shortlist, which is not empty."""
    scores = scales.scores(candidates, visit, price)
    ascending = sorted(scores)
    limit = ascending[0] + EQUAL
    value, chosen = min(
        (pair for pair in zip(scores, candidates, strict=True) if pair[0] <= limit),
        key=lambda pair: pair[1].number_id,
    )
    # of scores that are equal but for the last digits the chosen one's need not be the first
    others = ascending[1:2] if value == ascending[0] else ascending[:1]
    shared = not chosen.free(scales.now)
    return Decision(
        how="shared" if shared else "free",
        candidate=chosen,
        take=True,
        ends="taken" if shared else "expired",
        score=value,
        margin=others[0] - value if others else None,
    )
