"""Numbers bound to parameters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.domain.allocation import GROW, OVERFLOW
from router.domain.allocation.binding import (
    PARAMETERS,
    bound_number,
    bound_until,
    choose_bound,
    combination,
)
from router.domain.model import Touch
from tests.domain.holders import NOW, ago, candidate, holder, times

SPRING = Touch(source="google", medium="cpc", campaign="spring", term="pumps")


def test_the_combination_of_a_visit() -> None:
    """Its values of the pool's parameters, in one order whatever the pool's; none is a value too."""
    assert combination(["campaign", "source"], SPRING) == ("google", "spring")
    assert combination(["source", "campaign"], SPRING) == ("google", "spring")
    assert combination(["content"], SPRING) == ("",)


@given(
    binding=st.lists(st.sampled_from(PARAMETERS), unique=True, min_size=1),
    values=st.lists(st.sampled_from(["", "a", "b"]), min_size=10, max_size=10),
)
def test_two_visits_share_a_number_if_they_are_alike_in_what_it_is_bound_to(
    binding: list[object], values: list[str]
) -> None:
    """And in nothing else."""
    one = Touch(**dict(zip(PARAMETERS, values[:5], strict=True)))
    other = Touch(**dict(zip(PARAMETERS, values[5:], strict=True)))
    alike = all(getattr(one, str(name)) == getattr(other, str(name)) for name in binding)

    assert (combination(binding, one) == combination(binding, other)) == alike  # type: ignore[arg-type]


def test_a_combination_keeps_its_number() -> None:
    """Reserved or not, as long as no other combination was handed it."""
    google, yandex = ("google",), ("yandex",)
    for own in (candidate(1, holder(1), until=-60), candidate(1, holder(1), until=60)):
        kept = bound_number(google, own, google)

        assert kept is not None
        assert (kept.how, kept.candidate, kept.take) == ("kept", own, True)
        assert bound_number(google, own, yandex) is None
    assert bound_number(google, None, None) is None


def test_a_new_combination_takes_the_number_that_was_idle_longest() -> None:
    """Never one that another combination has reserved, although its newest visitor left."""
    tail = candidate(1, holder(1, times("gone", 60)), until=-60)
    free, longer = candidate(2, holder(2), until=60), candidate(3, holder(3), until=600)

    assert choose_bound([tail, free, longer], NOW).candidate == longer
    assert choose_bound([tail], NOW) == OVERFLOW
    assert choose_bound([tail], NOW, grows=True) == GROW


def test_the_last_visit_counts() -> None:
    """A combination gives its number back when the reservation of the last one has ended."""
    assert bound_until(None, NOW) == NOW
    assert bound_until(ago(60), NOW) == NOW
    assert bound_until(NOW, ago(60)) == NOW
