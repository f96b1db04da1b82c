"""Pools of numbers."""

from __future__ import annotations

from router.domain.model import OrganisationId
from router.services.listing import Listing
from router.web.admin.pages import cut
from router.web.admin.pool_schemas import PoolChange, PoolNew, PoolOut, PoolsOut, PoolsQuery
from router.web.admin.resource import Resource
from router.web.admin.writes import Change


class Pools(Resource):
    path, called = "/v1/pools", "pool"
    out, page, query, new, change = PoolOut, PoolsOut, PoolsQuery, PoolNew, PoolChange

    async def find(self, listing: Listing, owner: OrganisationId, query: PoolsQuery) -> PoolsOut:
        found = await listing.pools(
            owner, after=query.seen(), most=query.limit + 1, site_id=query.site, kind=query.kind
        )
        items, following = cut(found, query.limit, lambda line: line.id, PoolOut.of)
        return PoolsOut(items=items, next=following)

    async def one(self, listing: Listing, owner: OrganisationId, identity: int) -> PoolOut:
        return PoolOut.of(await listing.pool(owner, identity))

    async def add(self, change: Change, body: PoolNew) -> int:
        return (await change.administration.add_pool(by=change.by, **body.changes())).id

    async def edit(self, change: Change, identity: int, body: PoolChange) -> None:
        await change.administration.edit_pool(identity, by=change.by, **body.changes())

    async def delete(self, change: Change, identity: int) -> None:
        await change.administration.delete_pool(identity, by=change.by)
