"""Numbers in quantity, and the blocks they come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from router.domain.model import OrganisationId, PoolId, TargetId
from router.domain.numbering import Block
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class BlockRow:
    id: int
    organisation_id: OrganisationId
    block: Block
    block_id: str
    carrier: str | None
    region: str | None
    rate_centre: str | None
    contaminated: tuple[str, ...]
    ported: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class There:
    """A number that is a row already."""

    organisation_id: OrganisationId
    withdrawn: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NewNumber:
    e164: str
    block_id: int | None
    carrier: str | None
    region: str | None
    rate_centre: str | None
    monthly_cost: Decimal | None
    currency: str | None
    trunk_id: int | None
    pool_id: PoolId | None
    target_id: TargetId | None
    record: bool | None
    standing: str
    withdrawn: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedNumber:
    """`block_id` is our own id of the block; `standing` is ``withdrawn`` where the number is."""

    e164: str
    block_id: int | None
    carrier: str | None
    region: str | None
    rate_centre: str | None
    monthly_cost: Decimal | None
    currency: str | None
    trunk: str | None
    site: str | None
    pool: str | None
    target: str | None
    record: bool | None
    standing: str


async def blocks(queries: Queries) -> list[BlockRow]:
    """Every organisation's, by prefix."""
    return [
        BlockRow(
            id=row["id"],
            organisation_id=row["organisation_id"],
            block=Block(prefix=row["prefix"], places=row["places"]),
            block_id=row["block_id"],
            carrier=row["carrier"],
            region=row["region"],
            rate_centre=row["rate_centre"],
            contaminated=tuple(row["contaminated"]),
            ported=tuple(row["ported"]),
        )
        for row in await queries.fetch("stock.blocks")
    ]


async def there(queries: Queries, e164s: Sequence[str]) -> dict[str, There]:
    rows = await queries.fetch("stock.there", e164s=list(e164s))
    return {
        row["e164"]: There(organisation_id=row["organisation_id"], withdrawn=row["withdrawn"])
        for row in rows
    }


async def put_block(
    queries: Queries,
    organisation_id: OrganisationId,
    block: Block,
    *,
    block_id: str,
    carrier: str | None,
    region: str | None,
    rate_centre: str | None,
    contaminated: Sequence[str],
    ported: Sequence[str],
    created_at: datetime,
) -> int:
    identity: int = await queries.fetchval(
        "stock.put_block",
        organisation_id=organisation_id,
        prefix=block.prefix,
        places=block.places,
        block_id=block_id,
        carrier=carrier,
        region=region,
        rate_centre=rate_centre,
        contaminated=list(contaminated),
        ported=list(ported),
        created_at=created_at,
    )
    return identity


async def put_numbers(
    queries: Queries, organisation_id: OrganisationId, numbers: Sequence[NewNumber], now: datetime
) -> int:
    """How many were taken in; those that are in use already, or another's, were not."""
    taken: int = await queries.fetchval(
        "stock.put_numbers",
        organisation_id=organisation_id,
        e164s=[one.e164 for one in numbers],
        block_ids=[one.block_id for one in numbers],
        carriers=[one.carrier for one in numbers],
        regions=[one.region for one in numbers],
        rate_centres=[one.rate_centre for one in numbers],
        costs=[one.monthly_cost for one in numbers],
        currencies=[one.currency for one in numbers],
        trunk_ids=[one.trunk_id for one in numbers],
        pool_ids=[one.pool_id for one in numbers],
        target_ids=[one.target_id for one in numbers],
        records=[one.record for one in numbers],
        standings=[one.standing for one in numbers],
        withdrawns=[one.withdrawn for one in numbers],
        now=now,
    )
    return taken


async def exported(queries: Queries, organisation_id: OrganisationId) -> list[ExportedNumber]:
    """Every number of an organisation, by E.164."""
    rows = await queries.fetch("stock.exported", organisation_id=organisation_id)
    return [ExportedNumber(**row) for row in rows]


async def carriers(queries: Queries, pool_ids: Collection[PoolId]) -> dict[PoolId, frozenset[str]]:
    """The carriers that the numbers of each pool come from."""
    found: defaultdict[PoolId, set[str]] = defaultdict(set)
    for row in await queries.fetch("stock.carriers", pool_ids=list(pool_ids)):
        found[row["pool_id"]].add(row["carrier"])
    return {pool_id: frozenset(names) for pool_id, names in found.items()}
