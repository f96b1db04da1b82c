"""Noise: scores, reasons, and what the round does about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any

import pytest

from router.domain.hygiene import stands_again, steps
from router.domain.model import NumberId, PoolId
from router.domain.noise import Heard, Noise, Ring, judge
from router.domain.organisation_settings import OrganisationSettings

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DEFAULTS = OrganisationSettings()


def a_number(n: int = 1, rings: tuple[float, ...] = (), **values: Any) -> Heard:
    """`rings`: noise calls so many days ago, each by another caller."""
    base: dict[str, Any] = {
        "number_id": NumberId(n),
        "e164": f"+7495{n:07}",
        "pool_id": PoolId(1),
        "pool": "visitors",
        "site": "shop",
        "standing": "in_use",
        "since": NOW - timedelta(days=100),
        "put_by": "",
        "before": "in_use",
        "shown_until": NOW - timedelta(days=100),
        "last_call_at": NOW - timedelta(days=min(rings)) if rings else None,
        "calls": len(rings),
        "noise": tuple(
            Ring(at=NOW - timedelta(days=ago), caller=f"+7916000000{i}")
            for i, ago in enumerate(rings)
        ),
        "silent_days": 20.0,
    }
    return Heard(**{**base, **values})


def judged(*numbers: Heard, **wanted: Any) -> list[Noise]:
    return judge(numbers, OrganisationSettings(**wanted), NOW)


def what(*numbers: Heard, **wanted: Any) -> list[tuple[int, str]]:
    settings = OrganisationSettings(**wanted)
    found = steps(judge(numbers, settings, NOW), settings, NOW)
    return [(int(step.noise.heard.number_id), step.standing) for step in found]


def test_three_calls_make_a_number_dirty() -> None:
    """Calls older than the window do not count."""
    clean, dirty = judged(a_number(1, (1, 2)), a_number(2, (1, 2, 3)))[::-1]

    assert (clean.calls, clean.dirty, dirty.calls, dirty.dirty) == (2, False, 3, True)
    assert not judged(a_number(1, (1, 2, 31)))[0].dirty
    assert judged(a_number(1, (1,)), noise_calls=1)[0].dirty


def test_the_score_says_how_unusual_it_is() -> None:
    """Against the pool's other numbers, and against what is usual while they have said little."""
    (lonely,) = judged(a_number(1, (1, 2, 3)))
    # 20 silent days at .02 a day: P(X < 3) for a mean of .4
    assert lonely.score == pytest.approx(100 * exp(-0.4) * (1 + 0.4 + 0.08))
    assert judged(a_number())[0].score == 0

    quiet = [a_number(n, silent_days=1000.0) for n in range(2, 5)]
    loud = [a_number(n, (1, 2, 3, 4), silent_days=20.0) for n in range(2, 20)]
    among_quiet = judged(a_number(1, (1, 2, 3)), *quiet)[0]
    among_loud = {one.heard.number_id: one for one in judged(a_number(1, (1, 2, 3)), *loud)}[1]
    assert among_quiet.usual < lonely.usual < among_loud.usual
    assert among_quiet.score > lonely.score > among_loud.score


def test_reasons_in_words() -> None:
    (one,) = judged(
        a_number(1, (1, 2, 3), calls=4, noise=tuple(
            Ring(at=NOW - timedelta(days=ago), caller="+79160000001") for ago in (3, 2, 2)
        ))
    )  # fmt: skip

    assert one.reasons == (
        "3 calls after nobody had been shown it for 14 days",
        "from 1 caller, on 2 days",
        "in 20.0 silent days; the others of its pool would have had 0.4",
        "3 of its 4 calls in 30 days",
    )
    assert judged(a_number())[0].reasons == ()


def test_a_listening_number_is_judged_by_its_listening_time() -> None:
    since = NOW - timedelta(days=40)
    listening = a_number(1, (35, 36, 37), standing="listening", since=since)

    assert judged(listening)[0].dirty
    assert not judged(a_number(1, (41, 42, 43), standing="listening", since=since))[0].dirty


def test_a_person_who_puts_a_number_back_is_not_contradicted() -> None:
    """Only what came since then counts; the router's own decisions have no such weight."""
    back = a_number(1, (1, 2, 3), since=NOW - timedelta(days=1.5), put_by="command line (anna)")

    assert judged(back)[0].calls == 1
    assert judged(a_number(1, (1, 2, 3), since=NOW - timedelta(days=1.5), put_by="router"))[0].dirty


def test_dirty_numbers_leave_the_rotation() -> None:
    """At most a quarter of a pool, the noisiest first, never the last one; and only if it is wished."""
    dirty = [a_number(n, tuple(float(i) for i in range(1, n + 3))) for n in range(1, 9)]

    assert what(*dirty) == [(8, "quarantined"), (7, "quarantined")]
    assert what(*dirty[:3]) == [(3, "quarantined")]
    assert what(dirty[0]) == []
    assert what(*dirty[:2], quarantine_percent=100) == [(2, "quarantined")]
    assert what(*dirty, quarantine_percent=0) == []
    assert what(*dirty, quarantine_automatic=False) == []
    aside = a_number(9, standing="quarantined", since=NOW)
    assert what(*dirty[:7], aside) == [(7, "quarantined")]
    assert what(a_number(1, (1, 2, 3), pool_id=None)) == []


def test_the_shared_pool_stays_clean() -> None:
    """Its dirty numbers go, however many, and whatever is wished for those in rotation."""
    dirty = [a_number(n, (1, 2, 3), pool_id=None, standing="shared") for n in range(1, 4)]

    assert len(what(*dirty, quarantine_automatic=False)) == 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"since": NOW - timedelta(days=14)}, [(1, "in_use")]),
        ({"since": NOW - timedelta(days=14), "before": "shared", "pool_id": None}, [(1, "shared")]),
        ({"since": NOW - timedelta(days=14), "before": "shared"}, [(1, "in_use")]),
        ({"since": NOW - timedelta(days=14), "rings": (1, 2)}, [(1, "in_use")]),
        ({"since": NOW - timedelta(days=4), "rings": (1, 2, 3)}, [(1, "quarantined")]),
    ],
)
def test_listening_ends(values: dict[str, Any], expected: list[tuple[int, str]]) -> None:
    """Into use, or the shared pool, when it was quiet; dirty ones at once into quarantine."""
    given = {"since": NOW - timedelta(days=13.9), **values}

    assert what(a_number(standing="listening", **given)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"since": NOW - timedelta(days=29)}, []),
        ({"since": NOW - timedelta(days=30)}, [(1, "in_use")]),
        ({"since": NOW - timedelta(days=60), "rings": (29,)}, []),
        ({"since": NOW - timedelta(days=60), "rings": (30,)}, [(1, "in_use")]),
        ({"since": NOW - timedelta(days=60), "put_by": "command line (anna)"}, []),
        ({"since": NOW - timedelta(days=60), "before": "resting"}, [(1, "resting")]),
    ],
)
def test_quarantine_ends_after_quiet_days(
    values: dict[str, Any], expected: list[tuple[int, str]]
) -> None:
    """Counted from the last call; a quarantine by hand ends by hand."""
    assert what(a_number(standing="quarantined", **{"put_by": "router", **values})) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"since": NOW - timedelta(days=15)}, []),
        ({"since": NOW - timedelta(days=16)}, [(1, "shared")]),
        ({"since": NOW - timedelta(days=16), "rings": (1, 2, 3)}, [(1, "quarantined")]),
        # taken back by hand while it was still shown: its callers remember it for 30 days
        ({"since": NOW - timedelta(days=20), "shown_until": NOW - timedelta(days=29)}, []),
        (
            {"since": NOW - timedelta(days=30), "shown_until": NOW - timedelta(days=30)},
            [(1, "shared")],
        ),
    ],
)
def test_rest_ends_when_callers_have_forgotten(
    values: dict[str, Any], expected: list[tuple[int, str]]
) -> None:
    assert what(a_number(standing="resting", **values), shared_rest_days=16) == expected


def test_a_number_that_is_still_dirty_does_not_come_back() -> None:
    """Shorter quiet days than the window's would send it to and fro."""
    dirty = a_number(
        1, (11, 12, 13), standing="quarantined", since=NOW - timedelta(days=10.5), put_by="router"
    )

    assert what(dirty, quarantine_quiet_days=10) == []


def test_where_a_number_goes_that_was_put_aside() -> None:
    assert stands_again("shared", None) == "shared"
    assert stands_again("shared", PoolId(1)) == "in_use"
    assert stands_again("in_use", None) == "in_use"
    assert stands_again("resting", PoolId(1)) == "resting"
