"""What numbers remember: the sessions in their rings, and the masses of those who fell out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import asyncpg

from router.domain.allocation import Holder, Mass, Masses
from router.domain.allocation.keys import campaign_key
from router.domain.model import NumberId, SessionId, SessionTimes, Touch
from router.store.database import Queries

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


async def holders(queries: Queries, sessions: Collection[SessionId]) -> dict[SessionId, Holder]:
    """Sessions as a score sees them; those deleted meanwhile are not among them."""
    if not sessions:
        return {}
    rows = await queries.fetch("numbers.rings", session_ids=list(sessions))
    return {row["id"]: holder(row) for row in rows}


async def masses(queries: Queries, numbers: Collection[NumberId]) -> dict[NumberId, Masses]:
    """By number, of those that have any."""
    if not numbers:
        return {}
    rows = await queries.fetch("numbers.masses", number_ids=list(numbers))
    return {row["number_id"]: _masses(row) for row in rows}


def holder(row: asyncpg.Record) -> Holder:
    """From the columns of a session."""
    key = campaign_key(touch(row))
    return Holder(
        session=row["id"],
        source=key[0],
        campaign=key,
        device=row["device"],
        region=row["region"],
        times=times(row),
        rate=row["rate"],
        verified=row["verified_at"] is not None,
    )


def times(row: asyncpg.Record) -> SessionTimes:
    """From the columns of a session."""
    return SessionTimes(
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        input_at=row["input_at"],
        gone_at=row["gone_at"],
        gone_kind=row["gone_kind"],
        tapped_at=row["tapped_at"],
        device=row["device"],
    )


def touch(row: asyncpg.Record) -> Touch:
    """From the columns of a session: as much of it as tells sources and campaigns apart."""
    return Touch(
        source=row["source"],
        medium=row["medium"],
        campaign=row["campaign"],
        channel=row["channel"],
    )


def packed(kept: Masses) -> str:
    """As they are stored, without the moment they are of."""
    return _to_json(
        {
            "total": kept.total,
            "sources": list(kept.by_source.items()),
            "campaigns": list(kept.by_campaign.items()),
        }
    )


def _masses(row: asyncpg.Record) -> Masses:
    stored: Mapping[str, Any] = row["masses"]
    return Masses(
        at=row["at"],
        total=_mass(stored["total"]),
        by_source={source: _mass(mass) for source, mass in stored["sources"]},
        by_campaign={(key[0], key[1]): _mass(mass) for key, mass in stored["campaigns"]},
    )


def _mass(stored: list[float]) -> Mass:
    first, second, third, fourth = stored
    return first, second, third, fourth
