"""Numbering plans of countries, and how many callers come from which region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from router.domain.model import SiteId
from router.store.database import Queries


class PlanRange(NamedTuple):
    """Numbers from `first` to `last`, digits with the country's code, filled up to 15."""

    first: int
    last: int
    region: str | None
    operator: str | None


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    country: str
    version: int
    loaded_at: datetime
    ranges: int


async def versions(queries: Queries) -> list[PlanRow]:
    return [PlanRow(**row) for row in await queries.fetch("plans.versions")]


async def ranges(queries: Queries, country: str) -> list[PlanRange]:
    """A country's plan, ascending."""
    return [PlanRange(*row) for row in await queries.fetch("plans.ranges", country=country)]


async def replace(queries: Queries, country: str, now: datetime) -> None:
    """Empty a country's plan: a new one follows in the same transaction."""
    await queries.execute("plans.replace", country=country, now=now)


async def put(queries: Queries, country: str, found: Sequence[PlanRange]) -> None:
    await queries.execute(
        "plans.put",
        country=country,
        firsts=[one.first for one in found],
        lasts=[one.last for one in found],
        regions=[one.region for one in found],
        operators=[one.operator for one in found],
    )


async def count_regions(queries: Queries, before: datetime) -> None:
    """Add up what was made up to `before` and is not counted yet."""
    await queries.execute("plans.count_regions", before=before)


async def regions(queries: Queries) -> Mapping[SiteId, Mapping[str, int]]:
    """Calls by site and region, of the regions that were seen there in calls or visits."""
    found: defaultdict[SiteId, dict[str, int]] = defaultdict(dict)
    for row in await queries.fetch("plans.regions"):
        found[SiteId(row["site_id"])][row["region"]] = row["calls"]
    return dict(found)
