"""Handing out numbers: longest idle, a visit's own number, page sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.allocation import (
    OVERFLOW,
    Candidate,
    Claim,
    Decision,
    Visit,
    choose,
    own_number,
    session_goes_on,
)
from router.domain.model import NumberId, SessionId, Touch

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
T = timedelta(minutes=15)
ME, OTHER = SessionId(1), SessionId(2)
VISIT = Visit(session=None, source="paid", campaign=("paid", "spring"), device=None, region=None)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def number(
    id: int,  # noqa: A002
    until: datetime = datetime(1970, 1, 1, tzinfo=UTC),
    *,
    holder: SessionId | None = None,
    newest: SessionId | None = None,
) -> Candidate:
    return Candidate(
        number_id=NumberId(id),
        e164=f"+7495000000{id}",
        version=0,
        holder=holder,
        newest_holder=newest or holder,
        reserved_until=until,
    )


def test_the_longest_idle_number_is_handed_out() -> None:
    """That with the smallest reserved-until; one never held is idle the longest."""
    used, longer, never = number(1, ago(60)), number(2, ago(600)), number(3)

    assert choose("longest_idle", [used, longer], VISIT, NOW).candidate == longer
    assert choose("longest_idle", [used, longer, never], VISIT, NOW) == Decision(
        how="free", candidate=never, take=True
    )


def test_of_equals_the_lowest_number() -> None:
    """So that the same state always gives the same answer."""
    assert choose(
        "longest_idle", [number(2), number(1), number(3)], VISIT, NOW
    ).candidate == number(1)


def test_a_number_is_free_at_the_moment_its_reservation_ends() -> None:
    """Not a moment before."""
    ending = number(1, NOW, holder=OTHER)

    assert choose("longest_idle", [ending], VISIT, NOW).candidate == ending
    assert choose("longest_idle", [ending], VISIT, ago(0.001)) == OVERFLOW


def test_none_free_is_overflow() -> None:
    """A value, not an error."""
    assert choose("longest_idle", [], VISIT, NOW) == OVERFLOW


@pytest.mark.parametrize("until", [NOW + T, ago(60)])
def test_a_session_keeps_its_number(until: datetime) -> None:
    """Also when its reservation has run out, while nobody else was shown it; the time of issue stays."""
    own = number(1, until, holder=ME)
    visit = Claim(session=ME, goes_on=True, own=own)

    assert own_number("longest_idle", visit, NOW) == Decision(how="kept", candidate=own, take=False)


def test_a_session_keeps_its_number_after_the_sweep() -> None:
    """The sweep is a convenience of the index; the number is taken again, the page sees no difference."""
    own = number(1, ago(60), newest=ME)
    visit = Claim(session=ME, goes_on=True, own=own)

    assert own_number("longest_idle", visit, NOW) == Decision(how="kept", candidate=own, take=True)


def test_a_session_takes_its_number_back() -> None:
    """Somebody else had it, and it is free again."""
    own = number(1, ago(60), holder=OTHER)
    visit = Claim(session=ME, goes_on=True, own=own)

    assert own_number("longest_idle", visit, NOW) == Decision(
        how="retaken", candidate=own, take=True
    )


def test_a_session_whose_number_is_anothers_gets_another() -> None:
    """Nobody loses a number he holds."""
    own = number(1, NOW + T, holder=OTHER)
    visit = Claim(session=ME, goes_on=True, own=own)

    assert own_number("longest_idle", visit, NOW) is None


def test_ringostat_allocates_nothing_to_who_comes_back() -> None:
    """His page goes on showing a number that is another's."""
    own = number(1, NOW + T, holder=OTHER)
    visit = Claim(session=ME, goes_on=True, own=own)

    assert own_number("ringostat", visit, NOW) == Decision(how="kept_on_screen", candidate=own)


def test_the_number_moves_to_the_visitors_new_session() -> None:
    """The digits stay while the earlier session still holds them: all tabs agree."""
    own = number(1, NOW + T, holder=ME)
    visit = Claim(session=ME, goes_on=False, own=own)

    assert own_number("longest_idle", visit, NOW) == Decision(
        how="kept", candidate=own, take=True, ends="moved"
    )


@pytest.mark.parametrize(
    "own",
    [
        number(1, NOW, holder=ME),
        number(1, ago(60), newest=ME),
        number(1, NOW + T, holder=OTHER),
    ],
)
def test_a_returning_visitor_is_given_a_number_like_any_other(own: Candidate) -> None:
    """Once the earlier session holds it no more; giving the old one back makes attribution worse."""
    visit = Claim(session=ME, goes_on=False, own=own)

    assert own_number("longest_idle", visit, NOW) is None


numbers = st.lists(
    st.builds(
        lambda which, age, holder: number(which, ago(age), holder=holder),
        which=st.integers(1, 9),
        age=st.integers(-3, 3),
        holder=st.sampled_from([None, ME, OTHER]),
    ),
    unique_by=lambda candidate: candidate.number_id,
    max_size=9,
)


@given(candidates=numbers, order=st.randoms(use_true_random=False))
def test_the_choice(candidates: list[Candidate], order: Random) -> None:
    """A free number if there is one, none idle for longer, whatever order they come in."""
    decision = choose("longest_idle", candidates, VISIT, NOW)
    shuffled = list(candidates)
    order.shuffle(shuffled)
    free = [c for c in candidates if c.holder is None or c.reserved_until <= NOW]

    assert choose("longest_idle", shuffled, VISIT, NOW) == decision
    assert decision.candidate == min(
        free, key=lambda c: (c.reserved_until, c.number_id), default=None
    )
    assert (decision.how == "default") == (not free)


# -- the same visit or another ------------------------------------------------------------------

PAID = Touch(source="google", medium="cpc", campaign="spring")
DIRECT = Touch(source="(direct)", medium="(none)")


@pytest.mark.parametrize(
    ("landing", "away", "goes_on"),
    [
        (PAID, 10, True),  # a reload
        (DIRECT, 10, True),  # a second page, a second tab
        (DIRECT, 1800, True),
        (DIRECT, 1801, False),
        (PAID, 1801, False),
        (Touch(source="google", medium="cpc", campaign="autumn"), 10, False),
        (Touch(source="vk", medium="cpc", campaign="spring"), 10, False),
    ],
)
def test_another_campaign_or_half_an_hour_begins_another_session(
    landing: Touch, away: float, goes_on: bool
) -> None:
    """Equal names in two sources are two campaigns."""
    assert session_goes_on(PAID, ago(away), landing, NOW) is goes_on
