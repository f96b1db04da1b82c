"""Who called: a posterior over every visit that the number was handed out to in the last 30 days.

    λ_j = ( h[state, device, engaged, bin(age)] + [tapped, 0 ≤ a < 300 s] · q · g[bin(a)] ) · disc_j · region_j
    p_j = λ_j / (Σλ + λ0)        p_none = λ0 / (Σλ + λ0)

λ is a rate of calls per second. `h`, `g`, `q`, `λ0` are a prior, measured on simulated visitors and callers;
`disc` lowers a visit whose page shows another number by now, and one that has called already; `region` weighs
where visitor and caller are (domain/regions).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, inf, sqrt

from router.domain.model import Device, Origin, SessionId, SessionTimes
from router.domain.visitstate import Outage, State, state_at

WINDOW = timedelta(days=30)
TAP_COUNTS_SECONDS = 300.0
# seconds; the last bin of ages has no end
AGE_EDGES = (
    *(0.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0),
    *(57600.0, 86400.0, 172800.0, 345600.0, 604800.0, 1209600.0, 2592000.0),
)
TAP_EDGES = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0, 30.0, 45.0, 70.0, 120.0, 300.0)

NOISE = 0.02 / 86400  # λ0: calls per second on any number from nobody we know
_TAP_THEN_CALL = 0.45  # q: a tap is followed by a call
_TAP_MEAN_SECONDS = 9.0
_ACTIVE_EARLY, _ACTIVE, _IDLE = 3e-5, 1e-4, 2.5e-5
_MOBILE_WHILE_VISIBLE = 0.4  # who calls from the phone in his hand leaves the page to do so
_BOUNCE = 0.2
# (share, time constant in seconds) of those who call after they left
_AFTERWARDS = ((0.25, 300.0), (0.20, 3600.0), (0.20, 43200.0), (0.35, 432000.0))
_CALLS_PER_VISIT = 0.3 * 0.03
_OTHER_NUMBER_NOW = 0.3
_CALLED_WEIGHT, _CALLED_LEAST = 0.95, 0.05
# below this share a call says nothing about a visit
CALLED_FROM = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A visit that was shown the number.

    handed_at   when the number was handed to it last
    changed_at  when its page was given another number, or the default one
    called      expected calls of this visit so far, 0..1
    region      ISO 3166-2 of the visitor's address; None is unknown
    """

    session_id: SessionId
    origin: Origin
    times: SessionTimes
    handed_at: datetime
    changed_at: datetime | None = None
    called: float = 0.0
    region: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What counts of one candidate at the moment of the call. Ages in seconds."""

    kind: str
    age: float
    engaged: bool
    device: Device | None
    tap_age: float | None
    changed: bool
    called: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Posterior:
    """`p` in the order of the candidates; with `p_none` it sums to 1."""

    rates: Sequence[float]
    p: Sequence[float]
    p_none: float


def _gone_rates() -> tuple[float, ...]:
    ends = (*AGE_EDGES[1:], inf)
    middles = (
        sqrt(max(low, 8.0) * min(high, 4e6)) for low, high in zip(AGE_EDGES, ends, strict=True)
    )
    return tuple(
        sum(share * _CALLS_PER_VISIT / tau * exp(-middle / tau) for share, tau in _AFTERWARDS)
        + 1e-12
        for middle in middles
    )


def _tap_rates() -> tuple[float, ...]:
    whole = 1 - exp(-TAP_COUNTS_SECONDS / _TAP_MEAN_SECONDS)
    return tuple(
        (exp(-low / _TAP_MEAN_SECONDS) - exp(-high / _TAP_MEAN_SECONDS)) / (whole * (high - low))
        for low, high in pairwise(TAP_EDGES)
    )


_ENGAGED_GONE = _gone_rates()
_BOUNCED_GONE = tuple(rate * _BOUNCE for rate in _ENGAGED_GONE)
_TAP = tuple(_TAP_THEN_CALL * rate for rate in _tap_rates())


def standing(candidate: Candidate, t: datetime, outages: Sequence[Outage] = ()) -> Standing:
    """What counts of `candidate` for a call at `t`.

    A visit whose page shows another number by now is, for the old number, gone since it went or since
    the change, whichever came first; taps from then on do not count here.
    """
    state = state_at(candidate.times, t, outages)
    changed_at = (
        candidate.changed_at if candidate.changed_at and candidate.changed_at <= t else None
    )
    since, kind = state.since, state.kind
    if changed_at is not None:
        since = min(state.since, changed_at) if kind == "gone" else changed_at
        kind = "gone"
    return Standing(
        kind=kind,
        age=max(0.0, (t - since).total_seconds()),
        engaged=_engaged(candidate.times, state, changed_at, outages),
        device=candidate.times.device,
        tap_age=_tap_age(candidate.times.tapped_at, t, changed_at),
        changed=changed_at is not None,
        called=candidate.called,
    )


def _engaged(
    times: SessionTimes, state: State, changed_at: datetime | None, outages: Sequence[Outage]
) -> bool:
    if changed_at is None or state.kind == "gone":
        return state.engaged
    # a page that is still open, seen from its old number: as if it had gone at the change
    return state_at(times, max(changed_at, times.started_at), outages).engaged


def _tap_age(tapped_at: datetime | None, t: datetime, changed_at: datetime | None) -> float | None:
    if tapped_at is None or tapped_at > t or (changed_at is not None and tapped_at >= changed_at):
        return None
    return (t - tapped_at).total_seconds()


def rate(seen: Standing) -> float:
    """λ of one candidate, calls per second."""
    first = visible_rate(seen) if seen.kind != "gone" else gone_rate(seen.engaged, seen.age)
    return (first + tap_rate(seen.tap_age)) * discount(seen.changed, seen.called)


def visible_rate(seen: Standing) -> float:
    """h of an active or idle visit; a device we do not know counts as a desktop."""
    active = _ACTIVE if seen.age >= AGE_EDGES[1] else _ACTIVE_EARLY
    base = active if seen.kind == "active" else _IDLE
    mobile = seen.kind == "active" and seen.device == "mobile"
    return base * (_MOBILE_WHILE_VISIBLE if mobile else 1.0)


def gone_rate(engaged: bool, age: float) -> float:
    """h of a visit that left `age` seconds ago."""
    table = _ENGAGED_GONE if engaged else _BOUNCED_GONE
    return table[bisect_right(AGE_EDGES, age) - 1]


def tap_rate(age: float | None) -> float:
    """q·g of a tap `age` seconds ago; a tap counts for 300 s."""
    if age is None or not 0 <= age < TAP_COUNTS_SECONDS:
        return 0.0
    return _TAP[bisect_right(TAP_EDGES, age) - 1]


def discount(changed: bool, called: float) -> float:
    """How much less likely: its page shows another number, it has called already."""
    factor = _OTHER_NUMBER_NOW if changed else 1.0
    return factor * max(_CALLED_LEAST, 1 - _CALLED_WEIGHT * called)


def normalise(rates: Sequence[float], noise: float = NOISE) -> Posterior:
    """Rates → probabilities."""
    total = sum(rates) + noise
    return Posterior(rates=rates, p=[value / total for value in rates], p_none=noise / total)


def called_after(called: float, p: float) -> float:
    """Expected calls of a visit after one more first call of which it has the share `p`."""
    return min(1.0, called + p) if p > CALLED_FROM else called
