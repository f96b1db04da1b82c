"""What a number remembers of holders who left, and its ring."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.allocation import Candidate, Holder, Masses, hand_over, score
from router.domain.allocation.masses import CAMPAIGNS_AT_MOST, WEIGHT, decay, drop, remaining
from tests.domain.holders import NOW, ago, candidate, holder, times, visit


def _present(masses: Masses, mass: tuple[float, ...], later: float) -> float:
    return sum(m * d for m, d in zip(mass, decay(later), strict=True))


def test_what_one_holder_leaves_behind() -> None:
    """His rate, spread over the four time constants, as far as his calls are not over by now."""
    left = drop(None, holder(1, times("gone", 3600)), NOW)
    looking = drop(None, holder(1), NOW)
    bounced = drop(None, holder(1, times("gone", 0, lasted=5)), NOW)
    tapped = drop(None, holder(1, times(tapped=1)), NOW)

    assert _present(left, left.total, 0) == pytest.approx(0.03 * remaining(3600))
    assert looking.total == pytest.approx([0.03 * w for w in WEIGHT])
    assert bounced.total == pytest.approx([0.003 * w for w in WEIGHT])
    assert tapped == looking
    assert looking.by_source == {"paid": looking.total}
    assert looking.by_campaign == {("paid", "p1"): looking.total}


campaigns = st.tuples(st.sampled_from(["paid", "maps"]), st.integers(0, 30).map(str))
dropped = st.lists(
    st.tuples(campaigns, st.integers(0, 9000), st.sampled_from([0.01, 0.03, 0.2])), max_size=60
)


def _fold(visits: list[tuple[tuple[str, str], int, float]]) -> Masses | None:
    masses = None
    for index, (campaign, gone, rate) in enumerate(visits):
        now = ago(100 * (len(visits) - index))
        its = holder(index, times("gone", gone), campaign=campaign, rate=rate)
        masses = drop(masses, its, now)
    return masses


@settings(max_examples=60)
@given(visits=dropped)
def test_total_and_sources_stay_whole(visits: list[tuple[tuple[str, str], int, float]]) -> None:
    """However many campaigns there were, no more than sixteen are remembered one by one."""
    masses = _fold(visits)
    if masses is None:
        assert visits == []
        return

    assert len(masses.by_campaign) == min(CAMPAIGNS_AT_MOST, len({c for c, _, _ in visits}))
    assert visits[-1][0] in masses.by_campaign
    for k in range(4):
        total = sum(mass[k] for mass in masses.by_source.values())
        assert masses.total[k] == pytest.approx(total, rel=1e-9)
        for source, mass in masses.by_source.items():
            its = [m[k] for (s, _), m in masses.by_campaign.items() if s == source]
            assert sum(its) <= mass[k] * (1 + 1e-9)


def test_the_smallest_campaign_makes_room() -> None:
    """Not the newcomer, however small he is himself."""
    visits = [(("paid", str(n)), 0, 0.2 if n != 3 else 0.1) for n in range(CAMPAIGNS_AT_MOST)]
    masses = _fold([*visits, (("paid", "new"), 0, 0.01)])

    assert masses is not None
    assert ("paid", "3") not in masses.by_campaign
    assert ("paid", "new") in masses.by_campaign
    assert len(masses.by_campaign) == CAMPAIGNS_AT_MOST


@given(visits=dropped.filter(bool), later=st.integers(0, 10**6))
@settings(max_examples=60)
def test_masses_weigh_what_their_holders_would(
    visits: list[tuple[tuple[str, str], int, float]], later: int
) -> None:
    """Decayed step by step or each for himself: the sum is the same."""
    few = [(("paid", "p1"), gone, rate) for _, gone, rate in visits]
    masses = _fold(few)
    assert masses is not None
    seconds = (NOW - masses.at).total_seconds() + later
    each = sum(
        # a visit that went after it was dropped, here: counts as gone when dropped
        rate * remaining(later + max(gone, 100 * (len(few) - index)))
        for index, (_, gone, rate) in enumerate(few)
    )

    assert _present(masses, masses.total, seconds) == pytest.approx(each, rel=1e-9)


def test_masses_of_the_visits_own_source_and_campaign_count_less() -> None:
    """Five for a call of another source, two for another campaign, one for the same."""
    masses = Masses(at=NOW, total=(1.0, 0, 0, 0), by_source={}, by_campaign={})
    other = candidate(1, masses=masses)
    source = candidate(
        1, masses=Masses(at=NOW, total=masses.total, by_source={"paid": masses.total})
    )
    same = candidate(
        1,
        masses=Masses(
            at=NOW,
            total=masses.total,
            by_source={"paid": masses.total},
            by_campaign={("paid", "p1"): masses.total},
        ),
    )

    assert [score(one, visit(), NOW) for one in (other, source, same)] == [5.0, 2.0, 1.0]


# -- the ring -----------------------------------------------------------------------------------


def _handed(number: Candidate, *sessions: int) -> Candidate:
    for index, session in enumerate(sessions):
        its: Holder = holder(session, times("gone", 60))
        number = hand_over(number, its, ago(1000 - index), until=NOW, policy="balanced")
    return number


def test_the_ring_remembers_three() -> None:
    """Newest first; the fourth displaces the oldest into the masses."""
    three = _handed(candidate(1), 1, 2, 3)
    four = _handed(candidate(1), 1, 2, 3, 4)

    assert [one.session for one in three.ring] == [3, 2, 1]
    assert three.masses is None
    assert [one.session for one in four.ring] == [4, 3, 2]
    assert four.masses is not None
    assert four.masses.at == four.issued_at == ago(997)
    assert (four.holder, four.newest_holder, four.reserved_until) == (4, 4, NOW)


def test_who_takes_his_number_back_moves_to_the_front() -> None:
    """Nobody drops out."""
    back = _handed(candidate(1), 1, 2, 3, 1)

    assert [one.session for one in back.ring] == [1, 3, 2]
    assert back.masses is None


def test_who_has_left_the_ring_enters_as_a_new_visit_does() -> None:
    """The mass that he left behind stays."""
    back = _handed(candidate(1), 1, 2, 3, 4, 1)

    assert [one.session for one in back.ring] == [1, 4, 3]
    assert back.masses is not None
    assert _present(back.masses, back.masses.total, 0) > 0.03 * remaining(1000)


def test_a_policy_that_does_not_score_remembers_one() -> None:
    """Its numbers keep no masses."""
    number = candidate(1)
    for session in (1, 2):
        number = hand_over(number, holder(session), NOW, until=NOW, policy="ringostat")

    assert [one.session for one in number.ring] == [2]
    assert number.masses is None
