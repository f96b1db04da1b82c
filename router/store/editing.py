"""Changes of what was set up, and its removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import asyncpg

from router.domain.errors import StillNeeded
from router.domain.model import (
    NumberId,
    OrganisationId,
    Pool,
    PoolId,
    Site,
    SiteId,
    Target,
    TargetId,
)
from router.domain.rules import to_json
from router.store.database import Queries

# Never changed: what a thing is, and whose.
_POOL_FIXED = frozenset({"site_id", "kind"})
_SITE_FIXED = frozenset({"key"})


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What still needs a thing: how many of what kind, and the name of one."""

    what: str
    n: int
    example: str


async def rename_organisation(queries: Queries, organisation_id: OrganisationId, name: str) -> None:
    await queries.execute("editing.organisation", id=organisation_id, name=name)


async def edit_trunk(
    queries: Queries,
    organisation_id: OrganisationId,
    trunk_id: int,
    *,
    name: str,
    target_id: TargetId | None,
) -> None:
    await queries.execute(
        "editing.trunk",
        organisation_id=organisation_id,
        id=trunk_id,
        name=name,
        target_id=target_id,
    )


async def edit_target(
    queries: Queries, organisation_id: OrganisationId, target: Target, trunk_id: int | None
) -> None:
    values = {k: v for k, v in asdict(target).items() if k != "trunk"}
    await queries.execute(
        "editing.target", organisation_id=organisation_id, trunk_id=trunk_id, **values
    )


async def edit_site(queries: Queries, site: Site) -> None:
    values = {k: v for k, v in asdict(site).items() if k not in _SITE_FIXED}
    values |= {"origins": list(site.origins), "page_numbers": list(site.page_numbers)}
    await queries.execute("editing.site", **values)


async def edit_pool(queries: Queries, pool: Pool) -> None:
    values: dict[str, Any] = {k: v for k, v in asdict(pool).items() if k not in _POOL_FIXED}
    values |= {"rules": [to_json(rule) for rule in pool.rules], "binding": list(pool.binding)}
    await queries.execute("editing.pool", **values)


@dataclass(frozen=True, kw_only=True)
class NumberLines:
    """Where a number's calls come from and go to; None stands for its pool's or site's."""

    id: NumberId
    trunk_id: int | None
    target_id: TargetId | None
    record: bool | None


async def number(
    queries: Queries, organisation_id: OrganisationId, e164: str
) -> NumberLines | None:
    """None unless it is in use and this organisation's."""
    row = await queries.fetchrow("editing.number", organisation_id=organisation_id, e164=e164)
    return NumberLines(**row) if row else None


async def edit_number(
    queries: Queries, organisation_id: OrganisationId, lines: NumberLines
) -> None:
    await queries.execute("editing.put_number", organisation_id=organisation_id, **asdict(lines))


Kind = Literal["trunk", "target", "site", "pool"]
_HELD: dict[Kind, str] = {
    "trunk": "editing.trunk_held",
    "target": "editing.target_held",
    "site": "editing.site_held",
    "pool": "editing.pool_held",
}
_DELETE: dict[Kind, str] = {
    "trunk": "editing.delete_trunk",
    "target": "editing.delete_target",
    "site": "editing.delete_site",
    "pool": "editing.delete_pool",
}


async def held_by(
    queries: Queries, organisation_id: OrganisationId, kind: Kind, identity: int | SiteId | PoolId
) -> Sequence[Holding]:
    """Everything that would lose what it points at."""
    rows = await queries.fetch(_HELD[kind], organisation_id=organisation_id, id=identity)
    return [Holding(**row) for row in rows if row["n"]]


async def delete(
    queries: Queries, organisation_id: OrganisationId, kind: Kind, identity: int | SiteId | PoolId
) -> None:
    """Raises StillNeeded where something refers to it that `held_by` does not look at."""
    try:
        await queries.execute(_DELETE[kind], organisation_id=organisation_id, id=identity)
    except asyncpg.ForeignKeyViolationError as error:
        raise StillNeeded(kind, f"the history in {error.table_name} needs it") from error
