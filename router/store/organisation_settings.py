"""Settings that an organisation has changed."""

from __future__ import annotations

from datetime import datetime

from router.domain.model import OrganisationId
from router.domain.organisation_settings import OrganisationSettings, Value, settings
from router.store.database import Queries


async def stored(queries: Queries, organisation_id: OrganisationId) -> dict[str, Value]:
    """The values that are not the defaults, by name."""
    rows = await queries.fetch("organisation_settings.stored", organisation_id=organisation_id)
    return {row["name"]: row["value"] for row in rows}


async def load(queries: Queries, organisation_id: OrganisationId) -> OrganisationSettings:
    """Every setting of the organisation."""
    return settings(await stored(queries, organisation_id))


async def put(
    queries: Queries, organisation_id: OrganisationId, name: str, value: Value, changed_at: datetime
) -> None:
    await queries.execute(
        "organisation_settings.put",
        organisation_id=organisation_id,
        name=name,
        value=value,
        changed_at=changed_at,
    )


async def forget(queries: Queries, organisation_id: OrganisationId, name: str) -> bool:
    """False where it was the default already."""
    found = await queries.fetch(
        "organisation_settings.forget", organisation_id=organisation_id, name=name
    )
    return bool(found)
