"""How well each pool covers its visits: recorded visits replayed, once an hour, beside the call path."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

import structlog

from router.domain.allocation import ReservationTimes, reserved_until
from router.domain.errors import StoreUnavailable
from router.domain.model import Pool, PoolId
from router.domain.sizing import Hold, coverage
from router.services.checks import Ref
from router.services.work import organisation_called
from router.store import coverage as store
from router.store.coverage import Reckoned, Visited
from router.store.database import Database

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
# two weeks: as long as a recommendation takes to settle, and each day of the week is in it twice
WINDOW = timedelta(days=14)
_PAGE = 2000
_NO_ID = 2**62


class Coverages:
    """One for each router; whichever finds the figures an hour old reckons them anew for all."""

    def __init__(self, database: Database, *, window: timedelta = WINDOW) -> None:
        self._database = database
        self._window = window

    async def run(self, clock: Callable[[], datetime]) -> NoReturn:
        """Reckon for ever; a database that is away is waited for."""
        while True:
            try:
                newest = await store.newest(self._database)
                if newest is None or clock() - newest >= EVERY:
                    await self.reckon(clock())
            except StoreUnavailable as error:
                log.warning("coverage has to wait", error=str(error))
            await asyncio.sleep(EVERY.total_seconds() / 4)

    async def latest(self, organisation: Ref | None) -> Sequence[Reckoned]:
        """The newest figures of an organisation's pools. Raises FieldError for one that nobody knows."""
        found = await organisation_called(self._database, organisation)
        return await store.latest(self._database, found.id)

    async def reckon(self, now: datetime) -> int:
        """Coverage of every pool that had visits; returns how many pools that were."""
        since = now - self._window
        pools = {pool.id: (pool, numbers) for pool, numbers in await store.pools(self._database)}
        only_pools = {pool_id: pool for pool_id, (pool, _) in pools.items()}
        holds, found_free = await self._holds(only_pools, since)
        for pool_id, of_pool in holds.items():
            numbers = pools[pool_id][1]
            # beside the event loop, which has calls to answer
            replayed = await asyncio.to_thread(coverage, of_pool, numbers)
            await store.put(
                self._database,
                pool_id,
                replayed,
                reckoned_at=now,
                since=since,
                days=len({hold.day for hold in of_pool}),
                numbers=numbers,
                found_free=found_free[pool_id],
            )
        return len(holds)

    async def _holds(
        self, pools: Mapping[PoolId, Pool], since: datetime
    ) -> tuple[dict[PoolId, list[Hold]], Mapping[PoolId, int]]:
        """Each pool's holds in order of their start, and how many of its visits found a free number."""
        holds: defaultdict[PoolId, list[Hold]] = defaultdict(list)
        found_free: defaultdict[PoolId, int] = defaultdict(int)
        before = _NO_ID
        while page := await store.visits(self._database, before, _PAGE):
            before = page[-1].id
            for visit in page:
                pool = pools.get(visit.pool_id) if visit.pool_id is not None else None
                if pool is not None and visit.times.started_at >= since:
                    holds[pool.id].append(_hold(pool, visit))
                    found_free[pool.id] += bool(visit.found_free)
            # ids are given in the order of starts, but for what is written at once
            if page[-1].times.started_at < since - timedelta(minutes=1):
                break
            await asyncio.sleep(0)
        return {pool_id: sorted(of_pool) for pool_id, of_pool in holds.items()}, found_free


def _hold(pool: Pool, visit: Visited) -> Hold:
    """As its reservation would be had the pool no end."""
    start = visit.times.started_at
    end = visit.counted_until or reserved_until(
        pool.policy, visit.times, ReservationTimes.of(pool), issued_at=start
    )
    return Hold(start.timestamp(), end.timestamp(), visit.day)
