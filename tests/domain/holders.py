"""Holders and candidates for tests of the allocation, from seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import strategies as st

from router.domain.allocation import Candidate, Holder, Masses, Visit
from router.domain.allocation.masses import drop
from router.domain.model import NumberId, SessionId, SessionTimes

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
CAMPAIGNS = [("paid", "p1"), ("paid", "p2"), ("organic", ""), ("maps", "")]
What = Literal["active", "idle", "gone"]


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def times(
    what: What = "active",
    since: float = 0.0,
    *,
    lasted: float = 600.0,
    tapped: float | None = None,
) -> SessionTimes:
    """A visit that is active, that has had no input for `since` seconds, or that left so long ago, after it
    had lasted so long. All in seconds before NOW."""
    last = 0.0 if what == "active" else since
    return SessionTimes(
        started_at=ago(last + lasted),
        seen_at=ago(since if what == "gone" else 0.0),
        input_at=ago(last),
        gone_at=ago(since) if what == "gone" else None,
        gone_kind="hide" if what == "gone" else None,
        tapped_at=None if tapped is None else ago(tapped),
        device=None,
    )


def holder(
    session: int = 1,
    its: SessionTimes | None = None,
    *,
    campaign: tuple[str, str] = CAMPAIGNS[0],
    device: Literal["mobile", "desktop"] | None = "mobile",
    region: str | None = "77",
    rate: float = 0.03,
    verified: bool = True,
) -> Holder:
    return Holder(
        session=SessionId(session),
        source=campaign[0],
        campaign=campaign,
        device=device,
        region=region,
        rate=rate,
        times=times() if its is None else its,
        verified=verified,
    )


def candidate(
    number: int,
    *ring: Holder,
    until: float = -600.0,
    issued: float = 600.0,
    masses: Masses | None = None,
) -> Candidate:
    """Reserved until `until` seconds ago, so usually a negative figure; never held without a ring."""
    newest = ring[0].session if ring else None
    return Candidate(
        number_id=NumberId(number),
        e164=f"+7495{number:07}",
        version=1,
        holder=newest,
        newest_holder=newest,
        reserved_until=ago(until) if ring else NEVER,
        issued_at=ago(issued) if ring else None,
        ring=ring,
        masses=masses,
    )


def visit(
    campaign: tuple[str, str] = CAMPAIGNS[0],
    *,
    session: int | None = None,
    device: Literal["mobile", "desktop"] | None = "mobile",
    region: str | None = "77",
) -> Visit:
    return Visit(
        session=None if session is None else SessionId(session),
        source=campaign[0],
        campaign=campaign,
        device=device,
        region=region,
    )


_holders = st.builds(
    lambda session, what, since, campaign, region: holder(
        session, times(what, since), campaign=campaign, region=region
    ),
    session=st.integers(1, 10**6),
    what=st.sampled_from(["active", "idle", "gone"]),
    # an idle page has had no input for at least 30 s
    since=st.integers(31, 4000),
    campaign=st.sampled_from(CAMPAIGNS),
    region=st.sampled_from(["77", "78", None]),
)


def _number(number: int, ring: list[Holder], dropped: list[Holder], until: int) -> Candidate:
    masses = None
    for one in dropped:
        masses = drop(masses, one, ago(5000))
    return candidate(number, *ring, until=until, issued=number % 7 * 100, masses=masses)


_numbers = st.builds(
    _number,
    number=st.integers(1, 10**6),
    ring=st.lists(_holders, max_size=3, unique_by=lambda one: one.session),
    dropped=st.lists(_holders, max_size=2),
    # few values, so that there are ties
    until=st.integers(-3, 3).map(lambda n: n * 300),
)


def pools(most: int = 20) -> st.SearchStrategy[list[Candidate]]:
    """The numbers of a pool."""
    return st.lists(_numbers, max_size=most, unique_by=lambda one: one.number_id)
