"""An attribution's reasons, in words for staff and in figures for whoever checks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from router.domain.model import Evidence, Level, Origin, SessionId, confidence_in_words
from router.domain.numbering import same_region
from router.domain.posterior import NOISE, TAP_COUNTS_SECONDS, Standing
from router.domain.regions import CallerRegion, factor


class Ranked(Protocol):
    """A visit and its share of the call."""

    @property
    def session_id(self) -> SessionId: ...
    @property
    def origin(self) -> Origin: ...
    @property
    def p(self) -> float: ...
    @property
    def handed_at(self) -> datetime: ...
    @property
    def age(self) -> float: ...
    @property
    def standing(self) -> Standing | None: ...
    @property
    def region(self) -> str | None: ...


def reasons(
    level: Level,
    confidence: float,
    top: Sequence[Ranked],
    count: int,
    p_none: float,
    caller: CallerRegion | None = None,
) -> tuple[Evidence, ...]:
    """Why, the weightiest first."""
    found: list[Evidence] = []
    if level == "session":
        found += _of_visit(top[0]) + _of_regions(top[0], caller)
        if len(top) > 1:
            words = f"the next likely visit has {percent(top[1].p)}"
            found.append(Evidence(words=words, figures={"p": top[1].p}))
    elif level in ("campaign", "source"):
        words = f"no single visit stands out, but {percent(confidence)} of the likelihood is this {level}'s"
        found.append(Evidence(words=words, figures={"sum": confidence}))
    else:
        largest = top[0].p if top else 0.0
        words = f"no visit, campaign or source reaches one half; the likeliest visit has {percent(largest)}"
        found.append(Evidence(words=words, figures={"p": largest}))
    visits = "visit was" if count == 1 else "visits were"
    found.append(
        Evidence(
            words=f"{count:,} {visits} shown this number in the last 30 days",
            figures={"candidates": count},
        )
    )
    if p_none >= 0.01:
        words = f"{percent(p_none)} for a caller who saw the number elsewhere"
        found.append(Evidence(words=words, figures={"p_none": p_none}))
    found.append(Evidence(words=f"together: {confidence_in_words(confidence)}"))
    return tuple(found) if level != "none" else tuple(found[:-1])


def _of_visit(visit: Ranked) -> list[Evidence]:
    seen = visit.standing
    found: list[Evidence] = []
    if seen is not None and seen.tap_age is not None and 0 <= seen.tap_age < TAP_COUNTS_SECONDS:
        words = f"the visitor tapped the number {duration(seen.tap_age)} before the call"
        found.append(Evidence(words=words, figures={"tap_age_s": seen.tap_age}))
    found.append(Evidence(words=_doing(visit), figures={"age_s": round(visit.age, 3)}))
    if seen is not None and seen.changed:
        found.append(Evidence(words="the page showed another number by then"))
    if seen is not None and seen.called > 0:
        words = f"this visit has called already ({percent(seen.called)})"
        found.append(Evidence(words=words, figures={"called": seen.called}))
    return found


def _doing(visit: Ranked) -> str:
    seen, age = visit.standing, duration(visit.age)
    if seen is None or seen.kind == "gone":
        left = f"the visitor had left the page {age} before"
        return left if seen is None or seen.engaged else left + ", after a few seconds on it"
    if seen.kind == "active":
        return f"the page was open and in use, {age} after the visit began"
    return f"the page was open but not in use, {age} after the visit began"


def _of_regions(visit: Ranked, caller: CallerRegion | None) -> list[Evidence]:
    """What the caller's region says of the visit, where both are known."""
    same = same_region(caller.code, visit.region) if caller else None
    if caller is None or same is None:
        return []
    there = "the visit too" if same else f"the visit came from {visit.region}"
    words = f"the caller's number is of {caller.code}, {there}"
    return [Evidence(words=words, figures={"factor": factor(caller, visit.region)})]


class Weighed(Protocol):
    """The posterior, summed up."""

    @property
    def count(self) -> int: ...
    @property
    def top(self) -> Sequence[Ranked]: ...
    @property
    def p_none(self) -> float: ...


def inputs(
    found: Weighed, t: datetime, known_caller: bool, caller: CallerRegion | None
) -> dict[str, Any]:
    """What was decided from, enough to see why and to compute the top of it again."""
    return {
        "at": t.isoformat(),
        "candidates": found.count,
        "noise_per_second": NOISE,
        "p_none": found.p_none,
        "known_caller": known_caller,
        "caller_region": caller.code if caller else None,
        "caller_population": caller.population if caller else None,
        "top": [said(one) for one in found.top],
    }


def said(visit: Ranked) -> Mapping[str, Any]:
    """One visit as it is kept with the attribution."""
    seen = visit.standing
    channel, campaign, source, medium = visit.origin
    facts: dict[str, Any] = {
        "session_id": visit.session_id,
        "p": visit.p,
        "channel": channel,
        "source": source,
        "medium": medium,
        "campaign": campaign,
        "state": seen.kind if seen else "gone",
        "age_s": round(visit.age, 3),
        "handed_at": visit.handed_at.isoformat(),
        "region": visit.region,
    }
    if seen is not None:
        facts |= {"engaged": seen.engaged, "device": seen.device, "tap_age_s": seen.tap_age}
        facts |= {"changed": seen.changed, "called": seen.called}
    return facts


def percent(p: float) -> str:
    """``0.973`` → ``97 %``; what is neither nothing nor everything is not rounded to it."""
    if 0 < p < 0.01:
        return "less than 1 %"
    return "more than 99 %" if 0.99 < p < 1 else f"{p * 100:.0f} %"


def duration(seconds: float) -> str:
    """``754`` → ``13 min``."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"
