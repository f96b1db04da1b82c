"""How many numbers of a pool may be handed out a minute, so that no crowd of robots empties it at once.

A bucket for each pool holds a minute's worth and fills evenly. Who finds it empty is shown the default number:
the source of a call to that is known all the same. Keeping one's own number costs nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from router.domain.model import Pool, PoolId

log = structlog.get_logger(__name__)

MINUTE = timedelta(minutes=1)


class Rations:
    """`most` hand-outs a minute for each pool; None: no bound. For one router, which counts its own. `event`:
    what the log says when a pool's are used up."""

    def __init__(self, most: int | None, *, event: str = "pool rationed") -> None:
        self._most = most
        self._event = event
        self._buckets: dict[PoolId, tuple[float, datetime]] = {}
        self._said: dict[tuple[PoolId, str], datetime] = {}

    def left(self, pool_id: PoolId, now: datetime) -> bool:
        """Whether one more may be handed out."""
        return self._most is None or self._level(pool_id, self._most, now) >= 1

    def take(self, pool: Pool, now: datetime) -> None:
        """One was handed out."""
        if self._most is None:
            return
        level = self._level(pool.id, self._most, now) - 1
        self._buckets[pool.id] = (level, now)
        if level < 1:
            self._say(pool, self._event, now, a_minute=self._most)

    def drained(self, pool: Pool, now: datetime) -> None:
        """Too many of its numbers are held by pages that never spoke: somebody should know."""
        self._say(pool, "pool drained by pages that never speak", now)

    def _level(self, pool_id: PoolId, most: int, now: datetime) -> float:
        level, at = self._buckets.get(pool_id, (float(most), now))
        if now < at:
            # a clock that was set back fills nothing, and does not keep the bucket empty until it is there again
            self._buckets[pool_id] = level, now
            return level
        return min(float(most), level + most * ((now - at) / MINUTE))

    def _say(self, pool: Pool, event: str, now: datetime, **figures: int) -> None:
        """At most once a minute for each pool."""
        key = (pool.id, event)
        if key not in self._said or not timedelta() <= now - self._said[key] < MINUTE:
            self._said[key] = now
            log.warning(event, pool=pool.name, **figures)
