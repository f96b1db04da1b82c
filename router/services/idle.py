"""The numbers that the policies choose from which pick by time alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from router.domain.allocation import Candidate
from router.domain.model import NumberId, Pool, PoolId
from router.services.finding import Choice
from router.services.plan import Plan
from router.services.shelf import Shelf
from router.store import numbers
from router.store.database import Queries
from router.store.numbers import Scan

# A pool that was found to be full is not searched again before a number of it can be free: a held one has
# its reservation time left at least, and no pool's is shorter than this.
_SHORTEST_RESERVATION = timedelta(seconds=60)
# So many times as many candidates as visits are the most that are looked at.
_WIDEST = 16.0


class Idle:
    """Finds free numbers, those first that have been free longest; `in_flight` are on their way to somebody."""

    def __init__(self, queries: Queries, in_flight: Collection[NumberId]) -> None:
        self._queries = queries
        self._in_flight = in_flight
        self._full_until: dict[PoolId, datetime] = {}
        self._shelf = Shelf()
        self._spread = 1.0
        self._chance = Random()

    def take(self, chosen: Iterable[NumberId]) -> None:
        """They are on their way to somebody."""
        self._shelf.take(chosen)

    def learn(self, *, lost: bool) -> None:
        """Routers that all want the number that has been idle longest take turns in losing it: while
        there are losers, each chooses by chance among more of those that come next."""
        if lost:
            self._shelf.clear()
        self._spread = min(2 * self._spread, _WIDEST) if lost else max(0.98 * self._spread, 1.0)

    async def find(
        self, wanting: Mapping[PoolId, Sequence[Plan]], handed: Collection[NumberId], now: datetime
    ) -> dict[PoolId, Choice]:
        """Enough numbers for everybody, where there are as many; none that is handed out already,
        here or by another batch of this process that is under way."""
        wanted = {pool: len(plans) for pool, plans in wanting.items()}
        alone = self._spread <= 1
        found = self._shelf.find(wanted, {*handed, *self._in_flight}) if alone else None
        if found is None:
            found = await self._read(wanted, handed, now, alone=alone)
        choices = {}
        for pool_id, plans in wanting.items():
            pool = plans[0].pool
            assert pool is not None
            free, busy = found[pool_id], False
            if len(free) < len(plans):
                free += await self._run_out(pool, len(plans), {*handed, *self._in_flight}, now)
                busy = bool(handed or self._in_flight)
            choices[pool_id] = Choice(free)
            choices[pool_id].busy = busy
        return choices

    async def _read(
        self,
        wanted: Mapping[PoolId, int],
        handed: Collection[NumberId],
        now: datetime,
        *,
        alone: bool,
    ) -> dict[PoolId, list[Candidate]]:
        # routers that race each other choose from what they read that moment
        while True:
            busy = {*handed, *self._in_flight}
            scans = {
                pool: Scan(
                    most=int(n * self._spread) + len(busy) + (self._shelf.ahead(n) if alone else 0)
                )
                for pool, n in wanted.items()
            }
            read = await numbers.open_numbers(self._queries, scans)
            # others may have chosen while we read
            busy |= {*self._in_flight}
            found: dict[PoolId, list[Candidate]] = {}
            enough = True
            for pool, n in wanted.items():
                free = [one.candidate for one in read[pool] if one.candidate.free(now)]
                found[pool] = [c for c in free if c.number_id not in busy]
                enough &= len(found[pool]) >= n or len(free) < scans[pool].most
            if enough:
                break
        for pool, n in wanted.items():
            if alone:
                self._shelf.put(pool, found[pool])
                found[pool] = found[pool][:n]
            elif len(found[pool]) > n:
                found[pool] = self._chance.sample(found[pool], n)
        return found

    async def _run_out(
        self, pool: Pool, visits: int, busy: Collection[NumberId], now: datetime
    ) -> list[Candidate]:
        """Numbers whose reservation has run out, not swept yet: nobody waits for the sweep. And for the policy
        that takes them the numbers of the oldest issue."""
        if now < self._full_until.get(pool.id, now):
            return []
        most = visits + len(busy)
        takes = pool.policy == "ringostat"
        read = await numbers.held(
            self._queries, pool.id, Scan(most=most), now, oldest=most if takes else 0
        )
        held = [one.candidate for one in read]
        found = [c for c in held if (takes or c.free(now)) and c.number_id not in busy]
        # a reservation of `uis` may end the moment its visitor leaves
        if not found and pool.policy != "uis":
            ends = [candidate.reserved_until for candidate in held]
            self._full_until[pool.id] = min([now + _SHORTEST_RESERVATION, *ends])
        return [c for c in found if c.number_id not in self._in_flight]
