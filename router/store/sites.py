"""Sites and their pools, as visits need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from router.domain.attribution import host
from router.domain.model import NumberId, Pool, PoolId, Rule, Site, SiteId
from router.domain.targeting import in_order
from router.store import snippets
from router.store.database import Queries
from router.store.snippets import NOTHING_SAID, SnippetSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticNumber:
    id: NumberId
    e164: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteView:
    """A site, the pools of its main number in the order in which they are asked, and what its static
    pools show. `parts`: the further numbers of its pages."""

    site: Site
    pools: tuple[Pool, ...]
    static: Mapping[PoolId, StaticNumber]
    own_hosts: frozenset[str]
    parts: tuple[Part, ...] = ()
    snippet: SnippetSettings = NOTHING_SAID


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A number that pages show beside the main one. `view`: the site as this number sees it, with the
    pools that serve it, and itself as the default."""

    number: str
    view: SiteView

    def visitor(self, visitor: UUID) -> UUID:
        """The visitor as the holder of this part: who holds one number for each has one name for each."""
        return uuid5(visitor, self.number)


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
    page_numbers = await snippets.page_numbers(queries)
    settings = await snippets.settings(queries)
    views = {}
    for row in await queries.fetch("sites.directory"):
        lists = {"origins": tuple(row["origins"]), "page_numbers": tuple(row["page_numbers"])}
        site = Site(**{**row, **lists})
        view = SiteView(
            site=site,
            pools=in_order(pools[site.id]),
            static={pool.id: static[pool.id] for pool in pools[site.id] if pool.id in static},
            own_hosts=frozenset(host(origin) for origin in site.origins),
            snippet=settings.get(site.id, NOTHING_SAID),
        )
        views[site.key] = _in_parts(view, page_numbers.get(site.id, {}))
    return views


def _in_parts(view: SiteView, served: Mapping[PoolId, str]) -> SiteView:
    """The same site; what serves a further page number is a part of its own."""
    parts = []
    for number in sorted(set(served.values())):
        pools = tuple(pool for pool in view.pools if served.get(pool.id) == number)
        site = replace(view.site, default_number=number, page_numbers=(number,))
        parts.append(Part(number=number, view=replace(view, site=site, pools=pools)))
    if not parts:
        return view
    main = [number for number in view.site.page_numbers if number not in served.values()]
    return replace(
        view,
        site=replace(view.site, page_numbers=tuple(main)),
        pools=tuple(pool for pool in view.pools if pool.id not in served),
        parts=tuple(parts),
    )
