"""How far the clocks of Asterisk and PostgreSQL are from ours."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from router.services.metrics import CallMetrics

log = structlog.get_logger(__name__)

TOO_MUCH = timedelta(seconds=0.5)
NOTHING = timedelta()


class Clocks:
    """Measured skews; positive means that the other clock is ahead of the router's."""

    def __init__(self, metrics: CallMetrics) -> None:
        self.asterisk = NOTHING
        self.database = NOTHING
        self._metrics = metrics
        self._warned: set[str] = set()

    def note(self, clock: str, said: datetime, asked_at: datetime, answered_at: datetime) -> None:
        """`clock` ("asterisk" or "database") said this between two moments of ours.

        Half of the time in between is taken for the way back.
        """
        skew = said - (asked_at + (answered_at - asked_at) / 2)
        if clock == "asterisk":
            self.asterisk = skew
        else:
            self.database = skew
        self._metrics.clock_skew.labels(clock).set(skew.total_seconds())
        if abs(skew) <= TOO_MUCH:
            self._warned.discard(clock)
        elif clock not in self._warned:
            self._warned.add(clock)
            log.warning("clocks differ", clock=clock, seconds=round(skew.total_seconds(), 3))
