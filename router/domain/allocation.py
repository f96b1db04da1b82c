"""Handing out numbers: which one a visit shows, until when, and whether it is still the same visit.

Pure: the store loads candidates, `choose` decides, the store takes the chosen number under the
condition that its version is unchanged, and what lost the race is decided again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from router.domain.model import NumberId, Policy, SessionId, SessionTimes, Touch
from router.domain.visitstate import LOST_AFTER, idle_at

# A visitor who was away for longer begins another session.
SESSION_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A number as it was read. `holder` has it now, or had it until `reserved_until`; `newest_holder`
    is who was handed it last, known also after the number was swept free."""

    number_id: NumberId
    e164: str
    version: int
    holder: SessionId | None
    newest_holder: SessionId | None
    reserved_until: datetime

    def free(self, now: datetime) -> bool:
        """Also at the very moment its reservation ends."""
        return self.reserved_until <= now


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What a visit brings along: its own number `own`, if it may still have it.

    `session` is the session that was handed it. `goes_on`: that session continues; otherwise it is
    the visitor's earlier one, and the number moves only while it is still reserved.
    """

    session: SessionId
    goes_on: bool
    own: Candidate


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """`how`: kept (same number), retaken (its own again, somebody else had it meanwhile), free (a new
    one), default (overflow: none was free, `candidate` is None).

    `take`: the number is handed out anew, under the condition that its version is unchanged; without
    it the holder stays and the reservation is renewed. `ends`: why the number's earlier reservation
    ends by that.
    """

    how: Literal["kept", "retaken", "free", "default"]
    candidate: Candidate | None = None
    take: bool = False
    ends: Literal["expired", "moved"] = "expired"


OVERFLOW = Decision(how="default")


def choose(
    policy: Policy, candidates: Iterable[Candidate], visit: Claim | None, now: datetime
) -> Decision:
    """The number a visit shows: its own if that can be, else the policy's choice of `candidates`."""
    if visit is not None and (decision := _own_number(visit, now)) is not None:
        return decision
    if policy == "longest_idle":
        return _longest_idle(candidates, now)
    raise NotImplementedError(policy)


def _own_number(visit: Claim, now: datetime) -> Decision | None:
    own = visit.own
    if not visit.goes_on:
        if own.holder == visit.session and not own.free(now):
            return Decision(how="kept", candidate=own, take=True, ends="moved")
        return None
    if own.newest_holder == visit.session:
        # swept free or not: nobody else was shown it, so the page's digits stay right
        return Decision(how="kept", candidate=own, take=own.holder is None)
    if own.free(now):
        return Decision(how="retaken", candidate=own, take=True)
    return None


def _longest_idle(candidates: Iterable[Candidate], now: datetime) -> Decision:
    """Of the free numbers that with the smallest reserved-until; of equals the lowest number id."""
    best: Candidate | None = None
    for candidate in candidates:
        if candidate.free(now) and (
            best is None
            or candidate.reserved_until < best.reserved_until
            or (
                candidate.reserved_until == best.reserved_until
                and candidate.number_id < best.number_id
            )
        ):
            best = candidate
    return OVERFLOW if best is None else Decision(how="free", candidate=best, take=True)


def reserved_until(times: SessionTimes, reservation: timedelta) -> datetime:
    """End of activity + the pool's reservation time (classic T).

    A visit that leaves while active ends its activity then. One that does not is given 75 s after its
    last input, as long as it takes to be lost: so the reservation of an active visit has no end before
    the next heartbeat, and no heartbeat, late or out of order, moves it backwards.
    """
    left = times.gone_at
    if left is None or left >= times.seen_at + LOST_AFTER or idle_at(times, left):
        return times.input_at + LOST_AFTER + reservation
    return left + reservation


def session_goes_on(session: Touch, last_seen: datetime, landing: Touch, now: datetime) -> bool:
    """True for a reload, a second page, a second tab: the same session. False begins another one:
    a landing from another campaign, or more than 30 minutes since the visitor was last seen."""
    if now - last_seen > SESSION_PAUSE:
        return False
    return landing.source == "(direct)" or landing.campaign_key == session.campaign_key
