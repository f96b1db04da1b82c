"""Lists in pages: what comes after what was seen, however much is added meanwhile."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from router.domain.errors import FieldError

T = TypeVar("T")
OUT = TypeVar("OUT")

_MOST = 2**63 - 1


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(50, ge=1, le=200, examples=[50])
    cursor: str | None = Field(
        None,
        max_length=100,
        description="`next` of the page before; its inside is nobody's business.",
        examples=["MTIz"],
    )

    def seen(self, otherwise: int = 0) -> int:
        """The id of the last thing seen. Raises FieldError."""
        if self.cursor is None:
            return otherwise
        try:
            text = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
            found = int(text) if text.isdigit() else -1
        except (binascii.Error, ValueError):
            found = -1
        if not 0 <= found <= _MOST:
            raise FieldError("cursor", "is not `next` of a page", "MTIz")
        return found


def newest() -> int:
    """Where a list begins that goes backwards."""
    return _MOST


def cut(
    found: Sequence[T], limit: int, identity: Callable[[T], int], out: Callable[[T], OUT]
) -> tuple[list[OUT], str | None]:
    """A page of at most `limit` of what was `found` (one more, if there is more), and its `next`."""
    page = found[:limit]
    following = None
    if len(found) > limit:
        last = str(identity(page[-1])).encode()
        following = base64.urlsafe_b64encode(last).decode().rstrip("=")
    return [out(each) for each in page], following
