"""What is set up, page by page, as programs read it: scoped by organisation, ordered by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar, cast

from router.domain.model import OrganisationId
from router.store.database import Queries

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class TrunkLine:
    id: int
    name: str
    target_id: int | None
    target: str | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class TargetLine:
    id: int
    name: str
    kind: str
    endpoint: str | None
    e164: str | None
    trunk_id: int | None
    trunk: str | None
    ring_seconds: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class SiteLine:
    id: int
    key: str
    name: str
    origins: Sequence[str]
    region: str
    time_zone: str
    default_number: str
    page_numbers: Sequence[str]
    target_id: int
    target: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class PoolLine:
    """`row` has every column of the pool, `rules` as they are stored."""

    id: int
    site: str
    target: str | None
    numbers: int
    row: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class NumberLine:
    id: int
    e164: str
    standing: str
    pool_id: int | None
    pool: str | None
    site_id: int | None
    site: str | None
    trunk_id: int | None
    trunk: str | None
    target_id: int | None
    target: str | None
    record: bool | None
    carrier: str | None
    region: str | None
    channel: str | None
    created_at: datetime
    withdrawn_at: datetime | None
    reserved_until: datetime
    held: bool


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def _line(kind: type[T], row: Any) -> T:
    return kind(**{field.name: row[field.name] for field in fields(cast(Any, kind))})


async def trunks(
    queries: Queries,
    owner: OrganisationId,
    *,
    identity: int | None = None,
    after: int = 0,
    most: int = 1,
) -> list[TrunkLine]:
    rows = await queries.fetch(
        "listing.trunks", organisation_id=owner, id=identity, after=after, most=most
    )
    return [_line(TrunkLine, row) for row in rows]


async def targets(
    queries: Queries,
    owner: OrganisationId,
    *,
    identity: int | None = None,
    after: int = 0,
    most: int = 1,
) -> list[TargetLine]:
    rows = await queries.fetch(
        "listing.targets", organisation_id=owner, id=identity, after=after, most=most
    )
    return [_line(TargetLine, row) for row in rows]


async def sites(
    queries: Queries,
    owner: OrganisationId,
    *,
    identity: int | None = None,
    after: int = 0,
    most: int = 1,
) -> list[SiteLine]:
    rows = await queries.fetch(
        "listing.sites", organisation_id=owner, id=identity, after=after, most=most
    )
    return [_line(SiteLine, row) for row in rows]


async def pools(
    queries: Queries,
    owner: OrganisationId,
    *,
    identity: int | None = None,
    after: int = 0,
    most: int = 1,
    site_id: int | None = None,
    kind: str | None = None,
) -> list[PoolLine]:
    rows = await queries.fetch(
        "listing.pools",
        organisation_id=owner,
        id=identity,
        after=after,
        most=most,
        site_id=site_id,
        kind=kind,
    )
    return [
        PoolLine(
            id=row["id"],
            site=row["site"],
            target=row["target"],
            numbers=row["numbers"],
            row=dict(row),
        )
        for row in rows
    ]


async def numbers(
    queries: Queries,
    owner: OrganisationId,
    *,
    after: int,
    most: int,
    pool_id: int | None,
    site_id: int | None,
    standing: str | None,
    withdrawn: bool | None,
) -> list[NumberLine]:
    rows = await queries.fetch(
        "listing.numbers",
        organisation_id=owner,
        after=after,
        most=most,
        pool_id=pool_id,
        site_id=site_id,
        standing=standing,
        withdrawn=withdrawn,
    )
    return [_line(NumberLine, row) for row in rows]


async def number(queries: Queries, owner: OrganisationId, e164: str) -> NumberLine | None:
    row = await queries.fetchrow("listing.number", organisation_id=owner, e164=e164)
    return _line(NumberLine, row) if row else None


async def audit(
    queries: Queries,
    owner: OrganisationId,
    *,
    before: int,
    most: int,
    action: str | None,
    actor: str | None,
    subject: str | None,
    since: datetime | None,
    until: datetime | None,
) -> list[AuditLine]:
    rows = await queries.fetch(
        "listing.audit",
        organisation_id=owner,
        before=before,
        most=most,
        action=action,
        actor=actor,
        subject=subject,
        since=since,
        until=until,
    )
    return [_line(AuditLine, row) for row in rows]
