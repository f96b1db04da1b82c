"""Sites and their pools, as visits need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from router.domain.attribution import host
from router.domain.model import NumberId, Pool, PoolId, Rule, Site, SiteId
from router.domain.targeting import in_order
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticNumber:
    id: NumberId
    e164: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteView:
    """A site, its pools in the order in which they are asked, and what its static pools show."""

    site: Site
    pools: tuple[Pool, ...]
    static: Mapping[PoolId, StaticNumber]
    own_hosts: frozenset[str]


async def directory(queries: Queries) -> dict[str, SiteView]:
    """Every site by its key."""
    pools: defaultdict[SiteId, list[Pool]] = defaultdict(list)
    static: dict[PoolId, StaticNumber] = {}
    for row in await queries.fetch("sites.pools"):
        values = dict(row)
        number_id, e164 = values.pop("number_id"), values.pop("e164")
        rules = tuple(Rule(**rule) for rule in row["rules"])
        pool = Pool(**{**values, "rules": rules, "binding": tuple(row["binding"])})
        pools[pool.site_id].append(pool)
        if number_id is not None:
            static[pool.id] = StaticNumber(id=number_id, e164=e164)
    views = {}
    for row in await queries.fetch("sites.directory"):
        lists = {"origins": tuple(row["origins"]), "page_numbers": tuple(row["page_numbers"])}
        site = Site(**{**row, **lists})
        views[site.key] = SiteView(
            site=site,
            pools=in_order(pools[site.id]),
            static={pool.id: static[pool.id] for pool in pools[site.id] if pool.id in static},
            own_hosts=frozenset(host(origin) for origin in site.origins),
        )
    return views
