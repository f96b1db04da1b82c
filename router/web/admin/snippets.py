"""What a site's pages carry: the snippet's lines, further page numbers, the cookie's domain, the server's
token."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, Field

from router.domain.errors import FieldError
from router.domain.model import OrganisationId
from router.services.listing import Listing
from router.web.admin.bodies import E164, Body, Name, Named, absent, read_json
from router.web.admin.resource import ID
from router.web.admin.writes import ERRORS, IF_MATCH, KEY, READ_ERRORS, Change, Writes, read_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint
from router.web.schemas import Answer
from router.web.snippet_file import fixed_line, moving_line


class PageNumberOut(Answer):
    """A number of the pages beside the main ones, and the pools that serve it."""

    number: str = Field(examples=["+74951234599"])
    pools: list[Named]


class SnippetOut(Answer):
    """`newest` and `this_version` are lines for the <head> of the site's pages."""

    newest: str = Field(json_schema_extra={"readOnly": True})
    this_version: str = Field(json_schema_extra={"readOnly": True})
    cookie_domain: str | None = Field(examples=["shop.example"])
    server_token: bool = Field(description="Whether the site's own server has one.")
    page_numbers: list[PageNumberOut]


class SnippetChange(Body):
    cookie_domain: Name | None = absent(
        examples=["shop.example"],
        description="One visitor over all its hosts; null: over one host.",
    )


class PageNumberChange(Body):
    number: E164 | None = Field(
        examples=["+74951234599"],
        description="One of the site's page numbers; null: its main ones.",
    )


class TokenOut(Answer):
    """Told once: only its hash is kept."""

    token: str


class Snippets:
    def __init__(self, listing: Listing, writes: Writes, public_url: str) -> None:
        self._listing = listing
        self._writes = writes
        self._public_url = public_url

    def endpoints(self) -> list[Endpoint]:
        of_site = f"/v1/sites/{ID}/snippet"
        return [
            Endpoint(
                method="GET",
                path=of_site,
                handler=self.read,
                summary="What a site's pages carry.",
                answers={200: SnippetOut},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="PATCH",
                path=of_site,
                handler=self.edit,
                summary="Edit it: what is not given stays as it is.",
                body=SnippetChange,
                accepts=(JSON,),
                headers=(KEY, IF_MATCH),
                answers={200: SnippetOut},
                errors=ERRORS,
            ),
            Endpoint(
                method="POST",
                path=f"/v1/sites/{ID}/server-token",
                handler=self.make_token,
                summary="A new token for the site's own server; the one before ends. It takes no"
                " Idempotency-Key: a kept answer would keep the token.",
                answers={201: TokenOut},
                errors=ERRORS,
            ),
            Endpoint(
                method="PUT",
                path=f"/v1/pools/{ID}/page-number",
                handler=self.serve,
                summary="Let a pool serve one of several numbers of its site's pages.",
                body=PageNumberChange,
                accepts=(JSON,),
                headers=(KEY,),
                answers={200: SnippetOut},
                errors=ERRORS,
            ),
        ]

    async def read(self, request: web.Request) -> web.StreamResponse:
        owner, site = request[ACTOR].organisation_id, int(request.match_info["id"])
        return read_answer(await self._one(self._listing, owner, site))

    async def edit(self, request: web.Request) -> web.StreamResponse:
        site, body = int(request.match_info["id"]), await read_json(request, SnippetChange)

        async def work(change: Change) -> BaseModel:
            await change.unchanged(lambda found: self._one(found, change.owner, site))
            if "cookie_domain" in body.changes():
                await change.administration.set_cookie_domain(
                    site, body.cookie_domain, by=change.by
                )
            return await self._one(change.listing, change.owner, site)

        return await self._writes.answer(request, work, subject="site")

    async def make_token(self, request: web.Request) -> web.StreamResponse:
        if KEY.name in request.headers:
            raise FieldError(KEY.name, "is not taken here: a kept answer would keep the token")
        site = int(request.match_info["id"])

        async def work(change: Change) -> BaseModel:
            return TokenOut(token=await change.administration.new_server_token(site, by=change.by))

        return await self._writes.answer(request, work, status=201, subject="site")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        pool, body = int(request.match_info["id"]), await read_json(request, PageNumberChange)

        async def work(change: Change) -> BaseModel:
            await change.administration.serve_page_number(pool, body.number, by=change.by)
            home = (await change.listing.pool(change.owner, pool)).row["site_id"]
            return await self._one(change.listing, change.owner, home)

        return await self._writes.answer(request, work, subject="pool")

    async def _one(self, listing: Listing, owner: OrganisationId, site: int) -> SnippetOut:
        found = await listing.snippet(owner, site)
        pools: dict[str, list[Named]] = {}
        for served in found.served:
            named = Named(id=served.pool_id, name=served.pool)
            pools.setdefault(served.number, []).append(named)
        return SnippetOut(
            newest=moving_line(self._public_url, found.key),
            this_version=fixed_line(self._public_url, found.key),
            cookie_domain=found.cookie_domain,
            server_token=found.server_token,
            page_numbers=[PageNumberOut(number=n, pools=each) for n, each in pools.items()],
        )
