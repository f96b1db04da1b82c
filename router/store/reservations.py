"""Handing out numbers: all visits that waited together, in one statement."""

from __future__ import annotations

import json
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
    what the page shows. `ends` says why the number's earlier reservation ends, if it has not ended;
    `reopen`: it goes on as if it had not run out, because nobody else has held the number since.

    shared        the number was still reserved for somebody else
    moved_from    the visitor's earlier session, whose number moves to this one
    left_number   the page showed this number before, and shows another one now
    victim        the session whose page shows the default number from now on
    campaign_key  of the session, for the number's index; `ring_size` holders are remembered by it
    masses        what the number remembers of others from now on, as JSON; None: as before
    bound_to      the combination of parameters that holds the number
    served_by     the dynamic pool that it is shown a number of, or would have been
    """

    key: UUID
    session_id: SessionId | None
    organisation_id: OrganisationId
    site_id: SiteId
    visitor: UUID
    ordinal: int
    device: Device | None
    landing_url: str
    referrer: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    click_ids: str
    channel: str
    region: str | None
    city: str | None
    rate: float
    number_id: NumberId | None
    version: int
    take: bool
    pool_id: PoolId | None
    ends: str
    until: datetime | None
    shown: str
    overflow: bool
    shared: bool = False
    reopen: bool = False
    moved_from: SessionId | None = None
    left_number: NumberId | None = None
    victim: SessionId | None = None
    campaign_key: str = ""
    ring_size: int = 3
    masses: str | None = None
    bound_to: str | None = None
    served_by: PoolId | None = None


# keys and moments are written as they print
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


async def hand_out(queries: Queries, visits: Sequence[HandOut], now: datetime) -> set[UUID]:
    """Write all `visits`; returns the keys of those that were, the others lost a race.

    No number may be handed out twice in one call: the statement would give it to both.
    """
    handed = [visit.number_id for visit in visits if visit.pool_id is not None]
    if len(set(handed)) != len(handed):
        raise ValueError("one number is handed out twice in one batch")
    rows = await queries.fetch("reservations.hand_out", visits=as_json(visits), now=now)
    return {row["key"] for row in rows}


def as_json(visits: Sequence[HandOut]) -> str:
    """As the statement takes them."""
    names = HandOut._fields
    # what is not named is NULL, and half of it is
    return _to_json(
        [
            {name: value for name, value in zip(names, visit, strict=True) if value is not None}
            for visit in visits
        ]
    )
