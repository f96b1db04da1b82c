"""What all resources of the admin API do alike: a list, one thing, adding, editing, deleting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from aiohttp import web
from pydantic import BaseModel

from router.domain.model import OrganisationId
from router.services.listing import Listing
from router.web.admin.bodies import Body, read_json
from router.web.admin.pages import PageQuery
from router.web.admin.writes import ERRORS, IF_MATCH, KEY, READ_ERRORS, Change, Writes, read_answer
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint, read_query

ID = r"{id:[0-9]{1,18}}"


class Resource(ABC):
    """`called` is what services call one of them; `new` and `change` are the bodies of POST and PATCH."""

    path: ClassVar[str]
    called: ClassVar[str]
    out: ClassVar[type[BaseModel]]
    page: ClassVar[type[BaseModel]]
    query: ClassVar[type[PageQuery]] = PageQuery
    new: ClassVar[type[Body]]
    change: ClassVar[type[Body]]

    def __init__(self, listing: Listing, writes: Writes) -> None:
        self._listing = listing
        self._writes = writes

    @abstractmethod
    async def find(self, listing: Listing, owner: OrganisationId, query: Any) -> BaseModel:
        """A page of the list."""

    @abstractmethod
    async def one(self, listing: Listing, owner: OrganisationId, identity: int) -> BaseModel:
        """Raises NotFound."""

    @abstractmethod
    async def add(self, change: Change, body: Any) -> int:
        """The new one's id."""

    @abstractmethod
    async def edit(self, change: Change, identity: int, body: Any) -> None: ...

    @abstractmethod
    async def delete(self, change: Change, identity: int) -> None: ...

    def endpoints(self) -> list[Endpoint]:
        of_one = f"{self.path}/{ID}"
        return [
            Endpoint(
                method="GET",
                path=self.path,
                handler=self._get_list,
                summary=f"The organisation's {self.called}s, in pages.",
                query=self.query,
                answers={200: self.page},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="POST",
                path=self.path,
                handler=self._post,
                summary=f"Add a {self.called}.",
                body=self.new,
                accepts=(JSON,),
                headers=(KEY,),
                answers={201: self.out},
                errors=ERRORS,
            ),
            Endpoint(
                method="GET",
                path=of_one,
                handler=self._get_one,
                summary=f"One {self.called}.",
                answers={200: self.out},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="PATCH",
                path=of_one,
                handler=self._patch,
                summary=f"Edit a {self.called}: what is not given stays as it is.",
                body=self.change,
                accepts=(JSON,),
                headers=(KEY, IF_MATCH),
                answers={200: self.out},
                errors=ERRORS,
            ),
            Endpoint(
                method="DELETE",
                path=of_one,
                handler=self._delete,
                summary=f"Delete a {self.called} that nothing needs.",
                headers=(KEY, IF_MATCH),
                answers={204: None},
                errors=ERRORS,
            ),
        ]

    async def _get_list(self, request: web.Request) -> web.StreamResponse:
        query = read_query(self.query, request)
        return json_answer(await self.find(self._listing, request[ACTOR].organisation_id, query))

    async def _get_one(self, request: web.Request) -> web.StreamResponse:
        owner = request[ACTOR].organisation_id
        return read_answer(await self.one(self._listing, owner, _identity(request)))

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, self.new)

        async def work(change: Change) -> BaseModel:
            added = await self.add(change, body)
            return await self.one(change.listing, change.owner, added)

        return await self._writes.answer(request, work, status=201)

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        identity, body = _identity(request), await read_json(request, self.change)

        async def work(change: Change) -> BaseModel:
            await change.unchanged(lambda found: self.one(found, change.owner, identity))
            await self.edit(change, identity, body)
            return await self.one(change.listing, change.owner, identity)

        return await self._writes.answer(request, work, subject=self.called)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        identity = _identity(request)

        async def work(change: Change) -> None:
            await change.unchanged(lambda found: self.one(found, change.owner, identity))
            await self.delete(change, identity)

        return await self._writes.answer(request, work, subject=self.called)


def _identity(request: web.Request) -> int:
    return int(request.match_info["id"])
