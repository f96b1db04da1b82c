"""Recordings of calls, and the calls whose recordings are still to be looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.domain.model import CallId, OrganisationId
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class Unheard:
    """An answered call that has ended."""

    id: CallId
    ref: str
    linkedid: str
    organisation_id: OrganisationId | None
    arrived_at: datetime
    ended_at: datetime
    talk_ms: int | None
    wanted: bool


async def unheard(queries: Queries, ended_before: datetime, most: int) -> list[Unheard]:
    """Calls whose recordings have not been looked for, the longest ended first."""
    rows = await queries.fetch("recordings.unheard", ended_before=ended_before, most=most)
    return [Unheard(**row) for row in rows]


async def add(
    queries: Queries,
    *,
    call_id: CallId,
    path: str,
    size: int,
    duration_ms: int,
    truncated: bool,
    now: datetime,
) -> None:
    """Link a recording to its call; found again it is measured again."""
    await queries.execute(
        "recordings.add",
        call_id=call_id,
        path=path,
        bytes=size,
        duration_ms=duration_ms,
        truncated=truncated,
        now=now,
    )


async def looked(queries: Queries, call_id: CallId, now: datetime) -> None:
    """The recordings of this call have been looked for."""
    await queries.execute("recordings.looked", call_id=call_id, now=now)
