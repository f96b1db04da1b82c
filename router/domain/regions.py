"""Where callers are, as their numbers tell, and what it says of visits.

Codes are ISO 3166-2, or a country's where no more is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.domain import phone
from router.domain.area_codes import AREAS
from router.domain.numbering import same_region

SAME = 0.6  # κ: the share of callers whose region is the visit's, and not by chance
_UNSEEN = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerRegion:
    """`population` is the share of callers who come from there."""

    code: str
    population: float


def of_number(e164: str) -> str | None:
    """A number's region as far as its numbering plan tells for sure; a country's code for most; None where
    not even that is known. What mobiles of most countries tell is the country alone."""
    country = phone.country(e164)
    areas = AREAS.get(country or "")
    if country is None or areas is None:
        return country
    start = 1 + len(str(phone.calling_code(country)))
    part = areas.get(e164[start : start + 3])
    return f"{country}-{part}" if part else country


def population(region: str, calls: Mapping[str, int]) -> float:
    """The share of callers from `region`, the present call included; `calls` are those so far, by each region
    that was seen in visits or calls."""
    own = _UNSEEN + calls.get(region, 0) + 1
    others = sum(_UNSEEN + count for code, count in calls.items() if code != region)
    return own / (own + others)


def factor(caller: CallerRegion | None, region: str | None) -> float:
    """How much likelier a visit of `region` is the caller's than one of unknown region."""
    if caller is None:
        return 1.0
    same = same_region(caller.code, region)
    if same is None:
        return 1.0
    return (SAME / caller.population if same else 0.0) + 1 - SAME
