"""`choose`: which number of a pool a visit is handed, by the pool's policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from router.domain.allocation.scoring import PRICE
from router.domain.allocation.tiers import SHORTLIST, Scales, least_score
from router.domain.allocation.timed import longest_idle, mango, ringostat
from router.domain.allocation.values import Candidate, Decision, Visit
from router.domain.model import Policy
from router.domain.visitstate import Outage


def choose(
    policy: Policy,
    candidates: Iterable[Candidate],
    visit: Visit,
    now: datetime,
    *,
    price: float = PRICE,
    shortlist: int = SHORTLIST,
    grows: bool = False,
    drained: bool = False,
    many: bool = False,
    outages: Sequence[Outage] = (),
    scales: Scales | None = None,
) -> Decision:
    """The number that `visit` is handed at `now`.

    `candidates`: any superset of those that are needed, in any order. Which these are:

    balanced       the lowest tier present: of it the `shortlist` that have been reservable longest, and as
                   many of the rest that were last handed to the visit's campaign. Where the tier has more
                   than twice `shortlist` numbers in the pool and not more than that were read: `many`.
    exclusive      the same of the free numbers; where none is free, of the lowest tier
    longest_idle,  the free number with the smallest reserved-until
    uis, mango
    ringostat      that, and of the others the one that was issued first

    `grows`: the pool may have one more number from the shared pool. The answer is then "new" where no number
    is free (mango), or where somebody looks at each of them (balanced, exclusive); a caller that gets none
    asks again without. `drained`: see `tiers.tier`. `outages`: silence in them says nothing of
    a holder, see `visitstate`.
    `scales`: of this moment, with these outages and `drained`, for visits that are decided together.
    """
    match policy:
        case "balanced" | "exclusive":
            return least_score(
                candidates,
                visit,
                now,
                free_first=policy == "exclusive",
                price=price,
                size=shortlist,
                grows=grows,
                drained=drained,
                many=many,
                outages=outages,
                scales=scales,
            )
        case "longest_idle" | "uis":
            return longest_idle(candidates, now)
        case "ringostat":
            return ringostat(candidates, now)
        case "mango":
            return mango(candidates, now, grows=grows)
