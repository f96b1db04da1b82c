"""A batch of visits: what is known of all of them, decisions folded in memory, one writing statement."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal
from uuid import UUID, uuid4

from router.domain.allocation import (
    OVERFLOW,
    Candidate,
    Claim,
    Decision,
    choose,
    session_goes_on,
)
from router.domain.errors import UnknownSession
from router.domain.model import Device, NumberId, Pool, PoolId, SiteId, Touch
from router.domain.targeting import pool_for
from router.domain.visitstate import LOST_AFTER
from router.services.batching import Waiting
from router.services.upkeep import Upkeep
from router.store import numbers, reservations, sessions
from router.store.database import Database
from router.store.reservations import HandOut
from router.store.sessions import Known
from router.store.sites import SiteView

How = Literal["free", "kept", "retaken", "static", "default"]

# A pool that was found to be full is not searched again before a number of it can be free: a held one has
# its reservation time left at least, and no pool's is shorter than this.
_SHORTEST_RESERVATION = timedelta(seconds=60)
# So many times as many candidates as visits are the most that are looked at.
_WIDEST = 16.0
_PAUSE = 0.003


@dataclass(frozen=True, kw_only=True, slots=True)
class Landing:
    """A page was opened; all of it is clean."""

    touch: Touch
    url: str
    referrer: str
    device: Device


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """`landing` is None where a page that was open all along needs a number again. `seen_before`:
    the visitor brought the id along, so something may be known."""

    view: SiteView
    visitor: UUID
    seen_before: bool
    landing: Landing | None
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the page has to show."""

    session: UUID
    number: str
    how: How
    valid_until: datetime | None


class _Plan:
    """One visit while it is decided. `pool` is None unless a number of it may be handed out."""

    __slots__ = ("decision", "key", "known", "landing", "pool", "static", "touch", "waiting")

    def __init__(self, waiting: Waiting[Ask, Shown], known: Known | None, now: datetime) -> None:
        ask = waiting.question
        landing = ask.landing
        goes_on = known is not None and (
            landing is None or session_goes_on(known.touch, known.last_seen, landing.touch, now)
        )
        if known is not None and goes_on:
            touch, key = known.touch, known.key
        elif landing is not None:
            touch, key = landing.touch, uuid4()
        else:
            raise UnknownSession
        self.waiting = waiting
        self.known = known
        self.landing = None if goes_on else landing
        self.touch = touch
        self.key = key
        pool = pool_for(touch, ask.view.pools).pool
        self.static = ask.view.static.get(pool.id) if pool and pool.kind == "static" else None
        self.pool = pool if pool and pool.kind == "dynamic" else None
        self.decision = OVERFLOW
        if self.pool is not None:
            self.decision = choose(self.pool.policy, (), self._claim(self.pool, goes_on), now)

    def _claim(self, pool: Pool, goes_on: bool) -> Claim | None:
        known = self.known
        if known is None or known.own is None or known.own_pool != pool.id:
            return None
        return Claim(session=known.id, goes_on=goes_on, own=known.own)

    def row(self, now: datetime) -> HandOut:
        ask, known, landing, touch = self.waiting.question, self.known, self.landing, self.touch
        site = ask.view.site
        pool, candidate = self.pool, self.decision.candidate
        if pool is None or candidate is None:
            number_id: NumberId | None = self.static.id if self.static else None
            version, pool_id = 0, None
        else:
            number_id, version, pool_id = candidate.number_id, candidate.version, pool.id
        return HandOut(
            self.key,
            known.id if known and landing is None else None,
            site.organisation_id,
            site.id,
            ask.visitor,
            1 if known is None else known.ordinal + 1,
            landing.device if landing else "desktop",
            landing.url if landing else "",
            landing.referrer if landing else "",
            touch.source,
            touch.medium,
            touch.campaign,
            touch.term,
            touch.content,
            json.dumps(dict(touch.click_ids), ensure_ascii=False) if touch.click_ids else "{}",
            number_id,
            version,
            self.decision.take,
            pool_id,
            self.decision.ends,
            self.until(now),
            self.shown(),
            pool is not None and candidate is None,
        )

    def until(self, now: datetime) -> datetime | None:
        """An active visit keeps its number for as long as it takes to be lost, and the tail after that."""
        if self.pool is None or self.decision.candidate is None:
            return None
        return now + LOST_AFTER + timedelta(seconds=self.pool.reservation_seconds)

    def shown(self) -> str:
        if self.static is not None:
            return self.static.e164
        if self.decision.candidate is not None:
            return self.decision.candidate.e164
        pool_default = self.pool.default_number if self.pool else None
        return pool_default or self.waiting.question.view.site.default_number

    def answer(self, now: datetime) -> Shown:
        how: How = "static" if self.static else self.decision.how
        return Shown(session=self.key, number=self.shown(), how=how, valid_until=self.until(now))


class Desk:
    """Hands out numbers, batch by batch."""

    def __init__(self, database: Database, upkeep: Upkeep) -> None:
        self._database = database
        self._upkeep = upkeep
        self._full_until: dict[PoolId, datetime] = {}
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
            served = await reservations.hand_out(
                self._database, [plan.row(now) for plan in plans], now
            )
            for plan in plans:
                if plan.key in served:
                    plan.waiting.answer(plan.answer(now))
                else:
                    again.append(plan.waiting)
            self._learn(lost=len(plans) > len(served))
        return again

    def _learn(self, *, lost: bool) -> None:
        """Routers that all want the number that has been idle longest take turns in losing it: while
        there are losers, each chooses by chance among more of those that come next."""
        self._spread = min(2 * self._spread, _WIDEST) if lost else max(0.98 * self._spread, 1.0)

    async def _decide(
        self, turn: Mapping[tuple[SiteId, UUID], Waiting[Ask, Shown]], now: datetime
    ) -> list[_Plan]:
        """Those who bring a number along first, so that no page loses its digits to a newcomer."""
        known = await self._known(turn)
        plans: list[_Plan] = []
        handed: set[NumberId] = set()
        wanting: Counter[PoolId] = Counter()
        for visitor, waiting in turn.items():
            try:
                plan = _Plan(waiting, known.get(visitor), now)
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
                    plan.decision = _take(plan.pool, found[plan.pool.id], now)
        return plans

    async def _known(
        self, turn: Mapping[tuple[SiteId, UUID], Waiting[Ask, Shown]]
    ) -> Mapping[tuple[SiteId, UUID], Known]:
        asked = [visitor for visitor, waiting in turn.items() if waiting.question.seen_before]
        return await sessions.known(self._database, asked) if asked else {}

    async def _candidates(
        self, wanting: Mapping[PoolId, int], handed: set[NumberId], now: datetime
    ) -> dict[PoolId, list[Candidate]]:
        """Enough candidates for everybody, where there are as many; none that is handed out already."""
        wanted = {pool: count + len(handed) for pool, count in wanting.items()}
        wider = {pool: int(count * self._spread) for pool, count in wanted.items()}
        found = await numbers.free(self._database, wider)
        for pool, count in wanted.items():
            if len(found[pool]) < count and not now < self._full_until.get(pool, now):
                found[pool] += await self._run_out(pool, count, now)
            if handed:
                found[pool] = [c for c in found[pool] if c.number_id not in handed]
            if wider[pool] > count and len(found[pool]) > wanting[pool]:
                found[pool] = self._chance.sample(found[pool], wanting[pool])
        return found

    async def _run_out(self, pool: PoolId, count: int, now: datetime) -> list[Candidate]:
        """Numbers whose reservation has run out, not swept yet: nobody waits for the sweep."""
        taken = await numbers.taken(self._database, pool, count)
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


def _take(pool: Pool, candidates: list[Candidate], now: datetime) -> Decision:
    decision = choose(pool.policy, candidates, None, now)
    if decision.candidate is not None:
        candidates.remove(decision.candidate)
    return decision
