"""One visit while it is decided: what is asked, what is known, what will be written and answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from router.domain import allocation
from router.domain.allocation import (
    OVERFLOW,
    RATE,
    Candidate,
    Claim,
    Decision,
    Holder,
    ReservationTimes,
    Visit,
    hand_over,
    own_number,
    reserved_until,
    ring_size,
    session_goes_on,
)
from router.domain.allocation.binding import bound_until, combination
from router.domain.allocation.keys import as_text, campaign_key
from router.domain.errors import UnknownSession
from router.domain.model import NumberId, SessionId, SessionTimes, Touch
from router.domain.targeting import Targeting, pool_for
from router.domain.visitstate import phase
from router.services.batching import Waiting
from router.services.landing import Further, Landing, further
from router.store import rings
from router.store.numbers import Read
from router.store.reservations import HandOut
from router.store.sessions import Known
from router.store.sites import SiteView

# `json.dumps` would make another one for every visit
_to_json = json.JSONEncoder(ensure_ascii=False).encode

# of a session that has no row yet
_UNBORN = SessionId(0)

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
    """What the page has to show. `targeting`: why from this pool. `further`: what its landing adds to a
    session that goes on."""

    session: UUID
    number: str
    how: How
    valid_until: datetime | None
    targeting: Targeting | None = None
    further: Further | None = None


class Plan:
    """One visit while it is decided. `pool` is None unless a number of it may be handed out; `after` is the
    number as it is once it was handed out."""

    __slots__ = (
        "_until",
        "after",
        "bound_to",
        "decision",
        "key",
        "known",
        "landing",
        "pool",
        "static",
        "targeting",
        "touch",
        "visit",
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
        self.visit = _visit(known.holder if known and goes_on else None, touch, self.landing)
        self.decision = OVERFLOW
        self.after: Candidate | None = None
        self._until: tuple[Decision, datetime | None] | None = None
        self.bound_to: str | None = None
        if self.pool is not None and self.pool.binding:
            self.bound_to = as_text(combination(self.pool.binding, touch))
        elif self.pool is not None and known is not None and known.own is not None:
            self.decision = self._own(known, known.own, now) or OVERFLOW

    def _own(self, known: Known, own: Read, now: datetime) -> Decision | None:
        """What becomes of the number that the visitor's pages show."""
        assert self.pool is not None
        goes_on = self.landing is None
        if own.pool_id != self.pool.id:
            # moved to another pool, or the rules have changed: its holder keeps it, and nobody gets it back
            moved = next((p for p in self.waiting.question.view.pools if p.id == own.pool_id), None)
            if moved is None or not goes_on or own.candidate.holder != known.id:
                return None
            self.pool = moved
        claim = Claim(session=known.id, goes_on=goes_on, own=own.candidate)
        decision = own_number(self.pool.policy, claim, now)
        looking = goes_on and self.waiting.question.landing is not None
        if decision is None and looking and phase(known.holder.times, now)[0] == "active":
            # another page of a visitor who has been looking at his number all the time
            return Decision(how="kept_on_screen", candidate=own.candidate)
        return decision

    def bind(self, own: Read | None) -> None:
        """The number that the visit's combination of parameters has; None: it has to find one."""
        known = self.known
        if own is None:
            return
        renews = known is not None and self.landing is None and known.bound_to == self.bound_to
        if renews and known and known.shown_id == own.candidate.number_id and own.candidate.holder:
            self.decision = Decision(how="kept", candidate=own.candidate)
        else:
            # it is handed to this visit too, so that a call may be its own
            self.decision = Decision(how="kept", candidate=own.candidate, take=True, ends="moved")

    @property
    def remembers(self) -> bool:
        """Whether the visitor's own number changes hands: what it remembers of others has to be read."""
        decision = self.decision
        if not decision.take or self.bound_to is not None:
            return False
        return decision.how == "retaken" or decision.ends == "moved"

    @property
    def wants(self) -> bool:
        """A number has to be found."""
        return self.pool is not None and self.decision.candidate is None

    def take(self, decision: Decision, now: datetime) -> None:
        """Decided; `after` is known from here on."""
        self.decision = decision
        self.after = None
        candidate = decision.candidate
        if self.pool is None or candidate is None or self.bound_to is not None:
            return
        # what picks by time alone remembers nothing that would have to be folded
        if ring_size(self.pool.policy) == 1:
            return
        if decision.take and not self.reopens:
            until = self.until(now)
            assert until is not None
            holder = self._holder(now)
            self.after = hand_over(candidate, holder, now, until=until, policy=self.pool.policy)

    def remember(self, candidate: Candidate, now: datetime) -> None:
        """The visitor's own number with all that it remembers."""
        self.take(replace(self.decision, candidate=candidate), now)

    @property
    def reopens(self) -> bool:
        """Its own number, run out and nobody else's since: that is no hand-out."""
        return self.decision.how == "kept" and self.decision.ends != "moved"

    def row(self, now: datetime) -> HandOut:
        ask, known, landing, touch = self.waiting.question, self.known, self.landing, self.touch
        site, visit, decision = ask.view.site, self.visit, self.decision
        pool, candidate = self.pool, decision.candidate
        number_id: NumberId | None = self.static.id if self.static else None
        version, pool_id, victim, masses = 0, None, None, None
        if pool is not None and candidate is not None:
            number_id = candidate.number_id
            if decision.how != "kept_on_screen":
                version, pool_id = candidate.version, pool.id
            handed = decision.take and not self.reopens and self.bound_to is None
            # a visitor's next session takes nothing from his earlier one: its pages speak for it now
            if pool.policy == "uis" and handed and decision.ends != "moved":
                victim = candidate.newest_holder
            if self.after is not None and self.after.masses is not candidate.masses:
                masses = rings.packed(self.after.masses) if self.after.masses else None
        left = known.shown_id if known and landing is None else None
        return HandOut(
            self.key,
            known.id if known and landing is None else None,
            site.organisation_id,
            site.id,
            ask.visitor,
            1 if known is None else known.ordinal + 1,
            visit.device,
            landing.url if landing else "",
            landing.referrer if landing else "",
            touch.source,
            touch.medium,
            touch.campaign,
            touch.term,
            touch.content,
            _to_json(dict(touch.click_ids)) if touch.click_ids else "{}",
            touch.channel,
            visit.region,
            landing.city if landing else None,
            visit.rate,
            number_id,
            version,
            decision.take,
            pool_id,
            decision.ends,
            self.until(now),
            self.shown(),
            pool is not None and candidate is None,
            decision.how in ("shared", "taken_from_oldest"),
            decision.take and self.reopens,
            known.id if known and decision.ends == "moved" and self.bound_to is None else None,
            left if left != number_id else None,
            victim if victim != visit.session else None,
            as_text(visit.campaign),
            ring_size(pool.policy) if pool and self.bound_to is None else 1,
            masses,
            self.bound_to if pool_id is not None else None,
            pool.id if pool else None,
        )

    def until(self, now: datetime) -> datetime | None:
        """When the reservation ends if nothing more is heard of the visit."""
        decision = self.decision
        if self._until is None or self._until[0] is not decision:
            self._until = decision, self._reckoned_until(decision, now)
        return self._until[1]

    def _reckoned_until(self, decision: Decision, now: datetime) -> datetime | None:
        pool = self.pool
        if pool is None or decision.candidate is None or decision.how == "kept_on_screen":
            return None
        anew = decision.take and not self.reopens
        until = reserved_until(
            pool.policy,
            self._holder(now).times,
            ReservationTimes.of(pool),
            issued_at=now if anew else decision.candidate.issued_at or now,
        )
        if self.bound_to is None or decision.how != "kept":
            return until
        return bound_until(decision.candidate.reserved_until, until)

    def _holder(self, now: datetime) -> Holder:
        """The visit as it is now that its page was opened, or came back."""
        visit, known = self.visit, self.known
        if known is not None and self.landing is None:
            times = known.holder.times
            seen_at, input_at = max(times.seen_at, now), max(times.input_at, now)
            back = replace(times, seen_at=seen_at, input_at=input_at, gone_at=None, gone_kind=None)
            return replace(known.holder, times=back)
        return Holder(
            session=visit.session or _UNBORN,
            source=visit.source,
            campaign=visit.campaign,
            device=visit.device,
            region=visit.region,
            rate=visit.rate,
            verified=visit.verified,
            times=SessionTimes(
                started_at=now,
                seen_at=now,
                input_at=now,
                gone_at=None,
                gone_kind=None,
                tapped_at=None,
                device=visit.device,
            ),
        )

    def shown(self) -> str:
        if self.static is not None:
            return self.static.e164
        if self.decision.candidate is not None:
            return self.decision.candidate.e164
        pool_default = self.pool.default_number if self.pool else None
        return self.waiting.question.view.default_number(self.touch, pool_default)

    def answer(self, now: datetime) -> Shown:
        return Shown(
            session=self.key,
            number=self.shown(),
            how="static" if self.static else _TOLD[self.decision.how],
            valid_until=self.until(now),
            targeting=self.targeting,
            further=self._further(),
        )

    def _further(self) -> Further | None:
        asked = self.waiting.question.landing
        if asked is None or self.known is None or self.landing is not None:
            return None
        return further(asked, self.known)


def _visit(known: Holder | None, touch: Touch, landing: Landing | None) -> Visit:
    """Who wants a number, as the policies see it."""
    if known is not None:
        return Visit(
            session=known.session,
            source=known.source,
            campaign=known.campaign,
            device=known.device,
            region=known.region,
            rate=known.rate,
            verified=known.verified,
        )
    key = campaign_key(touch)
    return Visit(
        session=None,
        source=key[0],
        campaign=key,
        device=landing.device if landing else None,
        region=landing.region if landing else None,
        rate=landing.rate if landing else RATE,
        verified=False,
    )
