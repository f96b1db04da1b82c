"""Calls to numbers that nobody was shown."""

from __future__ import annotations

from datetime import datetime, timedelta

from router.domain.model import NumberId, OrganisationId, PoolId
from router.domain.noise import Heard, Ring
from router.domain.organisation_settings import OrganisationSettings
from router.store.database import Queries


async def heard(
    queries: Queries, organisation_id: OrganisationId, wanted: OrganisationSettings, now: datetime
) -> list[Heard]:
    """Of all numbers of the organisation that can be noisy: not those of static pools, nor default numbers.

    Reads the window's calls and looks each one's number up in its history: for a background round.
    """
    longest = max(wanted.noise_window_days, wanted.listening_days)
    rows = await queries.fetch(
        "noise.heard",
        organisation_id=organisation_id,
        window_since=now - timedelta(days=wanted.noise_window_days),
        since=now - timedelta(days=longest),
        now=now,
        unshown=timedelta(days=wanted.noise_unshown_days),
    )
    return [
        Heard(
            number_id=NumberId(row["number_id"]),
            e164=row["e164"],
            pool_id=None if row["pool_id"] is None else PoolId(row["pool_id"]),
            pool=row["pool"],
            site=row["site"],
            standing=row["standing"],
            since=row["since"],
            put_by=row["put_by"],
            before=row["before"],
            shown_until=row["shown_until"],
            last_call_at=row["last_call_at"],
            calls=row["calls"],
            noise=tuple(
                Ring(at=at, caller=caller)
                for at, caller in zip(
                    row["noise_at"] or (), row["noise_callers"] or (), strict=True
                )
            ),
            silent_days=float(row["silent_days"]),
        )
        for row in rows
    ]
