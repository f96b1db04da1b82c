"""The replay of recorded visits through a pool of N numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.sizing import Hold, by_day, coverage, recommended

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sizing.json").read_text()
)
DAY = 86_400


def _plain() -> list[Hold]:
    return [Hold(v["t"], v["t"] + v["hold"], 0) for v in VECTORS["replay"]["visits"]]


def _by_day() -> list[Hold]:
    given_days = VECTORS["replay_days"]
    return [
        Hold(t, t + hold, t // DAY)
        for t, hold in zip(given_days["t"], given_days["hold"], strict=True)
    ]


def test_plain_replay() -> None:
    holds = _plain()
    for n, covered in VECTORS["replay"]["covered_by_n"].items():
        assert coverage(holds, int(n)).covered == covered
    for target, n in VECTORS["replay"]["recommended"].items():
        assert recommended(holds, float(target), cautious=False) == n


@pytest.mark.parametrize("case", ["ten_days", "one_day"])
def test_replay_with_the_error_of_its_days(case: str) -> None:
    holds = [hold for hold in _by_day() if case == "ten_days" or hold.day == 0]
    expected = VECTORS["replay_days"][case]
    for n, row in expected["by_n"].items():
        found = coverage(holds, int(n))
        assert found.covered == row["covered"]
        assert found.share == pytest.approx(row["coverage"], abs=1e-9)
        assert found.error == pytest.approx(row["se"], abs=1e-9)
        assert found.low == pytest.approx(row["low"], abs=1e-9)
    for row in expected["recommended"]:
        assert recommended(holds, row["target"], cautious=False) == row["n_mean"]
        assert recommended(holds, row["target"]) == row["n_low"]


def test_a_reservation_that_ends_as_a_visit_begins_is_over() -> None:
    assert coverage([Hold(0, 10, 0), Hold(10, 20, 0)], 1).covered == 2
    assert coverage([Hold(0, 10, 0), Hold(9.9, 20, 0)], 1).covered == 1


def test_one_day_has_no_error() -> None:
    assert by_day([(3, 4)]).low == 0.75


def test_refusals() -> None:
    with pytest.raises(ValueError, match="no visit"):
        coverage([], 3)
    with pytest.raises(ValueError, match="at most 1"):
        recommended([Hold(0, 1, 0)], 1.5)


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 2000)), min_size=1, max_size=60),
    st.integers(1, 8),
)
def test_more_numbers_cover_no_fewer_visits(visits: list[tuple[int, int]], n: int) -> None:
    holds = sorted(Hold(start, start + length, start // 1000) for start, length in visits)
    assert coverage(holds, n).covered <= coverage(holds, n + 1).covered
    assert coverage(holds, len(holds)).share == 1
