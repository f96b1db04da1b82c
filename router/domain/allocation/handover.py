"""What a number is after it was handed to somebody: its ring and its masses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from router.domain.allocation.masses import drop
from router.domain.allocation.values import Candidate, Holder
from router.domain.model import Policy
from router.domain.visitstate import Outage

RING = 3


def ring_size(policy: Policy) -> int:
    """The policies that pick by time remember the newest holder alone, and keep no masses."""
    return RING if policy in ("balanced", "exclusive") else 1


def hand_over(
    candidate: Candidate,
    holder: Holder,
    now: datetime,
    *,
    until: datetime,
    policy: Policy,
    outages: Sequence[Outage] = (),
) -> Candidate:
    """The number after `holder` was handed it at `now`, reserved `until`; not for a number that was kept.

    The holder enters the ring's front. One that was in the ring moves there and nobody drops out; otherwise
    the oldest of a full ring leaves its masses behind. The version is that of the row before: the store
    counts it up.
    """
    others = tuple(h for h in candidate.ring if h.session != holder.session)
    masses = candidate.masses
    size = ring_size(policy)
    for dropped in reversed(others[size - 1 :]):
        if size > 1:
            masses = drop(masses, dropped, now, outages)
    return replace(
        candidate,
        holder=holder.session,
        newest_holder=holder.session,
        reserved_until=until,
        issued_at=now,
        ring=(holder, *others[: size - 1]),
        masses=masses,
    )
