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

Kind = Literal["active", "idle", "gone"]

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

    kind: Kind
    since: datetime
    engaged: bool


def state_at(times: SessionTimes, t: datetime, outages: Sequence[Outage] = ()) -> State:
    """The state of a visit at `t`.

    gone    hidden or closed (beacon), or silent for 75 s, not counting `outages`
    idle    visible, and a heartbeat said that there was no input for 30 s
    active  otherwise: what a page did not say yet is not held against it
    """
    require_aware(t=t)
    kind, since, engaged = phase(times, t, outages)
    return State(kind=kind, since=since, engaged=engaged)


def phase(
    times: SessionTimes, t: datetime, outages: Sequence[Outage] = ()
) -> tuple[Kind, datetime, bool]:
    """`state_at` as a plain tuple and without its check: the scoring of one visit asks for a hundred."""
    gone_at = times.gone_at
    if gone_at is None or gone_at > t:
        visible = t - times.seen_at < LOST_AFTER
        if not visible and outages:
            visible = t < lost_at(times, outages)
        if visible:
            if idle_at(times, t):
                return "idle", times.started_at, not _bounce(times, times.input_at)
            return "active", times.started_at, True
    went = lost_at(times, outages)
    if gone_at is not None and gone_at < went:
        # a beacon of a page that had fallen silent before changes nothing
        went = gone_at
    return "gone", went, not _bounce(times, last_input(times, went))


def _bounce(times: SessionTimes, heard: datetime) -> bool:
    return heard - times.started_at < BOUNCE_WITHIN


def lost_at(times: SessionTimes, outages: Sequence[Outage] = ()) -> datetime:
    """When a page that says nothing more counts as lost: 75 s of silence after it was last seen, in
    which an outage does not count."""
    moment = times.seen_at + LOST_AFTER
    for outage in sorted(outages, key=lambda o: o.started_at):
        if times.seen_at < outage.ended_at and outage.started_at < moment:
            moment += outage.ended_at - max(outage.started_at, times.seen_at)
    return moment


def idle_at(times: SessionTimes, t: datetime) -> bool:
    """True if a heartbeat said that there was no input for 30 s, and these were over at `t`.

    A page that says how long ago its last input was, less than that, stays active until it speaks again.
    """
    heard = times.input_at
    return times.seen_at - heard >= IDLE_AFTER and t - heard >= IDLE_AFTER


def last_input(times: SessionTimes, went: datetime) -> datetime:
    """The last input of a visit that went at `went`. A page that was active when a beacon said that it is
    left had it then; one that fell silent, when it was seen last. `gone_at` without `gone_kind`: found
    silent at that moment, without a beacon."""
    if idle_at(times, went):
        return times.input_at
    by_beacon = times.gone_at is not None and times.gone_at <= went and times.gone_kind is not None
    return went if by_beacon else times.seen_at
