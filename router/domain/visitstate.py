"""What a visitor is doing at a moment, computed from the times that are known of the visit.

Nothing runs for each visitor: a page speaks (visit, heartbeat, leave), and its state at any moment
follows from when it last spoke and what it said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from router.domain.model import SessionTimes, require_aware

HEARTBEAT = timedelta(seconds=30)
IDLE_AFTER = timedelta(seconds=30)
LOST_AFTER = timedelta(seconds=75)
BOUNCE_WITHIN = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time in which no heartbeat could be written down. Silence in it says nothing."""

    started_at: datetime
    ended_at: datetime

    def __post_init__(self) -> None:
        require_aware(started_at=self.started_at, ended_at=self.ended_at)


@dataclass(frozen=True, kw_only=True)
class State:
    """`since`: the start of the visit for active and idle, the moment it went for gone.

    `engaged` is false for a visit whose last input came less than 15 s after its start; while it is
    active this is not decided yet, and it is true.
    """

    kind: Literal["active", "idle", "gone"]
    since: datetime
    engaged: bool


def state_at(times: SessionTimes, t: datetime, outages: Sequence[Outage] = ()) -> State:
    """The state of a visit at `t`.

    gone    hidden or closed (beacon), or silent for 75 s, not counting `outages`
    idle    visible, and a heartbeat said that there was no input for 30 s
    active  otherwise: what a page did not say yet is not held against it
    """
    require_aware(t=t)
    went = lost_at(times, outages)
    if times.gone_at is not None:
        # a beacon of a page that had fallen silent before changes nothing
        went = min(went, times.gone_at)
    if went <= t:
        engaged = _last_input(times, went) - times.started_at >= BOUNCE_WITHIN
        return State(kind="gone", since=went, engaged=engaged)
    if idle_at(times, t):
        engaged = times.input_at - times.started_at >= BOUNCE_WITHIN
        return State(kind="idle", since=times.started_at, engaged=engaged)
    return State(kind="active", since=times.started_at, engaged=True)


def lost_at(times: SessionTimes, outages: Sequence[Outage] = ()) -> datetime:
    """When a page that says nothing more counts as lost: 75 s of silence after it was last seen, in
    which an outage does not count."""
    moment = times.seen_at + LOST_AFTER
    for outage in sorted(outages, key=lambda o: o.started_at):
        if times.seen_at < outage.ended_at and outage.started_at < moment:
            moment += outage.ended_at - max(outage.started_at, times.seen_at)
    return moment


def idle_at(times: SessionTimes, t: datetime) -> bool:
    """True if a heartbeat said that there was no input, and the last was 30 s or more before `t`."""
    return times.input_at < times.seen_at and t >= times.input_at + IDLE_AFTER


def _last_input(times: SessionTimes, went: datetime) -> datetime:
    """A page that was active when it left had its last input then; one that fell silent, when seen."""
    if idle_at(times, went):
        return times.input_at
    by_beacon = times.gone_at is not None and times.gone_at <= went
    return went if by_beacon else times.seen_at
