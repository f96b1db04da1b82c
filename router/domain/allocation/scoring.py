"""The score of a number for a visit: the wrong calls to be expected if the visit is shown it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from router.domain.allocation.masses import BOUNCE_FACTOR, decay, remaining
from router.domain.allocation.values import CampaignKey, Candidate, Holder, Mass, Masses, Visit
from router.domain.numbering import same_region
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


class Weighed:
    """A number at one moment: all that counts of it, whoever asks for it. One number is weighed once for all
    visits that wait together."""

    __slots__ = ("_factors", "_holders", "_masses", "_sources", "_total", "candidate")

    def __init__(
        self,
        candidate: Candidate,
        now: datetime,
        outages: Sequence[Outage] = (),
        departed: Departed | None = None,
    ) -> None:
        self.candidate = candidate
        self._holders = []
        for h in candidate.ring:
            calls = None if departed is None or outages else departed.calls_to_come(h, now)
            if calls is None:
                calls = calls_to_come(h, now, outages)
            self._holders.append((h.session, h.source, h.campaign, h.device, h.region, calls))
        self._masses = masses = candidate.masses
        self._sources: dict[str, float] = {}
        if masses is not None:
            self._factors = decay((now - masses.at).total_seconds())
            self._total = (1 + OTHER_SOURCE + OTHER_CAMPAIGN) * self._sum(masses.total)

    def _sum(self, mass: Mass) -> float:
        factors = self._factors
        return (
            mass[0] * factors[0]
            + mass[1] * factors[1]
            + mass[2] * factors[2]
            + mass[3] * factors[3]
        )

    def score(self, visit: Visit, price: float, *, reserved: bool) -> float:
        """Expected wrong calls if `visit` is shown the number."""
        own, source, campaign = visit.session, visit.source, visit.campaign
        device, region = visit.device, visit.region
        total = price * PRICE_UNIT if reserved else 0.0
        for session, its_source, its_campaign, its_device, its_region, wrong in self._holders:
            if session == own:
                continue
            if its_source != source:
                wrong *= 1 + OTHER_SOURCE + OTHER_CAMPAIGN
            elif its_campaign != campaign:
                wrong *= 1 + OTHER_CAMPAIGN
            if its_device != device and device is not None and its_device is not None:
                wrong *= OTHER_DEVICE_FACTOR
            if its_region != region and same_region(its_region, region) is False:
                wrong *= OTHER_REGION_FACTOR
            total += wrong
        if self._masses is not None:
            total += self._of_masses(self._masses, source, campaign)
        return total

    def _of_masses(self, masses: Masses, source: str, campaign: CampaignKey) -> float:
        own = self._sources.get(source)
        if own is None:
            mass = masses.by_source.get(source)
            own = self._sources[source] = 0.0 if mass is None else OTHER_SOURCE * self._sum(mass)
        mass = masses.by_campaign.get(campaign)
        if mass is None:
            return self._total - own
        return self._total - own - OTHER_CAMPAIGN * self._sum(mass)


def score(
    candidate: Candidate,
    visit: Visit,
    now: datetime,
    price: float = PRICE,
    outages: Sequence[Outage] = (),
) -> float:
    """Expected wrong calls of `candidate` for `visit`. `price`: how much worse a number is for being
    still reserved."""
    reserved = not candidate.free(now)
    return Weighed(candidate, now, outages).score(visit, price, reserved=reserved)


class Departed:
    """Holders that were found gone, kept from one moment to the next: when they went and how many calls
    were to be expected then does not change any more."""

    _AT_MOST = 16_384

    def __init__(self) -> None:
        # by identity: a holder of whom anything more was heard is another value
        self._known: dict[int, tuple[Holder, datetime, float]] = {}

    def calls_to_come(self, holder: Holder, now: datetime) -> float | None:
        """As the function of that name says, without outages; None for one that is not gone."""
        known = self._known.get(id(holder))
        if known is None or known[1] > now:
            kind, since, engaged = phase(holder.times, now)
            if kind != "gone":
                return None
            if len(self._known) >= self._AT_MOST:
                self._known.clear()
            rate = holder.rate if engaged else holder.rate * BOUNCE_FACTOR
            known = self._known[id(holder)] = holder, since, rate
        calls = known[2] * remaining((now - known[1]).total_seconds())
        tapped_at = holder.times.tapped_at
        return calls if tapped_at is None else calls + _of_tap(tapped_at, now)


def _of_tap(tapped_at: datetime, now: datetime) -> float:
    return TAP_MASS if _NO_TIME <= now - tapped_at < TAP_COUNTS_FOR else 0.0


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
    return mass if tapped_at is None else mass + _of_tap(tapped_at, now)
