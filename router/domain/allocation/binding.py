"""Numbers bound to parameters: one number for each combination of them, instead of one for each visitor.

A pool bound to source and campaign, say, shows all visitors from google's spring campaign the same number, and
needs no more numbers than there are campaigns. A combination takes its number with its first visit and
gives it back when the reservation of its last visit has ended; nothing has to be set up by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from router.domain.allocation.timed import longest_idle, mango
from router.domain.allocation.values import Candidate, Decision
from router.domain.model import Parameter, Touch

# The values in this order; a parameter that a visit came without is empty, and that is a value as well.
Combination = tuple[str, ...]
PARAMETERS: tuple[Parameter, ...] = ("source", "medium", "campaign", "term", "content")


def combination(binding: Iterable[Parameter], touch: Touch) -> Combination:
    """What a visit's number is bound to. The order in which a pool names its parameters is of no account."""
    bound = set(binding)
    return tuple(getattr(touch, name) for name in PARAMETERS if name in bound)


def bound_number(
    wanted: Combination, own: Candidate | None, bound_to: Combination | None
) -> Decision | None:
    """The number that the combination `wanted` has: `own` is the one that it was handed last, `bound_to` the
    combination which that number was handed to last. The same: kept, reserved or not, for nobody else was
    shown it. None: `choose_bound` finds another one.

    The visit is handed the number, as when a session moves; the visits before it go on showing the same
    digits and are not gone.
    """
    if own is None or bound_to != wanted:
        return None
    return Decision(how="kept", candidate=own, take=True, ends="moved")


def choose_bound(
    candidates: Iterable[Candidate], now: datetime, *, grows: bool = False
) -> Decision:
    """The number that has been idle longest, whatever the pool's policy: one that is bound is shown to many
    at once, and none of them can be asked whether he still looks. So no combination takes a number that
    another has reserved. `grows`: see `choose`."""
    return mango(candidates, now, grows=True) if grows else longest_idle(candidates, now)


def bound_until(before: datetime | None, until: datetime) -> datetime:
    """Until when a combination keeps its number, after one of its visits was found to keep it `until`: the
    last one counts."""
    return until if before is None else max(before, until)
