"""The policies that pick by time alone: `longest_idle`, `uis`, `ringostat`, `mango`.

They know no states beyond what is in a reservation's end, no score, and a ring of one holder.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from router.domain.allocation.values import GROW, OVERFLOW, Candidate, Decision


def longest_free(candidates: Iterable[Candidate], now: datetime) -> Candidate | None:
    """Of the free numbers that with the smallest reserved-until; of equals the lowest number id."""
    best: Candidate | None = None
    for candidate in candidates:
        until = candidate.reserved_until
        if candidate.free(now) and (
            best is None
            or until < best.reserved_until
            or (until == best.reserved_until and candidate.number_id < best.number_id)
        ):
            best = candidate
    return best


def longest_idle(candidates: Iterable[Candidate], now: datetime) -> Decision:
    """Also what `uis` does: whose reservation lasts longer there is a matter of its end, not of the pick."""
    best = longest_free(candidates, now)
    return OVERFLOW if best is None else Decision(how="free", candidate=best, take=True)


def mango(candidates: Iterable[Candidate], now: datetime, *, grows: bool) -> Decision:
    """One more from the shared pool where none is free, and the default number where none may be had."""
    best = longest_free(candidates, now)
    if best is None:
        return GROW if grows else OVERFLOW
    return Decision(how="free", candidate=best, take=True)


def ringostat(candidates: Iterable[Candidate], now: datetime) -> Decision:
    """Where none is free: the number that was issued first, whoever looks at it."""
    given = list(candidates)
    best = longest_free(given, now)
    if best is not None:
        return Decision(how="free", candidate=best, take=True)
    oldest = min(given, key=_issued_first, default=None)
    if oldest is None:
        return OVERFLOW
    return Decision(how="taken_from_oldest", candidate=oldest, take=True, ends="taken")


def _issued_first(candidate: Candidate) -> tuple[datetime, int]:
    return candidate.issued_at or candidate.reserved_until, candidate.number_id
