"""Sites, their pools, channels and default numbers, as visits need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from uuid import UUID, uuid5

import asyncpg

from router.domain.attribution import host
from router.domain.channels import Channel
from router.domain.model import NumberId, OrganisationId, Pool, PoolId, Site, SiteId, Touch
from router.domain.rules.stored import all_from_json
from router.domain.targeting import in_order
from router.store import channels, snippets
from router.store.database import Queries
from router.store.snippets import NOTHING_SAID, SnippetSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticNumber:
    id: NumberId
    e164: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteView:
    """A site, the pools of its main number in the order in which they are asked, and what its static
    pools show. `parts`: the further numbers of its pages.

    `channels`: the organisation's own, as they are asked. `by_source` (folded) and `by_channel`: default
    numbers of their own.
    """

    site: Site
    pools: tuple[Pool, ...]
    static: Mapping[PoolId, StaticNumber]
    own_hosts: frozenset[str]
    parts: tuple[Part, ...] = ()
    snippet: SnippetSettings = NOTHING_SAID
    channels: tuple[Channel, ...] = ()
    by_source: Mapping[str, str] = field(default_factory=dict)
    by_channel: Mapping[str, str] = field(default_factory=dict)

    def default_number(self, touch: Touch, pools: str | None) -> str:
        """What a visit sees that gets no number of its own: its source's, its channel's, the pool's
        (`pools`), the site's; the first there is."""
        return (
            self.by_source.get(touch.source.casefold())
            or self.by_channel.get(touch.channel)
            or pools
            or self.site.default_number
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A number that pages show beside the main one. `view`: the site as this number sees it, with the
    pools that serve it, and itself as the default, whatever the channel."""

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
        pool = pool_from(row)
        pools[pool.site_id].append(pool)
        if row["number_id"] is not None:
            static[pool.id] = StaticNumber(id=row["number_id"], e164=row["e164"])
    page_numbers = await snippets.page_numbers(queries)
    settings = await snippets.settings(queries)
    own: defaultdict[OrganisationId, list[Channel]] = defaultdict(list)
    for row in await queries.fetch("sites.channels"):
        own[row["organisation_id"]].append(channels.from_row(row))
    by_source: defaultdict[SiteId, dict[str, str]] = defaultdict(dict)
    by_channel: defaultdict[SiteId, dict[str, str]] = defaultdict(dict)
    for row in await queries.fetch("sites.default_numbers"):
        if row["channel"] is not None:
            by_channel[row["site_id"]][row["channel"]] = row["e164"]
        else:
            by_source[row["site_id"]][row["source"].casefold()] = row["e164"]
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
            channels=tuple(own[site.organisation_id]),
            by_source=by_source[site.id],
            by_channel=by_channel[site.id],
        )
        views[site.key] = _in_parts(view, page_numbers.get(site.id, {}))
    return views


def _in_parts(view: SiteView, served: Mapping[PoolId, str]) -> SiteView:
    """The same site; what serves a further page number is a part of its own."""
    parts = []
    for number in sorted(set(served.values())):
        pools = tuple(pool for pool in view.pools if served.get(pool.id) == number)
        site = replace(view.site, default_number=number, page_numbers=(number,))
        parts.append(
            Part(
                number=number,
                view=replace(view, site=site, pools=pools, by_source={}, by_channel={}),
            )
        )
    if not parts:
        return view
    main = [number for number in view.site.page_numbers if number not in served.values()]
    return replace(
        view,
        site=replace(view.site, page_numbers=tuple(main)),
        pools=tuple(pool for pool in view.pools if pool.id not in served),
        parts=tuple(parts),
    )


def pool_from(row: asyncpg.Record) -> Pool:
    """A pool from a row that has its columns, whatever else is in it."""
    values = {column.name: row[column.name] for column in fields(Pool)}
    values["rules"] = all_from_json(row["rules"])
    return Pool(**{**values, "binding": tuple(row["binding"])})
