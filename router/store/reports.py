"""Read-only: calls as lists and pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from router.domain.model import (
    CallState,
    Device,
    HungUpBy,
    Level,
    Method,
    OrganisationId,
    Outcome,
    RouteSource,
    SessionId,
)
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class RecordingLine:
    id: int
    duration_ms: int
    bytes: int
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class CallLine:
    """One call with the attribution in force; `method` and what follows are None before it is attributed."""

    ref: str
    linkedid: str
    did: str
    caller: str
    caller_region: str | None
    trunk: str
    arrived_at: datetime
    state: CallState
    outcome: Outcome | None
    route_source: RouteSource | None
    target: str | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    ring_ms: int | None
    talk_ms: int | None
    hung_up_by: HungUpBy | None
    hangup_cause: int | None
    site: str | None
    region: str | None
    pool: str | None
    method: Method | None
    level: Level | None
    confidence: float | None
    channel: str | None
    source: str | None
    medium: str | None
    campaign: str | None
    term: str | None
    content: str | None
    landing_url: str | None
    recordings: tuple[RecordingLine, ...]

    @classmethod
    def from_row(cls, row: Any) -> CallLine:
        values = {field.name: row[field.name] for field in fields(cls)}
        values["recordings"] = tuple(RecordingLine(**found) for found in row["recordings"])
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class SessionLine:
    """The visit behind a call, as far as the visitor's browser told."""

    key: UUID
    visitor: UUID
    ordinal: int
    started_at: datetime
    seen_at: datetime
    gone_at: datetime | None
    gone_kind: str | None
    tapped_at: datetime | None
    tapped_number: str | None
    copied_at: datetime | None
    device: Device | None
    region: str | None
    city: str | None
    landing_url: str
    referrer: str
    channel: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    click_ids: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision about a call, with its reasons; `in_force` is the one that counts."""

    in_force: bool
    decided_at: datetime
    model: str
    method: Method
    level: Level
    confidence: float
    channel: str | None
    source: str | None
    medium: str | None
    campaign: str | None
    term: str | None
    content: str | None
    evidence: Sequence[Mapping[str, Any]]
    runners_up: Sequence[Mapping[str, Any]]
    inputs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class EventLine:
    at: datetime
    kind: str
    uniqueid: str
    data: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RecordingPlace:
    """`path` is relative to Asterisk's recordings folder."""

    path: str
    bytes: int
    duration_ms: int


async def position(
    queries: Queries, organisation_id: OrganisationId, ref: str
) -> tuple[datetime, int] | None:
    """A call's place in the list, for the page that follows it."""
    row = await queries.fetchrow("reports.position", organisation_id=organisation_id, ref=ref)
    return (row["arrived_at"], row["id"]) if row else None


async def calls(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    before: tuple[datetime, int],
    states: Sequence[CallState],
    most: int,
) -> list[CallLine]:
    rows = await queries.fetch(
        "reports.calls",
        organisation_id=organisation_id,
        before_at=before[0],
        before_id=before[1],
        states=list(states),
        most=most,
    )
    return [CallLine.from_row(row) for row in rows]


async def call(
    queries: Queries, organisation_id: OrganisationId, ref: str
) -> tuple[CallLine, int, SessionId | None] | None:
    """The call, its id, and the id of the session it is credited to."""
    row = await queries.fetchrow("reports.call", organisation_id=organisation_id, ref=ref)
    return (CallLine.from_row(row), row["id"], row["session_id"]) if row else None


async def session(queries: Queries, session_id: SessionId) -> SessionLine | None:
    row = await queries.fetchrow("reports.session", id=session_id)
    return SessionLine(**row) if row else None


async def decisions(queries: Queries, call_id: int) -> list[Decision]:
    rows = await queries.fetch("reports.decisions", call_id=call_id)
    return [Decision(**{**row, "in_force": bool(row["in_force"])}) for row in rows]


async def events(queries: Queries, linkedid: str, *, most: int) -> list[EventLine]:
    rows = await queries.fetch("reports.events", linkedid=linkedid, most=most)
    return [EventLine(**row) for row in rows]


async def recording(
    queries: Queries, organisation_id: OrganisationId, ref: str, recording_id: int
) -> RecordingPlace | None:
    row = await queries.fetchrow(
        "reports.recording", organisation_id=organisation_id, ref=ref, id=recording_id
    )
    return RecordingPlace(**row) if row else None
