"""Every write of the admin API: once, if it is still as its sender thinks, and by whom.

A write is one transaction: the change, its audit entry, and, where it carries an Idempotency-Key, its answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from router.domain.errors import FieldError, FieldErrors, NoSuch, NotFound
from router.domain.model import OrganisationId
from router.services.administration import Administration
from router.services.listing import Listing
from router.services.once import Asked, Once, Written
from router.services.work import By
from router.store.database import Database
from router.web.admin.bodies import BODY, MODEL
from router.web.answers import Changed
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Content, Endpoint, Header

# Of every write; reading endpoints need not tell them.
ERRORS = (400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 503)
READ_ERRORS = (400, 401, 404, 429, 503)
KEY = Header(
    name="Idempotency-Key",
    description="Names this write: sent again within 24 hours it is not made again, and gets the same answer.",
    example="4c1e7d6e-order-17",
)
IF_MATCH = Header(
    name="If-Match",
    description="The ETag of what you read: the write is refused (412) if it has changed since.",
    example='"5f2b9c1d7a3e4f60"',
)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# Fields that services call by one of their values, as JSON calls the list.
_LISTS: Mapping[str, str] = {
    "rule": "rules",
    "origin": "origins",
    "page_number": "page_numbers",
    "number": "numbers",
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """A write in progress: services within its transaction, and who makes it."""

    database: Database
    administration: Administration
    listing: Listing
    by: By
    owner: OrganisationId
    if_match: str | None

    async def unchanged(self, read: Callable[[Listing], Awaitable[BaseModel]]) -> None:
        """Raises Changed unless what `read` finds is what the sender has seen; NotFound if it is not there."""
        found = await read(self.listing)
        if self.if_match not in (None, "*"):
            seen = {tag.strip() for tag in (self.if_match or "").split(",")}
            if etag(found) not in seen:
                raise Changed


def writing(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    answers: Mapping[int, Content],
    body: type[BaseModel] | None = None,
) -> Endpoint:
    """An endpoint that writes."""
    return Endpoint(
        method=method,
        path=path,
        handler=handler,
        summary=summary,
        body=body,
        accepts=(JSON,),
        headers=(KEY,),
        answers=answers,
        errors=ERRORS,
    )


def reading(
    path: str,
    handler: Handler,
    summary: str,
    answer: Content,
    query: type[BaseModel] | None = None,
) -> Endpoint:
    """An endpoint that reads."""
    return Endpoint(
        method="GET",
        path=path,
        handler=handler,
        summary=summary,
        query=query,
        answers={200: answer},
        errors=READ_ERRORS,
    )


Work = Callable[[Change], Awaitable[BaseModel | None]]


class Writes:
    """Makes writes of requests."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._once = Once(database)
        self._clock = clock

    async def answer(
        self,
        request: web.Request,
        work: Work,
        *,
        status: int = 200,
        subject: str = "",
        patience: float = 10.0,
    ) -> web.Response:
        """What `work` makes of it. `subject`: what services call the thing that the path names."""
        actor, now = request[ACTOR], self._clock()
        key = request.headers.get(KEY.name)
        if key is not None and not _KEY.fullmatch(key):
            raise FieldError(KEY.name, "is not 1 to 255 visible ASCII characters", KEY.example)
        asked = Asked(
            organisation_id=actor.organisation_id, key=key, digest=_digest(request), now=now
        )

        async def written(database: Database) -> Written:
            change = Change(
                database=database,
                administration=Administration(database),
                listing=Listing(database),
                by=By(actor=actor.name, now=now, organisation=actor.organisation_id),
                owner=actor.organisation_id,
                if_match=request.headers.get(IF_MATCH.name),
            )
            made = await work(change)
            if made is None:
                return Written(status=204, body=b"")
            return Written(status=status, body=made.model_dump_json().encode(), etag=etag(made))

        try:
            done = await self._once.write(asked, written, patience=patience)
        except (FieldError, FieldErrors) as refused:
            model = request.get(MODEL)
            known = frozenset(model.model_fields) if model else frozenset()
            raise in_json(refused, subject, known) from refused
        return _response(done)


def etag(found: BaseModel) -> str:
    """A digest of what can be edited: figures that change by themselves are left out."""
    volatile = {
        name
        for name, field in type(found).model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("readOnly")
    }
    text = found.model_dump_json(exclude=volatile)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def read_answer(found: BaseModel) -> web.Response:
    """One thing, with the tag for If-Match."""
    return _response(Written(status=200, body=found.model_dump_json().encode(), etag=etag(found)))


def _response(done: Written) -> web.Response:
    answer = web.Response(status=done.status, body=done.body or None)
    if done.body:
        answer.headers["Content-Type"] = "application/json; charset=utf-8"
    if done.etag:
        answer.headers["ETag"] = done.etag
    if done.replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _digest(request: web.Request) -> bytes:
    parts = (request.method, request.path_qs, request.headers.get(IF_MATCH.name, ""))
    head = "\n".join(parts).encode(errors="surrogateescape")
    return hashlib.sha256(head + b"\n" + request.get(BODY, b"")).digest()


def in_json(refused: FieldError | FieldErrors, subject: str, known: Collection[str]) -> Exception:
    """The refusal with the fields' names in the body; of what the path names, that there is no such thing."""
    if isinstance(refused, NoSuch) and refused.field == subject:
        return NotFound()
    if isinstance(refused, FieldErrors):
        return FieldErrors([_renamed(problem, known) for problem in refused.problems])
    return _renamed(refused, known)


def _renamed(refused: FieldError, known: Collection[str]) -> FieldError:
    name = _LISTS.get(refused.field)
    if name is None or refused.field in known or name not in known:
        return refused
    return FieldError(name, refused.problem, refused.example)
