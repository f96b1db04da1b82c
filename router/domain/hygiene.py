"""What the background round does with numbers that are noisy, and with those whose time aside is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from router.domain.model import PoolId, Standing
from router.domain.noise import ROUTER, Noise
from router.domain.organisation_settings import MEMORY_DAYS, OrganisationSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A number that is to stand elsewhere, and why."""

    noise: Noise
    standing: Standing
    why: str


def steps(numbers: Sequence[Noise], wanted: OrganisationSettings, now: datetime) -> list[Step]:
    """What is to be done now; the verdicts are those of one organisation, the noisiest first.

    Of a pool's numbers in use only a share is put into quarantine, or a company whose advertisements pause
    for a month, while its regulars go on calling, would come back to an empty pool.
    """
    room = _room(numbers, wanted)
    found = []
    for noise in numbers:
        step = _step(noise, wanted, now)
        if step is None:
            continue
        if noise.heard.standing == "in_use":
            pool = noise.heard.pool_id
            if not wanted.quarantine_automatic or pool is None or room[pool] < 1:
                continue
            room[pool] -= 1
        found.append(step)
    return found


def _room(numbers: Sequence[Noise], wanted: OrganisationSettings) -> dict[PoolId, int]:
    """How many more numbers of each pool may go into quarantine by themselves."""
    rotating: defaultdict[PoolId, int] = defaultdict(int)
    aside: defaultdict[PoolId, int] = defaultdict(int)
    for noise in numbers:
        pool, standing = noise.heard.pool_id, noise.heard.standing
        if pool is not None and standing in ("in_use", "quarantined"):
            rotating[pool] += 1
            aside[pool] += standing == "quarantined"
    room = {}
    for pool, size in rotating.items():
        most = floor(wanted.quarantine_percent / 100 * size + 1e-9)
        if wanted.quarantine_percent > 0 and size > 1:
            most = max(most, 1)
        # the last one stays, whatever the share
        room[pool] = min(most, size - 1) - aside[pool]
    return room


def _step(noise: Noise, wanted: OrganisationSettings, now: datetime) -> Step | None:
    heard = noise.heard
    if heard.standing == "quarantined":
        quiet = now - max(heard.since, heard.last_call_at or heard.since)
        if (
            heard.put_by != ROUTER
            or noise.dirty
            or quiet < timedelta(days=wanted.quarantine_quiet_days)
        ):
            return None
        return Step(
            noise=noise,
            standing=stands_again(heard.before, heard.pool_id),
            why=f"no call for {wanted.quarantine_quiet_days} days",
        )
    if noise.dirty and heard.standing != "resting":
        return Step(noise=noise, standing="quarantined", why="; ".join(noise.reasons))
    aside = now - heard.since
    if heard.standing == "listening" and aside >= timedelta(days=wanted.listening_days):
        why = f"quiet for {wanted.listening_days} days of listening"
        return Step(noise=noise, standing=stands_again(heard.before, heard.pool_id), why=why)
    if (
        heard.standing == "resting"
        and aside >= timedelta(days=wanted.shared_rest_days)
        # a person may have taken it back on the day it was shown
        and now - heard.shown_until >= timedelta(days=MEMORY_DAYS)
    ):
        if noise.dirty:
            return Step(noise=noise, standing="quarantined", why="; ".join(noise.reasons))
        why = f"rested for {wanted.shared_rest_days} days"
        return Step(noise=noise, standing="shared", why=why)
    return None


def stands_again(before: Standing, pool_id: PoolId | None) -> Standing:
    """Where a number goes that was put aside: to where it stood `before`; what has been given a pool
    meanwhile is in use there."""
    return "in_use" if before == "shared" and pool_id is not None else before
