"""Attribution: the rates and shares of a call's candidates, the decision, who has called already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain import matching, posterior, regions
from router.domain.matching import Likely, Shares
from router.domain.model import Origin, SessionId
from router.domain.posterior import Standing
from router.domain.regions import CallerRegion
from tests.vectors.kinds import Difference, LeftOut, Outcome, Passed, near

name = "attribution"

RELATIVE = 1e-9
ABSOLUTE = 1e-12
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
# of rules that come with the issue on attribution
NOT_BUILT = {"known_caller": "the memory of known callers", "rate": "learned call rates"}
_CONSTANTS = {"what", "edges_s", "tap_edges_s", "region_population", "theta", "tolerance"}
_LEVELS = {"visit": "session", "unattributed": "none"}


def is_it(data: Mapping[str, Any]) -> bool:
    return {"theta", "cases", "tap_edges_s"} <= data.keys()


def run(data: Mapping[str, Any]) -> Iterator[Outcome]:
    """What is built: first calls, decisions, `called`."""
    unknown = data.keys() - _CONSTANTS - NOT_BUILT.keys() - {"cases", "decision", "called"}
    for key in sorted(unknown):
        yield Difference(case=key, field="form", expected="a known kind", got="unknown")
    yield from _constants(data)
    for key, what in NOT_BUILT.items():
        if key in data:
            yield LeftOut(what=what, cases=len(data[key].get("cases", [data[key]])))
    for case in data["cases"]:
        yield from _outcome(case["name"], case, first_call(case, data["region_population"]))
    for step, case in enumerate(data.get("called", {}).get("steps", ())):
        yield from _outcome(f"called, step {step}", case, first_call(case))
    for index, case in enumerate(data.get("decision", {}).get("cases", ())):
        yield from _outcome(f"decision {index}", case, {"decision": decision(case)})


def first_call(
    case: Mapping[str, Any], populations: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """A first call of an unknown caller, as the file calls its fields."""
    candidates = case["candidates"]
    code = case.get("caller_region")
    caller = CallerRegion(code=code, population=(populations or {})[code]) if code else None
    rates = [
        posterior.rate(standing(c, tap=case.get("tap", True)))
        * regions.factor(caller, c.get("reg"))
        for c in candidates
    ]
    found = posterior.normalise(rates)
    called = {
        c.get("visit"): posterior.called_after(c.get("called", 0.0), p)
        for c, p in zip(candidates, found.p, strict=True)
    }
    return {
        "lam": rates,
        "p": list(found.p),
        "p_none": found.p_none,
        "by_source": _sums(case, found.p, lambda c: c["src"]),
        "called_after": {visit: value for visit, value in called.items() if value},
    }


def standing(candidate: Mapping[str, Any], *, tap: bool = True) -> Standing:
    """A candidate of the file."""
    ended = bool(candidate.get("ended"))
    return Standing(
        kind="gone" if ended else candidate["state"].lower(),
        age=candidate["age"],
        engaged=candidate["engaged"],
        device=candidate["dev"],
        tap_age=candidate.get("tap_age") if tap else None,
        changed=ended,
        called=candidate.get("called", 0.0),
    )


def decision(case: Mapping[str, Any]) -> dict[str, Any]:
    """The decision on given probabilities, in the words of the file."""
    names = [c["visit"] for c in case["candidates"]]
    likely = [
        Likely(
            session_id=SessionId(i),
            origin=Origin(c["src"], c["camp"]),
            p=p,
            handed_at=MONDAY + timedelta(seconds=i),
            age=1.0,
            standing=None,
        )
        for i, (c, p) in enumerate(zip(case["candidates"], case["p"], strict=True))
    ]
    found = matching.decide(_shares(likely, case["p_none"]))
    key = {
        "session": lambda: names[found.session_id or 0],
        "campaign": lambda: found.key and found.key[1],
        "source": lambda: found.key and found.key[0],
        "none": lambda: None,
    }[found.level]()
    words = {ours: theirs for theirs, ours in _LEVELS.items()}
    return {
        "level": words.get(found.level, found.level),
        "key": key,
        "confidence": found.confidence,
    }


def _shares(likely: list[Likely], p_none: float) -> Shares:
    def sums(length: int) -> dict[tuple[str, ...], tuple[float, float]]:
        found: dict[tuple[str, ...], tuple[float, float]] = {}
        for one in likely:
            weight, best = found.get(one.origin[:length], (0.0, 0.0))
            found[one.origin[:length]] = (weight + one.p, max(best, one.p))
        return found

    ranked = sorted(likely, key=lambda one: (one.p, one.handed_at), reverse=True)
    return Shares(
        count=len(likely),
        top=ranked,
        origins={one.origin: one.p for one in likely},
        campaigns=sums(2),
        sources=sums(1),
        p_none=p_none,
    )


def _sums(case: Mapping[str, Any], p: Sequence[float], key: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for candidate, share in zip(case["candidates"], p, strict=True):
        found[key(candidate)] = found.get(key(candidate), 0.0) + share
    return found


def _constants(data: Mapping[str, Any]) -> Iterator[Difference]:
    ours = {
        "edges_s": list(posterior.AGE_EDGES),
        "tap_edges_s": list(posterior.TAP_EDGES),
    }
    for field, got in ours.items():
        if not near(data[field], got):
            yield Difference(case="constants", field=field, expected=data[field], got=got)
    noise = data["theta"]["lam0"]
    if not near(noise, posterior.NOISE, rel=RELATIVE):
        yield Difference(case="constants", field="theta.lam0", expected=noise, got=posterior.NOISE)


def _outcome(case_name: str, case: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[Outcome]:
    differences = [
        Difference(case=case_name, field=field, expected=case[field], got=value)
        for field, value in got.items()
        if field in case and not near(case[field], value, rel=RELATIVE, abs_=ABSOLUTE)
    ]
    yield from differences or [Passed(case=case_name)]
