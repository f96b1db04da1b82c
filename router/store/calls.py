"""Calls: what Asterisk said of each, and what is on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from router.domain.callflow import CallFacts
from router.domain.model import CallEvent, CallId, CallState, OrganisationId
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class CallRow:
    """A call as it is on record."""

    id: CallId
    ref: str
    linkedid: str
    organisation_id: OrganisationId | None
    did: str
    caller: str
    trunk: str
    arrived_at: datetime
    state: CallState
    attribution_id: int | None
    method: str | None
    level: str | None
    confidence: float | None
    site: str | None


_ROW = tuple(field.name for field in fields(CallRow))


@dataclass(frozen=True, kw_only=True)
class Told:
    """Everything that was said of a call, and its row if there is one."""

    linkedid: str
    events: Sequence[CallEvent]
    row: CallRow | None


async def known(queries: Queries, linkedid: str) -> tuple[CallId, str, int | None] | None:
    """Id, ref and attribution of the call with this linkedid."""
    row = await queries.fetchrow("calls.known", linkedid=linkedid)
    return (CallId(row["id"]), row["ref"], row["attribution_id"]) if row else None


async def create(
    queries: Queries,
    ref: str,
    facts: CallFacts,
    *,
    did: str,
    caller: str,
    arrived_at: datetime,
    now: datetime,
) -> None:
    """Write the row of a call that was only heard of, unless it is there by now."""
    await queries.fetchval(
        "calls.create",
        ref=ref,
        linkedid=facts.linkedid,
        did=did,
        caller=caller,
        trunk=facts.trunk,
        arrived_at=arrived_at,
        now=now,
    )


async def add_events(queries: Queries, events: Sequence[CallEvent]) -> None:
    """Store events, each once."""
    # in one order everywhere: two writers of the same rows wait for each other, and never both
    ordered = sorted(events, key=lambda event: (event.linkedid, event.digest))
    await queries.execute(
        "calls.add_events",
        linkedids=[event.linkedid for event in ordered],
        digests=[event.digest for event in ordered],
        ats=[event.at for event in ordered],
        kinds=[event.kind for event in ordered],
        uniqueids=[event.uniqueid for event in ordered],
        data=[dict(event.data) for event in ordered],
    )


async def told(queries: Queries, linkedids: Sequence[str]) -> list[Told]:
    """Some calls, with everything that was said of them."""
    rows = await queries.fetch("calls.told", linkedids=list(linkedids))
    return [_told(dict(row)) for row in rows]


def _told(row: Mapping[str, Any]) -> Told:
    columns = zip(
        *(row[name] or () for name in ("digests", "ats", "kinds", "uniqueids", "data")), strict=True
    )
    return Told(
        linkedid=row["linkedid"],
        events=[
            CallEvent(
                linkedid=row["linkedid"],
                digest=digest,
                at=at,
                kind=kind,
                uniqueid=uniqueid,
                data=data,
            )
            for digest, at, kind, uniqueid, data in columns
        ],
        row=CallRow(**{name: row[name] for name in _ROW}) if row["id"] is not None else None,
    )


async def update(
    queries: Queries, call_id: CallId, facts: CallFacts, events: int
) -> CallState | None:
    """Bring a call up to date with what `events` events say of it. Returns the state it was in, or None if
    it was brought up to date with more by somebody else."""
    before: CallState | None = await queries.fetchval(
        "calls.update",
        id=call_id,
        arrived_at=facts.arrived_at,
        state=facts.state,
        outcome=facts.outcome,
        route_source=facts.route_source,
        target=facts.target,
        ringing_at=facts.ringing_at,
        answered_at=facts.answered_at,
        ended_at=facts.ended_at,
        ring_ms=facts.ring_ms,
        talk_ms=facts.talk_ms,
        hung_up_by=facts.hung_up_by,
        hangup_cause=facts.hangup_cause,
        sip_call_id=facts.sip_call_id or None,
        events=events,
    )
    return before


async def unfinished(queries: Queries, before: datetime) -> list[str]:
    """Linkedids of calls that arrived before a moment and have not ended."""
    return [row["linkedid"] for row in await queries.fetch("calls.unfinished", before=before)]


async def cel_position(queries: Queries, host: str) -> tuple[int, int] | None:
    """Inode and bytes read of a host's file."""
    row = await queries.fetchrow("calls.cel_position", host=host)
    return (row["inode"], row["read_bytes"]) if row else None


async def move_cel_position(
    queries: Queries, host: str, inode: int, read_bytes: int, now: datetime
) -> None:
    """Note how far a host's file has been read; in the transaction that stores its rows."""
    await queries.execute(
        "calls.move_cel_position", host=host, inode=inode, read_bytes=read_bytes, now=now
    )


async def database_time(queries: Queries) -> datetime:
    """What the server's clock says."""
    moment: datetime = await queries.fetchval("calls.database_time")
    return moment
