"""The memory that a number keeps of holders who left: how likely they are still to call, and whose they were.

The calls that are still to come from a visit that left fall off as a sum of four exponentials. Those of the
last three holders are reckoned one by one; of those before them four masses remain, which decay each by its
own time constant, in all, for each source, and for the campaigns that weigh most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import exp
from typing import Any, TypeVar

from router.domain.allocation.values import Holder, Mass, Masses
from router.domain.visitstate import Outage, phase

TAU_SECONDS: Mass = (300.0, 3600.0, 43200.0, 432000.0)
WEIGHT: Mass = (0.22, 0.14, 0.06, 0.05)
BOUNCE_FACTOR = 0.1
CAMPAIGNS_AT_MOST = 16

_T0, _T1, _T2, _T3 = (-1 / tau for tau in TAU_SECONDS)
_W0, _W1, _W2, _W3 = WEIGHT
Key = TypeVar("Key", bound=Any)


def remaining(age: float) -> float:
    """The share of its calls that a visit gone for `age` seconds has still to make."""
    return _W0 * exp(age * _T0) + _W1 * exp(age * _T1) + _W2 * exp(age * _T2) + _W3 * exp(age * _T3)


def decay(age: float) -> Mass:
    """What is left of each of the four masses after `age` seconds."""
    return exp(age * _T0), exp(age * _T1), exp(age * _T2), exp(age * _T3)


def drop(
    masses: Masses | None, holder: Holder, now: datetime, outages: Sequence[Outage] = ()
) -> Masses:
    """The masses after `holder` fell out of the ring at `now`. One that is still visible counts as gone from
    now on. A seventeenth campaign displaces the smallest of the others; total and sources stay whole."""
    kind, since, engaged = phase(holder.times, now, outages)
    age = max(0.0, (now - since).total_seconds()) if kind == "gone" else 0.0
    rate = holder.rate if engaged else holder.rate * BOUNCE_FACTOR
    d0, d1, d2, d3 = decay(age)
    mass = (rate * _W0 * d0, rate * _W1 * d1, rate * _W2 * d2, rate * _W3 * d3)
    if masses is None:
        return Masses(
            at=now, total=mass, by_source={holder.source: mass}, by_campaign={holder.campaign: mass}
        )
    factors = decay((now - masses.at).total_seconds())
    by_source = _decayed(masses.by_source, factors)
    by_source[holder.source] = _sum(by_source.get(holder.source), mass)
    by_campaign = _decayed(masses.by_campaign, factors)
    if holder.campaign not in by_campaign:
        while len(by_campaign) >= CAMPAIGNS_AT_MOST:
            del by_campaign[min(by_campaign, key=lambda key: (sum(by_campaign[key]), key))]
    by_campaign[holder.campaign] = _sum(by_campaign.get(holder.campaign), mass)
    return Masses(
        at=now,
        total=_sum(_times(masses.total, factors), mass),
        by_source=by_source,
        by_campaign=by_campaign,
    )


def _decayed(masses: Mapping[Key, Mass], factors: Mass) -> dict[Key, Mass]:
    return {key: _times(mass, factors) for key, mass in masses.items()}


def _times(mass: Mass, factors: Mass) -> Mass:
    return (
        mass[0] * factors[0],
        mass[1] * factors[1],
        mass[2] * factors[2],
        mass[3] * factors[3],
    )


def _sum(mass: Mass | None, more: Mass) -> Mass:
    if mass is None:
        return more
    return mass[0] + more[0], mass[1] + more[1], mass[2] + more[2], mass[3] + more[3]
