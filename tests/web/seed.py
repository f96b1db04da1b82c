"""Calls as the call path leaves them behind, written directly."""

# ruff: noqa: S608 - column names are this file's own

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from router.store.database import Database


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


async def a_session(database: Database, started_at: datetime, **values: Any) -> int:
    """A visit from a Google advertisement; returns its id."""
    row = {
        "key": uuid.uuid4(),
        "visitor": uuid.uuid4(),
        "ordinal": 1,
        "started_at": started_at,
        "seen_at": started_at,
        "input_at": started_at,
        "device": "mobile",
        "landing_url": "https://shop.example/boilers?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=Cj0",
        "referrer": "https://www.google.com/",
        "source": "google",
        "medium": "cpc",
        "campaign": "spring",
        "term": "",
        "content": "",
        "click_ids": {"gclid": "Cj0"},
        "shown": "+74951110001",
    } | values
    columns = ", ".join(row)
    places = ", ".join(f"${i + 1}" for i in range(len(row)))
    identity: int = await database._pool.fetchval(
        f"INSERT INTO session (organisation_id, site_id, {columns})"
        f" SELECT organisation_id, id, {places} FROM site ORDER BY id LIMIT 1 RETURNING id",
        *row.values(),
    )
    return identity


async def a_call(
    database: Database,
    arrived_at: datetime,
    *,
    organisation: str = "Acme",
    attribution: dict[str, Any] | None = None,
    recording: str | None = None,
    recording_bytes: int = 0,
    **values: Any,
) -> str:
    """An answered call to the first number; returns its ref."""
    ref = secrets.token_urlsafe(16)
    row: dict[str, Any] = {
        "linkedid": f"pbx-{arrived_at.timestamp():.3f}.{secrets.randbelow(10**6)}",
        "did": "+74951110001",
        "caller": "+79161234567",
        "trunk": "carrier-1",
        "state": "ended",
        "outcome": "answered",
        "route_source": "router",
        "target": "PJSIP/office",
        "ringing_at": arrived_at + seconds(0.2),
        "answered_at": arrived_at + seconds(6),
        "ended_at": arrived_at + seconds(81),
        "ring_ms": 5800,
        "talk_ms": 75000,
        "hung_up_by": "caller",
        "hangup_cause": 16,
    } | values
    row |= {"ref": ref, "arrived_at": arrived_at, "created_at": arrived_at}
    columns = ", ".join(row)
    places = ", ".join(f"${i + 2}" for i in range(len(row)))
    call_id = await database._pool.fetchval(
        f"INSERT INTO call (organisation_id, site_id, target_id, {columns})"
        f" SELECT organisation.id, site.id, site.target_id, {places} FROM organisation"
        " LEFT JOIN site ON site.organisation_id = organisation.id"
        " WHERE organisation.name = $1 ORDER BY site.id LIMIT 1 RETURNING id",
        organisation,
        *row.values(),
    )
    if attribution is not None:
        await an_attribution(database, call_id, arrived_at, **attribution)
    if recording is not None:
        await database._pool.execute(
            "INSERT INTO recording (call_id, path, bytes, duration_ms, truncated, found_at)"
            " VALUES ($1, $2, $3, $4, false, $5)",
            call_id,
            recording,
            recording_bytes,
            recording_bytes // 32,
            arrived_at,
        )
    return ref


async def an_attribution(
    database: Database, call_id: int, decided_at: datetime, **values: Any
) -> None:
    """A decision, which comes into force."""
    row: dict[str, Any] = {
        "model": "prior-1",
        "method": "reservation",
        "level": "session",
        "confidence": 0.97,
        "source": "google",
        "medium": "cpc",
        "campaign": "spring",
        "evidence": [{"words": "the page was open and in use", "figures": {"age_s": 95.0}}],
        "runners_up": [],
        "inputs": {"p_none": 0.004},
    } | values
    columns = ", ".join(row)
    places = ", ".join(f"${i + 3}" for i in range(len(row)))
    await database._pool.execute(
        f"WITH made AS (INSERT INTO attribution (call_id, decided_at, {columns})"
        f" VALUES ($1, $2, {places}) RETURNING id)"
        " UPDATE call SET attribution_id = made.id FROM made WHERE call.id = $1",
        call_id,
        decided_at,
        *row.values(),
    )


async def an_event(
    database: Database, ref: str, at: datetime, kind: str, data: dict[str, str]
) -> None:
    """Something that Asterisk said of a call."""
    await database._pool.execute(
        "INSERT INTO call_event (linkedid, digest, at, kind, uniqueid, data)"
        " SELECT linkedid, $2, $3, $4, linkedid, $5 FROM call WHERE ref = $1",
        ref,
        secrets.token_bytes(8),
        at,
        kind,
        data,
    )
