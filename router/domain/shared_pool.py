"""When a site gets numbers of the organisation's shared pool, and when it gives them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from router.domain.model import Pool

MONTH = timedelta(days=30)


def may_grow(pool: Pool) -> bool:
    """Whether the pool may be given numbers of the shared pool: `mango` always, others where it is set."""
    return pool.kind == "dynamic" and (pool.policy == "mango" or pool.grows)


def allowance(grown: int, taken: Sequence[datetime], percent: float, now: datetime) -> int:
    """How many numbers a site may be relieved of now.

    `grown` are the numbers it has from the shared pool, `taken` the moments at which such numbers went back.
    In any 30 days at most `percent` of them go. Where that is less than one number, one goes as soon as the
    shares of the months since the last one add up to one: of ten numbers at 2 %, one every 150 days.
    """
    recent = sum(now - MONTH < at <= now for at in taken)
    share = percent / 100 * (grown + recent)
    if share >= 1:
        return min(grown, max(0, floor(share + 1e-9) - recent))
    if share <= 0:
        return 0
    waited = not any(now - MONTH / share < at <= now for at in taken)
    return min(grown, int(waited))


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """In the recorded past a grown number of a site was idle long enough to go back at `at`. `calls` are
    those that came from then on until it was shown again."""

    e164: str
    site: str
    at: datetime
    calls: tuple[datetime, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BackTest:
    """What taking back would have cost in the past, had every idle number gone back at once.

    taken     so many times a number would have gone
    reached   calls within its rest: they would have reached its old site all the same
    lost      calls after it: another site's by then
    """

    taken: int
    reached: int
    lost: int


def back_test(silences: Sequence[Silence], rest_days: int) -> BackTest:
    """Sum up `silences`; the monthly limit is left out, so this is the most it could have cost."""
    rest = timedelta(days=rest_days)
    calls = [(silence, call) for silence in silences for call in silence.calls]
    reached = sum(call < silence.at + rest for silence, call in calls)
    return BackTest(taken=len(silences), reached=reached, lost=len(calls) - reached)
