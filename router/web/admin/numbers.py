"""Tracking numbers: the list with their state, adding, editing, withdrawing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from router.domain.model import Standing
from router.services.listing import Listing
from router.store.listing import NumberLine
from router.web.admin.bodies import E164, Body, Identity, Name, Named, Ref, absent, read_json
from router.web.admin.pages import PageQuery, cut
from router.web.admin.writes import ERRORS, IF_MATCH, KEY, READ_ERRORS, Change, Writes, read_answer
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint, read_query
from router.web.schemas import Answer

NUMBER = r"{number:(?:\+|%2[Bb])?[1-9][0-9]{6,14}}"
_EXAMPLE = "+74951110001"
# more of them are imported: reading each keeps calls waiting
NumberList = Annotated[list[E164], Field(min_length=1, max_length=2_000)]


class NumberOut(Answer):
    """A number of ours. `channel` is its pool's. `state`: withdrawn, or who has it at this moment."""

    number: str = Field(examples=[_EXAMPLE])
    standing: Standing
    state: Literal["free", "reserved", "withdrawn"] = Field(json_schema_extra={"readOnly": True})
    pool: Named | None
    site: Named | None
    trunk: Named | None
    target: Named | None = Field(description="Instead of the pool's or site's.")
    record: bool | None = Field(description="Instead of the pool's.")
    carrier: str | None
    region: str | None = Field(examples=["RU-MOW"])
    channel: str | None
    created_at: datetime
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, line: NumberLine, now: datetime) -> NumberOut:
        reserved = line.held and line.reserved_until > now
        return cls(
            number=line.e164,
            standing=line.standing,
            state="withdrawn" if line.withdrawn_at else "reserved" if reserved else "free",
            pool=Named.of(line.pool_id, line.pool),
            site=Named.of(line.site_id, line.site),
            trunk=Named.of(line.trunk_id, line.trunk),
            target=Named.of(line.target_id, line.target),
            record=line.record,
            carrier=line.carrier,
            region=line.region,
            channel=line.channel,
            created_at=line.created_at,
            withdrawn_at=line.withdrawn_at,
        )


class NumbersOut(Answer):
    items: list[NumberOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class NumbersQuery(PageQuery):
    pool: Identity | None = Field(None, description="The pool's id.", examples=[7])
    site: Identity | None = Field(None, description="The site's id.", examples=[1])
    standing: Standing | None = Field(None, examples=["in_use"])
    withdrawn: bool | None = Field(None, examples=[False])


class NumbersNew(Body):
    """All or none of them; one that was withdrawn comes back."""

    numbers: NumberList = Field(examples=[[_EXAMPLE, "+74951110002"]])
    pool: Ref | None = absent(examples=["ads"])
    site: Ref | None = absent(examples=["shop"], description="Where two sites have such a pool.")
    trunk: Ref | None = absent(examples=["carrier-1"])
    target: Ref | None = absent(examples=["office"])
    record: bool | None = absent(examples=[True])
    region: Name | None = absent(
        examples=["RU"], description="Country of numbers written without +."
    )


class NumberChange(Body):
    """null takes away what is the number's own: its pool's or site's counts then."""

    trunk: Ref | None = absent(examples=["carrier-1"])
    target: Ref | None = absent(examples=["office"])
    record: bool | None = absent(examples=[True])


class AddedOut(Answer):
    """The numbers as they are kept."""

    numbers: list[str] = Field(examples=[[_EXAMPLE, "+74951110002"]])


class Numbers:
    path = "/v1/numbers"

    def __init__(self, listing: Listing, writes: Writes, clock: Callable[[], datetime]) -> None:
        self._listing = listing
        self._writes = writes
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path=self.path,
                handler=self.list,
                summary="The organisation's numbers and their state now, in pages.",
                query=NumbersQuery,
                answers={200: NumbersOut},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="POST",
                path=self.path,
                handler=self.add,
                summary="Add numbers, all or none of them.",
                body=NumbersNew,
                accepts=(JSON,),
                headers=(KEY,),
                answers={201: AddedOut},
                errors=ERRORS,
            ),
            Endpoint(
                method="GET",
                path=f"{self.path}/{NUMBER}",
                handler=self.read,
                summary="One number.",
                answers={200: NumberOut},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="PATCH",
                path=f"{self.path}/{NUMBER}",
                handler=self.edit,
                summary="Edit a number: what is not given stays as it is.",
                body=NumberChange,
                accepts=(JSON,),
                headers=(KEY, IF_MATCH),
                answers={200: NumberOut},
                errors=ERRORS,
            ),
            Endpoint(
                method="DELETE",
                path=f"{self.path}/{NUMBER}",
                handler=self.withdraw,
                summary="Withdraw a number: nobody is shown it any more. Adding it again brings it back.",
                headers=(KEY, IF_MATCH),
                answers={200: NumberOut},
                errors=ERRORS,
            ),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        query = read_query(NumbersQuery, request)
        found = await self._listing.numbers(
            request[ACTOR].organisation_id,
            after=query.seen(),
            most=query.limit + 1,
            pool_id=query.pool,
            site_id=query.site,
            standing=query.standing,
            withdrawn=query.withdrawn,
        )
        now = self._clock()
        items, following = cut(
            found, query.limit, lambda line: line.id, lambda line: NumberOut.of(line, now)
        )
        return json_answer(NumbersOut(items=items, next=following))

    async def read(self, request: web.Request) -> web.StreamResponse:
        return read_answer(await self._one(self._listing, request))

    async def add(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, NumbersNew)

        async def work(change: Change) -> BaseModel:
            added = await change.administration.add_numbers(by=change.by, **body.changes())
            return AddedOut(numbers=[*added])

        return await self._writes.answer(request, work, status=201, patience=30)

    async def edit(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, NumberChange)

        async def work(change: Change) -> BaseModel:
            await change.unchanged(lambda found: self._one(found, request))
            await change.administration.edit_number(
                number_of(request), by=change.by, **body.changes()
            )
            return await self._one(change.listing, request)

        return await self._writes.answer(request, work, subject="number")

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        async def work(change: Change) -> BaseModel:
            await change.unchanged(lambda found: self._one(found, request))
            await change.administration.withdraw_numbers([number_of(request)], by=change.by)
            return await self._one(change.listing, request)

        return await self._writes.answer(request, work, subject="number")

    async def _one(self, listing: Listing, request: web.Request) -> NumberOut:
        owner = request[ACTOR].organisation_id
        return NumberOut.of(await listing.number(owner, number_of(request)), self._clock())


def number_of(request: web.Request) -> str:
    """The number that the path names; its plus may be left out."""
    return "+" + request.match_info["number"].lstrip("+")
