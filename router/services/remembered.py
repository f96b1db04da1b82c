"""What was read of numbers with all that they remember, for as long as it is still so.

A number's version and the stamps of its holders' rows say whether anything of it was written since. So a look at
a pool reads anew only what has changed since the last one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from router.domain.allocation import Candidate, Holder
from router.domain.allocation.scoring import Departed
from router.domain.model import NumberId, SessionId
from router.store import numbers
from router.store.database import Queries
from router.store.numbers import Read

_AT_MOST = 4096


class Remembered:
    """Numbers with their rings and masses; the most recently asked for are kept."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self.departed = Departed()
        self._holders: dict[SessionId, tuple[int, Holder]] = {}
        self._kept: OrderedDict[NumberId, tuple[Read, Candidate]] = OrderedDict()

    def read_before(self, number_id: NumberId) -> Read | None:
        """What was read of a number when it was last asked for."""
        known = self._kept.get(number_id)
        return None if known is None else known[0]

    async def fill(self, read: Sequence[Read]) -> dict[NumberId, Candidate]:
        """By number, whole."""
        kept = self._kept
        found: dict[NumberId, Candidate] = {}
        missing: list[Read] = []
        for one in read:
            number_id = one.candidate.number_id
            known = kept.get(number_id)
            if known is not None and _same(known[0], one):
                candidate = known[1]
                if candidate.holder != one.candidate.holder:
                    # swept meanwhile, which makes no other version of it
                    candidate = replace(candidate, holder=one.candidate.holder)
                if known[0] is not one:
                    kept[number_id] = one, candidate
                found[number_id] = candidate
                kept.move_to_end(number_id)
            else:
                missing.append(one)
        if missing:
            filled = await numbers.with_memory(self._queries, missing, self._holders)
            for one, candidate in zip(missing, filled, strict=True):
                found[candidate.number_id] = candidate
                kept[candidate.number_id] = (one, candidate)
                kept.move_to_end(candidate.number_id)
            while len(kept) > _AT_MOST:
                kept.popitem(last=False)
            if len(self._holders) > 4 * _AT_MOST:
                self._holders.clear()
        return found


def _same(before: Read, now: Read) -> bool:
    return before is now or (
        before.candidate.version == now.candidate.version
        and before.stamps is not None
        and before.stamps == now.stamps
        and before.ring == now.ring
    )
