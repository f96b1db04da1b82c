"""What is kept of holders that are gone says what reckoning them anew would say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from router.domain.allocation import Holder, score
from router.domain.allocation.scoring import Departed, Weighed, calls_to_come
from tests.domain.holders import NOW, ago, candidate, holder, times, visit

KINDS = ("active", "idle", "gone")
holders = st.builds(
    lambda kind, since, tapped: _tapped(holder(1, times(kind, since)), tapped),
    st.sampled_from(KINDS),
    st.integers(30, 5000),
    st.none() | st.integers(-10, 90),
)


def _tapped(one: Holder, seconds: int | None) -> Holder:
    return replace(
        one,
        times=replace(one.times, tapped_at=None if seconds is None else ago(seconds)),
    )


@given(holders, st.lists(st.integers(-600, 600), min_size=1, max_size=4))
def test_as_reckoned_anew_at_whatever_moments(one: Holder, moments: list[int]) -> None:
    """Also when a clock is set back to before the holder went."""
    departed = Departed()
    for seconds in moments:
        now = NOW + timedelta(seconds=seconds)
        kept = departed.calls_to_come(one, now)
        assert kept is None or kept == calls_to_come(one, now)
        number = candidate(1, one)
        scored = Weighed(number, now, departed=departed).score(
            visit(), 3.0, reserved=not number.free(now)
        )
        assert scored == score(number, visit(), now)


def test_only_who_is_gone_is_kept() -> None:
    """Of the others more may be heard, and their states change by themselves."""
    departed = Departed()

    assert departed.calls_to_come(holder(1), NOW) is None
    assert departed.calls_to_come(holder(1, times("gone", 60)), NOW) is not None
