"""One visit while it is decided: what is asked, what is known, what will be written and answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from router.domain import allocation
from router.domain.allocation import OVERFLOW, Claim, Visit, own_number, session_goes_on
from router.domain.errors import UnknownSession
from router.domain.model import Device, NumberId, Pool, Touch
from router.domain.rules import Facts
from router.domain.targeting import Targeting, pool_for
from router.domain.visitstate import LOST_AFTER
from router.services.batching import Waiting
from router.store.reservations import HandOut
from router.store.sessions import Known
from router.store.sites import SiteView

# `json.dumps` would make another one for every visit
_to_json = json.JSONEncoder(ensure_ascii=False).encode

How = Literal["free", "kept", "retaken", "static", "default"]
# a page is told what its number is to it, not at whose cost it got it
_TOLD: Mapping[allocation.How, How] = {
    "free": "free",
    "shared": "free",
    "taken_from_oldest": "free",
    "kept": "kept",
    "kept_on_screen": "kept",
    "retaken": "retaken",
    "new": "default",
    "default": "default",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Landing:
    """A page was opened; all of it is clean."""

    touch: Touch
    url: str
    referrer: str
    device: Device
    region: str | None = None
    city: str | None = None

    def facts(self, visit: int | None = None) -> Facts:
        """What rules can ask of it."""
        return Facts(
            touch=self.touch,
            url=self.url,
            referrer=self.referrer,
            device=self.device,
            region=self.region,
            city=self.city,
            visit=visit,
        )


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
    """What the page has to show. `targeting`: why from this pool."""

    session: UUID
    number: str
    how: How
    valid_until: datetime | None
    targeting: Targeting | None = None


class Plan:
    """One visit while it is decided. `pool` is None unless a number of it may be handed out."""

    __slots__ = (
        "decision",
        "key",
        "known",
        "landing",
        "pool",
        "static",
        "targeting",
        "touch",
        "waiting",
    )

    def __init__(self, waiting: Waiting[Ask, Shown], known: Known | None, now: datetime) -> None:
        ask = waiting.question
        landing = ask.landing
        goes_on = known is not None and (
            landing is None or session_goes_on(known.touch, known.last_seen, landing.touch, now)
        )
        if known is not None and goes_on:
            touch, key, facts = known.touch, known.key, known.facts
        elif landing is not None:
            touch, key = landing.touch, uuid4()
            facts = landing.facts(1 if known is None else known.ordinal + 1)
        else:
            raise UnknownSession
        self.waiting = waiting
        self.known = known
        self.landing = None if goes_on else landing
        self.touch = touch
        self.key = key
        self.targeting = pool_for(facts, ask.view.pools)
        pool = self.targeting.pool
        self.static = ask.view.static.get(pool.id) if pool and pool.kind == "static" else None
        self.pool = pool if pool and pool.kind == "dynamic" else None
        self.decision = OVERFLOW
        claim = self._claim(self.pool, goes_on) if self.pool is not None else None
        if self.pool is not None and claim is not None:
            self.decision = own_number(self.pool.policy, claim, now) or OVERFLOW

    def _claim(self, pool: Pool, goes_on: bool) -> Claim | None:
        known = self.known
        if known is None or known.own is None or known.own_pool != pool.id:
            return None
        return Claim(session=known.id, goes_on=goes_on, own=known.own)

    def visit(self) -> Visit:
        """Who wants a number, as the policies see it."""
        touch, device = self.touch, self.landing.device if self.landing else None
        return Visit(
            session=None,
            source=touch.source,
            campaign=(touch.source, touch.campaign),
            device=device,
            region=None,
        )

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
            _to_json(dict(touch.click_ids)) if touch.click_ids else "{}",
            number_id,
            version,
            self.decision.take,
            pool_id,
            self.decision.ends,
            self.until(now),
            self.shown(),
            pool is not None and candidate is None,
            touch.channel,
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
        return self.waiting.question.view.default_number(self.touch, pool_default)

    def answer(self, now: datetime) -> Shown:
        how: How = "static" if self.static else _TOLD[self.decision.how]
        return Shown(
            session=self.key,
            number=self.shown(),
            how=how,
            valid_until=self.until(now),
            targeting=self.targeting,
        )
