"""Web properties."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.model import OrganisationId
from router.services.listing import Listing
from router.store.listing import SiteLine
from router.web.admin.bodies import E164, Body, Name, Named, Ref, absent
from router.web.admin.pages import PageQuery, cut
from router.web.admin.resource import Resource
from router.web.admin.writes import Change
from router.web.schemas import Answer

_ORIGINS = ["https://shop.example"]
_Origins = Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=100)]
_Numbers = Annotated[list[E164], Field(max_length=100)]


class SiteOut(Answer):
    """`key` is what its snippet names it by. `page_numbers` are those its pages show, to be replaced."""

    id: int = Field(examples=[1])
    key: str = Field(examples=["acme-shop-7fQ2"])
    name: str = Field(examples=["shop"])
    origins: list[str] = Field(examples=[_ORIGINS])
    region: str = Field(examples=["RU"])
    time_zone: str = Field(examples=["Europe/Moscow"])
    default_number: str = Field(examples=["+74951234567"])
    page_numbers: list[str] = Field(examples=[["+74951234567"]])
    target: Named
    created_at: datetime

    @classmethod
    def of(cls, line: SiteLine) -> SiteOut:
        return cls(
            id=line.id,
            key=line.key,
            name=line.name,
            origins=list(line.origins),
            region=line.region,
            time_zone=line.time_zone,
            default_number=line.default_number,
            page_numbers=list(line.page_numbers),
            target=Named(id=line.target_id, name=line.target),
            created_at=line.created_at,
        )


class SitesOut(Answer):
    items: list[SiteOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class SiteChange(Body):
    name: Name = absent(examples=["shop"])
    origins: _Origins = absent(examples=[_ORIGINS], description="As browsers send them.")
    region: Name = absent(examples=["RU"], description="Whose national form its pages use.")
    time_zone: Name = absent(examples=["Europe/Moscow"])
    default_number: E164 = absent(
        examples=["+74951234567"], description="Shown by pages that get none of their own."
    )
    page_numbers: _Numbers = absent(examples=[["+74951234567"]])
    target: Ref = absent(examples=["office"])


class SiteNew(SiteChange):
    name: Name = Field(examples=["shop"])
    origins: _Origins = Field(examples=[_ORIGINS])
    region: Name = Field(examples=["RU"])
    time_zone: Name = Field(examples=["Europe/Moscow"])
    default_number: E164 = Field(examples=["+74951234567"])
    target: Ref = Field(examples=["office"])
    key: Name = absent(examples=["acme-shop-7fQ2"], description="A random one, if none is given.")


class Sites(Resource):
    path, called = "/v1/sites", "site"
    out, page, new, change = SiteOut, SitesOut, SiteNew, SiteChange

    async def find(self, listing: Listing, owner: OrganisationId, query: PageQuery) -> SitesOut:
        found = await listing.sites(owner, after=query.seen(), most=query.limit + 1)
        items, following = cut(found, query.limit, lambda line: line.id, SiteOut.of)
        return SitesOut(items=items, next=following)

    async def one(self, listing: Listing, owner: OrganisationId, identity: int) -> SiteOut:
        return SiteOut.of(await listing.site(owner, identity))

    async def add(self, change: Change, body: SiteNew) -> int:
        return (await change.administration.add_site(by=change.by, **body.changes())).id

    async def edit(self, change: Change, identity: int, body: SiteChange) -> None:
        await change.administration.edit_site(identity, by=change.by, **body.changes())

    async def delete(self, change: Change, identity: int) -> None:
        await change.administration.delete_site(identity, by=change.by)
