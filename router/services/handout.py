"""A batch of visits: what is known of all of them, decisions folded in memory, one writing statement."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from router.domain.allocation import OVERFLOW, Candidate, choose
from router.domain.allocation.binding import choose_bound
from router.domain.allocation.tiers import best
from router.domain.errors import UnknownSession
from router.domain.model import NumberId, Pool, PoolId, SiteId
from router.domain.shared_pool import may_grow
from router.services import finding, growth
from router.services.batching import Waiting
from router.services.finding import Choice
from router.services.idle import Idle
from router.services.plan import Ask, Plan, Shown
from router.services.rations import Rations
from router.services.remembered import Remembered
from router.services.upkeep import Upkeep
from router.store import numbers, reservations, sessions
from router.store.database import Database
from router.store.sessions import Known

_PAUSE = 0.003
# a shared pool that had no number is asked again after so long
_BARREN = timedelta(seconds=10)
# by so many numbers a minute a pool grows at most: robots that come in a crowd leave the shared pool to others
_GROWTH = 30
_SCORED = ("balanced", "exclusive")


class Desk:
    """Hands out numbers, batch by batch; of each pool at most `pool_reservations` a minute."""

    def __init__(
        self, database: Database, upkeep: Upkeep, *, pool_reservations: int | None = None
    ) -> None:
        self._database = database
        self._rations = Rations(pool_reservations)
        self._growth = Rations(_GROWTH, event="pool grew as fast as it may")
        self._queries = database.kept
        self._upkeep = upkeep
        self._in_flight: set[NumberId] = set()
        self._remembered = Remembered(database.kept)
        # what other batches chose while one was reading is not what it read any more
        self._chosen_of: list[set[NumberId]] = []
        self._idle = Idle(database.kept, self._in_flight)
        self._barren_until: dict[PoolId, datetime] = {}
        self._chance = Random()

    async def serve(self, batch: Sequence[Waiting[Ask, Shown]]) -> None:
        """Answer everybody. What lost a race is decided again, on what is known then."""
        await self._upkeep.ensure(max(waiting.question.now for waiting in batch))
        while batch:
            again = await self._round(batch)
            if len(again) == len(batch):
                # all lost: who has the rows locked is given the time to let them go, and routers that race
                # each other do not come back at the same moment
                await asyncio.sleep(_PAUSE * (0.5 + self._chance.random()))
            batch = again

    async def _round(self, batch: Sequence[Waiting[Ask, Shown]]) -> list[Waiting[Ask, Shown]]:
        now = max(waiting.question.now for waiting in batch)
        turn, again = _one_of_each_visitor(batch)
        plans, later = await self._decide(turn, now)
        again += [plan.waiting for plan in later]
        if plans:
            again += [plan.waiting for plan in await self._write(plans, now)]
        return again

    async def _write(self, plans: Sequence[Plan], now: datetime) -> list[Plan]:
        """Answer those that were written; returns the others."""
        chosen = {plan.decision.candidate.number_id for plan in plans if plan.decision.candidate}
        self._in_flight |= chosen
        for reading in self._chosen_of:
            reading |= chosen
        self._idle.take(chosen)
        served: Collection[UUID] = ()
        try:
            rows = [plan.row(now) for plan in plans]
            served = await reservations.hand_out(self._queries, rows, now)
        finally:
            self._in_flight -= chosen
            self._idle.learn(lost=len(served) < len(plans))
        for plan in plans:
            if plan.key in served:
                plan.waiting.answer(plan.answer(now))
        return [plan for plan in plans if plan.key not in served]

    async def _decide(
        self, turn: Mapping[tuple[SiteId, UUID], Waiting[Ask, Shown]], now: datetime
    ) -> tuple[list[Plan], list[Plan]]:
        """Those who bring a number along first, so that no page loses its digits to a newcomer. Returns
        what is to be written, and what has to be decided once that is."""
        known = await self._known(turn)
        planned: list[Plan] = []
        for visitor, waiting in turn.items():
            try:
                planned.append(Plan(waiting, known.get(visitor), now))
            except UnknownSession as error:
                waiting.fail(error)
        later = await self._bind(planned)
        plans: list[Plan] = []
        handed: set[NumberId] = set()
        for plan in planned:
            if plan in later:
                continue
            own = plan.decision.candidate
            if own is not None and own.number_id in handed | self._in_flight:
                later.append(plan)
                continue
            plans.append(plan)
            if own is not None:
                handed.add(own.number_id)
        await self._remember([plan for plan in plans if plan.remembers], now)
        wanting = [plan for plan in plans if plan.wants]
        if wanting:
            late = await self._find(wanting, handed, now)
            later += late
            waits = {plan.key for plan in late}
            plans = [plan for plan in plans if plan.key not in waits]
        return plans, later

    async def _known(
        self, turn: Mapping[tuple[SiteId, UUID], Waiting[Ask, Shown]]
    ) -> Mapping[tuple[SiteId, UUID], Known]:
        asked = [visitor for visitor, waiting in turn.items() if waiting.question.seen_before]
        return await sessions.known(self._queries, asked) if asked else {}

    async def _bind(self, plans: Sequence[Plan]) -> list[Plan]:
        """For visits whose number is that of a combination of parameters. Of one combination one at a time:
        returns the others."""
        first: dict[tuple[PoolId, str], Plan] = {}
        others: list[Plan] = []
        for plan in plans:
            if plan.pool is None or plan.bound_to is None:
                continue
            if first.setdefault((plan.pool.id, plan.bound_to), plan) is not plan:
                others.append(plan)
        if first:
            found = await numbers.bound(self._queries, first)
            for key, plan in first.items():
                plan.bind(found.get(key))
        return others

    async def _remember(self, plans: Sequence[Plan], now: datetime) -> None:
        """What the visitors' own numbers remember, where they change hands."""
        own = [plan.known.own for plan in plans if plan.known and plan.known.own]
        if own:
            filled = await numbers.with_memory(self._queries, own)
            for plan, candidate in zip(plans, filled, strict=True):
                plan.remember(candidate, now)

    async def _find(self, plans: list[Plan], handed: set[NumberId], now: datetime) -> list[Plan]:
        """A number for each of them. Returns those for whom it cannot be said yet."""
        scored: dict[PoolId, list[Plan]] = {}
        timed: dict[PoolId, list[Plan]] = {}
        for plan in plans:
            assert plan.pool is not None
            scores = plan.pool.policy in _SCORED and plan.bound_to is None
            kind = scored if scores else timed
            kind.setdefault(plan.pool.id, []).append(plan)
        found: dict[PoolId, Choice] = {}
        # others may choose while we read: what is theirs by then is none of ours
        theirs: set[NumberId] = set()
        self._chosen_of.append(theirs)
        try:
            if scored:
                busy = handed | self._in_flight
                found |= await finding.scored(
                    self._queries, self._remembered, scored, busy, now, self._upkeep.recent
                )
            if timed:
                found |= await self._idle.find(timed, handed, now)
        finally:
            self._chosen_of = [one for one in self._chosen_of if one is not theirs]
        for choice in found.values():
            choice.take_away(theirs)
        late = []
        for plan in plans:
            assert plan.pool is not None
            if not await self._chosen(plan, found[plan.pool.id], now):
                late.append(plan)
        return late

    async def _chosen(self, plan: Plan, choice: Choice, now: datetime) -> bool:
        """Decide for one visit. False: it has to wait for what is being written now."""
        pool = plan.pool
        assert pool is not None
        candidates, many = choice.of(plan.visit.campaign)
        if plan.bound_to is not None:
            return await self._chosen_bound(plan, pool, choice, candidates, now)
        if choice.scales is not None and choice.scales.drained:
            self._rations.drained(pool, now)
        if not self._rations.left(pool.id, now):
            plan.take(OVERFLOW, now)
            return True
        grows = self._may_grow(pool, now)
        scales = choice.scales
        if many and scales is not None:
            # a shortlist, of numbers that nobody looks at
            decision = best(candidates, plan.visit, scales, price=pool.price)
        else:
            decision = choose(
                pool.policy,
                candidates,
                plan.visit,
                now,
                price=pool.price,
                grows=grows,
                scales=scales,
            )
        if decision.how == "new":
            if await self._grown(pool, now):
                return False
            decision = choose(
                pool.policy, candidates, plan.visit, now, price=pool.price, scales=scales
            )
        candidate = decision.candidate
        if candidate is None:
            plan.take(OVERFLOW, now)
            return not (choice.busy and pool.policy in _TAKING)
        if candidate.number_id in choice.handed:
            return False
        plan.take(decision, now)
        self._rations.take(pool, now)
        choice.handed_out(candidate, plan.after)
        return True

    async def _chosen_bound(
        self, plan: Plan, pool: Pool, choice: Choice, candidates: Sequence[Candidate], now: datetime
    ) -> bool:
        """The same for a combination of parameters that has no number."""
        if not self._rations.left(pool.id, now):
            plan.take(OVERFLOW, now)
            return True
        decision = choose_bound(candidates, now, grows=self._may_grow(pool, now))
        if decision.how == "new":
            if await self._grown(pool, now):
                return False
            decision = choose_bound(candidates, now)
        plan.take(decision, now)
        if decision.candidate is not None:
            self._rations.take(pool, now)
            choice.handed_out(decision.candidate, None)
        return True

    def _may_grow(self, pool: Pool, now: datetime) -> bool:
        waits = now < self._barren_until.get(pool.id, now)
        return may_grow(pool) and not waits and self._growth.left(pool.id, now)

    async def _grown(self, pool: Pool, now: datetime) -> bool:
        """Whether the pool has one more number now. An empty shared pool is left alone for a while; so is any,
        by a pool whose numbers are held by pages that never spoke."""
        if await numbers.drained(self._queries, pool.id, now):
            self._rations.drained(pool, now)
        elif await growth.grow(self._database, pool, now):
            self._growth.take(pool, now)
            return True
        self._barren_until[pool.id] = now + _BARREN
        return False


# they have a number for everybody, if there is one
_TAKING = ("balanced", "exclusive", "ringostat")


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
