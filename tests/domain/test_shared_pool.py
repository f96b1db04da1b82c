"""How many numbers a site gives back a month, and what that would have cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.shared_pool import MONTH, Silence, allowance, back_test

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def ago(*days: float) -> list[datetime]:
    return [NOW - timedelta(days=n) for n in days]


@pytest.mark.parametrize(
    ("grown", "taken", "percent", "expected"),
    [
        (100, (), 2, 2),
        (99, (1,), 2, 1),
        (98, (1, 5), 2, 0),
        # a number of the last month counts as the site's: the share is of what it had
        (98, (29.9, 5), 2, 0),
        (98, (30, 5), 2, 0),
        (99, (30, 5), 2, 1),
        (94, (), 2, 1),
        (3, (), 100, 3),
        (0, (), 2, 0),
        (500, (), 0, 0),
        # ten numbers: a fifth of one a month, one in 150 days
        (10, (), 2, 1),
        (9, (149,), 2, 0),
        (9, (151,), 2, 0),  # nine: one in 167 days
        (10, (150,), 2, 1),
        (1, (), 2, 1),
    ],
)
def test_allowance(grown: int, taken: tuple[float, ...], percent: float, expected: int) -> None:
    assert allowance(grown, ago(*taken), percent, NOW) == expected


@given(grown=st.integers(0, 300), percent=st.floats(0.1, 50), every=st.integers(1, 40))
def test_the_share_is_never_passed(grown: int, percent: float, every: int) -> None:
    """Whoever asks every few days for two years gets no more than the share of each month, or one number
    in as many months as it takes for the shares to make one."""
    left, taken = grown, []
    for day in range(0, 720, every):
        now = NOW + timedelta(days=day)
        for _ in range(allowance(left, taken, percent, now)):
            left -= 1
            taken.append(now)
    for begin in taken:
        window = [at for at in taken if begin <= at < begin + MONTH]
        had = left + sum(at >= begin for at in taken)
        assert len(window) <= max(1, percent / 100 * had + 1e-6)
    assert len(taken) <= grown
    assert len(taken) <= 1 + percent / 100 * grown * (720 / 30 + 1)


def test_back_test_tells_reached_from_lost() -> None:
    """Calls within the rest reach the old site; later ones would have been another's."""
    at = NOW - timedelta(days=100)
    calls = tuple(at + timedelta(days=n) for n in (0, 29.9, 30, 80))
    silences = [
        Silence(e164="+74951234567", site="shop", at=at, calls=calls),
        Silence(e164="+74951234568", site="shop", at=at, calls=()),
    ]

    past = back_test(silences, 30)

    assert (past.taken, past.reached, past.lost) == (2, 2, 2)
