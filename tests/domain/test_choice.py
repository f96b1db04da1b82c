"""Which number is handed out: tiers, shortlist, score, and what every choice has in common."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.allocation import GROW, OVERFLOW, Candidate, Visit, choose, score
from router.domain.allocation.tiers import Scales, lowest_tier, tier
from router.domain.model import Policy
from router.domain.visitstate import Outage
from tests.domain.holders import CAMPAIGNS, NOW, ago, candidate, holder, pools, times, visit

ALL: list[Policy] = ["balanced", "exclusive", "longest_idle", "uis", "ringostat", "mango"]
SCORED: list[Policy] = ["balanced", "exclusive"]
visits = st.builds(visit, st.sampled_from(CAMPAIGNS), region=st.sampled_from(["77", "78", None]))


# -- tiers --------------------------------------------------------------------------------------


def test_tiers() -> None:
    """Who looks at a number, and uses the page, loses it last."""
    assert tier(candidate(1), NOW) == 0
    assert tier(candidate(1, holder(1), until=0), NOW) == 0  # its time is up, whoever looks
    assert tier(candidate(1, holder(1, times("gone", 10))), NOW) == 0
    assert tier(candidate(1, holder(1, times("idle", 40))), NOW) == 1
    assert tier(candidate(1, holder(1)), NOW) == 2


def test_holders_who_never_spoke_are_tier_0_when_the_pool_is_drained() -> None:
    """Only if they had the time: 10 s then, and 30 s at any other time."""
    silent = candidate(1, holder(1, times(lasted=15), verified=False))
    new = candidate(3, holder(3, times(lasted=5), verified=False))

    assert tier(new, NOW, drained=True) == 2
    assert tier(candidate(4, holder(4, times(lasted=29), verified=False)), NOW) == 2
    assert tier(candidate(4, holder(4, times(lasted=30), verified=False)), NOW) == 0
    assert tier(silent, NOW) == 2
    assert tier(silent, NOW, drained=True) == 0
    assert tier(candidate(2, holder(2)), NOW, drained=True) == 2


def test_silence_in_an_outage_is_not_held_against_a_holder() -> None:
    """His page spoke into the void."""
    quiet = candidate(1, holder(1, times("gone", 100)))
    spoke = replace(times(), seen_at=ago(100), input_at=ago(100))
    open_page = candidate(2, holder(2, spoke), until=-3000)
    outage = Outage(started_at=ago(90), ended_at=ago(5))

    assert tier(open_page, NOW) == 0
    assert tier(open_page, NOW, outages=[outage]) == 2
    assert choose("balanced", [quiet, open_page], visit(), NOW, outages=[outage]).candidate == quiet


@pytest.mark.parametrize("policy", SCORED)
@settings(max_examples=60)
@given(numbers=pools(), who=visits)
def test_nobody_who_looks_loses_a_number_while_another_can_be_had(
    policy: Policy, numbers: list[Candidate], who: Visit
) -> None:
    """Nor does one who uses his page before one who only looks."""
    chosen = choose(policy, numbers, who, NOW).candidate
    if chosen is None:
        assert numbers == []
    else:
        assert tier(chosen, NOW) == min(tier(one, NOW) for one in numbers)


@settings(max_examples=60)
@given(numbers=pools(), who=visits)
def test_exclusive_takes_any_free_number_before_a_reserved_one(
    numbers: list[Candidate], who: Visit
) -> None:
    """Whatever its past."""
    decision = choose("exclusive", numbers, who, NOW)

    assert (decision.how == "free") == any(one.free(NOW) for one in numbers)


# -- what is needed of a pool -------------------------------------------------------------------


def _needed(policy: Policy, numbers: list[Candidate], who: Visit, size: int) -> list[Candidate]:
    """What a reader has to find, by the words of `choose`."""
    by_time = sorted(numbers, key=lambda one: (one.reserved_until, one.number_id))
    free = [one for one in by_time if one.free(NOW)]
    if policy not in SCORED:
        by_issue = sorted(numbers, key=lambda one: (one.issued_at or NOW, one.number_id))
        oldest = by_issue[:1] if policy == "ringostat" and not free else []
        return free[:1] + oldest
    its_tier, found = lowest_tier(numbers, Scales(NOW), free_first=policy == "exclusive")
    if len(found) <= 2 * size:
        return found
    found.sort(
        key=lambda one: (one.issued_at if its_tier == 2 else one.reserved_until, one.number_id)
    )
    alike = [one for one in found[size:] if one.ring and one.ring[0].campaign == who.campaign]
    return found[:size] + alike[:size]


@pytest.mark.parametrize("policy", ALL)
@settings(max_examples=60)
@given(
    numbers=pools(),
    who=visits,
    size=st.integers(1, 3),
    chance=st.randoms(use_true_random=False),
)
def test_any_superset_of_what_is_needed_gives_the_same_decision(
    policy: Policy, numbers: list[Candidate], who: Visit, size: int, chance: Random
) -> None:
    """In any order: so the store may read as it likes best."""
    whole = choose(policy, numbers, who, NOW, shortlist=size)
    needed = _needed(policy, numbers, who, size)
    others = [one for one in numbers if one not in needed]
    given_ones = needed + chance.sample(others, chance.randint(0, len(others)))
    chance.shuffle(given_ones)
    found = lowest_tier(numbers, Scales(NOW), free_first=policy == "exclusive")[1]

    assert whole == choose(policy, given_ones, who, NOW, shortlist=size, many=len(found) > 2 * size)


@settings(max_examples=60)
@given(numbers=pools(), who=visits, size=st.integers(1, 3))
def test_the_least_score_of_the_shortlist(numbers: list[Candidate], who: Visit, size: int) -> None:
    """Of equal ones the lowest number; the margin is how much worse the next one is."""
    decision = choose("balanced", numbers, who, NOW, shortlist=size)
    scores = sorted(
        (score(one, who, NOW), one.number_id) for one in _needed("balanced", numbers, who, size)
    )
    if not scores:
        assert decision == OVERFLOW
        return
    assert decision.candidate is not None
    assert decision.score == score(decision.candidate, who, NOW) <= scores[0][0] + 1e-12
    assert decision.candidate.number_id == min(
        number for value, number in scores if value <= scores[0][0] + 1e-12
    )
    if len(scores) == 1:
        assert decision.margin is None
    else:
        assert decision.margin == pytest.approx(scores[1][0] - scores[0][0], abs=1e-11)
    assert decision.how == ("free" if decision.candidate.free(NOW) else "shared")
    assert decision.ends == ("expired" if decision.how == "free" else "taken")
    assert decision.take


# -- the score ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (holder(2), 0.03),  # active, of the same campaign
        (holder(2, campaign=("paid", "p2")), 0.06),
        (holder(2, campaign=("organic", "p1")), 0.15),  # an equal name in another source
        (holder(2, device="desktop"), 0.015),
        (holder(2, device=None), 0.03),
        (holder(2, region="78"), 0.012),
        (holder(2, region=None), 0.03),
        (holder(2, rate=0.1), 0.1),
        (holder(2, times("idle", 60)), 0.0135),
        (holder(2, times("idle", 60, lasted=5)), 0.00135),  # a bounce
        (holder(2, times("gone", 0)), 0.03 * 0.47),
        (holder(2, times(tapped=59)), 0.63),
        (holder(2, times(tapped=60)), 0.03),
        (holder(2, times(tapped=-1)), 0.03),
        (holder(1), 0.0),  # the visit itself
    ],
)
def test_what_one_holder_weighs(one: object, expected: float) -> None:
    """Calls to be expected of him, times how wrong and how easily mistaken they would be."""
    number = candidate(1, one, until=0)  # type: ignore[arg-type]

    assert score(number, visit(session=1), NOW) == pytest.approx(expected, abs=1e-12)


def test_the_price_of_a_tail_cut_short() -> None:
    """Three times 0.03, unless the pool says otherwise."""
    reserved = candidate(1, holder(1), until=-1)

    assert score(reserved, visit(session=1), NOW) == pytest.approx(0.09)
    assert score(reserved, visit(session=1), NOW, price=10) == pytest.approx(0.3)


# -- growth -------------------------------------------------------------------------------------


def test_when_a_pool_grows() -> None:
    """mango: where no number is free. balanced: where somebody looks at each of them."""
    tail = candidate(1, holder(1, times("gone", 10)))
    looked_at = candidate(2, holder(2, times("idle", 60)))

    assert choose("mango", [tail], visit(), NOW, grows=True) == GROW
    assert choose("mango", [tail], visit(), NOW) == OVERFLOW
    assert choose("balanced", [looked_at, tail], visit(), NOW, grows=True).candidate == tail
    assert choose("balanced", [looked_at], visit(), NOW, grows=True) == GROW
    assert choose("balanced", [], visit(), NOW, grows=True) == GROW
    assert choose("balanced", [looked_at], visit(), NOW).candidate == looked_at


def test_ringostat_takes_the_number_that_was_issued_first() -> None:
    """Although another's holder has left."""
    old = candidate(2, holder(2), issued=500, until=-700)
    left = candidate(1, holder(1, times("gone", 10)), issued=400, until=-1)
    decision = choose("ringostat", [left, old], visit(), NOW)

    assert (decision.how, decision.candidate, decision.ends) == ("taken_from_oldest", old, "taken")
    assert choose("ringostat", [], visit(), NOW) == OVERFLOW


def test_a_free_moment_later() -> None:
    """A reservation that ends at this moment is over, one that ends a moment later is not."""
    number = candidate(1, holder(1), until=0)

    assert choose("longest_idle", [number], visit(), NOW).how == "free"
    assert choose("longest_idle", [number], visit(), NOW - timedelta(seconds=1)) == OVERFLOW
