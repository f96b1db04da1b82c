"""How far the clocks of Asterisk and PostgreSQL are from ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from router.domain.errors import StoreUnavailable
from router.services.metrics import CallMetrics
from router.services.readiness import Check
from router.store.calls import database_time
from router.store.database import Database, deadline

log = structlog.get_logger(__name__)

TOO_MUCH = timedelta(seconds=0.5)
NOTHING = timedelta()
EVERY = 30.0
_PATIENCE = 1.0


class Clocks:
    """Measured skews; positive means that the other clock is ahead of the router's."""

    def __init__(self, metrics: CallMetrics) -> None:
        self.asterisk = NOTHING
        self.database = NOTHING
        self._metrics = metrics
        self._warned: set[str] = set()

    def note(self, clock: str, said: datetime, asked_at: datetime, answered_at: datetime) -> None:
        """`clock` ("asterisk" or "database") said this between two moments of ours.

        Half of the time in between is taken for the way back.
        """
        skew = said - (asked_at + (answered_at - asked_at) / 2)
        if clock == "asterisk":
            self.asterisk = skew
        else:
            self.database = skew
        self._metrics.clock_skew.labels(clock).set(skew.total_seconds())
        if abs(skew) <= TOO_MUCH:
            self._warned.discard(clock)
        elif clock not in self._warned:
            self._warned.add(clock)
            log.warning("clocks differ", clock=clock, seconds=round(skew.total_seconds(), 3))


class DatabaseClock:
    """Asks PostgreSQL what time it is: whether it answers, how fast, and how far its clock is off."""

    def __init__(self, database: Database, clocks: Clocks, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clocks = clocks
        self._clock = clock

    async def check(self) -> Check:
        """For readiness. Raises StoreUnavailable."""
        asked_at = self._clock()
        said = await deadline(database_time(self._database), _PATIENCE, what="database")
        answered_at = self._clock()
        self._clocks.note("database", said, asked_at, answered_at)
        took = (answered_at - asked_at).total_seconds()
        return Check(
            ok=True,
            words=f"connected, {took * 1000:.0f} ms",
            figures={
                "answer_seconds": took,
                "clock_skew_seconds": self._clocks.database.total_seconds(),
            },
        )

    async def run(self) -> None:
        """Ask every half minute; to be run for ever."""
        while True:
            try:
                await self.check()
            except StoreUnavailable as error:
                log.warning("clock of the database not asked", reason=str(error))
            await asyncio.sleep(EVERY)
