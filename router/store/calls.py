"""Calls: what Asterisk said of each, and what is on record."""

from __future__ import annotations

from collections.abc import Sequence
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


async def known(queries: Queries, linkedid: str) -> str | None:
    """The ref of the call with this linkedid."""
    row = await queries.fetchrow("calls.known", linkedid=linkedid)
    return row["ref"] if row else None


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


async def hear(queries: Queries, events: Sequence[CallEvent]) -> list[Told]:
    """Store events, each once. Returns their calls, with everything that was said of them by now."""
    # in one order everywhere: two writers of the same rows wait for each other, and never both
    ordered = sorted(events, key=lambda event: (event.linkedid, event.digest))
    fresh: dict[str, list[CallEvent]] = {}
    for event in ordered:
        fresh.setdefault(event.linkedid, []).append(event)
    rows = await queries.fetch(
        "calls.hear",
        linkedids=[event.linkedid for event in ordered],
        digests=[event.digest for event in ordered],
        ats=[event.at for event in ordered],
        kinds=[event.kind for event in ordered],
        uniqueids=[event.uniqueid for event in ordered],
        data=[dict(event.data) for event in ordered],
        calls=list(fresh),
    )
    return [_told(row, fresh[row["linkedid"]]) for row in rows]


async def told(queries: Queries, linkedids: Sequence[str]) -> list[Told]:
    """Some calls, with everything that was said of them."""
    rows = await queries.fetch("calls.told", linkedids=list(linkedids))
    return [_told(row) for row in rows]


def _told(row: Any, fresh: Sequence[CallEvent] = ()) -> Told:
    """A call with the events on record, and those of `fresh` that were not there yet."""
    columns = zip(
        *(row[name] or () for name in ("digests", "ats", "kinds", "uniqueids", "data")), strict=True
    )
    linkedid = row["linkedid"]
    events = {event.digest: event for event in fresh}
    for digest, at, kind, uniqueid, data in columns:
        events[digest] = CallEvent(
            linkedid=linkedid, digest=digest, at=at, kind=kind, uniqueid=uniqueid, data=data
        )
    return Told(
        linkedid=linkedid,
        events=list(events.values()),
        row=CallRow(**{name: row[name] for name in _ROW}) if row["id"] is not None else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Folded:
    """What `events` events say of a call."""

    id: CallId
    facts: CallFacts
    events: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far a host's file has been read, and when. The file is known by its inode and by `head`, the hash
    of its first line."""

    host: str
    inode: int
    head: str
    read_bytes: int
    now: datetime


_FACTS = (
    *("arrived_at", "state", "outcome", "route_source", "target", "ringing_at", "answered_at"),
    *("ended_at", "ring_ms", "talk_ms", "hung_up_by", "hangup_cause"),
)


async def update(
    queries: Queries, calls: Sequence[Folded], place: Place | None = None
) -> dict[CallId, tuple[CallState, int]]:
    """Bring calls up to date, and move the place in a file with them. Returns the state that each was in,
    and how many events of it there are by now; calls are left out that somebody brought up to date with more."""
    if not calls:
        if place is not None:
            await move_cel_position(queries, place)
        return {}
    rows = await queries.fetch(
        "calls.update",
        id=[call.id for call in calls],
        **{name: [getattr(call.facts, name) for call in calls] for name in _FACTS},
        sip_call_id=[call.facts.sip_call_id or None for call in calls],
        events=[call.events for call in calls],
        host=place.host if place else None,
        inode=place.inode if place else None,
        head=place.head if place else None,
        read_bytes=place.read_bytes if place else None,
        now=place.now if place else None,
    )
    return {CallId(row["id"]): (row["state"], row["said"]) for row in rows}


async def unfinished(queries: Queries, before: datetime) -> list[str]:
    """Linkedids of calls that arrived before a moment and have not ended."""
    return [row["linkedid"] for row in await queries.fetch("calls.unfinished", before=before)]


async def cel_position(queries: Queries, host: str) -> tuple[int, str, int] | None:
    """Inode, head and bytes read of a host's file."""
    row = await queries.fetchrow("calls.cel_position", host=host)
    return (row["inode"], row["head"], row["read_bytes"]) if row else None


async def move_cel_position(queries: Queries, place: Place) -> None:
    """Note how far a host's file has been read."""
    await queries.fetch(
        "calls.move_cel_position",
        host=place.host,
        inode=place.inode,
        head=place.head,
        read_bytes=place.read_bytes,
        now=place.now,
    )


async def database_time(queries: Queries) -> datetime:
    """What the server's clock says."""
    moment: datetime = await queries.fetchval("calls.database_time")
    return moment
