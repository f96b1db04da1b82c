"""One route: what it is for, what it takes and gives. Routes and the OpenAPI document come from the same table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

from router.web.answers import from_validation
from router.web.schemas import Problem

M = TypeVar("M", bound=BaseModel)

# A model is JSON; a string is another media type; None is an answer without a body.
Content = type[BaseModel] | str | None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`path` is aiohttp's, with patterns. An `open` one of the staff listener needs no token."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Content]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    open: bool = False
    errors: Sequence[int] = field(default=())

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
