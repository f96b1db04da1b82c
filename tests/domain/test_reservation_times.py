"""Until when a number stays reserved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.allocation import ReservationTimes, activity_end, reserved_until
from router.domain.model import Policy, SessionTimes
from router.domain.visitstate import state_at
from tests.domain.holders import NOW, ago

POLICIES: tuple[Policy, ...] = get_args(Policy)
OWN = ReservationTimes(
    classic=timedelta(seconds=7000),
    closed=timedelta(seconds=600),
    left=timedelta(seconds=1200),
    idle=timedelta(seconds=900),
    bounce=timedelta(seconds=180),
    tapped=timedelta(seconds=1800),
)
Kind = Literal["hide", "close"]


def visit(
    *,
    seen: float = 0,
    heard: float | None = None,
    gone: float | None = None,
    kind: Kind | None = "hide",
    tapped: float | None = None,
) -> SessionTimes:
    """A visit begun NOW; the other moments in seconds since then."""
    return SessionTimes(
        started_at=NOW,
        seen_at=ago(-seen),
        input_at=ago(-(seen if heard is None else heard)),
        gone_at=None if gone is None else ago(-gone),
        gone_kind=None if gone is None else kind,
        tapped_at=None if tapped is None else ago(-tapped),
        device=None,
    )


ENDINGS = [
    # times of the visit, end of its activity, tail of its own, tail after a tap
    (visit(seen=60, gone=70), 70, 1200, 1800),
    (visit(seen=60, gone=70, kind="close"), 70, 600, 1800),
    (visit(seen=60), 135, 1200, 1800),  # if nothing more is heard, it is lost then
    (visit(seen=60, gone=500), 135, 1200, 1800),  # lost before it said that it is left
    (visit(seen=120, heard=60), 90, 900, 1800),  # idle: 30 s after the last input
    (visit(seen=120, heard=60, gone=100, kind="close"), 90, 900, 1800),  # idle before it was closed
    (visit(seen=120, heard=60, gone=89, kind="close"), 89, 600, 1800),
    (visit(seen=60, heard=40), 135, 1200, 1800),  # the page does not say that it is idle
    (visit(gone=14), 14, 180, 1800),
    (visit(gone=15), 15, 1200, 1800),
    (visit(gone=14, kind=None), 14, 180, 1800),
    (visit(seen=40, gone=60, kind=None), 60, 1200, 1800),
    (visit(seen=14), 89, 180, 1800),
    (visit(seen=90, heard=10), 40, 180, 1800),
]


@pytest.mark.parametrize(("its", "end", "tail", "after_a_tap"), ENDINGS)
def test_the_tail_begins_with_the_end_of_activity(
    its: SessionTimes, end: float, tail: float, after_a_tap: float
) -> None:
    """Each policy by its own reservation times."""
    tapped = replace(its, tapped_at=NOW)
    for policy in ("balanced", "exclusive"):
        assert reserved_until(policy, its, OWN) == ago(-end - tail)
        assert reserved_until(policy, tapped, OWN) == ago(-end - after_a_tap)
    for policy in ("longest_idle", "ringostat", "mango"):
        assert reserved_until(policy, its, OWN) == ago(-end - 7000)
        assert reserved_until(policy, tapped, OWN) == ago(-end - 7000)
    assert reserved_until("uis", its, OWN, issued_at=NOW) == ago(-7000)
    assert reserved_until("uis", its, OWN, issued_at=ago(9000)) == ago(-end)


def test_a_tap_prolongs_never_shortens() -> None:
    """A pool may give more to those who only left."""
    long = ReservationTimes(left=timedelta(hours=2))

    assert reserved_until("balanced", visit(seen=60, gone=70, tapped=5), long) == ago(-70 - 7200)


def test_uis_needs_the_time_of_issue() -> None:
    """It counts from there, so leaving it out is a mistake of the caller."""
    with pytest.raises(ValueError, match="issued_at"):
        reserved_until("uis", visit(), OWN)


seconds = st.integers(0, 2000)
any_visit = st.builds(
    lambda heard, more, gone, kind, tapped: visit(
        seen=heard + more, heard=heard, gone=gone, kind=kind, tapped=tapped
    ),
    heard=seconds,
    more=seconds,
    gone=st.none() | seconds,
    kind=st.sampled_from(["hide", "close"]),
    tapped=st.none() | seconds,
)


@given(its=any_visit, at=seconds)
def test_activity_has_ended_when_the_visit_is_not_active(its: SessionTimes, at: int) -> None:
    """The end of activity and the state are one rule, told twice."""
    moment = ago(-at)

    assert (state_at(its, moment).kind == "active") == (moment < activity_end(its).at)


@pytest.mark.parametrize("policy", POLICIES)
@given(its=any_visit, at=seconds)
def test_who_is_active_has_his_number(policy: Policy, its: SessionTimes, at: int) -> None:
    """Whatever the policy, and at every moment of his activity."""
    moment = ago(-at)
    if state_at(its, moment).kind == "active":
        assert reserved_until(policy, its, OWN, issued_at=NOW) > moment


@given(its=any_visit, tapped=seconds)
def test_a_tap_never_ends_a_reservation_earlier(its: SessionTimes, tapped: int) -> None:
    """And gives at least its own time."""
    after = reserved_until("balanced", replace(its, tapped_at=ago(-tapped)), OWN)

    assert after >= reserved_until("balanced", its, OWN)
    assert after >= activity_end(its).at + OWN.tapped
