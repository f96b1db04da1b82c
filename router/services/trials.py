"""What a rule, or a channel, would have made of the visits of the last days."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from router.domain import channels
from router.domain.channels import Channel
from router.domain.model import Pool, PoolId
from router.domain.rules import Facts, Rule, holds
from router.domain.targeting import in_order, pool_for
from router.services import checks
from router.services.administration.channels import channel_rules
from router.services.checks import Ref
from router.services.rehearsal import site_view
from router.store import rehearsal
from router.store.database import Database, deadline
from router.store.rehearsal import NEWEST, PastSession
from router.store.sites import SiteView

DAYS_AT_MOST = 365
SECONDS = 20.0  # a trial ends after so long, with what it has seen by then
EXAMPLES = 10
_PAGE = 500
_PATIENCE = 5.0
NEW = "(the new pool)"
DEFAULT = "(default number)"
GONE = "(a pool that is gone)"
_NEW_ID = PoolId(-1)
# (does it hold, what the session got, what it would get)
Verdict = tuple[bool, str, str]


@dataclass(frozen=True, kw_only=True)
class Example:
    """One session that a rule holds for."""

    at: datetime
    url: str
    channel: str
    source: str
    medium: str
    campaign: str
    got: str
    would_get: str


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A rule against past sessions. `since`: how far back was looked; `whole` is False where the time was
    over before the days were. `moves`: how many sessions got the one and would get the other."""

    looked_at: int
    matched: int
    since: datetime
    whole: bool
    moves: Mapping[tuple[str, str], int]
    examples: tuple[Example, ...]

    @property
    def moved(self) -> int:
        """Sessions that would have got something else."""
        return sum(n for (got, would_get), n in self.moves.items() if got != would_get)


class Trials:
    """Nothing here changes anything."""

    def __init__(self, database: Database, *, seconds: float = SECONDS) -> None:
        self._database = database
        self._seconds = seconds

    async def try_rules(
        self,
        rules: Sequence[str | Mapping[str, Any]],
        *,
        site: Ref,
        pool: str | None = None,
        priority: int | None = None,
        days: int = 30,
        organisation: Ref | None = None,
        now: datetime,
    ) -> Trial:
        """What would have been if `pool` had had these rules (without any: those it has), or a new pool of
        this priority (usually before all others)."""
        problems = checks.Problems()
        parsed = problems.check(checks.rules, rules) or ()
        problems.check(checks.between, "days", days, 1, DAYS_AT_MOST)
        if not rules and pool is None:
            problems.add("rule", "give a rule, or the pool whose rules to try", "source=google")
        problems.refuse()
        view = await site_view(self._database, site, organisation)
        tried = _tried(view, parsed, pool, priority)
        main = view.site.default_number
        now_are = {main: view, **{part.number: part.view for part in view.parts}}
        would_be = {number: _with(one, tried) for number, one in now_are.items()}
        if tried.id == _NEW_ID:
            with_new = in_order([*would_be[main].pools, tried])
            would_be[main] = replace(would_be[main], pools=with_new)
        names = {found.id: found.name for one in now_are.values() for found in one.pools}

        def judge(session: PastSession, facts: Facts) -> Verdict:
            number = _shown_for(now_are, session)
            if session.pool_id is None:
                # a default number, perhaps since all were taken: the pool is the one that serves such visits
                got = _name(pool_for(facts, now_are[number].pools).pool)
            else:
                got = names.get(session.pool_id, GONE)
            would_get = _name(pool_for(facts, would_be[number].pools).pool)
            return all(holds(rule, facts) for rule in tried.rules), got, would_get

        return await self._trial(view, days, now, judge)

    async def try_channel(
        self,
        rules: Sequence[str | Mapping[str, Any]],
        *,
        site: Ref,
        key: str = "(the new channel)",
        days: int = 30,
        organisation: Ref | None = None,
        now: datetime,
    ) -> Trial:
        """Which past sessions an own channel with these rules would have had, and which they had."""
        problems = checks.Problems()
        parsed = problems.check(channel_rules, rules) or ()
        problems.check(checks.between, "days", days, 1, DAYS_AT_MOST)
        problems.refuse()
        view = await site_view(self._database, site, organisation)
        tried = Channel(key=key, name=key, group="own", rules=parsed)
        own = (tried, *(one for one in view.channels if one.key != key))

        def judge(session: PastSession, facts: Facts) -> Verdict:
            found = channels.channel_of(facts, own).channel.key
            return found == key, facts.touch.channel, found

        return await self._trial(view, days, now, judge)

    async def _trial(
        self,
        view: SiteView,
        days: int,
        now: datetime,
        judge: Callable[[PastSession, Facts], Verdict],
    ) -> Trial:
        """Page by page, each a short statement, until the days or the time are over."""
        loop = asyncio.get_running_loop()
        ends, since = loop.time() + self._seconds, now - timedelta(days=days)
        before: int | None = NEWEST
        looked_at = matched = 0
        reached, moves, examples = now, Counter[tuple[str, str]](), list[Example]()
        while before is not None and reached > since and loop.time() < ends:
            page = await deadline(
                rehearsal.past(self._database, view.site.id, before, _PAGE),
                _PATIENCE,
                what="past sessions",
            )
            before, reached = page.before, page.reached or reached
            for session in page.sessions:
                if session.started_at < since:
                    continue
                looked_at += 1
                facts = _with_channel(session.facts, view)
                holding, got, would_get = judge(session, facts)
                moves[got, would_get] += holding or got != would_get
                if holding:
                    matched += 1
                    if len(examples) < EXAMPLES:
                        examples.append(_example(session, facts, got, would_get))
        whole = before is None or reached <= since
        return Trial(
            looked_at=looked_at,
            matched=matched,
            since=since if whole else reached,
            whole=whole,
            moves=+moves,
            examples=tuple(examples),
        )


def _tried(view: SiteView, rules: Sequence[Rule], pool: str | None, priority: int | None) -> Pool:
    """The pool that is tried: an existing one with other rules or another priority, or a new one."""
    everywhere = [*view.pools, *(found for part in view.parts for found in part.view.pools)]
    if pool is None:
        first = min((found.priority for found in everywhere), default=100) - 1
        return Pool(
            id=_NEW_ID,
            organisation_id=view.site.organisation_id,
            site_id=view.site.id,
            name=NEW,
            kind="dynamic",
            policy="longest_idle",
            priority=first if priority is None else priority,
            reservation_seconds=900,
            rules=tuple(rules),
            default_number=None,
            target_id=None,
            record=True,
            source=None,
            medium=None,
            campaign=None,
        )
    found = checks.named("pool", pool, everywhere, lambda one: one.name)
    return replace(
        found,
        rules=tuple(rules) or found.rules,
        priority=found.priority if priority is None else priority,
    )


def _with(view: SiteView, tried: Pool) -> SiteView:
    """The site with the tried pool in place of the one it has."""
    pools = (tried if pool.id == tried.id else pool for pool in view.pools)
    return replace(view, pools=in_order(pools))


def _shown_for(views: Mapping[str, SiteView], session: PastSession) -> str:
    """Which of the page's numbers a session was for; the main one if that cannot be told."""
    for number, view in views.items():
        if session.shown == number or any(pool.id == session.pool_id for pool in view.pools):
            return number
    return next(iter(views))


def _name(pool: Pool | None) -> str:
    return pool.name if pool is not None else DEFAULT


def _with_channel(facts: Facts, view: SiteView) -> Facts:
    """Sessions from before there were channels are given theirs now."""
    if facts.touch.channel:
        return facts
    return facts.in_channel(channels.channel_of(facts, view.channels).channel.key)


def _example(session: PastSession, facts: Facts, got: str, would_get: str) -> Example:
    touch = facts.touch
    return Example(
        at=session.started_at,
        url=facts.url,
        channel=touch.channel,
        source=touch.source,
        medium=touch.medium,
        campaign=touch.campaign,
        got=got,
        would_get=would_get,
    )
