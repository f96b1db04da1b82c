"""The state of a visit at a moment, from its times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.model import SessionTimes
from router.domain.visitstate import Outage, State, lost_at, state_at

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def times(
    *,
    seen: float = 0,
    heard: float = 0,
    gone: float | None = None,
    kind: Literal["hide", "close"] | None = "hide",
) -> SessionTimes:
    """A visit begun at 0 s; the other moments in seconds since then."""
    return SessionTimes(
        started_at=START,
        seen_at=at(seen),
        input_at=at(heard),
        gone_at=None if gone is None else at(gone),
        gone_kind=None if gone is None else kind,
        tapped_at=None,
        device="desktop",
    )


def test_a_page_just_opened_is_active() -> None:
    """Its age counts from the start of the visit."""
    assert state_at(times(), at(10)) == State(kind="active", since=START, engaged=True)


def test_a_page_that_said_nothing_since_stays_active_until_it_is_lost() -> None:
    """Only a heartbeat without input makes a page idle; its silence says nothing of the visitor."""
    assert state_at(times(seen=60, heard=60), at(134)).kind == "active"


def test_a_heartbeat_without_input_makes_a_page_idle() -> None:
    """Thirty seconds after the last input, not before."""
    quiet = times(seen=121, heard=90)

    assert state_at(quiet, at(119)).kind == "active"
    assert state_at(quiet, at(120)) == State(kind="idle", since=START, engaged=True)


def test_input_shortly_before_a_heartbeat_keeps_a_page_active_until_the_next() -> None:
    """It may go on: only what the page says next can tell."""
    busy = times(seen=119, heard=90)

    assert state_at(busy, at(193)).kind == "active"


def test_a_page_left_is_gone_from_that_moment() -> None:
    """Before it, the page was what it was."""
    left = times(seen=60, heard=60, gone=70)

    assert state_at(left, at(69)).kind == "active"
    assert state_at(left, at(70)) == State(kind="gone", since=at(70), engaged=True)
    assert state_at(left, at(7000)).since == at(70)


def test_a_silent_page_is_lost_after_75_seconds() -> None:
    """It counts as gone from the moment the silence was long enough."""
    silent = times(seen=60, heard=60)

    assert state_at(silent, at(134.9)).kind == "active"
    assert state_at(silent, at(135)) == State(kind="gone", since=at(135), engaged=True)


def test_a_beacon_of_a_page_already_lost_changes_nothing() -> None:
    """It is gone since it was lost."""
    late = times(seen=60, heard=60, gone=600)

    assert state_at(late, at(700)).since == at(135)


@pytest.mark.parametrize(
    ("visit", "engaged"),
    [
        (times(gone=14), False),
        (times(gone=15), True),
        (times(), False),  # never heard of again
        (times(seen=45, heard=14, gone=60), False),  # idle when it left: the last input counts
        (times(seen=45, heard=15, gone=60), True),
        (times(seen=45, heard=10), False),
        (
            times(seen=14, gone=60, kind=None),
            False,
        ),  # found silent: no beacon says that it was used
    ],
)
def test_a_bounce_had_its_last_input_within_15_seconds(visit: SessionTimes, engaged: bool) -> None:
    """A page that was active when it left had its last input at that moment."""
    assert state_at(visit, at(3600)).engaged is engaged


def test_an_idle_bounce_is_not_engaged() -> None:
    """The bounce is decided when activity ends."""
    assert state_at(times(seen=60, heard=5), at(61)) == State(
        kind="idle", since=START, engaged=False
    )


def test_silence_in_an_outage_does_not_lose_a_page() -> None:
    """Heartbeats could not be written: the 75 s are counted without the outage."""
    silent = times(seen=60, heard=60)
    outage = Outage(started_at=at(80), ended_at=at(680))

    assert state_at(silent, at(700), [outage]).kind == "active"
    assert lost_at(silent, [outage]) == at(735)
    assert state_at(silent, at(735), [outage]).kind == "gone"


def test_an_outage_after_the_page_was_lost_changes_nothing() -> None:
    """Nor does one that was over before the page was last seen."""
    silent = times(seen=60, heard=60)
    before = Outage(started_at=at(10), ended_at=at(60))
    after = Outage(started_at=at(135), ended_at=at(500))

    assert lost_at(silent, [after, before]) == at(135)


def test_a_naive_moment_is_refused() -> None:
    """A time without a zone is a bug one summer later."""
    with pytest.raises(ValueError, match="naive"):
        state_at(times(), at(0).replace(tzinfo=None))


seconds = st.integers(0, 10_000)


@given(seen=seconds, idle_for=seconds, gone=st.none() | seconds, first=seconds, later=seconds)
def test_a_gone_page_stays_gone(
    seen: int, idle_for: int, gone: int | None, first: int, later: int
) -> None:
    """Given the same times, every later moment finds it gone since the same moment."""
    visit = times(seen=seen, heard=max(0, seen - idle_for), gone=gone)
    state = state_at(visit, at(first))
    if state.kind == "gone":
        assert state_at(visit, at(first + later)) == state
