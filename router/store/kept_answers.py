"""Answers to writes that carry a key, so that a repeated request gets the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.domain.model import OrganisationId
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class KeptAnswer:
    """`digest` is that of the request it was given to; without `status` there is no answer yet."""

    digest: bytes
    status: int | None
    body: bytes | None
    etag: str | None


async def begin(
    queries: Queries, organisation_id: OrganisationId, key: str, digest: bytes, now: datetime
) -> bool:
    """False when the key was used within a day. Waits while another transaction uses it."""
    await queries.execute("kept_answers.drop_old", now=now)
    begun = await queries.fetchval(
        "kept_answers.begin", organisation_id=organisation_id, key=key, digest=digest, now=now
    )
    return begun is not None


async def kept(queries: Queries, organisation_id: OrganisationId, key: str) -> KeptAnswer | None:
    row = await queries.fetchrow("kept_answers.kept", organisation_id=organisation_id, key=key)
    return KeptAnswer(**row) if row else None


async def keep(
    queries: Queries,
    organisation_id: OrganisationId,
    key: str,
    *,
    status: int,
    body: bytes,
    etag: str | None,
) -> None:
    await queries.execute(
        "kept_answers.keep",
        organisation_id=organisation_id,
        key=key,
        status=status,
        body=body,
        etag=etag,
    )
