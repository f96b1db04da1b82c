"""The audit trail: append-only, who did what to what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from router.domain.model import OrganisationId
from router.store.database import Queries


async def add(
    queries: Queries,
    *,
    organisation_id: OrganisationId,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
    unless_since: datetime | None = None,
) -> None:
    """Write one entry; with `unless_since` only if the same one was not written after that moment."""
    values = {
        "organisation_id": organisation_id,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": dict(detail or {}),
    }
    if unless_since is None:
        await queries.execute("audit.add", **values)
    else:
        await queries.execute("audit.add_unless_since", **values, since=unless_since)
