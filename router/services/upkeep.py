"""What keeps reservations right when nobody speaks: pulses, outages, the sweep."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import uuid4

import structlog

from router.domain.errors import StoreUnavailable
from router.domain.visitstate import Outage
from router.store import upkeep
from router.store.database import Database, deadline

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=3)
# Longer than any pause of a healthy router, shorter than what a visitor's heartbeats bridge.
OUTAGE = timedelta(seconds=10)
_SWEPT_AT_ONCE = 2000
_PULSES_KEPT = timedelta(days=1)
# an outage that was over before says nothing any more of who holds a number
_RECENT = timedelta(days=1)


class Upkeep:
    """One for each router process. `router` names it among the others; `outage` is how long no router
    must have written for that to be one."""

    def __init__(
        self, database: Database, router: str | None = None, *, outage: timedelta = OUTAGE
    ) -> None:
        self._database = database
        self._outage = outage
        # a router that could write this recently has missed no outage
        self._fresh = outage * 0.6
        self._router = router or f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._pulsed_at: datetime | None = None
        self._pulsing = asyncio.Lock()
        # outages of the last day, known before a number may change hands: no router misses one that pulses
        self.recent: Sequence[Outage] = ()

    async def ensure(self, now: datetime) -> None:
        """To be called before a number may change hands: if this router could not write for a while,
        first find out whether no router could. Costs nothing in between. Raises StoreUnavailable."""
        if self._stale(now):
            async with self._pulsing:
                if self._stale(now):
                    await self.pulse(now)

    def gap(self, now: datetime) -> Outage | None:
        """The time in which this router could not write, if it is long enough to be an outage. Asks nobody:
        for an arriving call, which must not wait for the writing of a pulse."""
        if self._pulsed_at is None or now - self._pulsed_at <= OUTAGE:
            return None
        return Outage(started_at=self._pulsed_at, ended_at=now)

    def _stale(self, now: datetime) -> bool:
        return self._pulsed_at is None or not abs(now - self._pulsed_at) < self._fresh

    async def pulse(self, now: datetime) -> None:
        """Write that this router lives. If none did for longer than `outage`, it was one: heartbeats
        were lost in it, so the reservations in force when it began run on for as long as it lasted."""
        missed = self._stale(now)
        newest = await upkeep.newest_pulse(self._database)
        if newest is not None and now - newest > self._outage:
            await self._heal(now)
        else:
            await upkeep.pulse(self._database, self._router, now)
        if missed:
            self.recent = await upkeep.outages(self._database, now - _RECENT)
        self._pulsed_at = now

    async def _heal(self, now: datetime) -> None:
        async with self._database.transaction() as queries:
            await upkeep.one_at_a_time(queries)
            # another router may have seen to it while we waited
            newest = await upkeep.newest_pulse(queries)
            if newest is not None and now - newest > self._outage:
                prolonged = await upkeep.prolong(queries, newest, now)
                log.warning(
                    "outage",
                    started_at=newest.isoformat(),
                    seconds=round((now - newest).total_seconds(), 1),
                    reservations_prolonged=prolonged,
                )
            await upkeep.pulse(queries, self._router, now)

    async def outages(self, since: datetime) -> list[Outage]:
        """The outages that were not over at `since`: silence in them says nothing of a visitor."""
        return await upkeep.outages(self._database, since)

    async def sweep(self, now: datetime) -> int:
        """Free the numbers whose reservation has run out, for the index only. Returns how many. And have
        those found by index whose holders fell silent."""
        await self.ensure(now)
        while await upkeep.silent(self._database, now, _SWEPT_AT_ONCE) == _SWEPT_AT_ONCE:
            continue
        swept = last = await upkeep.sweep(self._database, now, _SWEPT_AT_ONCE)
        while last == _SWEPT_AT_ONCE:
            last = await upkeep.sweep(self._database, now, _SWEPT_AT_ONCE)
            swept += last
        await upkeep.forget_pulses(self._database, now - _PULSES_KEPT)
        return swept

    async def run(self, clock: Callable[[], datetime]) -> NoReturn:
        """Pulse and sweep for ever; a database that is away is waited for."""
        while True:
            try:
                await deadline(self._round(clock()), EVERY.total_seconds(), what="upkeep")
            except StoreUnavailable as error:
                log.warning("upkeep has to wait", error=str(error))
            await asyncio.sleep(EVERY.total_seconds())

    async def _round(self, now: datetime) -> None:
        await self.pulse(now)
        await self.sweep(now)
