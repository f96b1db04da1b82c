"""Handing out numbers: all visits that waited together, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from router.domain.model import Device, NumberId, OrganisationId, PoolId, SessionId, SiteId
from router.store.database import Queries


class HandOut(NamedTuple):
    """One visit to be written, in the order of the statement's columns.

    `session_id` is None for a new session. With `pool_id`, `number_id` is handed out: taken (`take`)
    if its version is still `version`, or renewed if the session still holds it. Without, it is only
    what the page shows. `ends` says why the number's earlier reservation ends, if it has not ended.
    """

    key: UUID
    session_id: SessionId | None
    organisation_id: OrganisationId
    site_id: SiteId
    visitor: UUID
    ordinal: int
    device: Device
    landing_url: str
    referrer: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    click_ids: str
    number_id: NumberId | None
    version: int
    take: bool
    pool_id: PoolId | None
    ends: str
    until: datetime | None
    shown: str
    overflow: bool
    channel: str


_COLUMNS = (
    "keys",
    "session_ids",
    "organisation_ids",
    "site_ids",
    "visitors",
    "ordinals",
    "devices",
    "landing_urls",
    "referrers",
    "sources",
    "mediums",
    "campaigns",
    "terms",
    "contents",
    "click_ids",
    "number_ids",
    "versions",
    "takes",
    "pool_ids",
    "ends",
    "untils",
    "shown",
    "overflows",
    "channels",
)


async def hand_out(queries: Queries, visits: Sequence[HandOut], now: datetime) -> set[UUID]:
    """Write all `visits`; returns the keys of those that were, the others lost a race.

    No number may be handed out twice in one call: the statement would give it to both.
    """
    handed = [visit.number_id for visit in visits if visit.pool_id is not None]
    if len(set(handed)) != len(handed):
        raise ValueError("one number is handed out twice in one batch")
    columns = dict(zip(_COLUMNS, map(list, zip(*visits, strict=True)), strict=True))
    rows = await queries.fetch("reservations.hand_out", **columns, now=now)
    return {row["key"] for row in rows}
