"""A visit's own number: kept, taken back, moved to the visitor's next session, or given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from router.domain.allocation.values import Claim, Decision
from router.domain.model import Policy, SessionTimes
from router.domain.visitstate import LOST_AFTER


def own_number(policy: Policy, claim: Claim, now: datetime) -> Decision | None:
    """What becomes of the number that a visit's page shows; None: `choose` finds it another one.

    The session is still the number's newest holder, if only in its tail or after it → kept. Somebody else
    has had it, and it is free → retaken. The visitor's next session gets the same digits while the earlier
    one holds them → kept, `ends` is "moved": a hand-out to the new session, see `moved_away`.
    """
    own = claim.own
    if not claim.goes_on:
        if own.holder == claim.session and not own.free(now):
            return Decision(how="kept", candidate=own, take=True, ends="moved")
        return None
    if own.newest_holder == claim.session:
        # swept free or not: nobody else was shown it, so the page's digits stay right
        return Decision(how="kept", candidate=own, take=own.holder is None)
    if own.free(now):
        return Decision(how="retaken", candidate=own, take=True)
    if policy == "ringostat":
        return Decision(how="kept_on_screen", candidate=own)
    return None


def moved_away(times: SessionTimes, now: datetime) -> SessionTimes:
    """The times of a session whose number moved to the visitor's next one: gone at that moment, unless it
    went before. It is still a candidate for calls to the number."""
    if times.gone_at is not None or now >= times.seen_at + LOST_AFTER:
        return times
    return replace(times, gone_at=now, gone_kind="hide")
