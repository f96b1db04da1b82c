"""A pool in memory: whatever happens, in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.allocation import Candidate, ReservationTimes, reserved_until
from router.domain.allocation.fold import DETACHED_AFTER, PoolInMemory, Rules
from router.domain.allocation.tiers import tier
from router.domain.model import NumberId, Policy, SessionId
from router.domain.visitstate import phase
from tests.domain.holders import CAMPAIGNS, NOW, ago, visit

POLICIES: tuple[Policy, ...] = get_args(Policy)
T = timedelta(minutes=10)
A, B, C, D = (SessionId(n) for n in range(1, 5))


def after(seconds: float) -> Any:
    return ago(-seconds)


def pool(policy: Policy, count: int) -> PoolInMemory:
    rules = Rules(
        policy=policy, reservation=ReservationTimes(classic=T), grows=policy == "mango", shortlist=2
    )
    return PoolInMemory(rules, count)


events = st.lists(
    st.tuples(
        st.sampled_from(
            ["visit", "visit", "idle", "hide", "close", "lost", "tap", "resume", "move"]
        ),
        st.integers(0, 20),
        st.sampled_from([1, 29, 31, 76, 200, 800, 2000]),
        st.sampled_from(CAMPAIGNS),
    ),
    max_size=40,
)


def _happens(its: PoolInMemory, event: tuple[Any, ...], begun: int, now: Any) -> int:
    """One event; how many visits have begun after it."""
    what, which, _, campaign = event
    session = SessionId(which % begun + 1) if begun else None
    if what == "visit" or session is None:
        its.visit(SessionId(begun + 1), visit(campaign), now)
        return begun + 1
    if what == "move":
        its.move(session, SessionId(begun + 1), visit(campaign), now)
        return begun + 1
    if what == "tap":
        its.tap(session, now)
    elif what == "resume":
        its.resume(session, now)
    else:
        its.end(session, what, now)
    return begun


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=25)
@given(happened=events, count=st.integers(0, 4))
def test_what_is_always_so(policy: Policy, happened: list[tuple[Any, ...]], count: int) -> None:
    """A number's row says what the times of its holders say; only who was handed it last has it; who looks
    at a number shows it, unless another has it now, and nobody loses one that another could spare."""
    its = pool(policy, count)
    begun, now = 0, NOW
    for event in happened:
        now += timedelta(seconds=event[2])
        before = its.candidates(now)
        begun = _happens(its, event, begun, now)
        numbers = its.candidates(now)

        assert numbers == [_as_written(its, one, now) for one in numbers]
        if policy in ("balanced", "exclusive") and event[0] != "move":
            _nobody_lost_what_could_be_spared(before, numbers, now)
        for session in range(1, begun + 1):
            number = its.on_page(SessionId(session))
            holds = [one for one in numbers if one.newest_holder == session]
            assert [one.number_id for one in holds] in ([], [number])
            if policy == "uis" and number is not None:
                assert holds


def _as_written(its: PoolInMemory, number: Candidate, now: Any) -> Candidate:
    """Read anew, without anything remembered."""
    kept = its._numbers[number.number_id]
    kept.revisions = None
    fresh = its._read(kept, now)
    if fresh.ring:
        assert fresh.newest_holder == fresh.ring[0].session
        assert fresh.reserved_until == reserved_until(
            its.rules.policy,
            its._pages[fresh.ring[0].session].times(now),
            its.rules.reservation,
            issued_at=fresh.issued_at,
        )
    return fresh


def _nobody_lost_what_could_be_spared(
    before: list[Candidate], numbers: list[Candidate], now: Any
) -> None:
    was = {one.number_id: one for one in before}
    for one in numbers:
        old = was.get(one.number_id)
        if old is None or old.newest_holder in (None, one.newest_holder):
            continue
        assert tier(old, now) == min(tier(other, now) for other in before)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_number_moves_to_the_visitors_next_session(policy: Policy) -> None:
    """Same digits; the earlier session is gone at that moment, the number's time of issue is new."""
    its = pool(policy, 2)
    first = its.visit(A, visit(CAMPAIGNS[0]), NOW)
    answer = its.move(A, B, visit(CAMPAIGNS[1]), after(100))
    number = its.candidates(after(100))[0]

    assert (answer.how, answer.number) == ("kept", first.number)
    assert (number.newest_holder, number.issued_at) == (B, after(100))
    assert phase(its._pages[A].times(after(101)), after(101)) == ("gone", after(100), True)
    if policy in ("balanced", "exclusive"):
        assert [one.session for one in number.ring] == [B, A]


def test_a_number_that_is_held_no_more_does_not_move() -> None:
    """The next session is a visit like any other."""
    its = pool("longest_idle", 2)
    its.visit(A, visit(), NOW)
    its.end(A, "close", after(60))
    answer = its.move(A, B, visit(), after(60 + T.total_seconds()))

    assert (answer.how, answer.number) == ("free", 1)


def test_an_unused_number_leaves_a_mango_pool() -> None:
    """Fourteen days after it was last shown or called; its index is not used again."""
    its = pool("mango", 0)
    its.visit(A, visit(), NOW)
    its.visit(B, visit(), NOW)
    for session in (A, B):
        its.end(session, "close", after(60))
    called = after(3600)
    assert its.call(NumberId(1), called) == B
    later = after(60) + DETACHED_AFTER
    answer = its.visit(C, visit(), later)
    another = its.visit(D, visit(), later)

    assert (answer.how, answer.number) == ("free", 1)
    assert (another.how, another.number) == ("new", 2)
    assert its.reserved(NumberId(0), later) is None
    assert [one.number_id for one in its.candidates(later)] == [1, 2]


def test_an_event_of_nobody_is_an_error() -> None:
    """A fold that guesses would hide a mistake in what it is fed."""
    its = pool("balanced", 1)
    with pytest.raises(KeyError):
        its.end(A, "hide", NOW)
    with pytest.raises(KeyError):
        its.call(NumberId(7), NOW)
