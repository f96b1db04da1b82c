"""A visit's own number: kept, taken back, moved to the visitor's next session, or given up."""

from __future__ import annotations

from datetime import datetime

from router.domain.allocation.values import Claim, Decision
from router.domain.model import Policy


def own_number(policy: Policy, claim: Claim, now: datetime) -> Decision | None:
    """What becomes of the number that a visit's page shows; None: `choose` finds it another one.

    The session is still the number's newest holder, if only in its tail or after it → kept. Somebody else
    has had it, and it is free → retaken. The visitor's next session gets the same digits while the earlier
    one holds them → kept, `ends` is "moved": a hand-out to the new session, and the earlier one is gone at that
    moment, unless it went before; it remains a candidate for the number's calls.
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
