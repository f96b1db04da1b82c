"""A visitor gets, keeps and leaves a number."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from router.domain import attribution, useragent
from router.domain.errors import UnknownSession
from router.domain.model import (
    Heartbeat,
    HeartbeatAnswer,
    Leave,
    Tap,
    VisitAnswer,
    VisitRequest,
)
from router.domain.visitstate import HEARTBEAT
from router.services.batching import Batcher, Waiting
from router.services.directory import Directory
from router.services.handout import Desk
from router.services.plan import Ask, How, Landing, Shown
from router.services.upkeep import Upkeep
from router.store import sessions
from router.store.database import Database, deadline
from router.store.sessions import Beat, Heard

HeartbeatHow = Literal["kept", "swapped", "default", "static"]
_HOW: Mapping[How, HeartbeatHow] = {
    "kept": "kept",
    "retaken": "kept",
    "free": "kept",
    "static": "static",
    "default": "default",
}
# While one batch waits for its commit, the next one is read and decided.
_LANES = 2
HEARTBEAT_SECONDS = int(HEARTBEAT.total_seconds())


class _Spoken:
    """A page spoke at `now`."""

    __slots__ = ("beat", "now")

    def __init__(self, beat: Beat, now: datetime) -> None:
        self.beat = beat
        self.now = now


class Visits:
    """What the snippet asks for. `run` serves; without it nobody is answered.

    Every method raises UnknownSite, OriginRefused, and StoreUnavailable within about a second.
    """

    def __init__(
        self,
        database: Database,
        upkeep: Upkeep | None = None,
        *,
        directory_seconds: float = 5,
        seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._seconds = seconds
        self._upkeep = upkeep or Upkeep(database)
        self._directory = Directory(database, seconds=directory_seconds)
        self._desk: Batcher[Ask, Shown] = Batcher(
            Desk(database, self._upkeep).serve, what="visits", lanes=_LANES, seconds=seconds
        )
        self._ear: Batcher[_Spoken, Heard | None] = Batcher(
            self._hear, what="heartbeats", lanes=_LANES, seconds=seconds
        )

    async def run(self) -> None:
        """Serve for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._desk.run())
            group.create_task(self._ear.run())

    async def visit(self, request: VisitRequest, now: datetime) -> VisitAnswer:
        """The number a page shows; the answer follows the commit."""
        view = await self._directory.site(request.site, request.origin, now)
        visitor = request.visitor or uuid4()
        if useragent.is_bot(request.user_agent):
            default = view.site.default_number
            shown = Shown(session=uuid4(), number=default, how="default", valid_until=None)
        else:
            landing = Landing(
                touch=attribution.touch(request.url, request.referrer, view.own_hosts),
                url=attribution.clean(request.url, attribution.URL_LENGTH),
                referrer=attribution.clean(request.referrer, attribution.URL_LENGTH),
                device=useragent.device(request.user_agent),
            )
            shown = await self._desk.ask(
                Ask(
                    view=view,
                    visitor=visitor,
                    seen_before=request.visitor is not None,
                    landing=landing,
                    now=now,
                )
            )
        return VisitAnswer(
            session=shown.session,
            visitor=visitor,
            number=shown.number,
            how=shown.how,
            replace=view.site.page_numbers,
            region=view.site.region,
            valid_until=shown.valid_until,
            heartbeat_seconds=HEARTBEAT_SECONDS,
        )

    async def heartbeat(self, beat: Heartbeat, now: datetime) -> HeartbeatAnswer:
        """Renews the reservation of a page that is looked at. A page is told another number only when
        its visitor comes back to it, and its own is somebody else's by then. Raises UnknownSession."""
        view = await self._directory.site(beat.site, beat.origin, now)
        gone_kind: Literal["hide"] | None = None if beat.visible else "hide"
        heard = await self._ear.ask(
            _Spoken(Beat(beat.session, view.site.id, beat.input, gone_kind), now)
        )
        if heard is None:
            raise UnknownSession
        if _needs_a_number(heard):
            ask = Ask(view=view, visitor=heard.visitor, seen_before=True, landing=None, now=now)
            shown = await self._desk.ask(ask)
            return _told(beat, shown.number, _HOW[shown.how], shown.valid_until, view.site.region)
        how: HeartbeatHow = "kept" if heard.kind == "dynamic" else heard.kind or "default"
        return _told(beat, heard.shown, how, heard.reserved_until, view.site.region)

    async def leave(self, leave: Leave, now: datetime) -> None:
        """The page was hidden or closed: the tail of its reservation begins. Beacons of sessions that
        nobody knows are ignored: nobody reads the answer."""
        view = await self._directory.site(leave.site, leave.origin, now)
        await self._ear.ask(_Spoken(Beat(leave.session, view.site.id, False, leave.kind), now))

    async def tap(self, tap: Tap, now: datetime) -> None:
        """A number was tapped or copied; ignored if its session was never shown it."""
        view = await self._directory.site(tap.site, tap.origin, now)
        await deadline(
            sessions.tap(
                self._database,
                tap.session,
                view.site.id,
                number=tap.number,
                tapped_at=now if tap.kind == "tap" else None,
                copied_at=now if tap.kind == "copy" else None,
            ),
            self._seconds,
            what="tap",
        )

    async def _hear(self, batch: Sequence[Waiting[_Spoken, Heard | None]]) -> None:
        """Each session once in a statement: of two of its tabs the second one waits for the first."""
        await self._upkeep.ensure(max(waiting.question.now for waiting in batch))
        while batch:
            turn: dict[UUID, Waiting[_Spoken, Heard | None]] = {}
            for waiting in batch:
                turn.setdefault(waiting.question.beat.key, waiting)
            now = max(waiting.question.now for waiting in turn.values())
            beats = [waiting.question.beat for waiting in turn.values()]
            heard = await sessions.hear(self._database.kept, beats, now)
            for key, waiting in turn.items():
                waiting.answer(heard.get(key))
            batch = [w for w in batch if turn[w.question.beat.key] is not w]


def _needs_a_number(heard: Heard) -> bool:
    """A visitor who comes back: his number is not his any more, or he was shown a default number."""
    if heard.held or not heard.active:
        return False
    return heard.kind == "dynamic" or (heard.kind is None and heard.was_gone)


def _told(
    beat: Heartbeat, number: str, how: HeartbeatHow, valid_until: datetime | None, region: str
) -> HeartbeatAnswer:
    """The page is told a number only if it shows another one of ours."""
    other = beat.visible and beat.shown is not None and beat.shown != number
    return HeartbeatAnswer(
        how="swapped" if other and how == "kept" else how,
        number=number if other else None,
        region=region,
        valid_until=valid_until,
    )
