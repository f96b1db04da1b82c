"""What a call is credited to: a visit, a campaign or a source, with how sure that is and why.

the visit, if the largest p ≥ .5; else the campaign, if its sum ≥ .5; else the source; else nothing
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from router.domain import regions
from router.domain.model import (
    Attribution,
    Evidence,
    Level,
    Method,
    Origin,
    PoolId,
    SessionId,
    Touch,
)
from router.domain.past import Alike, Past, instant
from router.domain.posterior import NOISE, Candidate, Standing, rate, standing
from router.domain.reasons import inputs, reasons, said
from router.domain.regions import CallerRegion
from router.domain.visitstate import Outage

MODEL = "prior-1"
_ENOUGH = 0.5 - 1e-12
_RUNNERS_UP = 5
# of a campaign or channel: source and medium are said if nearly all of its likelihood has them in common
_IN_COMMON = 0.95
Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the dialled number is. `touch` is what a static pool, or a default number with a source of
    its own, credits its calls to."""

    kind: Literal["reservation", "static", "default", "unknown"]
    pool_id: PoolId | None = None
    touch: Touch | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Likely:
    """One of the likeliest visits. `standing` is None for one long gone, of which `age` is known."""

    session_id: SessionId
    origin: Origin
    p: float
    handed_at: datetime
    age: float
    standing: Standing | None
    region: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The posterior, summed up. `campaigns` and `sources` hold (sum, largest p) by key, `origins` sums."""

    count: int
    top: Sequence[Likely]
    origins: Mapping[Origin, float]
    campaigns: Mapping[Key, tuple[float, float]]
    sources: Mapping[Key, tuple[float, float]]
    p_none: float


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`confidence` is p of the visit, the sum of the campaign or source, or p_none at level none."""

    level: Level
    confidence: float
    session_id: SessionId | None = None
    key: Key | None = None


def shares(
    candidates: Sequence[Candidate],
    past: Past | None,
    t: datetime,
    *,
    outages: Sequence[Outage] = (),
    known_caller: bool = False,
    caller: CallerRegion | None = None,
) -> Shares:
    """The posterior for a call at `t` over the visits of `candidates` and `past`, each in one of them.

    A caller who has called before may be that very visitor: that a visit has called already is not
    held against it then. `caller`: where his number is.
    """
    standings = [standing(candidate, t, outages) for candidate in candidates]
    if known_caller:
        standings = [replace(seen, called=0.0) for seen in standings]
    factors = {
        region: regions.factor(caller, region) for region in {one.region for one in candidates}
    }
    rates = [
        rate(seen) * factors[candidate.region]
        for seen, candidate in zip(standings, candidates, strict=True)
    ]
    groups = past.alike(t, caller) if past is not None else []
    total = sum(rates) + sum(group.rate * group.visits for group in groups) + NOISE
    weights: dict[Origin, float] = defaultdict(float)
    best: dict[Origin, float] = defaultdict(float)
    for candidate, value in zip(candidates, rates, strict=True):
        p = value / total
        origin = candidate.origin
        weights[origin] += p
        best[origin] = max(best[origin], p)
    for group in groups:
        weights[group.origin] += group.rate * group.visits / total
        best[group.origin] = max(best[group.origin], group.rate / total)
    likely = _likeliest(candidates, standings, rates, total)
    if past is not None:
        likely += _likeliest_past(past, groups, t, total)
    likely.sort(key=lambda one: (one.p, one.handed_at), reverse=True)
    return Shares(
        count=len(candidates) + sum(group.visits for group in groups),
        top=likely[: _RUNNERS_UP + 1],
        origins=weights,
        campaigns=_added_up(weights, best, lambda origin: origin.campaign_key),
        sources=_added_up(weights, best, lambda origin: origin.source_key),
        p_none=NOISE / total,
    )


def _added_up(
    weights: Mapping[Origin, float], best: Mapping[Origin, float], key_of: Callable[[Origin], Key]
) -> dict[Key, tuple[float, float]]:
    """(sum, largest p) of the visits of each key."""
    sums: dict[Key, tuple[float, float]] = {}
    for origin, weight in weights.items():
        key = key_of(origin)
        total, largest = sums.get(key, (0.0, 0.0))
        sums[key] = (total + weight, max(largest, best[origin]))
    return sums


def _likeliest(
    candidates: Sequence[Candidate],
    standings: Sequence[Standing],
    rates: Sequence[float],
    total: float,
) -> list[Likely]:
    """The likeliest of the visits listed; of equal ones those handed the number last."""
    first = heapq.nlargest(
        _RUNNERS_UP + 1,
        range(len(rates)),
        key=lambda i: (rates[i], candidates[i].handed_at),
    )
    return [
        Likely(
            session_id=candidates[i].session_id,
            origin=candidates[i].origin,
            p=rates[i] / total,
            handed_at=candidates[i].handed_at,
            age=standings[i].age,
            standing=standings[i],
            region=candidates[i].region,
        )
        for i in first
    ]


def _likeliest_past(past: Past, alike: Sequence[Alike], t: datetime, total: float) -> list[Likely]:
    """Enough of the past to hold its likeliest visits; of equal ones those handed the number last."""
    found: list[Likely] = []
    groups = sorted(alike, key=lambda group: group.rate, reverse=True)
    for position, group in enumerate(groups):
        if len(found) > _RUNNERS_UP and group.rate < groups[position - 1].rate:
            break
        found += [
            Likely(
                session_id=SessionId(past.session_ids[i]),
                origin=group.origin,
                p=group.rate / total,
                handed_at=instant(past.handed_at[i]),
                age=t.timestamp() - past.since[i],
                standing=None,
                region=group.region or None,
            )
            for i in past.members(group, t)[: _RUNNERS_UP + 1]
        ]
    return found


def decide(found: Shares) -> Decision:
    """Visit, else campaign, else source, else none: the first whose p or sum is at least .5."""
    if found.top and found.top[0].p >= _ENOUGH:
        first = found.top[0]
        return Decision(
            level="session",
            confidence=first.p,
            session_id=first.session_id,
            key=first.origin.campaign_key,
        )
    levels: tuple[tuple[Level, Mapping[Key, tuple[float, float]]], ...] = (
        ("campaign", found.campaigns),
        ("source", found.sources),
    )
    for level, sums in levels:
        # of equal sums the key with the larger best p
        key = max(sums, key=lambda k: sums[k], default=None)
        if key is not None and sums[key][0] >= _ENOUGH:
            return Decision(level=level, confidence=sums[key][0], key=key)
    return Decision(level="none", confidence=found.p_none)


def attribute(
    shown: Shown,
    candidates: Sequence[Candidate],
    past: Past | None,
    t: datetime,
    *,
    outages: Sequence[Outage] = (),
    known_caller: bool = False,
    caller: CallerRegion | None = None,
) -> tuple[Attribution, Shares | None]:
    """The attribution of a call at `t`, and the shares it was decided from where visits were looked at."""
    if shown.kind == "unknown":
        return _sure("unknown_number", shown, "the dialled number is none of ours"), None
    if shown.kind == "static":
        return _sure("static", shown, "the number belongs to this source alone"), None
    if shown.kind == "default" and shown.touch is not None:
        return _sure("default", shown, "the default number of this source"), None
    found = shares(candidates, past, t, outages=outages, known_caller=known_caller, caller=caller)
    if found.count == 0:
        words = "nobody was shown this number in the last 30 days"
        return _sure("without_session", shown, words), found
    decision = decide(found)
    return (
        Attribution(
            method="default" if shown.kind == "default" else "reservation",
            level=decision.level,
            confidence=0.0 if decision.level == "none" else decision.confidence,
            model=MODEL,
            session_id=decision.session_id,
            pool_id=shown.pool_id,
            touch=_touch(decision, found),
            evidence=reasons(
                decision.level, decision.confidence, found.top, found.count, found.p_none, caller
            ),
            runners_up=tuple(
                said(one) for one in found.top if one.session_id != decision.session_id
            )[:_RUNNERS_UP],
            inputs=inputs(found, t, known_caller, caller),
        ),
        found,
    )


def _sure(method: Method, shown: Shown, words: str) -> Attribution:
    touch = shown.touch
    return Attribution(
        method=method,
        level="source" if touch else "none",
        confidence=1.0 if touch else 0.0,
        model=MODEL,
        pool_id=shown.pool_id,
        touch=touch,
        evidence=(Evidence(words=words),),
    )


def _touch(decision: Decision, found: Shares) -> Touch | None:
    """What the decision says of where the caller came from."""
    if decision.key is None:
        return None
    if decision.level == "session":
        return found.top[0].origin.touch
    level = {key: weight for key, weight in found.origins.items() if _belongs(key, decision.key)}
    read_from: dict[tuple[str, str], float] = defaultdict(float)
    for origin, weight in level.items():
        read_from[origin.source, origin.medium] += weight
    source, medium = max(read_from, key=lambda pair: read_from[pair])
    if read_from[source, medium] < _IN_COMMON * decision.confidence:
        source = medium = ""
    channel, *campaign = decision.key
    return Origin(channel, campaign[0] if campaign else "", source, medium).touch


def _belongs(origin: Origin, key: Key) -> bool:
    return (origin.campaign_key if len(key) == 2 else origin.source_key) == key
