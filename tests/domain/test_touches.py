"""First, last, and last non-direct touch; what a further landing adds."""

from __future__ import annotations

from datetime import timedelta

from router.domain.attribution import DIRECT
from router.domain.model import Touch
from router.domain.touches import Landed, further, models
from tests.conftest import MONDAY

ADS = Touch(source="google", medium="cpc", click_ids={"gclid": "1"})
MAIL = Touch(source="crm", medium="email")


def landed(touch: Touch, minutes: float, visit: int = 1, *, begins: bool = True) -> Landed:
    return Landed(
        at=MONDAY + timedelta(minutes=minutes),
        touch=touch,
        url="https://shop.example/",
        referrer="",
        visit=visit,
        begins=begins,
    )


def test_which_touch_a_model_asks_for() -> None:
    """By time, whatever their order; a direct one in the end hides the one before it from last alone."""
    touches = [landed(DIRECT, 9, 3), landed(ADS, 0), landed(MAIL, 5, 2)]
    found = models(touches)

    assert found.first == touches[1]
    assert found.last == touches[0]
    assert found.last_non_direct == touches[2]


def test_all_direct_and_none() -> None:
    """Then the last is what there is."""
    only = [landed(DIRECT, 0), landed(DIRECT, 60, 2)]

    assert models(only).last_non_direct == only[1]
    assert (models([]).first, models([]).last_non_direct) == (None, None)


def test_at_one_moment_the_later_session_is_the_later() -> None:
    """And within one the landing that began it is the first."""
    same = [landed(MAIL, 0, 2), landed(ADS, 0, 1, begins=False), landed(DIRECT, 0, 1)]
    found = models(same)

    assert (found.first, found.last) == (same[2], same[0])


def test_what_a_page_within_a_session_adds() -> None:
    """A landing from elsewhere is a touch; one's own pages, and a reload of the first one, are none."""
    first = ("https://shop.example/?gclid=1", "")

    assert further(ADS, "https://shop.example/?gclid=2", "", first, {"gclid": "1"}) == (True, {})
    assert further(ADS, *first, first, {"gclid": "1"}) == (False, {})
    assert further(DIRECT, "https://shop.example/x", "", first, {}) == (False, {})


def test_ids_that_come_later_are_new() -> None:
    """Analytics set their cookies after our snippet asked; a second gclid does not replace the first."""
    later = Touch(source="(direct)", medium="(none)", click_ids={"_ga": "1.2", "gclid": "9"})

    assert further(later, "u", "", ("v", ""), {"gclid": "1"}) == (False, {"_ga": "1.2"})
