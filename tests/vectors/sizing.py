"""Sizing: recorded visits replayed through a pool of N numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from router.domain.sizing import Hold, coverage, recommended
from tests.vectors.kinds import Difference, LeftOut, Outcome, Passed, near

name = "sizing"

TOLERANCE = 1e-9
DAY = 86_400
# of rules that come with the issue on how many numbers are needed
NOT_BUILT = {
    "occupancy": "occupancy by the minute",
    "counters": "sizing from counters",
    "counters_bursty": "sizing from counters, with bursts",
    "calculator": "the calculator",
}


def is_it(data: Mapping[str, Any]) -> bool:
    return {"replay", "replay_days"} <= data.keys()


def run(data: Mapping[str, Any]) -> Iterator[Outcome]:
    """What is built: the two replays."""
    for key in sorted(data.keys() - NOT_BUILT.keys() - {"replay", "replay_days"}):
        yield Difference(case=key, field="form", expected="a known kind", got="unknown")
    for key, what in NOT_BUILT.items():
        if key in data:
            yield LeftOut(what=what, cases=len(data[key]["cases"]))
    yield from _plain(data["replay"])
    days = data["replay_days"]
    holds = [Hold(t, t + hold, t // DAY) for t, hold in zip(days["t"], days["hold"], strict=True)]
    yield from _with_errors("ten_days", days["ten_days"], holds)
    yield from _with_errors("one_day", days["one_day"], [h for h in holds if h.day == 0])


def _plain(replay: Mapping[str, Any]) -> Iterator[Outcome]:
    holds = [Hold(visit["t"], visit["t"] + visit["hold"], 0) for visit in replay["visits"]]
    for n, covered in replay["covered_by_n"].items():
        got = {"covered": coverage(holds, int(n)).covered}
        yield from _outcome(f"replay, n = {n}", {"covered": covered}, got)
    for target, n in replay["recommended"].items():
        got = {"n": recommended(holds, float(target), cautious=False)}
        yield from _outcome(f"replay, target {target}", {"n": n}, got)


def _with_errors(
    case_name: str, expected: Mapping[str, Any], holds: list[Hold]
) -> Iterator[Outcome]:
    for n, row in expected["by_n"].items():
        found = coverage(holds, int(n))
        got = {
            "covered": found.covered,
            "coverage": found.share,
            "se": found.error,
            "low": found.low,
        }
        yield from _outcome(f"replay_days {case_name}, n = {n}", row, got)
    for row in expected["recommended"]:
        target = row["target"]
        got = {
            "target": target,
            "n_mean": recommended(holds, target, cautious=False),
            "n_low": recommended(holds, target),
        }
        yield from _outcome(f"replay_days {case_name}, target {target}", row, got)


def _outcome(
    case_name: str, expected: Mapping[str, Any], got: Mapping[str, Any]
) -> Iterator[Outcome]:
    differences = [
        Difference(case=case_name, field=field, expected=value, got=got.get(field))
        for field, value in expected.items()
        if not near(value, got.get(field), abs_=TOLERANCE)
    ]
    yield from differences or [Passed(case=case_name)]
