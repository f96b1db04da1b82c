"""The score of a number for a visit: the wrong calls to be expected if the visit is shown it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from router.domain.allocation.masses import BOUNCE_FACTOR, decay, remaining
from router.domain.allocation.values import Candidate, Holder, Masses, Visit
from router.domain.visitstate import Outage, phase

PRICE = 3.0
# What one unit of price is worth, in calls.
PRICE_UNIT = 0.03
# A call credited to another source is wrong thrice over, to another campaign once over.
OTHER_SOURCE = 3.0
OTHER_CAMPAIGN = 1.0
OTHER_DEVICE_FACTOR = 0.5
OTHER_REGION_FACTOR = 0.4
IDLE_FACTOR = 0.45
TAP_MASS = 0.6
TAP_COUNTS_FOR = timedelta(seconds=60)

_NO_TIME = timedelta(0)


def score(
    candidate: Candidate,
    visit: Visit,
    now: datetime,
    price: float = PRICE,
    outages: Sequence[Outage] = (),
) -> float:
    """Expected wrong calls of `candidate` for `visit`. `price`: how much worse a number is for being
    still reserved."""
    own, source, campaign = visit.session, visit.source, visit.campaign
    device, region = visit.device, visit.region
    total = 0.0
    for holder in candidate.ring:
        if holder.session == own:
            continue
        wrong = calls_to_come(holder, now, outages)
        if holder.source != source:
            wrong *= 1 + OTHER_SOURCE + OTHER_CAMPAIGN
        elif holder.campaign != campaign:
            wrong *= 1 + OTHER_CAMPAIGN
        if device is not None and holder.device is not None and holder.device != device:
            wrong *= OTHER_DEVICE_FACTOR
        if region is not None and holder.region is not None and holder.region != region:
            wrong *= OTHER_REGION_FACTOR
        total += wrong
    if candidate.masses is not None:
        total += _of_masses(candidate.masses, visit, now)
    if candidate.reserved_until > now:
        total += price * PRICE_UNIT
    return total


def calls_to_come(holder: Holder, now: datetime, outages: Sequence[Outage] = ()) -> float:
    """How many calls of this holder are to be expected from now on, with its present state and tap."""
    times = holder.times
    kind, since, engaged = phase(times, now, outages)
    if kind == "active":
        mass = holder.rate
    elif kind == "idle":
        mass = holder.rate * IDLE_FACTOR
    else:
        mass = holder.rate * remaining((now - since).total_seconds())
    if not engaged:
        mass *= BOUNCE_FACTOR
    tapped_at = times.tapped_at
    if tapped_at is not None and _NO_TIME <= now - tapped_at < TAP_COUNTS_FOR:
        mass += TAP_MASS
    return mass


def _of_masses(masses: Masses, visit: Visit, now: datetime) -> float:
    t0, t1, t2, t3 = masses.total
    all_wrong = 1 + OTHER_SOURCE + OTHER_CAMPAIGN
    t0, t1, t2, t3 = all_wrong * t0, all_wrong * t1, all_wrong * t2, all_wrong * t3
    own_source = masses.by_source.get(visit.source)
    if own_source is not None:
        t0 -= OTHER_SOURCE * own_source[0]
        t1 -= OTHER_SOURCE * own_source[1]
        t2 -= OTHER_SOURCE * own_source[2]
        t3 -= OTHER_SOURCE * own_source[3]
    own_campaign = masses.by_campaign.get(visit.campaign)
    if own_campaign is not None:
        t0 -= OTHER_CAMPAIGN * own_campaign[0]
        t1 -= OTHER_CAMPAIGN * own_campaign[1]
        t2 -= OTHER_CAMPAIGN * own_campaign[2]
        t3 -= OTHER_CAMPAIGN * own_campaign[3]
    d0, d1, d2, d3 = decay((now - masses.at).total_seconds())
    return t0 * d0 + t1 * d1 + t2 * d2 + t3 * d3
