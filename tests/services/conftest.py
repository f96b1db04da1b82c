"""Services on a real PostgreSQL, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from router.domain.page import HeartbeatAnswer, VisitAnswer
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store.database import Database
from tests.company import LANDING, a_heartbeat, a_leave, a_tap, a_visit


class Clock:
    """The time a test has made it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


class Browser:
    """A visitor: pages open, speak and are left, at the clock's time."""

    def __init__(self, visits: Visits, clock: Clock) -> None:
        self._visits = visits
        self._clock = clock
        self.visitor: UUID | None = None
        self.shown: VisitAnswer | None = None

    async def opens(self, url: str = LANDING, referrer: str = "") -> VisitAnswer:
        request = a_visit(url, referrer=referrer, visitor=self.visitor)
        self.shown = await self._visits.visit(request, self._clock.now)
        self.visitor = self.shown.visitor
        return self.shown

    async def speaks(
        self,
        *,
        input: bool = True,  # noqa: A002
        visible: bool = True,
        page: VisitAnswer | None = None,
    ) -> HeartbeatAnswer:
        """A heartbeat of the newest page, or of `page`."""
        assert self.shown is not None
        speaking = page or self.shown
        beat = a_heartbeat(
            speaking.session,
            speaking.number,
            input=input,
            visible=visible,
            token=speaking.token,
        )
        answer = await self._visits.heartbeat(beat, self._clock.now)
        if page is None and answer.token:
            self.shown = replace(self.shown, token=answer.token)
        if page is None and answer.number:
            self.shown = replace(self.shown, number=answer.number)
        return answer

    async def leaves(self, kind: str = "close") -> None:
        assert self.shown is not None
        await self._visits.leave(
            a_leave(self.shown.session, kind, token=self.shown.token), self._clock.now
        )

    async def taps(self, number: str | None = None, kind: str = "tap") -> None:
        assert self.shown is not None
        await self._visits.tap(
            a_tap(self.shown.session, number, kind, token=self.shown.token), self._clock.now
        )


@asynccontextmanager
async def serving(visits: Visits) -> AsyncIterator[Visits]:
    """Somebody answers, for as long as the block lasts."""
    task = asyncio.create_task(visits.run())
    yield visits
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def upkeep(database: Database) -> Upkeep:
    return Upkeep(database, "router 1")


@pytest.fixture
async def visits(database: Database, upkeep: Upkeep, now: datetime) -> AsyncIterator[Visits]:
    """Another router lives all the time: that the test moves the clock is no outage."""
    await database._pool.execute(
        "INSERT INTO router_pulse (router, at) VALUES ('another', $1)", now + timedelta(days=3650)
    )
    async with serving(Visits(database, upkeep)) as running:
        yield running


@pytest.fixture
def browser(visits: Visits, clock: Clock) -> Callable[[], Browser]:
    """A new visitor."""
    return lambda: Browser(visits, clock)
