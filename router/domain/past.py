"""Visits long gone, of one number, in a form in which 1,300 of them cost as much as a dozen.

Most candidates of a call left hours or weeks ago, and nothing about them changes any more. Among them
only the time since they left, whether they were engaged, whether their page got another number, and their
origin count. Sorted by that time, each bin of ages is one slice, and alike visits are counted, not listed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from router.domain import regions
from router.domain.model import Origin, SessionId
from router.domain.posterior import AGE_EDGES, WINDOW, Candidate, discount, gone_rate, standing
from router.domain.regions import CallerRegion
from router.domain.visitstate import Outage

# who spoke within this time may speak again before long: not past yet
SETTLED_AFTER = timedelta(hours=1)


class Kind(NamedTuple):
    """Visits that differ in nothing but their times."""

    engaged: bool
    changed: bool
    origin: Origin
    region: str = ""


class Alike(NamedTuple):
    """`visits` visits with the same rate (calls per second)."""

    rate: float
    visits: int
    origin: Origin
    first_index: int
    end_index: int
    kind: int
    region: str = ""


@dataclass(frozen=True, kw_only=True)
class Past:
    """Parallel arrays, ascending by `since`. Times in seconds since 1970.

    `unsettled` names the visits handed the number up to `built_at` that are not in here.
    """

    built_at: datetime
    session_ids: array[int]
    since: array[float]
    handed_at: array[float]
    kind_of: array[int]
    kinds: Sequence[Kind]
    unsettled: Sequence[SessionId] = ()

    def __len__(self) -> int:
        return len(self.session_ids)

    def alike(self, t: datetime, caller: CallerRegion | None = None) -> list[Alike]:
        """The visits of the last 30 days for a call at `t`, in groups of the same rate."""
        now = t.timestamp()
        begin, end = now - WINDOW.total_seconds(), len(self)
        groups: list[Alike] = []
        for age in AGE_EDGES[1:]:
            # ages [lo, hi) ⇔ times (now − hi, now − lo]
            start = bisect_right(self.since, now - age, 0, end)
            groups += self._slice(start, end, now, begin, caller)
            end = start
        return groups + self._slice(0, end, now, begin, caller)

    def _slice(
        self, start: int, end: int, now: float, begin: float, caller: CallerRegion | None
    ) -> list[Alike]:
        if start >= end:
            return []
        age = now - self.since[end - 1]
        if min(self.handed_at[start:end]) <= begin:
            kinds = Counter(self.kind_of[i] for i in range(start, end) if self.handed_at[i] > begin)
        else:
            kinds = Counter(self.kind_of[start:end])
        groups = []
        for number, count in kinds.items():
            kind = self.kinds[number]
            value = gone_rate(kind.engaged, age) * discount(kind.changed, 0.0)
            value *= regions.factor(caller, kind.region)
            groups.append(Alike(value, count, kind.origin, start, end, number, kind.region))
        return groups

    def members(self, group: Alike, t: datetime) -> list[int]:
        """Indexes of a group's visits, the one handed the number last first."""
        begin = t.timestamp() - WINDOW.total_seconds()
        found = (
            i
            for i in range(group.first_index, group.end_index)
            if self.kind_of[i] == group.kind and self.handed_at[i] > begin
        )
        return sorted(found, key=lambda i: self.handed_at[i], reverse=True)


def settle(candidates: Iterable[Candidate], now: datetime, outages: Sequence[Outage] = ()) -> Past:
    """Divide the candidates of a number: those whose standing will not change, and the rest."""
    entries: list[tuple[float, int, float, Kind]] = []
    unsettled: list[SessionId] = []
    for candidate in candidates:
        seen = standing(candidate, now, outages)
        spoke = candidate.times.seen_at > now - SETTLED_AFTER
        if spoke or seen.kind != "gone" or candidate.called > 0 or seen.age < 3600:
            unsettled.append(candidate.session_id)
            continue
        kind = Kind(seen.engaged, seen.changed, candidate.origin, candidate.region or "")
        since = now.timestamp() - seen.age
        entries.append((since, candidate.session_id, candidate.handed_at.timestamp(), kind))
    entries.sort(key=lambda entry: entry[:2])
    kinds = sorted({entry[3] for entry in entries})
    number = {kind: index for index, kind in enumerate(kinds)}
    return Past(
        built_at=now,
        session_ids=array("q", (entry[1] for entry in entries)),
        since=array("d", (entry[0] for entry in entries)),
        handed_at=array("d", (entry[2] for entry in entries)),
        kind_of=array("I", (number[entry[3]] for entry in entries)),
        kinds=kinds,
        unsettled=unsettled,
    )


def instant(seconds: float) -> datetime:
    """Seconds since 1970 → an aware datetime."""
    return datetime.fromtimestamp(seconds, UTC)
