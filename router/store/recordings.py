"""Recordings of calls, and the calls whose recordings are still to be looked for."""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Linked:
    """A recording as it is written down; `size` in bytes."""

    path: str
    size: int
    duration_ms: int
    truncated: bool


async def link(
    queries: Queries, call_id: CallId, recordings: Sequence[Linked], now: datetime
) -> None:
    """Link a call's recordings to it, and note that they have been looked for; found again they are
    measured again."""
    await queries.fetch(
        "recordings.link",
        call_id=call_id,
        paths=[one.path for one in recordings],
        sizes=[one.size for one in recordings],
        durations_ms=[one.duration_ms for one in recordings],
        truncated=[one.truncated for one in recordings],
        now=now,
    )
