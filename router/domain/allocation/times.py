"""Until when a number stays reserved, and whether it is still the same visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self

from router.domain.model import Policy, Pool, SessionTimes, Touch
from router.domain.visitstate import BOUNCE_WITHIN, IDLE_AFTER, LOST_AFTER, idle_at, last_input

# A visitor who was away for longer begins another session.
SESSION_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReservationTimes:
    """How long a number stays reserved once its visitor's activity has ended.

    `classic` alone counts for the policies that know one time; the five others, by how the visit ended, for
    `balanced` and `exclusive`.
    """

    classic: timedelta = timedelta(minutes=30)
    closed: timedelta = timedelta(minutes=10)
    left: timedelta = timedelta(minutes=20)
    idle: timedelta = timedelta(minutes=15)
    bounce: timedelta = timedelta(minutes=3)
    tapped: timedelta = timedelta(minutes=30)

    @classmethod
    def of(cls, pool: Pool) -> Self:
        return cls(
            classic=timedelta(seconds=pool.reservation_seconds),
            closed=timedelta(seconds=pool.closed_seconds),
            left=timedelta(seconds=pool.left_seconds),
            idle=timedelta(seconds=pool.idle_seconds),
            bounce=timedelta(seconds=pool.bounce_seconds),
            tapped=timedelta(seconds=pool.tapped_seconds),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityEnd:
    """How a visit's activity ended. `left`: hidden, or silent for 75 s."""

    at: datetime
    kind: Literal["closed", "left", "idle"]
    bounce: bool


def activity_end(times: SessionTimes) -> ActivityEnd:
    """The first of idle, gone, lost. Of a visit that is active: as it will have been if nothing more is
    heard, so a visit that is told to be active at a moment before that has not ended yet."""
    went = times.seen_at + LOST_AFTER
    kind: Literal["closed", "left", "idle"] = "left"
    if times.gone_at is not None and times.gone_at < went:
        went = times.gone_at
        kind = "closed" if times.gone_kind == "close" else "left"
    bounce = last_input(times, went) - times.started_at < BOUNCE_WITHIN
    if idle_at(times, went):
        return ActivityEnd(at=times.input_at + IDLE_AFTER, kind="idle", bounce=bounce)
    return ActivityEnd(at=went, kind=kind, bounce=bounce)


def reserved_until(
    policy: Policy,
    times: SessionTimes,
    reservation: ReservationTimes,
    *,
    issued_at: datetime | None = None,
) -> datetime:
    """When the reservation of a visit ends, if nothing more is heard of it: the rule that a number's row
    obeys. While the visit is active this lies always ahead: at least its reservation time.

    balanced, exclusive   end of activity + max(bounce ? bounce : by kind, tapped ? tapped : 0)
    uis                   the later of `issued_at` + classic and the end of activity
    the others            end of activity + classic
    """
    end = activity_end(times)
    if policy == "uis":
        if issued_at is None:
            raise ValueError("uis counts from the time of issue: issued_at is missing")
        return max(issued_at + reservation.classic, end.at)
    if policy not in ("balanced", "exclusive"):
        return end.at + reservation.classic
    if end.bounce:
        tail = reservation.bounce
    elif end.kind == "closed":
        tail = reservation.closed
    else:
        tail = reservation.left if end.kind == "left" else reservation.idle
    if times.tapped_at is not None:
        tail = max(tail, reservation.tapped)
    return end.at + tail


def session_goes_on(session: Touch, last_seen: datetime, landing: Touch, now: datetime) -> bool:
    """True for a reload, a second page, a second tab: the same session. False begins another one:
    a landing from another campaign, or more than 30 minutes since the visitor was last seen."""
    if now - last_seen > SESSION_PAUSE:
        return False
    return landing.source == "(direct)" or landing.campaign_key == session.campaign_key
