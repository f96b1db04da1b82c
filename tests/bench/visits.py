"""services/visits on a database, in the measuring process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from router.app import OTHER_CONNECTIONS
from router.domain.page import Heartbeat, VisitRequest
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store.database import Database
from tests.bench import workload
from tests.bench.strategies import Given


class _Unbroken(Upkeep):
    """Time passes a thousand times faster in a measurement, and silence in it is no outage."""

    async def ensure(self, now: datetime) -> None:
        return None


class OurVisits:
    """Connected with as many connections as the baselines."""

    def __init__(self, database: Database) -> None:
        self._upkeep = _Unbroken(database)
        # What is kept for some seconds is kept, as it would be in that many real ones.
        self._visits = Visits(database, self._upkeep, directory_seconds=1e9)
        self._held: deque[tuple[UUID, str | None, str]] = deque(
            (
                session := workload.session_key(number),
                workload.token(session),
                workload.e164(number),
            )
            for number in range(2, workload.HELD + 2)
        )

    @classmethod
    @asynccontextmanager
    async def on(cls, dsn: str) -> AsyncIterator[OurVisits]:
        """Connected and serving."""
        database = await Database.connect(dsn, connections=OTHER_CONNECTIONS)
        ours = cls(database)
        serving = asyncio.create_task(ours._visits.run())
        try:
            yield ours
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await database.close()

    async def give(self, visit: int, now: datetime) -> Given:
        """The first page view of a new visitor."""
        answer = await self._visits.visit(
            VisitRequest(
                site=workload.SITE,
                origin=workload.ORIGIN,
                url=workload.page(visit),
                referrer="https://www.google.com/",
                user_agent=workload.AGENT,
                visitor=None,
                session=None,
            ),
            now,
        )
        e164 = None if answer.how == "default" else answer.number
        return Given(e164=e164, at=now, until=answer.valid_until)

    async def heartbeat(self, _visit: int, now: datetime) -> Given:
        """A heartbeat of one of the sessions that hold a number, each in its turn."""
        session, token, e164 = self._held[0]
        self._held.rotate(-1)
        answer = await self._visits.heartbeat(
            Heartbeat(
                site=workload.SITE,
                origin=workload.ORIGIN,
                session=session,
                token=token,
                visible=True,
                input=True,
                shown=e164,
            ),
            now,
        )
        if answer.how != "kept" or answer.number is not None:
            raise RuntimeError(f"a held number was not kept but {answer}")
        return Given(e164=e164, at=now, until=answer.valid_until)

    async def sweep(self, now: datetime) -> int:
        return await self._upkeep.sweep(now)
