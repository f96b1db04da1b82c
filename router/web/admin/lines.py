"""Where calls come from and go to: trunks and targets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from router.domain.model import OrganisationId
from router.services.listing import Listing
from router.store.listing import TargetLine, TrunkLine
from router.web.admin.bodies import E164, Body, Name, Named, Ref, absent
from router.web.admin.pages import PageQuery, cut
from router.web.admin.resource import Resource
from router.web.admin.writes import Change
from router.web.schemas import Answer


class TrunkOut(Answer):
    """A carrier's connection; `target` takes its calls when nothing else is known."""

    id: int = Field(examples=[1])
    name: str = Field(examples=["carrier-1"], description="CT_TRUNK of its endpoint in pjsip.conf.")
    target: Named | None
    created_at: datetime

    @classmethod
    def of(cls, line: TrunkLine) -> TrunkOut:
        target = Named.of(line.target_id, line.target)
        return cls(id=line.id, name=line.name, target=target, created_at=line.created_at)


class TrunksOut(Answer):
    items: list[TrunkOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class TrunkNew(Body):
    name: Name = Field(examples=["carrier-1"])
    target: Ref | None = absent(examples=["office"])


class TrunkChange(Body):
    name: Name = absent(examples=["carrier-1"])
    target: Ref | None = absent(examples=["office"])


class Trunks(Resource):
    path, called = "/v1/trunks", "trunk"
    out, page, new, change = TrunkOut, TrunksOut, TrunkNew, TrunkChange

    async def find(self, listing: Listing, owner: OrganisationId, query: PageQuery) -> TrunksOut:
        found = await listing.trunks(owner, after=query.seen(), most=query.limit + 1)
        items, following = cut(found, query.limit, lambda line: line.id, TrunkOut.of)
        return TrunksOut(items=items, next=following)

    async def one(self, listing: Listing, owner: OrganisationId, identity: int) -> TrunkOut:
        return TrunkOut.of(await listing.trunk(owner, identity))

    async def add(self, change: Change, body: TrunkNew) -> int:
        return await change.administration.add_trunk(by=change.by, **body.changes())

    async def edit(self, change: Change, identity: int, body: TrunkChange) -> None:
        await change.administration.edit_trunk(identity, by=change.by, **body.changes())

    async def delete(self, change: Change, identity: int) -> None:
        await change.administration.delete_trunk(identity, by=change.by)


class TargetOut(Answer):
    """A company line: a SIP endpoint, or a number reached through a trunk."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["office"])
    kind: Literal["endpoint", "pstn"]
    endpoint: str | None = Field(examples=["office"])
    number: str | None = Field(examples=["+74951234567"])
    trunk: Named | None
    ring_seconds: int = Field(examples=[25])
    created_at: datetime

    @classmethod
    def of(cls, line: TargetLine) -> TargetOut:
        return cls(
            id=line.id,
            name=line.name,
            kind="endpoint" if line.kind == "endpoint" else "pstn",
            endpoint=line.endpoint,
            number=line.e164,
            trunk=Named.of(line.trunk_id, line.trunk),
            ring_seconds=line.ring_seconds,
            created_at=line.created_at,
        )


class TargetsOut(Answer):
    items: list[TargetOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class TargetChange(Body):
    """An endpoint takes the place of a number and its trunk, a number that of an endpoint."""

    name: Name = absent(examples=["office"])
    endpoint: Name = absent(examples=["office"], description="An endpoint of pjsip.conf.")
    number: E164 = absent(examples=["+79161234567"], description="Dialled through `trunk`.")
    trunk: Ref = absent(examples=["carrier-1"])
    region: Name = absent(
        examples=["RU"], description="Country of a number that is written without +."
    )
    ring_seconds: int = absent(ge=1, le=120, examples=[25])


class TargetNew(TargetChange):
    name: Name = Field(examples=["office"])


class Targets(Resource):
    path, called = "/v1/targets", "target"
    out, page, new, change = TargetOut, TargetsOut, TargetNew, TargetChange

    async def find(self, listing: Listing, owner: OrganisationId, query: PageQuery) -> TargetsOut:
        found = await listing.targets(owner, after=query.seen(), most=query.limit + 1)
        items, following = cut(found, query.limit, lambda line: line.id, TargetOut.of)
        return TargetsOut(items=items, next=following)

    async def one(self, listing: Listing, owner: OrganisationId, identity: int) -> TargetOut:
        return TargetOut.of(await listing.target(owner, identity))

    async def add(self, change: Change, body: TargetNew) -> int:
        return (await change.administration.add_target(by=change.by, **body.changes())).id

    async def edit(self, change: Change, identity: int, body: TargetChange) -> None:
        await change.administration.edit_target(identity, by=change.by, **body.changes())

    async def delete(self, change: Change, identity: int) -> None:
        await change.administration.delete_target(identity, by=change.by)
