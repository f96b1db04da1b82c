"""The audit trail: who changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from router.services.listing import Listing
from router.store.listing import AuditLine
from router.web.admin.pages import PageQuery, cut, newest
from router.web.admin.writes import READ_ERRORS
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import Endpoint, read_query
from router.web.schemas import Answer

# PostgreSQL keeps every character but NUL
_Word = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]+$")]


class AuditOut(Answer):
    """One entry; an edit's `detail` has the new values, and those that there were in `was`."""

    id: int
    at: datetime
    actor: str = Field(examples=["token provisioning"])
    action: str = Field(examples=["pool.edit"])
    subject: str = Field(examples=["ads"])
    detail: dict[str, Any] = Field(examples=[{"priority": 10, "was": {"priority": 100}}])

    @classmethod
    def of(cls, line: AuditLine) -> AuditOut:
        return cls(**vars(line))


class AuditPage(Answer):
    items: list[AuditOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class AuditQuery(PageQuery):
    action: _Word | None = Field(None, examples=["pool.edit"])
    actor: _Word | None = Field(None, examples=["token provisioning"])
    subject: _Word | None = Field(None, examples=["ads"])
    since: AwareDatetime | None = Field(None, examples=["2026-11-01T00:00:00Z"])
    until: AwareDatetime | None = Field(None, examples=["2026-12-01T00:00:00Z"])


class Audit:
    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/v1/audit",
                handler=self.list,
                summary="Who changed or heard what, newest first, in pages.",
                query=AuditQuery,
                answers={200: AuditPage},
                errors=READ_ERRORS,
            )
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        query = read_query(AuditQuery, request)
        found = await self._listing.audit(
            request[ACTOR].organisation_id,
            before=query.seen(newest()),
            most=query.limit + 1,
            action=query.action,
            actor=query.actor,
            subject=query.subject,
            since=query.since,
            until=query.until,
        )
        items, following = cut(found, query.limit, lambda line: line.id, AuditOut.of)
        return json_answer(AuditPage(items=items, next=following))
