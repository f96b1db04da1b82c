"""A batch of visits: what is known of all of them, decisions folded in memory, one writing statement."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from router.domain.allocation import OVERFLOW, Candidate, Decision, choose
from router.domain.errors import UnknownSession
from router.domain.model import NumberId, Pool, PoolId, SiteId
from router.services.batching import Waiting
from router.services.plan import Ask, Plan, Shown
from router.services.shelf import Shelf
from router.services.upkeep import Upkeep
from router.store import numbers, reservations, sessions
from router.store.database import Database
from router.store.sessions import Known

# A pool that was found to be full is not searched again before a number of it can be free: a held one has
# its reservation time left at least, and no pool's is shorter than this.
_SHORTEST_RESERVATION = timedelta(seconds=60)
# So many times as many candidates as visits are the most that are looked at.
_WIDEST = 16.0
_PAUSE = 0.003


class Desk:
    """Hands out numbers, batch by batch."""

    def __init__(self, database: Database, upkeep: Upkeep) -> None:
        self._queries = database.kept
        self._upkeep = upkeep
        self._full_until: dict[PoolId, datetime] = {}
        self._in_flight: set[NumberId] = set()
        self._shelf = Shelf()
        self._spread = 1.0
        self._chance = Random()

    async def serve(self, batch: Sequence[Waiting[Ask, Shown]]) -> None:
        """Answer everybody. What lost a race is decided again, on what is known then."""
        await self._upkeep.ensure(max(waiting.question.now for waiting in batch))
        while batch:
            again = await self._round(batch)
            if len(again) == len(batch):
                # all lost: who has the rows locked is given the time to let them go
                await asyncio.sleep(_PAUSE)
            batch = again

    async def _round(self, batch: Sequence[Waiting[Ask, Shown]]) -> list[Waiting[Ask, Shown]]:
        now = max(waiting.question.now for waiting in batch)
        turn, again = _one_of_each_visitor(batch)
        plans = await self._decide(turn, now)
        if plans:
            for plan in await self._write(plans, now):
                again.append(plan.waiting)
        return again

    async def _write(self, plans: Sequence[Plan], now: datetime) -> list[Plan]:
        """Answer those that were written; returns the others."""
        chosen = {plan.decision.candidate.number_id for plan in plans if plan.decision.candidate}
        self._in_flight |= chosen
        self._shelf.take(chosen)
        served: Collection[UUID] = ()
        try:
            rows = [plan.row(now) for plan in plans]
            served = await reservations.hand_out(self._queries, rows, now)
        finally:
            self._in_flight -= chosen
            if len(served) < len(plans):
                self._shelf.clear()
        for plan in plans:
            if plan.key in served:
                plan.waiting.answer(plan.answer(now))
        self._learn(lost=len(served) < len(plans))
        return [plan for plan in plans if plan.key not in served]

    def _learn(self, *, lost: bool) -> None:
        """Routers that all want the number that has been idle longest take turns in losing it: while
        there are losers, each chooses by chance among more of those that come next."""
        self._spread = min(2 * self._spread, _WIDEST) if lost else max(0.98 * self._spread, 1.0)

    async def _decide(
        self, turn: Mapping[tuple[SiteId, UUID], Waiting[Ask, Shown]], now: datetime
    ) -> list[Plan]:
        """Those who bring a number along first, so that no page loses its digits to a newcomer."""
        known = await self._known(turn)
        plans: list[Plan] = []
        handed: set[NumberId] = set()
        wanting: Counter[PoolId] = Counter()
        for visitor, waiting in turn.items():
            try:
                plan = Plan(waiting, known.get(visitor), now)
            except UnknownSession as error:
                waiting.fail(error)
                continue
            plans.append(plan)
            if (own := plan.decision.candidate) is not None and own.number_id in handed:
                plan.decision = OVERFLOW
            elif own is not None:
                handed.add(own.number_id)
            if plan.pool is not None and plan.decision.candidate is None:
                wanting[plan.pool.id] += 1
        if wanting:
            found = await self._candidates(wanting, handed, now)
            for plan in plans:
                if plan.pool is not None and plan.decision.candidate is None:
                    plan.decision = _take(plan, plan.pool, found[plan.pool.id], now)
        return plans

    async def _known(
        self, turn: Mapping[tuple[SiteId, UUID], Waiting[Ask, Shown]]
    ) -> Mapping[tuple[SiteId, UUID], Known]:
        asked = [visitor for visitor, waiting in turn.items() if waiting.question.seen_before]
        return await sessions.known(self._queries, asked) if asked else {}

    async def _candidates(
        self, wanting: Mapping[PoolId, int], handed: set[NumberId], now: datetime
    ) -> dict[PoolId, list[Candidate]]:
        """Enough candidates for everybody, where there are as many; none that is handed out already,
        here or by another batch of this process that is under way."""
        # routers that race each other choose from what they read that moment
        alone = self._spread <= 1
        if alone and (shelved := self._shelf.find(wanting, handed | self._in_flight)) is not None:
            return shelved
        while True:
            busy = handed | self._in_flight
            limits = {
                pool: int(n * self._spread) + len(busy) + (self._shelf.ahead(n) if alone else 0)
                for pool, n in wanting.items()
            }
            read = await numbers.free(self._queries, limits)
            # others may have chosen while we read
            busy |= self._in_flight
            found = {pool: [c for c in read[pool] if c.number_id not in busy] for pool in wanting}
            if all(
                len(found[pool]) >= n or len(read[pool]) < limits[pool]
                for pool, n in wanting.items()
            ):
                break
        if alone:
            for pool, n in wanting.items():
                self._shelf.put(pool, found[pool])
                found[pool] = found[pool][:n]
        for pool, n in wanting.items():
            if len(found[pool]) < n and not now < self._full_until.get(pool, now):
                run_out = await self._run_out(pool, n + len(busy), now)
                found[pool] += [c for c in run_out if c.number_id not in busy | self._in_flight]
            elif self._spread > 1 and len(found[pool]) > n:
                found[pool] = self._chance.sample(found[pool], n)
        return found

    async def _run_out(self, pool: PoolId, count: int, now: datetime) -> list[Candidate]:
        """Numbers whose reservation has run out, not swept yet: nobody waits for the sweep."""
        taken = await numbers.taken(self._queries, pool, count)
        run_out = [candidate for candidate in taken if candidate.free(now)]
        if not run_out:
            ends = [candidate.reserved_until for candidate in taken[:1]]
            self._full_until[pool] = min([now + _SHORTEST_RESERVATION, *ends])
        return run_out


def _one_of_each_visitor(
    batch: Sequence[Waiting[Ask, Shown]],
) -> tuple[dict[tuple[SiteId, UUID], Waiting[Ask, Shown]], list[Waiting[Ask, Shown]]]:
    """The second tab of a visitor waits for the first, and is told the same number."""
    turn: dict[tuple[SiteId, UUID], Waiting[Ask, Shown]] = {}
    later = []
    for waiting in batch:
        visitor = (waiting.question.view.site.id, waiting.question.visitor)
        if turn.setdefault(visitor, waiting) is not waiting:
            later.append(waiting)
    return turn, later


def _take(plan: Plan, pool: Pool, candidates: list[Candidate], now: datetime) -> Decision:
    decision = choose(pool.policy, candidates, plan.visit(), now)
    if decision.candidate is not None:
        candidates.remove(decision.candidate)
    return decision
