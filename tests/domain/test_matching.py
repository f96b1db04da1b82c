"""Who called: candidates as the store has them, the decision, and the reasons given for it.

Rates, shares and decisions in figures: tests/vectors."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain import matching, posterior
from router.domain.matching import Shown
from router.domain.model import Origin, PoolId, SessionId, SessionTimes, Touch
from router.domain.past import settle
from router.domain.posterior import Candidate
from tests.conftest import MONDAY

# --- from times, as the store has them -----------------------------------------------------------

SPRING = Origin("google_ads", "spring", "google", "cpc")


def visit(
    number: int = 1,
    *,
    began: float,
    seen: float = 0,
    gone: float | None = None,
    tapped: float | None = None,
    changed: float | None = None,
    key: Origin = SPRING,
    called: float = 0.0,
) -> Candidate:
    """A candidate; all times in seconds before the call on Monday morning."""

    def ago(seconds: float | None) -> datetime | None:
        return None if seconds is None else MONDAY - timedelta(seconds=seconds)

    return Candidate(
        session_id=SessionId(number),
        origin=key,
        times=SessionTimes(
            started_at=MONDAY - timedelta(seconds=began),
            seen_at=MONDAY - timedelta(seconds=seen if gone is None else gone),
            input_at=MONDAY - timedelta(seconds=seen if gone is None else gone),
            gone_at=ago(gone),
            gone_kind="hide" if gone is not None else None,
            tapped_at=ago(tapped),
            device="mobile",
        ),
        handed_at=MONDAY - timedelta(seconds=began),
        changed_at=ago(changed),
        called=called,
    )


DYNAMIC = Shown(kind="reservation", pool_id=PoolId(1))


def test_a_tap_five_seconds_ago() -> None:
    """The visit is almost certain, and the first reason is the tap."""
    candidates = [visit(1, began=60, gone=4, tapped=5), visit(2, began=3600, gone=3000)]
    found, _ = matching.attribute(DYNAMIC, candidates, None, MONDAY)

    assert (found.level, found.session_id) == ("session", 1)
    assert found.confidence > 0.99
    assert found.evidence[0].words == "the visitor tapped the number 5 s before the call"
    assert found.touch == Touch(
        source="google", medium="cpc", campaign="spring", channel="google_ads"
    )
    assert [one["session_id"] for one in found.runners_up] == [2]


def test_two_alike_give_the_campaign() -> None:
    """No visit stands out, but both came by the same campaign."""
    candidates = [visit(n, began=900, gone=600 + n) for n in (1, 2, 3)]
    found, _ = matching.attribute(DYNAMIC, candidates, None, MONDAY)

    assert found.level == "campaign"
    assert found.session_id is None
    assert 0.5 < found.confidence < 1


def test_nobody_was_shown_the_number() -> None:
    """A row of its own, and no guess."""
    found, _ = matching.attribute(DYNAMIC, [], None, MONDAY)

    assert (found.method, found.level, found.confidence) == ("without_session", "none", 0.0)


def test_noise_on_a_quiet_number() -> None:
    """Somebody who bounced three weeks ago is not the caller."""
    found, _ = matching.attribute(DYNAMIC, [visit(began=2e6 + 5, gone=2e6)], None, MONDAY)

    assert (found.method, found.level, found.confidence) == ("reservation", "none", 0.0)
    assert found.touch is None


def test_static_and_default_and_unknown() -> None:
    """What is sure needs no candidates."""
    touch = Touch(source="yandex", medium="cpc")
    static, _ = matching.attribute(Shown(kind="static", touch=touch), [], None, MONDAY)
    default, _ = matching.attribute(Shown(kind="default", touch=touch), [], None, MONDAY)
    unknown, _ = matching.attribute(Shown(kind="unknown"), [], None, MONDAY)

    assert (static.method, static.level, static.confidence) == ("static", "source", 1.0)
    assert (default.method, default.level) == ("default", "source")
    assert (unknown.method, unknown.level, unknown.touch) == ("unknown_number", "none", None)


def test_a_known_caller_may_be_the_one_who_called() -> None:
    """For an unknown caller the visit that has called is unlikely; for one who has called it is not."""
    candidates = [visit(1, began=300, gone=100, called=1.0), visit(2, began=900, gone=700)]
    stranger = matching.shares(candidates, None, MONDAY)
    known = matching.shares(candidates, None, MONDAY, known_caller=True)

    assert stranger.top[0].session_id == 2
    assert known.top[0].session_id == 1


def test_a_page_that_shows_another_number() -> None:
    """Its tap after the change was on the other number; before it, on this one."""
    after = posterior.standing(visit(began=900, changed=60, tapped=30), MONDAY)
    before = posterior.standing(visit(began=900, changed=60, tapped=90), MONDAY)

    assert (after.kind, after.age, after.changed, after.tap_age) == ("gone", 60, True, None)
    assert before.tap_age == 90


def test_attribution_as_of_the_calls_start() -> None:
    """What happened after the call does not count for it."""
    later = visit(began=900, gone=-30, tapped=-20, changed=-10)
    seen = posterior.standing(later, MONDAY)

    assert (seen.kind, seen.changed, seen.tap_age) == ("active", False, None)


def test_a_channel_read_from_several_sources() -> None:
    """The campaign is what they have in common; a source is said only if nearly all came from it."""
    fb = Origin("meta_ads", "spring", "fb", "cpc")
    ig = Origin("meta_ads", "spring", "ig", "cpc")
    both = [visit(n, began=900, gone=600 + n, key=(fb, ig)[n % 2]) for n in range(4)]
    one = [visit(n, began=900, gone=600 + n, key=fb) for n in range(4)]
    mixed, _ = matching.attribute(DYNAMIC, both, None, MONDAY)
    alike, _ = matching.attribute(DYNAMIC, one, None, MONDAY)

    assert mixed.level == alike.level == "campaign"
    assert mixed.touch == Touch(source="", medium="", campaign="spring", channel="meta_ads")
    assert alike.touch == Touch(source="fb", medium="cpc", campaign="spring", channel="meta_ads")


def test_two_campaigns_of_a_channel_give_the_channel() -> None:
    """That is what level source says."""
    keys = [Origin("google_ads", f"campaign {n}", "google", "cpc") for n in range(5)]
    visits = [visit(n, began=900, gone=600 + n, key=keys[n]) for n in range(5)]
    found, _ = matching.attribute(DYNAMIC, visits, None, MONDAY)

    assert (found.level, found.touch) == (
        "source",
        Touch(source="google", medium="cpc", channel="google_ads"),
    )


def test_visits_from_before_there_were_channels() -> None:
    """Source and medium stand in the channel's place, and are no channel."""
    old = Touch(source="google", medium="cpc", campaign="spring")

    assert old.source_key == ("google / cpc",)
    assert old.campaign_key == ("google / cpc", "spring")
    assert old.origin.touch == old


KEYS = [
    Origin("google_ads", "spring", "google", "cpc"),
    Origin("google_ads", "", "google", "cpc"),
    Origin("direct", "", "(direct)", "(none)"),
]
VISITS = st.builds(
    lambda number, began, length, key, changed: visit(
        number,
        began=began,
        gone=began - min(length, began),
        key=key,
        changed=began - min(length, began) - 5 if changed and began - length > 10 else None,
    ),
    st.integers(1, 10**6),
    st.floats(0, 31 * 86400),
    st.floats(1, 3000),
    st.sampled_from(KEYS),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(VISITS, max_size=40, unique_by=lambda v: v.session_id), st.floats(0, 86400))
def test_the_past_counted_equals_the_past_listed(visits: list[Candidate], later: float) -> None:
    """Visits long gone weigh the same in groups as one by one, now and a day later."""
    t = MONDAY + timedelta(seconds=later)
    in_window = [v for v in visits if v.handed_at > t - posterior.WINDOW]
    past = settle(visits, MONDAY)
    unsettled = [v for v in in_window if v.session_id in past.unsettled]
    listed = matching.shares(in_window, None, t)
    counted = matching.shares(unsettled, past, t)

    assert len(past) + len(past.unsettled) == len(visits)
    assert counted.count == listed.count
    assert counted.p_none == pytest.approx(listed.p_none, rel=1e-9)
    assert [one.p for one in counted.top] == pytest.approx([one.p for one in listed.top], rel=1e-9)
    for key, (weight, best) in listed.campaigns.items():
        assert counted.campaigns[key] == pytest.approx((weight, best), rel=1e-9)
    assert matching.decide(counted).level == matching.decide(listed).level
