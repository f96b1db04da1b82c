"""Where callers are, by their numbers, and what it says of visits; figures in tests/vectors."""

from __future__ import annotations

from datetime import timedelta

import phonenumbers
import pytest
from phonenumbers import geocoder

from router.domain import regions
from router.domain.area_codes import AREAS
from router.domain.matching import Shown, attribute, shares
from router.domain.model import Origin, PoolId, SessionId, SessionTimes
from router.domain.past import settle
from router.domain.posterior import Candidate
from router.domain.regions import CallerRegion
from tests.conftest import MONDAY

MOSCOW = CallerRegion(code="RU-MOW", population=0.4)


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("+78121234567", "RU-SPE"),
        ("+73431234567", "RU-SVE"),
        ("+74951234567", "RU"),  # the code is shared with the region around Moscow
        ("+79161234567", "RU"),  # mobiles: their plan has to be imported
        ("+12125551234", "US-NY"),
        ("+13155551234", "US-NY"),
        ("+15145551234", "CA-QC"),
        ("+442071234567", "GB"),
        ("+8821234567890", None),
        ("+999123", None),
    ],
)
def test_what_a_number_tells(number: str, region: str | None) -> None:
    assert regions.of_number(number) == region


def test_area_codes_are_those_of_the_numbering_plan() -> None:
    """Wherever phonenumbers tells the place of a city or a whole state, it is in ours; of each part it names
    one place at least."""
    for code, country in ((7, "RU"), (1, "US"), (1, "CA")):
        said: dict[str, set[str]] = {}
        for area, part in AREAS[country].items():
            for rest in ("2123456", "5551234", "4412345"):
                number = phonenumbers.parse(f"+{code}{area}{rest}")
                place = geocoder.description_for_number(number, "en")
                assert phonenumbers.region_code_for_number(number) in (country, None), area
                if len(state := place.rpartition(", ")[2]) == 2:
                    assert state == part, area
                elif place not in ("", "Russia", "United States", "Canada"):
                    said.setdefault(part, set()).add(place)
        # no name is of two parts
        names = [name for places in said.values() for name in places]
        assert len(names) == len(set(names)), country


def test_population_counts_the_present_call() -> None:
    """(2 + its calls) of all (2 + calls), over the regions seen so far."""
    assert regions.population("RU-MOW", {}) == 1
    assert regions.population("RU-MOW", {"RU-MOW": 7, "RU-SPE": 0}) == 10 / 12
    assert regions.population("RU-TUL", {"RU-MOW": 7, "RU-SPE": 0}) == 3 / 14


def test_factors() -> None:
    """The same region makes likelier, another one less; what is not known, nothing."""
    assert regions.factor(MOSCOW, "RU-MOW") == pytest.approx(0.6 / 0.4 + 0.4)
    assert regions.factor(MOSCOW, "RU-SPE") == pytest.approx(0.4)
    for unknown in (None, "", "RU"):
        assert regions.factor(MOSCOW, unknown) == 1
    assert regions.factor(None, "RU-MOW") == 1


def visit(number: int, region: str | None, *, gone: float) -> Candidate:
    left = MONDAY - timedelta(seconds=gone)
    return Candidate(
        session_id=SessionId(number),
        origin=Origin("google_ads", "spring", "google", "cpc"),
        times=SessionTimes(
            started_at=left - timedelta(seconds=60),
            seen_at=left,
            input_at=left,
            gone_at=left,
            gone_kind="close",
            tapped_at=None,
            device="mobile",
        ),
        handed_at=left - timedelta(seconds=60),
        region=region,
    )


def test_the_region_decides_between_equals_and_is_said() -> None:
    """Of three visits alike, the one from where the caller is; the reason names it."""
    candidates = [visit(i, region, gone=600) for i, region in enumerate(("RU-SPE", "RU-MOW", None))]
    caller = CallerRegion(code="RU-MOW", population=0.1)
    pool = Shown(kind="reservation", pool_id=PoolId(1))
    decided, _ = attribute(pool, candidates, None, MONDAY, caller=caller)
    without, _ = attribute(pool, candidates, None, MONDAY)

    assert decided.session_id == 1
    assert without.session_id is None
    assert any(
        "the caller's number is of RU-MOW, the visit too" in e.words for e in decided.evidence
    )
    assert decided.inputs["caller_region"] == "RU-MOW"


def test_visits_summed_up_know_their_region() -> None:
    """The posterior is the same, summed up or one by one."""
    candidates = [
        visit(i, region, gone=7200 + 10 * i)
        for i, region in enumerate(("RU-SPE", "RU-MOW", None, "RU-MOW", "RU"))
    ]
    one_by_one = shares(candidates, None, MONDAY, caller=MOSCOW)
    summed = shares([], settle(candidates, MONDAY), MONDAY, caller=MOSCOW)

    assert summed.count == 5
    assert summed.p_none == pytest.approx(one_by_one.p_none)
    assert [(one.session_id, one.region) for one in summed.top] == [
        (one.session_id, one.region) for one in one_by_one.top
    ]
    assert [one.p for one in summed.top] == pytest.approx([one.p for one in one_by_one.top])
