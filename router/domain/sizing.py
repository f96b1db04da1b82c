"""How many numbers a pool needs: recorded visits replayed through a pool of N numbers.

The pool of the replay is a loss system: a visit is covered if fewer than N reservations run when it
begins, and a visit that is not covered holds nothing. Reservations are those of an endless pool, so the
answer does not depend on the policy by which the real pool hands out.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

# A forecast is what remains after so many standard errors: one day in ten is worse.
CAUTION = 1.28
TOLERANCE = 1e-12


class Hold(NamedTuple):
    """One visit's reservation in an endless pool, `start` to `end` in seconds from any moment, and the
    `day` (in the site's time zone, any numbering) that it counts to."""

    start: float
    end: float
    day: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Of `visits`, `covered` found a free number. `error` is the standard error with the days as
    clusters; 0 where there is one day only."""

    visits: int
    covered: int
    error: float

    @property
    def share(self) -> float:
        return self.covered / self.visits

    @property
    def low(self) -> float:
        """What may be counted on."""
        return self.share - CAUTION * self.error


def coverage(holds: Sequence[Hold], numbers: int) -> Coverage:
    """The replay of `holds`, which are in order of their start, with so many numbers.

    A reservation that ends at the moment a visit begins is over. Raises ValueError for no visits.
    """
    if not holds:
        raise ValueError("there is no visit to replay")
    running: list[float] = []
    visits: defaultdict[int, int] = defaultdict(int)
    covered: defaultdict[int, int] = defaultdict(int)
    for start, end, day in holds:
        while running and running[0] <= start:
            heapq.heappop(running)
        visits[day] += 1
        if len(running) < numbers:
            covered[day] += 1
            heapq.heappush(running, end)
    return by_day((covered[day], visits[day]) for day in visits)


def by_day(days: Iterable[tuple[int, int]]) -> Coverage:
    """From (covered, visits) of each day with visits. Visits of one day are not independent of each
    other, the days nearly are: the error is theirs."""
    counted = list(days)
    visits = sum(n for _, n in counted)
    covered = sum(c for c, _ in counted)
    share, d = covered / visits, len(counted)
    error = 0.0
    if d > 1:
        spread = sum((c - share * n) ** 2 for c, n in counted)
        error = sqrt(d / (d - 1) * spread) / visits
    return Coverage(visits=visits, covered=covered, error=error)


def recommended(holds: Sequence[Hold], target: float, *, cautious: bool = True) -> int:
    """The least number of numbers whose coverage, less its margin if `cautious`, reaches `target`.

    `target` is a share, 0 to 1. Raises ValueError for no visits, or a target out of range.
    """
    if not 0 < target <= 1:
        raise ValueError("a coverage is above 0 and at most 1")
    # One more number never covers fewer visits, so the least number without a margin is searched by halves;
    # with its margin a coverage can waver from there on.
    enough = len(holds)
    numbers = 1 + bisect_left(
        range(1, enough), True, key=lambda n: coverage(holds, n).share >= target - TOLERANCE
    )
    if not cautious:
        return numbers
    while coverage(holds, numbers).low < target - TOLERANCE and numbers < enough:
        numbers += 1
    return numbers
