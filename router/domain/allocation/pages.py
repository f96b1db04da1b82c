"""One visit's page as a fold keeps it: events in, the times from which its state is computed out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from router.domain.allocation.values import Holder, Visit
from router.domain.model import NumberId, SessionId, SessionTimes
from router.domain.visitstate import IDLE_AFTER, LOST_AFTER

Ending = Literal["idle", "hide", "close", "lost"]


class Page:
    """A page whose heartbeats all arrive. That of a visible page is implied at every moment, so the times
    of an active one change with the moment for which they are asked.

    `number` is what it shows, None for the default number.
    """

    __slots__ = (
        "_gone_at",
        "_gone_kind",
        "_input_at",
        "_seen_at",
        "_settled",
        "_started_at",
        "_tapped_at",
        "number",
        "revision",
        "session",
        "visit",
    )

    def __init__(self, session: SessionId, visit: Visit, now: datetime) -> None:
        self.session = session
        self.visit = visit
        self.number: NumberId | None = None
        # counts what happened to it: a number whose holders are gone and did nothing is as it was
        self.revision = 0
        self._started_at = now
        self._input_at: datetime | None = None
        self._seen_at: datetime | None = None
        self._gone_at: datetime | None = None
        self._gone_kind: Literal["hide", "close"] | None = None
        self._tapped_at: datetime | None = None
        self._settled: Holder | None = None

    @property
    def gone(self) -> bool:
        return self._gone_at is not None

    def tap(self, now: datetime) -> None:
        self._changed()
        self._tapped_at = now

    def resume(self, now: datetime) -> None:
        """Active again: the tail, its kind and the bounce are forgotten, the tap is not."""
        self._changed()
        self._input_at = self._seen_at = self._gone_at = self._gone_kind = None

    def end(self, how: Ending, now: datetime) -> None:
        """The first one ends the visit's activity; after an `idle` another one makes it gone. What happens
        to a page that is gone changes nothing."""
        if self.gone or (how == "idle" and self._input_at is not None):
            return
        self._changed()
        if how == "idle":
            self._input_at = max(self._started_at, now - IDLE_AFTER)
            self._seen_at = now
            return
        # a page that fell silent said its last 75 s ago, one that is left says so itself
        spoke = max(self._started_at, now - LOST_AFTER) if how == "lost" else now
        self._gone_at = now
        if how != "lost":
            self._gone_kind = how
        self._seen_at = spoke if self._seen_at is None else max(self._seen_at, spoke)
        if self._input_at is None:
            self._input_at = spoke

    def times(self, now: datetime) -> SessionTimes:
        seen_at = self._seen_at
        if seen_at is None or not self.gone:
            seen_at = now
        return SessionTimes(
            started_at=self._started_at,
            seen_at=seen_at,
            input_at=now if self._input_at is None else self._input_at,
            gone_at=self._gone_at,
            gone_kind=self._gone_kind,
            tapped_at=self._tapped_at,
            device=self.visit.device,
        )

    def holder(self, now: datetime) -> Holder:
        """As it stands in a ring."""
        if self._settled is not None:
            return self._settled
        visit = self.visit
        holder = Holder(
            session=self.session,
            source=visit.source,
            campaign=visit.campaign,
            device=visit.device,
            region=visit.region,
            times=self.times(now),
            rate=visit.rate,
            verified=visit.verified,
        )
        if self.gone:
            self._settled = holder
        return holder

    def _changed(self) -> None:
        self.revision += 1
        self._settled = None
