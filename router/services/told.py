"""What a page is told, in its own terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from router.domain.page import Heartbeat, HeartbeatAnswer, HeartbeatHow, OtherNumber
from router.services.plan import Shown
from router.store.sites import Part


def other_number(part: Part, shown: Shown, token: str | None) -> OtherNumber:
    return OtherNumber(
        session=shown.session,
        replace=part.number,
        number=shown.number,
        how=shown.how,
        valid_until=shown.valid_until,
        token=token,
    )


def why(shown: Sequence[Shown]) -> tuple[str, ...]:
    """For people who look for a fault: robots have no pool."""
    return tuple(
        one.targeting.words if one.targeting else "a robot: the page's own number" for one in shown
    )


def beaten(
    beat: Heartbeat, number: str, how: HeartbeatHow, valid_until: datetime | None, region: str
) -> HeartbeatAnswer:
    """The page is told a number only if it shows another one of ours."""
    other = beat.visible and beat.shown is not None and beat.shown != number
    return HeartbeatAnswer(
        how="swapped" if other and how == "kept" else how,
        number=number if other else None,
        region=region,
        valid_until=valid_until,
    )
