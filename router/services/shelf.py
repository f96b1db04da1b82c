"""Free numbers read ahead of the visits that will be given them.

What stands here is a hint, never a promise: a number is taken under the condition that its version is as
it was read, so one that another router took meanwhile costs a second decision and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from router.domain.allocation import Candidate
from router.domain.model import NumberId, PoolId

# New numbers of a pool, and those given back elsewhere, are seen after so long.
_LASTS = 2.0
_AHEAD = 8
_AHEAD_AT_MOST = 128


class Shelf:
    """What is left of the last reading of each pool, longest idle first."""

    def __init__(self) -> None:
        self._pools: dict[PoolId, dict[NumberId, Candidate]] = {}
        self._read_at: dict[PoolId, float] = {}

    def ahead(self, wanted: int) -> int:
        """So many more than are wanted are worth reading: few where few come."""
        return min(_AHEAD * wanted, _AHEAD_AT_MOST)

    def put(self, pool: PoolId, candidates: Iterable[Candidate]) -> None:
        self._pools[pool] = {candidate.number_id: candidate for candidate in candidates}
        self._read_at[pool] = asyncio.get_running_loop().time()

    def find(
        self, wanted: Mapping[PoolId, int], busy: Collection[NumberId]
    ) -> dict[PoolId, list[Candidate]] | None:
        """So many of each pool, none of them busy; None where one has not as many, or was read too
        long ago."""
        oldest = asyncio.get_running_loop().time() - _LASTS
        found: dict[PoolId, list[Candidate]] = {}
        for pool, count in wanted.items():
            if self._read_at.get(pool, oldest) <= oldest:
                return None
            chosen = found[pool] = []
            for number_id, candidate in self._pools[pool].items():
                if len(chosen) == count:
                    break
                if number_id not in busy:
                    chosen.append(candidate)
            if len(chosen) < count:
                return None
        return found

    def take(self, numbers: Iterable[NumberId]) -> None:
        """They are on their way to somebody."""
        for number_id in numbers:
            for candidates in self._pools.values():
                candidates.pop(number_id, None)

    def clear(self) -> None:
        """What stands here is not as it was read."""
        self._pools.clear()
        self._read_at.clear()
