"""A visitor gets, keeps and leaves a number."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import structlog

from router.domain import useragent
from router.domain.errors import StoreUnavailable, UnknownSession
from router.domain.page import (
    Heartbeat,
    HeartbeatAnswer,
    HeartbeatHow,
    Leave,
    OtherShown,
    Tap,
    VisitAnswer,
    VisitRequest,
)
from router.domain.reservation_tokens import TokenKeys
from router.domain.visitstate import HEARTBEAT
from router.services import landing, unremembered
from router.services.batching import Batcher, Waiting
from router.services.directory import Directory
from router.services.handout import Desk
from router.services.places import Places
from router.services.plan import Ask, How, Shown
from router.services.told import beaten, other_number, why
from router.services.upkeep import Upkeep
from router.store import sessions
from router.store.database import Database, deadline
from router.store.sessions import Beat, Heard
from router.store.sites import SiteView

log = structlog.get_logger(__name__)

_HOW: Mapping[How, HeartbeatHow] = {
    "kept": "kept",
    "retaken": "kept",
    "free": "kept",
    "static": "static",
    "default": "default",
}
# A second batch is begun beside one when somebody has waited for so many seconds, beside a large one later:
# few visitors go on while a commit is waited for, and many are served by fewer and larger batches.
_LANES = 2
_PATIENCE = 0.003
HEARTBEAT_SECONDS = int(HEARTBEAT.total_seconds())


class _Spoken:
    """A page spoke at `now`."""

    __slots__ = ("beat", "now")

    def __init__(self, beat: Beat, now: datetime) -> None:
        self.beat = beat
        self.now = now


class Visits:
    """What the snippet asks for. `run` serves; without it nobody is answered. Of each pool at most
    `pool_reservations` numbers are handed out a minute (None: as many as are asked for).

    Every method raises UnknownSite, OriginRefused, and StoreUnavailable within about a second.
    """

    def __init__(
        self,
        database: Database,
        upkeep: Upkeep | None = None,
        *,
        directory_seconds: float = 5,
        seconds: float = 1.0,
        places: Places | None = None,
        pool_reservations: int | None = None,
    ) -> None:
        self._database = database
        self._places = places or Places(None)
        self._seconds = seconds
        self._upkeep = upkeep or Upkeep(database)
        self._directory = Directory(database, seconds=directory_seconds)
        self._desk: Batcher[Ask, Shown] = Batcher(
            Desk(database, self._upkeep, pool_reservations=pool_reservations).serve,
            what="visits",
            lanes=_LANES,
            seconds=seconds,
            patience=_PATIENCE,
        )
        self._ear: Batcher[_Spoken, Heard | None] = Batcher(
            self._hear, what="heartbeats", lanes=_LANES, seconds=seconds, patience=_PATIENCE
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
        others: Sequence[Shown] = ()
        # for what is not kept nothing is signed
        keys = TokenKeys()
        if useragent.is_bot(request.user_agent):
            default = view.site.default_number
            shown = Shown(session=uuid4(), number=default, how="default", valid_until=None)
        elif request.consent == "denied":
            opened = landing.read(request, view, self._places.visitor(request.address))
            shown = unremembered.shown(view, opened)
            others = [unremembered.shown(part.view, opened) for part in view.parts]
        else:
            keys = self._directory.tokens
            ask = Ask(
                view=view,
                visitor=visitor,
                seen_before=request.visitor is not None,
                landing=landing.read(request, view, self._places.visitor(request.address)),
                now=now,
            )
            if view.parts:
                # together they are one batch, and one commit
                further = [
                    replace(ask, view=part.view, visitor=part.visitor(visitor))
                    for part in view.parts
                ]
                shown, *others = await asyncio.gather(*map(self._desk.ask, [ask, *further]))
            else:
                shown = await self._desk.ask(ask)
            if shown.further is not None:
                await self._keep(view, shown.session, shown.further, now)
        return VisitAnswer(
            session=shown.session,
            visitor=visitor,
            number=shown.number,
            how=shown.how,
            replace=view.site.page_numbers,
            region=view.site.region,
            valid_until=shown.valid_until,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            token=keys.sign(view.site.key, shown.session, now),
            others=tuple(
                other_number(part, other, keys.sign(view.site.key, other.session, now))
                for part, other in zip(view.parts, others, strict=False)
            ),
            cookie_domain=view.snippet.cookie_domain,
            why=why([shown, *others]) if request.debug else (),
        )

    async def site(self, key: str, now: datetime) -> SiteView:
        """A site, for whoever asks in a page's place. Raises UnknownSite."""
        return await self._directory.view(key, now)

    async def _keep(
        self, view: SiteView, session: UUID, further: landing.Further, now: datetime
    ) -> None:
        """The number is handed out already: its page is answered, whatever becomes of the touch."""
        kept = landing.keep(self._database, view.site.id, session, further, now)
        try:
            await deadline(kept, self._seconds, what="touch")
        except StoreUnavailable as error:
            log.warning("a touch is not kept", session=str(session), error=str(error))

    async def heartbeat(self, beat: Heartbeat, now: datetime) -> HeartbeatAnswer:
        """Renews the reservation of a page that is looked at. A page is told another number only when
        its visitor comes back to it, and its own is somebody else's by then. Raises UnknownSession."""
        view = await self._directory.site(beat.site, beat.origin, now)
        # each of its numbers speaks for itself
        beats = [beat, *(_of_other(beat, other) for other in beat.others)]
        spoken = [self._heard(view, one, now) for one in beats]
        # the usual page has one number: its question is no task of its own
        heard, *others = await asyncio.gather(*spoken) if beat.others else [await spoken[0]]
        if heard is None:
            raise UnknownSession
        answer = await self._beaten(view, heard, beat, now)
        if not others:
            return answer
        told = [
            self._other_beaten(view, heard.visitor, other, one, now)
            for other, one in zip(others, beats[1:], strict=True)
        ]
        return replace(answer, others=tuple(await asyncio.gather(*told)))

    def _is_held(
        self, view: SiteView, page: Heartbeat | OtherShown | Leave | Tap, now: datetime
    ) -> bool:
        """Whether the page was told its session by us: who makes one up costs the database nothing."""
        return self._directory.tokens.good(page.token, view.site.key, page.session, now)

    async def _heard(self, view: SiteView, beat: Heartbeat, now: datetime) -> Heard | None:
        if not self._is_held(view, beat, now):
            return None
        gone_kind: Literal["hide"] | None = None if beat.visible else "hide"
        input_at = now if beat.input else None
        if beat.input_seconds is not None:
            input_at = now - timedelta(seconds=beat.input_seconds)
        said = Beat(beat.session, view.site.id, input_at, gone_kind)
        return await self._ear.ask(_Spoken(said, now))

    async def _beaten(
        self, view: SiteView, heard: Heard, beat: Heartbeat, now: datetime
    ) -> HeartbeatAnswer:
        if _needs_a_number(heard):
            ask = Ask(view=view, visitor=heard.visitor, seen_before=True, landing=None, now=now)
            shown = await self._desk.ask(ask)
            answer = beaten(
                beat, shown.number, _HOW[shown.how], shown.valid_until, view.site.region
            )
        else:
            how: HeartbeatHow = "kept" if heard.kind == "dynamic" else heard.kind or "default"
            answer = beaten(beat, heard.shown, how, heard.reserved_until, view.site.region)
        token = self._directory.tokens.renewed(beat.token, view.site.key, beat.session, now)
        return replace(answer, token=token) if token else answer

    async def _other_beaten(
        self,
        view: SiteView,
        visitor: UUID,
        heard: Heard | None,
        beat: Heartbeat,
        now: datetime,
    ) -> HeartbeatAnswer | None:
        """For a further number of the page, whose session the page names beside its main one's."""
        for part in view.parts:
            if heard is not None and part.visitor(visitor) == heard.visitor:
                return await self._beaten(part.view, heard, beat, now)
        return None

    async def leave(self, leave: Leave, now: datetime) -> None:
        """The page was hidden or closed: the tail of its reservation begins. Sessions that were deleted are
        passed over: nobody reads the answer to a beacon. Raises UnknownSession for a token that is not good."""
        view = await self._directory.site(leave.site, leave.origin, now)
        if not self._is_held(view, leave, now):
            raise UnknownSession
        others = [other.session for other in leave.others if self._is_held(view, other, now)]
        for session in (leave.session, *others):
            await self._ear.ask(_Spoken(Beat(session, view.site.id, None, leave.kind), now))

    async def tap(self, tap: Tap, now: datetime) -> None:
        """A number was tapped or copied; ignored if its session was never shown it. Raises UnknownSession for
        a token that is not good."""
        view = await self._directory.site(tap.site, tap.origin, now)
        if not self._is_held(view, tap, now):
            raise UnknownSession
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


def _of_other(beat: Heartbeat, other: OtherShown) -> Heartbeat:
    """As if the page had this number alone."""
    return replace(beat, session=other.session, token=other.token, shown=other.shown, others=())


def _needs_a_number(heard: Heard) -> bool:
    """A visitor who comes back: his number is not his any more, or he was shown a default number."""
    return heard.resumed and not heard.held and heard.kind != "static"
