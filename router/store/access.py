"""Tokens, sign-in codes and staff sessions, all by their SHA-256 digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.domain.model import OrganisationId, Scope
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    name: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a token or a session; `used_at` is when it was last used, as far as was written down."""

    organisation_id: OrganisationId
    name: str
    used_at: datetime | None
    scope: Scope


async def put_token(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    name: str,
    scope: Scope,
    digest: bytes,
    created_at: datetime,
) -> None:
    await queries.execute(
        "access.put_token",
        organisation_id=organisation_id,
        name=name,
        scope=scope,
        digest=digest,
        created_at=created_at,
    )


async def tokens(queries: Queries, organisation_id: OrganisationId) -> list[TokenRow]:
    rows = await queries.fetch("access.tokens", organisation_id=organisation_id)
    return [TokenRow(**row) for row in rows]


async def revoke_token(
    queries: Queries, organisation_id: OrganisationId, *, name: str, now: datetime
) -> bool:
    """False when there is no valid token of that name."""
    found = await queries.fetchval(
        "access.revoke_token", organisation_id=organisation_id, name=name, now=now
    )
    return found is not None


async def token_holder(queries: Queries, digest: bytes) -> Holder | None:
    row = await queries.fetchrow("access.token_holder", digest=digest)
    if row is None:
        return None
    return Holder(
        organisation_id=row["organisation_id"],
        name=row["name"],
        used_at=row["last_used_at"],
        scope=row["scope"],
    )


async def touch_token(queries: Queries, digest: bytes, now: datetime) -> None:
    await queries.execute("access.touch_token", digest=digest, now=now)


async def put_code(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    digest: bytes,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    await queries.execute(
        "access.put_code",
        digest=digest,
        organisation_id=organisation_id,
        created_at=created_at,
        expires_at=expires_at,
    )


async def use_code(queries: Queries, digest: bytes, now: datetime) -> OrganisationId | None:
    """Whose code this was; None when it is unknown, used or expired."""
    found: OrganisationId | None = await queries.fetchval("access.use_code", digest=digest, now=now)
    return found


async def put_session(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    digest: bytes,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    await queries.execute(
        "access.put_session",
        digest=digest,
        organisation_id=organisation_id,
        created_at=created_at,
        expires_at=expires_at,
    )


async def session_holder(
    queries: Queries, digest: bytes, *, now: datetime, seen_after: datetime
) -> Holder | None:
    row = await queries.fetchrow(
        "access.session_holder", digest=digest, now=now, seen_after=seen_after
    )
    if row is None:
        return None
    return Holder(
        organisation_id=row["organisation_id"],
        name=f"session {digest[:4].hex()}",
        used_at=row["seen_at"],
        scope="write",  # a person at the staff pages
    )


async def touch_session(queries: Queries, digest: bytes, now: datetime) -> None:
    await queries.execute("access.touch_session", digest=digest, now=now)


async def revoke_session(queries: Queries, digest: bytes, now: datetime) -> None:
    await queries.execute("access.revoke_session", digest=digest, now=now)
