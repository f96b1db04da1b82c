"""A pool in memory: events in order, folded by the very functions that serve visitors.

What the database does for the router this does for the vectors and the simulator: it keeps the numbers and
the visits' times, reads candidates from them, and writes what was decided. Nothing is lost on the way here,
and nobody races.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from router.domain.allocation.choice import choose
from router.domain.allocation.handover import hand_over
from router.domain.allocation.own import own_number
from router.domain.allocation.pages import Ending, Page
from router.domain.allocation.scoring import PRICE
from router.domain.allocation.tiers import SHORTLIST
from router.domain.allocation.times import ReservationTimes, reserved_until
from router.domain.allocation.values import Candidate, Claim, Decision, Visit
from router.domain.model import NumberId, Policy, SessionId
from router.domain.visitstate import phase

DETACHED_AFTER = timedelta(days=14)
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How a pool hands out its numbers. `grows`: it may have as many more as it likes."""

    policy: Policy
    reservation: ReservationTimes = field(default_factory=ReservationTimes)
    price: float = PRICE
    shortlist: int = SHORTLIST
    grows: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a page was told. `swapped`: at a resume, it shows another allocation than before."""

    how: str
    number: NumberId | None
    score: float | None = None
    margin: float | None = None


class _Number:
    """A number as it was written, and as it was read last."""

    __slots__ = ("candidate", "read", "revisions", "used_at")

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.read = candidate
        # of the ring's pages, when all of them were gone; None while one of them is visible
        self.revisions: tuple[int, ...] | None = ()
        self.used_at = _NEVER


class PoolInMemory:
    """The numbers 0 to `count` - 1 of one pool, and the pages of its visits by session.

    Events come in the order of time. KeyError for a session or a number that is not known.
    """

    def __init__(self, rules: Rules, count: int) -> None:
        self.rules = rules
        self._numbers: dict[NumberId, _Number] = {}
        self._pages: dict[SessionId, Page] = {}
        self._next_number = 0
        for _ in range(count):
            self._add()

    # -- events ---------------------------------------------------------------------------------

    def visit(self, session: SessionId, visit: Visit, now: datetime) -> Answer:
        """A page is opened and shown a number."""
        page = self._pages[session] = Page(session, replace(visit, session=session), now)
        return self._allocate(page, now)

    def end(self, session: SessionId, how: Ending, now: datetime) -> None:
        """No input for 30 s (`idle`), or the page is gone at that moment: `hide`, `close`, `lost`."""
        self._pages[session].end(how, now)

    def tap(self, session: SessionId, now: datetime) -> None:
        """The number on the page was tapped."""
        self._pages[session].tap(now)

    def resume(self, session: SessionId, now: datetime) -> Answer:
        """The page is visible, or used, again. Raises what `visit` does."""
        page = self._pages[session]
        page.resume(now)
        number = None if page.number is None else self._numbers.get(page.number)
        if number is not None:
            claim = Claim(session=session, goes_on=True, own=self._read(number, now))
            decision = own_number(self.rules.policy, claim, now)
            if decision is not None:
                if decision.how == "retaken":
                    self._hand_over(number, page, now)
                elif decision.how == "kept":
                    number.used_at = now
                return Answer(how=decision.how, number=page.number)
        answer = self._allocate(page, now)
        return replace(answer, how=f"swapped:{answer.how}")

    def move(self, session: SessionId, to: SessionId, visit: Visit, now: datetime) -> Answer:
        """The visitor comes by a new campaign: his number moves to the new session while it is reserved,
        and the earlier one is gone at that moment."""
        before = self._pages[session]
        number = None if before.number is None else self._numbers.get(before.number)
        decision = None
        if number is not None:
            claim = Claim(session=session, goes_on=False, own=self._read(number, now))
            decision = own_number(self.rules.policy, claim, now)
        before.end("hide", now)
        if number is None or decision is None:
            return self.visit(to, visit, now)
        page = self._pages[to] = Page(to, replace(visit, session=to), now)
        self._hand_over(number, page, now)
        return Answer(how=decision.how, number=page.number)

    def call(self, number_id: NumberId, now: datetime) -> SessionId | None:
        """A call on a number; who was handed it last."""
        number = self._numbers[number_id]
        number.used_at = now
        return number.candidate.newest_holder

    # -- what is there --------------------------------------------------------------------------

    def candidates(self, now: datetime) -> list[Candidate]:
        """All numbers of the pool, as the store would read them."""
        return [self._read(number, now) for number in self._numbers.values()]

    def reserved(self, number_id: NumberId, now: datetime) -> datetime | str | None:
        """None if the number is free or has left the pool, "active" while its holder is: such a reservation
        has no end; else its end."""
        number = self._numbers.get(number_id)
        if number is None:
            return None
        candidate = self._read(number, now)
        if candidate.free(now):
            return None
        if phase(candidate.ring[0].times, now)[0] == "active":
            return "active"
        return candidate.reserved_until

    def on_page(self, session: SessionId) -> NumberId | None:
        """What a page shows, or showed when it was left; None: the default number."""
        return self._pages[session].number

    @property
    def count(self) -> int:
        """Numbers that ever belonged to the pool: they are 0 to `count` - 1."""
        return self._next_number

    # -- the fold -------------------------------------------------------------------------------

    def _allocate(self, page: Page, now: datetime) -> Answer:
        rules = self.rules
        if rules.policy == "mango":
            self._detach(now)
        decision = choose(
            rules.policy,
            self.candidates(now),
            page.visit,
            now,
            price=rules.price,
            shortlist=rules.shortlist,
            grows=rules.grows,
        )
        number = self._chosen(decision)
        if number is None:
            page.number = None
        else:
            self._hand_over(number, page, now)
        return Answer(
            how=decision.how, number=page.number, score=decision.score, margin=decision.margin
        )

    def _chosen(self, decision: Decision) -> _Number | None:
        if decision.how == "new":
            return self._add()
        return None if decision.candidate is None else self._numbers[decision.candidate.number_id]

    def _hand_over(self, number: _Number, page: Page, now: datetime) -> None:
        before = self._read(number, now)
        holder = page.holder(now)
        if self.rules.policy == "uis" and before.newest_holder is not None:
            # the one policy that changes the page of a visitor who only looks
            loser = self._pages[before.newest_holder]
            if loser is not page and loser.number == before.number_id:
                loser.number = None
        until = reserved_until(
            self.rules.policy, holder.times, self.rules.reservation, issued_at=now
        )
        number.candidate = hand_over(before, holder, now, until=until, policy=self.rules.policy)
        number.revisions = None
        number.used_at = now
        page.number = before.number_id

    def _read(self, number: _Number, now: datetime) -> Candidate:
        """The number with its holders' present times. Those of a ring that left do not change any more."""
        ring = number.candidate.ring
        if not ring:
            return number.candidate
        pages = [self._pages[holder.session] for holder in ring]
        revisions = tuple(page.revision for page in pages)
        if revisions != number.revisions:
            holders = tuple(page.holder(now) for page in pages)
            number.read = replace(
                number.candidate,
                ring=holders,
                reserved_until=reserved_until(
                    self.rules.policy,
                    holders[0].times,
                    self.rules.reservation,
                    issued_at=number.candidate.issued_at,
                ),
            )
            number.revisions = revisions if all(page.gone for page in pages) else None
        return number.read

    def _add(self) -> _Number:
        number_id = NumberId(self._next_number)
        self._next_number += 1
        number = self._numbers[number_id] = _Number(
            Candidate(
                number_id=number_id,
                e164=f"+{number_id}",
                version=0,
                holder=None,
                newest_holder=None,
                reserved_until=_NEVER,
            )
        )
        return number

    def _detach(self, now: datetime) -> None:
        """Numbers that nobody saw or called for so long leave the pool for good."""
        for number_id, number in list(self._numbers.items()):
            candidate = self._read(number, now)
            if candidate.ring and candidate.free(now):
                used_at = max(number.used_at, phase(candidate.ring[0].times, now)[1])
                if now - used_at >= DETACHED_AFTER:
                    del self._numbers[number_id]
