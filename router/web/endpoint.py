"""One route: what it is for, what it takes and gives. Routes and the OpenAPI document come from the same table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

from router.domain.model import Scope
from router.web.answers import from_validation
from router.web.schemas import Problem

M = TypeVar("M", bound=BaseModel)

# A model is JSON; a string is another media type; None is an answer without a body.
Content = type[BaseModel] | str | None


JSON = "application/json"
READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, kw_only=True)
class Header:
    """A header of a request that means something to one endpoint."""

    name: str
    description: str
    example: str


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`path` is aiohttp's, with patterns. An `open` one of the staff listener needs no token; the others
    need one of the `scope`, which is that of the method unless it is given. `accepts`: media types of the
    body; where `body` is no model, it is text of that type."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Content]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    open: bool = False
    errors: Sequence[int] = field(default=())
    # text/plain carries the same JSON: a beacon of that type is sent without a preflight
    accepts: Sequence[str] = (JSON, "text/plain")
    text_body: bool = False
    headers: Sequence[Header] = ()
    needs: Scope | None = None

    @property
    def scope(self) -> Scope:
        """What a token must be for."""
        return self.needs or ("read" if self.method in READING else "write")

    def all_answers(self) -> dict[int, Content]:
        return {**self.answers, **dict.fromkeys(self.errors, Problem)}


def mount(application: web.Application, endpoints: Sequence[Endpoint]) -> None:
    """Each endpoint as a route; another method of a known path gets 405 by itself."""
    for endpoint in endpoints:
        application.router.add_route(endpoint.method, endpoint.path, endpoint.handler)


def read_query(model: type[M], request: web.Request) -> M:
    """The query as a value. Raises BadBody that names every wrong parameter."""
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise from_validation(model, error) from None
