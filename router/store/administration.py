"""What administrators set up: organisations, trunks, targets, sites, pools, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeVar, cast

from router.domain.model import (
    NumberId,
    OrganisationId,
    Pool,
    PoolId,
    Site,
    SiteId,
    Standing,
    Target,
    TargetId,
)
from router.domain.rules import to_json
from router.domain.rules.stored import all_from_json
from router.store.database import Queries

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class OrganisationRow:
    id: OrganisationId
    name: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class TrunkRow:
    id: int
    name: str
    target: str | None


@dataclass(frozen=True, kw_only=True)
class PoolRow:
    """A pool with what a list shows beside it."""

    pool: Pool
    site: str
    region: str
    numbers: int


@dataclass(frozen=True, kw_only=True)
class NumberRow:
    id: NumberId
    e164: str
    pool: str | None
    site: str | None
    trunk: str | None
    target: str | None
    record: bool | None
    withdrawn_at: datetime | None
    standing: Standing
    reserved_until: datetime
    held: bool


def _from_row(kind: type[T], row: Any) -> T:
    """A frozen value from the columns of its names; arrays become tuples."""
    values = {field.name: row[field.name] for field in fields(cast(Any, kind))}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


async def lock(queries: Queries) -> None:
    """Wait for other administrators; held to the end of the transaction."""
    await queries.execute("administration.lock")


async def put_organisation(queries: Queries, name: str, created_at: datetime) -> OrganisationId:
    return OrganisationId(
        await queries.fetchval("administration.put_organisation", name=name, created_at=created_at)
    )


async def organisations(queries: Queries) -> list[OrganisationRow]:
    rows = await queries.fetch("administration.organisations")
    return [_from_row(OrganisationRow, row) for row in rows]


async def put_trunk(
    queries: Queries,
    organisation_id: OrganisationId,
    name: str,
    target_id: TargetId | None,
    created_at: datetime,
) -> int:
    identity: int = await queries.fetchval(
        "administration.put_trunk",
        organisation_id=organisation_id,
        name=name,
        target_id=target_id,
        created_at=created_at,
    )
    return identity


async def direct_trunk(
    queries: Queries, organisation_id: OrganisationId, name: str, target_id: TargetId
) -> bool:
    """False when there is no such trunk."""
    found = await queries.fetchval(
        "administration.direct_trunk",
        organisation_id=organisation_id,
        name=name,
        target_id=target_id,
    )
    return found is not None


async def trunks(queries: Queries, organisation_id: OrganisationId) -> list[TrunkRow]:
    rows = await queries.fetch("administration.trunks", organisation_id=organisation_id)
    return [_from_row(TrunkRow, row) for row in rows]


async def put_target(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    name: str,
    kind: Literal["endpoint", "pstn"],
    endpoint: str | None,
    e164: str | None,
    trunk_id: int | None,
    ring_seconds: int,
    created_at: datetime,
) -> TargetId:
    return TargetId(
        await queries.fetchval(
            "administration.put_target",
            organisation_id=organisation_id,
            name=name,
            kind=kind,
            endpoint=endpoint,
            e164=e164,
            trunk_id=trunk_id,
            ring_seconds=ring_seconds,
            created_at=created_at,
        )
    )


async def targets(queries: Queries, organisation_id: OrganisationId) -> list[Target]:
    rows = await queries.fetch("administration.targets", organisation_id=organisation_id)
    return [_from_row(Target, row) for row in rows]


async def targets_among(queries: Queries, e164s: Sequence[str]) -> set[str]:
    rows = await queries.fetch("administration.targets_among", e164s=list(e164s))
    return {row["e164"] for row in rows}


async def numbers_among(queries: Queries, e164s: Sequence[str]) -> set[str]:
    rows = await queries.fetch("administration.numbers_among", e164s=list(e164s))
    return {row["e164"] for row in rows}


async def time_zone_known(queries: Queries, name: str) -> bool:
    known: bool = await queries.fetchval("administration.time_zone_known", name=name)
    return known


async def origin_known(queries: Queries, origin: str) -> bool:
    known: bool = await queries.fetchval("administration.origin_known", origin=origin)
    return known


async def put_site(queries: Queries, site: Site, created_at: datetime) -> SiteId:
    """`site.id` is not read; the new one is returned."""
    values = {name: value for name, value in asdict(site).items() if name != "id"}
    values |= {"origins": list(site.origins), "page_numbers": list(site.page_numbers)}
    return SiteId(
        await queries.fetchval("administration.put_site", **values, created_at=created_at)
    )


async def sites(queries: Queries, organisation_id: OrganisationId) -> list[Site]:
    rows = await queries.fetch("administration.sites", organisation_id=organisation_id)
    return [_from_row(Site, row) for row in rows]


async def put_pool(queries: Queries, pool: Pool, created_at: datetime) -> PoolId:
    """`pool.id` is not read; the new one is returned."""
    values = {name: value for name, value in asdict(pool).items() if name != "id"}
    values["rules"] = [to_json(rule) for rule in pool.rules]
    return PoolId(
        await queries.fetchval("administration.put_pool", **values, created_at=created_at)
    )


async def pools(queries: Queries, organisation_id: OrganisationId) -> list[PoolRow]:
    rows = await queries.fetch("administration.pools", organisation_id=organisation_id)
    return [
        PoolRow(
            pool=_from_row(Pool, {**row, "rules": all_from_json(row["rules"])}),
            site=row["site"],
            region=row["site_region"],
            numbers=row["numbers"],
        )
        for row in rows
    ]


async def put_numbers(
    queries: Queries,
    organisation_id: OrganisationId,
    e164s: Sequence[str],
    *,
    trunk_id: int | None,
    pool_id: PoolId | None,
    target_id: TargetId | None,
    record: bool | None,
    created_at: datetime,
) -> set[str]:
    """The numbers that were taken in: new ones, and withdrawn ones of this organisation."""
    rows = await queries.fetch(
        "administration.put_numbers",
        organisation_id=organisation_id,
        e164s=list(e164s),
        trunk_id=trunk_id,
        pool_id=pool_id,
        target_id=target_id,
        record=record,
        created_at=created_at,
    )
    return {row["e164"] for row in rows}


async def numbers(queries: Queries, organisation_id: OrganisationId) -> list[NumberRow]:
    rows = await queries.fetch("administration.numbers", organisation_id=organisation_id)
    return [_from_row(NumberRow, row) for row in rows]


async def withdraw_numbers(
    queries: Queries, organisation_id: OrganisationId, e164s: Sequence[str], now: datetime
) -> set[str]:
    """The numbers that were in use and are no more."""
    rows = await queries.fetch(
        "administration.withdraw_numbers",
        organisation_id=organisation_id,
        e164s=list(e164s),
        now=now,
    )
    return {row["e164"] for row in rows}
