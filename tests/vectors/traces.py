"""Traces: events at a pool in order of time, and what each of them is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.allocation import RATE, ReservationTimes, Visit, handover, masses, scoring, tiers
from router.domain.allocation.fold import Answer, PoolInMemory, Rules
from router.domain.model import NumberId, SessionId
from router.domain.visitstate import BOUNCE_WITHIN, IDLE_AFTER, LOST_AFTER
from tests.vectors.kinds import Difference, Outcome, Passed, near

name = "traces"

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TOLERANCE = 1e-9
# what a trace may set
TIMES = {
    "T": "classic",
    "T_closed": "closed",
    "T_hidden": "left",
    "T_idle": "idle",
    "T_bounce": "bounce",
    "T_tap": "tapped",
}
# what is the same in every pool
FIXED: dict[str, float] = {
    "w_src": scoring.OTHER_SOURCE,
    "w_camp": scoring.OTHER_CAMPAIGN,
    "dev_factor": scoring.OTHER_DEVICE_FACTOR,
    "reg_factor": scoring.OTHER_REGION_FACTOR,
    "m_active": 1.0,
    "m_idle": scoring.IDLE_FACTOR,
    "bounce_factor": masses.BOUNCE_FACTOR,
    "tap_mass": scoring.TAP_MASS,
    "tap_window": scoring.TAP_COUNTS_FOR.total_seconds(),
    "ring": handover.RING,
}


def is_it(data: Mapping[str, Any]) -> bool:
    return "traces" in data


def run(data: Mapping[str, Any]) -> Iterator[Outcome]:
    """The constants that the file names, then each trace."""
    yield from _constants(data)
    for trace in data["traces"]:
        found = list(_Trace(trace, data["defaults"]).differences())
        yield from found or [Passed(case=trace["name"])]


def _constants(data: Mapping[str, Any]) -> Iterator[Difference]:
    ours: dict[str, object] = {
        "price_unit": scoring.PRICE_UNIT,
        "equal_scores": tiers.EQUAL,
        "profile": {"tau_s": list(masses.TAU_SECONDS), "weight": list(masses.WEIGHT)},
        "idle_after_s": IDLE_AFTER.total_seconds(),
        "lost_after_s": LOST_AFTER.total_seconds(),
        "bounce_s": BOUNCE_WITHIN.total_seconds(),
    }
    for field, got in ours.items():
        if not near(data[field], got, abs_=0.0):
            yield Difference(case="constants", field=field, expected=data[field], got=got)


class _Trace:
    """One trace: the file's names of visits beside a pool in memory."""

    def __init__(self, trace: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self._name = trace["name"]
        self._events = trace["events"]
        self._params = {**defaults, **trace["params"]}
        policy = trace["policy"]
        times = {ours: timedelta(seconds=self._params[key]) for key, ours in TIMES.items()}
        rules = Rules(
            policy=policy,
            reservation=ReservationTimes(**times),
            price=self._params["price"],
            shortlist=self._params["shortlist"],
            grows=policy == "mango",
        )
        self._pool = PoolInMemory(rules, trace["n"])
        self._sessions: dict[str, SessionId] = {}

    def differences(self) -> Iterator[Difference]:
        for key, value in FIXED.items():
            if self._params[key] != value:
                yield self._differs(f"params.{key}", self._params[key], value)
        for index, event in enumerate(self._events):
            expected = event.get("expect", {})
            got = self._answer(event)
            where = f"event {index} ({event['ev']} at {event['t']})"
            for field, value in expected.items():
                if field not in got:
                    yield self._differs(f"{where}: {field}", value, "no such field")
                elif not near(value, got[field], abs_=TOLERANCE):
                    yield self._differs(f"{where}: {field}", value, got[field])

    def _differs(self, field: str, expected: object, got: object) -> Difference:
        return Difference(case=self._name, field=field, expected=expected, got=got)

    def _answer(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        now = START + timedelta(seconds=event["t"])
        match event["ev"]:
            case "visit":
                session = self._sessions[event["v"]] = SessionId(len(self._sessions) + 1)
                return _told(self._pool.visit(session, self._visit(event), now))
            case "resume":
                return _told(self._pool.resume(self._sessions[event["v"]], now))
            case "idle" | "hide" | "close" | "lost" as how:
                self._pool.end(self._sessions[event["v"]], how, now)
                return {}
            case "tap":
                self._pool.tap(self._sessions[event["v"]], now)
                return {}
            case "call":
                holder = self._pool.call(NumberId(event["n"]), now)
                return {"last_holder": self._name_of(holder)}
            case "query":
                return {"reserved": self._reserved(now), "on_page": self._on_page()}
            case other:
                raise ValueError(f"unknown event {other!r}")

    def _visit(self, event: Mapping[str, Any]) -> Visit:
        return Visit(
            session=None,
            source=event["src"],
            campaign=(event["src"], event["camp"]),
            device=event["dev"],
            region=event["reg"],
            rate=event.get("rate", self._params.get("rate", RATE)),
        )

    def _name_of(self, session: SessionId | None) -> str | None:
        return next((name for name, its in self._sessions.items() if its == session), None)

    def _reserved(self, now: datetime) -> list[float | str | None]:
        found = [self._pool.reserved(NumberId(n), now) for n in range(self._pool.count)]
        return [
            (one - START).total_seconds() if isinstance(one, datetime) else one for one in found
        ]

    def _on_page(self) -> dict[str, int | str]:
        shown = {name: self._pool.on_page(session) for name, session in self._sessions.items()}
        return {name: "default" if number is None else number for name, number in shown.items()}


def _told(answer: Answer) -> dict[str, Any]:
    return {
        "number": answer.number,
        "how": answer.how,
        "score": answer.score,
        "margin": answer.margin,
    }
