"""What happens on a running instance, one line an event."""

from dataclasses import dataclass
from datetime import datetime

from router.domain import phone
from router.domain.model import hundredths
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
        # That it arrived says nothing that its ringing, or its end, will not say.
        if stage in told or stage == "arrived":
            return ""
        line = _stage(call, stage, new=not told, ended="ended" in told)
        told.add(stage)
        if len(self._told) > _MOST_CALLS:
            del self._told[next(iter(self._told))]
        return f"call {ref[:6]}  {line}"


def _visit(visit: Visit) -> str:
    came = " / ".join(part or "-" for part in (visit.source, visit.medium, visit.campaign))
    how = "the default number, all others are taken" if visit.overflow else "shows"
    return f"visit {visit.session.hex[:6]}  from {came}: {how} {phone.national(visit.shown)}"


def _ring(ring: Ring) -> str:
    name = f"; its display says “{ring.name}”" if ring.name else ""
    return f"the company's telephone rings: {ring.caller or 'a hidden number'}{name}"


def _stage(call: Record, stage: str, *, new: bool, ended: bool) -> str:
    """A stage of a call in words; the first line of a call says who called, and what of it."""
    credit = call["attribution"]
    came = "not attributed yet"
    if credit:
        came = f"{origin_of(credit)} ({credit['words']}, {hundredths(credit['confidence'])} %)"
    who = f"{caller_of(call)} dialled {call['number']['readable']}, from {came}"
    heard = ", ".join(seconds(found["duration_ms"]) for found in call["recordings"])
    end = f"{call['outcome']}, talked {seconds(call['talk_ms'])}, hung up by the {call['hung_up_by'] or '?'}"
    match stage:
        case "ended" | "recorded" if new:
            line = f"ended: {who}; {end}"
        case "ended":
            line = f"ended: {end}"
        case "recorded":
            line = "" if ended else f"ended: {end}"
        case "talking" if not new:
            line = f"{call['target'] or 'the company'} talks with {caller_of(call)}"
        case _:
            line = f"{stage}: {who}"
    if stage == "recorded":
        line += f"{'; ' if line else ''}recording of {heard}"
    return line
