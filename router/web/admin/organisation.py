"""The organisation that a token belongs to."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from pydantic import BaseModel, Field

from router.services.listing import Listing
from router.web.admin.bodies import Body, Name, read_json
from router.web.admin.writes import ERRORS, IF_MATCH, KEY, READ_ERRORS, Change, Writes, read_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint
from router.web.schemas import Answer


class OrganisationOut(Answer):
    id: int = Field(examples=[1])
    name: str = Field(examples=["Acme"])
    created_at: datetime


class OrganisationChange(Body):
    name: Name = Field(examples=["Acme"])


class Organisation:
    def __init__(self, listing: Listing, writes: Writes) -> None:
        self._listing = listing
        self._writes = writes

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/v1/organisation",
                handler=self.read,
                summary="The organisation that the token belongs to.",
                answers={200: OrganisationOut},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="PATCH",
                path="/v1/organisation",
                handler=self.edit,
                summary="Rename it.",
                body=OrganisationChange,
                accepts=(JSON,),
                headers=(KEY, IF_MATCH),
                answers={200: OrganisationOut},
                errors=ERRORS,
            ),
        ]

    async def read(self, request: web.Request) -> web.StreamResponse:
        return read_answer(await _one(self._listing, request))

    async def edit(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, OrganisationChange)

        async def work(change: Change) -> BaseModel:
            await change.unchanged(lambda listing: _one(listing, request))
            await change.administration.rename_organisation(body.name, by=change.by)
            return await _one(change.listing, request)

        return await self._writes.answer(request, work)


async def _one(listing: Listing, request: web.Request) -> BaseModel:
    row = await listing.organisation(request[ACTOR].organisation_id)
    return OrganisationOut(id=row.id, name=row.name, created_at=row.created_at)
