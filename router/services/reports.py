"""What staff ask: the list of calls, one call with its explanation, where a recording lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from router.domain.errors import FieldError, NotFound
from router.domain.model import CallState, OrganisationId, SessionId
from router.domain.touches import Landed
from router.services.access import Actor
from router.store import audit, touches
from router.store import reports as store
from router.store.database import Database, deadline
from router.store.reports import CallLine, Decision, EventLine, RecordingPlace, SessionLine

Filter = Literal["all", "live", "arrived", "ringing", "talking", "ended"]

PATIENCE = 3.0
EVENTS_AT_MOST = 200
TOUCHES_AT_MOST = 100
# A player asks for a recording in many pieces: that is one hearing.
HEARING = timedelta(minutes=10)

_STATES: tuple[CallState, ...] = get_args(CallState)
_FROM_THE_TOP = (datetime(9999, 1, 1, tzinfo=UTC), 2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class CallPage:
    """`before` asks for the calls that follow; None at the end."""

    calls: tuple[CallLine, ...]
    before: str | None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One call and everything that is known of why it was credited as it was."""

    call: CallLine
    session: SessionLine | None
    touches: tuple[Landed, ...]
    decisions: tuple[Decision, ...]
    events: tuple[EventLine, ...]


class Reports:
    """Everything is scoped by the organisation of who asks, and answered or given up within 3 s."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calls(
        self,
        organisation_id: OrganisationId,
        *,
        limit: int = 50,
        before: str | None = None,
        state: Filter = "all",
    ) -> CallPage:
        """Newest first; `before` is the ref of the last call already seen. Raises FieldError for an
        unknown one, StoreUnavailable."""
        return await deadline(
            self._calls(organisation_id, limit, before, state), PATIENCE, what="list of calls"
        )

    async def _calls(
        self, organisation_id: OrganisationId, limit: int, before: str | None, state: Filter
    ) -> CallPage:
        start: tuple[datetime, int] | None = _FROM_THE_TOP
        if before is not None:
            start = await store.position(self._database, organisation_id, before)
        if start is None:
            raise FieldError("before", "there is no call with this ref", "the ref of a call listed")
        found = await store.calls(
            self._database, organisation_id, before=start, states=_states(state), most=limit + 1
        )
        more = len(found) > limit
        return CallPage(calls=tuple(found[:limit]), before=found[limit - 1].ref if more else None)

    async def explain(self, organisation_id: OrganisationId, ref: str) -> Explanation:
        """Raises NotFound, StoreUnavailable."""
        return await deadline(self._explain(organisation_id, ref), PATIENCE, what="call")

    async def _explain(self, organisation_id: OrganisationId, ref: str) -> Explanation:
        found = await store.call(self._database, organisation_id, ref)
        if found is None:
            raise NotFound
        line, call_id, session_id = found
        return Explanation(
            call=line,
            session=await store.session(self._database, session_id) if session_id else None,
            touches=tuple(await self._touches(session_id, line.arrived_at)),
            decisions=tuple(await store.decisions(self._database, call_id)),
            events=tuple(await store.events(self._database, line.linkedid, most=EVENTS_AT_MOST)),
        )

    async def _touches(self, session_id: SessionId | None, until: datetime) -> list[Landed]:
        """The visitor's touches up to the call."""
        if session_id is None:
            return []
        return await touches.of_visitor(
            self._database, session_id, until=until, most=TOUCHES_AT_MOST
        )

    async def hear(
        self, actor: Actor, ref: str, recording_id: int, *, now: datetime
    ) -> RecordingPlace:
        """Where the recording lies; that it was heard is written down first. Raises NotFound,
        StoreUnavailable."""
        return await deadline(self._hear(actor, ref, recording_id, now), PATIENCE, what="recording")

    async def _hear(
        self, actor: Actor, ref: str, recording_id: int, now: datetime
    ) -> RecordingPlace:
        async with self._database.transaction() as queries:
            place = await store.recording(queries, actor.organisation_id, ref, recording_id)
            if place is None:
                raise NotFound
            await audit.add(
                queries,
                organisation_id=actor.organisation_id,
                at=now,
                actor=actor.name,
                action="recording.hear",
                subject=f"call {ref} recording {recording_id}",
                unless_since=now - HEARING,
            )
        return place


def _states(wanted: Filter) -> tuple[CallState, ...]:
    if wanted == "all":
        return _STATES
    if wanted == "live":
        return tuple(state for state in _STATES if state != "ended")
    return (wanted,)
