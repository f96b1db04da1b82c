"""What Asterisk said about one call → the facts of that call.

    caller's channel   CHAN_START CT_IN … ANSWER BRIDGE_ENTER … HANGUP CHAN_END ┐
    company's channel          CT_ROUTE CHAN_START ANSWER BRIDGE_ENTER … HANGUP ┴ LINKEDID_END

`fold` takes every event of one linkedid in any order and any number of times. Events are CEL rows; user
facts (CT_…) are written by the dialplan, see asterisk-conf/extensions.conf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.domain.model import CallEvent, CallState, HungUpBy, Outcome, RouteSource

# Not Asterisk's: written down by us for a call that Asterisk no longer knows and never ended.
LOST = "LOST"

_SOURCES: Mapping[str, RouteSource] = {
    "router": "router",
    "db": "failsafe_number",
    "trunk": "failsafe_trunk",
    "default": "failsafe_default",
}
_BUSY, _NO_ANSWER = 17, 19
_LONGEST_MS = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """The call as far as it is known. Times are Asterisk's; lengths in milliseconds.

    `arrived` is true when the dialplan took the call in; other channels of Asterisk are no calls of ours.
    `ring_ms` runs from the first leg that rang to the answer, or to the end; None if nothing was dialled.
    """

    linkedid: str
    arrived: bool = False
    arrived_at: datetime | None = None
    did: str = ""
    raw_did: str = ""
    caller: str = ""
    trunk: str = ""
    sip_call_id: str = ""
    ref: str = ""
    state: CallState = "arrived"
    outcome: Outcome | None = None
    route_source: RouteSource | None = None
    target: str | None = None
    dialled_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ring_ms: int | None = None
    talk_ms: int | None = None
    hung_up_by: HungUpBy | None = None
    hangup_cause: int | None = None


@dataclass(kw_only=True, slots=True)
class _Seen:
    """What the events up to here said, each step adding to it; `fold` reads the facts off it at the end."""

    linkedid: str
    started_at: datetime | None = None
    arrival: Mapping[str, str] = field(default_factory=dict)
    arrival_at: datetime | None = None
    code: Mapping[str, str] | None = None
    routes: list[Mapping[str, str]] = field(default_factory=list)
    tries: list[Mapping[str, str]] = field(default_factory=list)
    lost_cause: int | None = None
    dialled_at: datetime | None = None
    company_channel: str = ""
    answered_at: datetime | None = None
    caller_channel: str = ""
    caller_left_at: datetime | None = None
    hangup: Mapping[str, str] = field(default_factory=dict)
    ended_at: datetime | None = None
    vanished_at: datetime | None = None
    last_at: datetime | None = None


def fold(events: Iterable[CallEvent]) -> CallFacts:
    """The facts of the call that `events` are about. Raises ValueError if they are of several calls."""
    once: dict[bytes, CallEvent] = {}
    for event in events:
        known = once.get(event.digest)
        # the same row heard over AMI carries the later time of its sending
        if known is None or event.at < known.at:
            once[event.digest] = event
    linkedids = {event.linkedid for event in once.values()}
    if len(linkedids) != 1:
        raise ValueError(f"events of {len(linkedids)} calls, not of one")
    seen = _Seen(linkedid=linkedids.pop())
    for event in sorted(once.values(), key=lambda e: (e.at, e.digest)):
        if step := _STEPS.get(event.kind):
            step(seen, event)
        if event.kind != LOST:
            seen.last_at = event.at
    return _facts(seen)


def _chan_start(seen: _Seen, event: CallEvent) -> None:
    if event.uniqueid == seen.linkedid:
        seen.started_at = seen.started_at or event.at
        seen.caller_channel = event.data.get("channel", "")
    else:
        seen.dialled_at = seen.dialled_at or event.at


def _ct(seen: _Seen, event: CallEvent) -> None:
    match event.kind:
        case "CT_IN":
            seen.arrival, seen.arrival_at = event.data, event.at
        case "CT_CODE":
            seen.code = event.data
        case "CT_ROUTE":
            seen.routes.append(event.data)
        case "CT_TRY":
            seen.tries.append(event.data)
        case "CT_LOST":
            seen.lost_cause = _number(event.data.get("hc", ""))


def _bridge_enter(seen: _Seen, event: CallEvent) -> None:
    if event.uniqueid == seen.linkedid:
        seen.answered_at = seen.answered_at or event.at
    else:
        seen.company_channel = event.data.get("channel", "")


def _hangup(seen: _Seen, event: CallEvent) -> None:
    if event.uniqueid == seen.linkedid:
        seen.hangup, seen.caller_left_at = event.data, event.at


def _over(seen: _Seen, event: CallEvent) -> None:
    if event.kind == LOST:
        seen.vanished_at = event.at
    else:
        seen.ended_at = event.at


_STEPS: Mapping[str, Callable[[_Seen, CallEvent], None]] = {
    "CHAN_START": _chan_start,
    **dict.fromkeys(("CT_IN", "CT_CODE", "CT_ROUTE", "CT_TRY", "CT_LOST"), _ct),
    "BRIDGE_ENTER": _bridge_enter,
    "HANGUP": _hangup,
    "LINKEDID_END": _over,
    LOST: _over,
}


def _facts(seen: _Seen) -> CallFacts:
    ended = seen.ended_at is not None
    # a row that says how the call ended is believed before our own guess that it is lost
    lost = seen.vanished_at is not None and not ended
    over = (seen.caller_left_at or seen.ended_at) if ended else None
    if lost:
        over = seen.caller_left_at or seen.last_at or seen.vanished_at
    ringing_at = _ringing_at(seen)
    arrived_at = seen.started_at or seen.arrival_at
    facts = CallFacts(
        linkedid=seen.linkedid,
        arrived=bool(seen.arrival),
        arrived_at=arrived_at,
        did=seen.arrival.get("did", ""),
        raw_did=seen.arrival.get("raw", ""),
        caller=seen.arrival.get("cid", ""),
        trunk=seen.arrival.get("trunk", ""),
        sip_call_id=seen.arrival.get("sip", ""),
        ref=_ref(seen),
        state=_state(seen, over),
        route_source=_route_source(seen),
        target=_target(seen),
        dialled_at=seen.dialled_at,
        ringing_at=ringing_at,
        answered_at=seen.answered_at,
        ended_at=over,
    )
    if over is None:
        return facts
    return replace(
        facts,
        outcome="lost" if lost else _outcome(seen),
        ring_ms=_between(ringing_at, seen.answered_at or over),
        talk_ms=_talk_ms(seen, over),
        hung_up_by=_hung_up_by(seen),
        hangup_cause=_number(seen.hangup.get("hangupcause", "")),
    )


def _state(seen: _Seen, over: datetime | None) -> CallState:
    if over is not None:
        return "ended"
    if seen.answered_at is not None:
        return "talking"
    return "ringing" if seen.dialled_at is not None else "arrived"


def _outcome(seen: _Seen) -> Outcome:
    if seen.answered_at is not None:
        return "answered"
    if seen.code is not None:
        return "refused"
    states = {tried.get("st", "") for tried in seen.tries}
    if "CANCEL" in states or seen.lost_cause is None:
        return (
            "cancelled"  # he hung up: had the dialplan come to its end it would have said CT_LOST
        )
    if "BUSY" in states or seen.lost_cause == _BUSY:
        return "busy"
    if "NOANSWER" in states:
        return "no_answer"
    return "failed"


def _answering(seen: _Seen) -> Mapping[str, str] | None:
    return next((tried for tried in seen.tries if tried.get("st") == "ANSWER"), None)


def _route_source(seen: _Seen) -> RouteSource | None:
    if answering := _answering(seen):
        return _SOURCES.get(answering.get("src", ""))
    if seen.routes:
        return _SOURCES.get(seen.routes[-1].get("src", ""))
    return "router" if seen.code is not None else None


def _target(seen: _Seen) -> str | None:
    """The target that answered; before that, or if none did, the last one tried or about to be."""
    last = _answering(seen) or (seen.tries[-1] if seen.tries else None)
    if last is not None:
        offered = _split(last.get("x", ""))
    else:
        offered = _split(seen.routes[-1].get("t", "")) if seen.routes else []
    # "PJSIP/company-0000000a" is a channel of the endpoint company
    endpoint = seen.company_channel.rpartition("-")[0].removeprefix("PJSIP/")
    for target in offered:
        if endpoint and target.rpartition("/")[2].rpartition("@")[2] == endpoint:
            return target
    return offered[0] if offered else None


def _split(targets: str) -> list[str]:
    """``PJSIP/a^25!PJSIP/b|PJSIP/c^20`` → its targets."""
    steps = targets.replace("!", "|").replace("&", "|").split("|")
    return [step.partition("^")[0] for step in steps if step]


def _ref(seen: _Seen) -> str:
    sources = (seen.code or {}, *seen.routes)
    return next((said["ref"] for said in sources if said.get("ref")), "")


def _ringing_at(seen: _Seen) -> datetime | None:
    """When the first leg was dialled, plus the time it took to ring where the dialplan said it; None
    where every try has ended and none of them rang."""
    if seen.dialled_at is None:
        return None
    tries = [tried for tried in seen.tries if tried.get("st") != "REFUSED"]
    delays = [_number(tried.get("ring", "")) for tried in tries]
    if seen.answered_at is None and tries and all(delay is None for delay in delays):
        return None
    delay = delays[0] if len(tries) == 1 else None
    moment = seen.dialled_at + timedelta(milliseconds=delay or 0)
    return min(moment, seen.answered_at) if seen.answered_at is not None else moment


def _talk_ms(seen: _Seen, over: datetime) -> int | None:
    if seen.answered_at is None:
        return None
    measured = _number((_answering(seen) or {}).get("talk", ""))
    return measured if measured is not None else _between(seen.answered_at, over)


def _hung_up_by(seen: _Seen) -> HungUpBy | None:
    if not seen.hangup:
        return None
    source = seen.hangup.get("hangupsource", "")
    if source and source == seen.caller_channel:
        return "caller"
    return "company" if source.startswith("PJSIP/") else "system"


def _between(start: datetime | None, end: datetime) -> int | None:
    if start is None:
        return None
    return min(max(0, round((end - start).total_seconds() * 1000)), _LONGEST_MS)


def _number(text: str) -> int | None:
    return min(int(text), _LONGEST_MS) if text.isascii() and text.isdigit() else None
