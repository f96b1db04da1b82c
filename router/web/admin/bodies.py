"""What the bodies of the admin API have in common: nothing unknown, and only what was given counts."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router.web.answers import from_validation
from router.web.schemas import Answer

M = TypeVar("M", bound=BaseModel)

BODY_AT_MOST = 512 * 1024
TEXT_AT_MOST = 8 * 1024 * 1024  # a CSV file
BODY_SECONDS = 30.0
# what was read, for the digest of the request
BODY = web.RequestKey("admin_body", bytes)
# and as what, for the names of its fields
MODEL = web.RequestKey("admin_model", type)

Identity = Annotated[int, Field(ge=1, le=2**63 - 1)]
Name = Annotated[str, Field(max_length=200)]
# A thing that is referred to: by its id, or by its name.
Ref = Annotated[int | str, Field(examples=["office"], description="A name, or an id.")]
E164 = Annotated[str, Field(max_length=40, examples=["+74951110001"])]


def absent(**told: Any) -> Any:
    """A field that need not be given. Its default is never read: `changes` has what was given."""
    return Field(default_factory=lambda: None, **told)


class Body(BaseModel):
    """What a program sends. An unknown field is a mistake, and refused as one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def changes(self) -> dict[str, Any]:
        """The fields that were given, with their values."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Named(Answer):
    """A thing that is referred to."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["office"])

    @classmethod
    def of(cls, identity: int | None, name: str | None) -> Named | None:
        return None if identity is None or name is None else cls(id=identity, name=name)


async def read_bytes(
    request: web.Request, accepts: tuple[str, ...] = ("application/json",), most: int = BODY_AT_MOST
) -> bytes:
    """The body. Raises the 408, 413 or 415 it deserves."""
    if (request.content_length or 0) > most:
        raise web.HTTPRequestEntityTooLarge(most, request.content_length or 0)
    if request.content_type not in accepts or "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    if len(data) > most:
        raise web.HTTPRequestEntityTooLarge(most, len(data))
    request[BODY] = data
    return data


async def read_json(request: web.Request, model: type[M]) -> M:
    """The body as a value. Raises BadBody that names every wrong field."""
    data = await read_bytes(request)
    request[MODEL] = model
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise from_validation(model, error) from None
