"""What happens on a running instance, one line an event."""

from dataclasses import dataclass
from datetime import datetime

from router.domain import phone
from router.firstrun.calls_api import Record, caller_of, origin_of, seconds
from router.firstrun.company_line import Ring
from router.store.firstrun import Visit

# Calls told of lately: enough to tell no stage twice, and no more than memory allows.
_MOST_CALLS = 1000


@dataclass(frozen=True, kw_only=True)
class Event:
    """When this machine heard of it, and what: a visit, a call as it stands now, or the company's
    telephone ringing."""

    at: datetime
    what: Visit | Ring | Record


class Teller:
    """Turns events into lines; a stage of a call is told once."""

    def __init__(self) -> None:
        self._told: dict[str, set[str]] = {}

    def line(self, event: Event) -> str:
        """The event in one line; empty for what was told already."""
        match event.what:
            case Visit():
                return _visit(event.what)
            case Ring():
                return _ring(event.what)
            case _:
                return self._call(event.what["call"])

    def _call(self, call: Record) -> str:
        ref, stage = str(call["ref"]), str(call["state"])
        if stage == "ended" and call["recordings"]:
            stage = "recorded"
        told = self._told.setdefault(ref, set())
        if stage in told or (stage == "arrived" and told):
            return ""
        ended_before = "ended" in told
        told.add(stage)
        if len(self._told) > _MOST_CALLS:
            del self._told[next(iter(self._told))]
        return f"call {ref[:6]}  {_stage(call, stage, ended_before)}"


def _visit(visit: Visit) -> str:
    came = " / ".join(part or "-" for part in (visit.source, visit.medium, visit.campaign))
    how = "the default number, all others are taken" if visit.overflow else "shows"
    return f"visit {visit.session.hex[:6]}  from {came}: {how} {phone.national(visit.shown)}"


def _ring(ring: Ring) -> str:
    name = f"; its display says “{ring.name}”" if ring.name else ""
    return f"the company's telephone rings: {ring.caller or 'a hidden number'}{name}"


def _stage(call: Record, stage: str, ended_before: bool) -> str:
    credit = call["attribution"]
    who = (
        f"{origin_of(credit)} ({credit['words']}, {credit['confidence']:.2f})"
        if credit
        else "not attributed yet"
    )
    heard = ", ".join(seconds(found["duration_ms"]) for found in call["recordings"])
    ended = (
        f"ended: {call['outcome']}, talked {seconds(call['talk_ms'])},"
        f" hung up by the {call['hung_up_by'] or '?'}; {who}"
    )
    match stage:
        case "talking":
            return f"{call['target'] or 'the company'} talks with {caller_of(call)}"
        case "ended":
            return ended
        case "recorded":
            return f"recording: {heard}" if ended_before else f"{ended}; recording {heard}"
        case _:
            return f"{stage}: {caller_of(call)} dialled {call['number']['readable']}: {who}"
