"""Which numbers ring although nobody was shown them, and how unusual that is.

A call is noise if nobody had been shown its number for some days before (a setting): a wrong number of
somebody's, an old owner's friend, a machine that dials through a block. Some noise is everywhere. A number is
*dirty* from so many noise calls on (a setting). Its *score* says how unusual it is: the probability, in per
cent, that a number as quiet as the others of its pool would have had fewer calls in as many silent days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp

from router.domain.model import NumberId, PoolId, Standing
from router.domain.organisation_settings import OrganisationSettings

# who the log names where nobody did it by hand
ROUTER = "router"
# Before a pool has shown how quiet it is: noise calls a day of any number, counted as so many silent days.
USUAL_A_DAY = 0.02
_USUAL_DAYS = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ring:
    """A noise call; `caller` is E.164, empty where the number is hidden."""

    at: datetime
    caller: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What was heard of a number that is not in a static pool.

    since        when it came to stand where it stands; put_by: who put it there ("" for nobody)
    before       where it stood when it was put aside
    shown_until  when its last reservation ended; 1970 for one that was never handed out
    calls        all its calls of the noise window
    noise        those among them, and since it began to listen, that were noise, oldest first
    silent_days  days of the window in which a call would have been noise
    """

    number_id: NumberId
    e164: str
    pool_id: PoolId | None
    pool: str | None
    site: str | None
    standing: Standing
    since: datetime
    put_by: str
    before: Standing
    shown_until: datetime
    last_call_at: datetime | None
    calls: int
    noise: tuple[Ring, ...]
    silent_days: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """The verdict on one number. `usual` is noise calls a silent day of the pool's other numbers; `days`
    are calendar days (UTC) with a noise call; `score` 0 to 100."""

    heard: Heard
    calls: int
    callers: int
    days: int
    usual: float
    score: float
    dirty: bool
    reasons: tuple[str, ...]


def judge(numbers: Sequence[Heard], wanted: OrganisationSettings, now: datetime) -> list[Noise]:
    """The verdict on each of an organisation's numbers, the most unusual first."""
    window = now - timedelta(days=wanted.noise_window_days)
    pools: defaultdict[PoolId | None, list[float]] = defaultdict(lambda: [0.0, 0.0])
    counted: list[tuple[Heard, list[Ring]]] = []
    for heard in numbers:
        begin = window
        if heard.standing == "listening":
            begin = heard.since
        elif heard.standing in ("in_use", "shared") and heard.put_by not in ("", ROUTER):
            # who puts a number back, knowing its past, is not contradicted by the past
            begin = max(window, heard.since)
        rings = [ring for ring in heard.noise if ring.at > begin]
        counted.append((heard, rings))
        pools[heard.pool_id][0] += len(rings)
        pools[heard.pool_id][1] += heard.silent_days
    verdicts = []
    for heard, rings in counted:
        calls, days = pools[heard.pool_id]
        others = (calls - len(rings) + USUAL_A_DAY * _USUAL_DAYS) / (
            days - heard.silent_days + _USUAL_DAYS
        )
        verdicts.append(_verdict(heard, rings, others, wanted))
    return sorted(verdicts, key=lambda one: (-one.dirty, -one.score, -one.calls, one.heard.e164))


def _verdict(
    heard: Heard, rings: Sequence[Ring], usual: float, wanted: OrganisationSettings
) -> Noise:
    callers = len({ring.caller for ring in rings})
    days = len({ring.at.date() for ring in rings})
    score = 100 * _fewer(len(rings), usual * heard.silent_days)
    dirty = len(rings) >= wanted.noise_calls
    reasons = []
    if rings:
        unshown = _counted(wanted.noise_unshown_days, "day")
        reasons.append(
            f"{_counted(len(rings), 'call')} after nobody had been shown it for {unshown}"
        )
        reasons.append(f"from {_counted(callers, 'caller')}, on {_counted(days, 'day')}")
        reasons.append(
            f"in {heard.silent_days:.1f} silent days; the others of its pool would have had "
            f"{usual * heard.silent_days:.1f}"
        )
        reasons.append(
            f"{min(len(rings), heard.calls)} of its {_counted(heard.calls, 'call')} in "
            f"{_counted(wanted.noise_window_days, 'day')}"
        )
    return Noise(
        heard=heard,
        calls=len(rings),
        callers=callers,
        days=days,
        usual=usual,
        score=score,
        dirty=dirty,
        reasons=tuple(reasons),
    )


def _fewer(calls: int, expected: float) -> float:
    """P(X < calls) for a Poisson X with mean `expected`."""
    term, total = exp(-expected), 0.0
    for n in range(calls):
        total += term
        term *= expected / (n + 1)
    return min(1.0, total)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
