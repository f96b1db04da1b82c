"""Calls as the staff's API tells them, and as the terminal shows them."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from router.domain.model import hundredths
from router.firstrun import http_client

_PATIENCE_SECONDS = 15.0
_METHODS = {
    "reservation": "by who was shown the number",
    "static": "the number's own source",
    "default": "by who was shown this default number",
    "without_session": "nobody was shown the number lately",
    "unknown_number": "not a number of ours",
}

Record = Mapping[str, Any]


class NotFinished(Exception):
    """The call has no finished record in time; the message says how far it came."""


def explain(staff_url: str, token: str, ref: str) -> Record:
    """One call with its explanation. Raises RequestFailed."""
    found: Record = http_client.get(f"{staff_url}/v1/calls/{ref}", token=token)
    return found


def wait_for_record(
    staff_url: str, token: str, *, number: str, caller: str, since: float
) -> Record:
    """The call from `caller` to `number` that arrived after `since` (seconds since 1970), with its
    explanation, once it has ended, is attributed and its recording is found.

    Raises NotFinished, or RequestFailed.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found: Record | None = None
    while time.monotonic() < deadline:
        rows: list[Record] = http_client.get(f"{staff_url}/v1/calls?limit=20", token=token)["calls"]
        found = next((row for row in rows if _is(row, number, caller, since)), None)
        if found is not None and not _lacks(found):
            return explain(staff_url, token, found["ref"])
        time.sleep(0.1)
    if found is None:
        raise NotFinished(f"no call to {number} from {caller} is in the list of calls")
    raise NotFinished(f"the record of call {found['ref']} lacks {' and '.join(_lacks(found))}")


def _is(call: Record, number: str, caller: str, since: float) -> bool:
    arrived = datetime.fromisoformat(call["arrived_at"]).timestamp()
    dialled = call["number"]["text"].lstrip("+") == number.lstrip("+")
    # The clock that says when a call arrived is Asterisk's.
    return dialled and (call["caller"] or {}).get("text") == caller and arrived >= since - 1


def _lacks(call: Record) -> list[str]:
    answered = call["answered_at"] is not None
    return [
        *(["its end"] if call["state"] != "ended" else []),
        *(["its attribution"] if call["attribution"] is None else []),
        *(["its recording"] if answered and not call["recordings"] else []),
    ]


def shortfall(record: Record) -> str:
    """Why the call does not count as attributed; empty if it does."""
    credit = record["call"]["attribution"]
    if credit is None:
        return "the record holds no attribution"
    if credit["level"] == "none":
        return f"method {credit['method']}: {_METHODS.get(credit['method'], '')}"
    return ""


def describe(record: Record) -> list[str]:
    """The record in lines a person reads."""
    call, session = record["call"], record["session"]
    arrived = datetime.fromisoformat(call["arrived_at"]).astimezone()
    lines = [
        ("call", f"{call['ref']}, {arrived:%Y-%m-%d %H:%M:%S}"),
        ("caller", f"{caller_of(call)} dialled {call['number']['readable']}"),
        ("session", session["session"] if session else "none"),
        *_credit(call["attribution"]),
        ("target", f"{call['target'] or '-'}, chosen by {call['route_source'] or 'nobody'}"),
        ("times", _times(call)),
    ]
    lines += [("recording", _recording(recording)) for recording in call["recordings"]]
    return [f"{name:<11} {text}" for name, text in lines]


def _credit(credit: Record | None) -> list[tuple[str, str]]:
    if credit is None:
        return [("came from", "not attributed yet")]
    method, level = credit["method"], credit["level"]
    return [
        ("came from", origin_of(credit)),
        ("channel", credit.get("channel_name") or "-"),
        ("method", f"{method}: {_METHODS.get(method, '')}"),
        (
            "confidence",
            f"{hundredths(credit['confidence'])} %, {credit['words']}, that it is this {level}",
        ),
    ]


def origin_of(credit: Record) -> str:
    """Source, medium and campaign, as ``google / cpc / spring``."""
    return " / ".join(credit[part] or "-" for part in ("source", "medium", "campaign"))


def caller_of(call: Record) -> str:
    """The caller as a person reads it."""
    return str(call["caller"]["readable"]) if call["caller"] else "a hidden number"


def _times(call: Record) -> str:
    return (
        f"rang {seconds(call['ring_ms'])}, talked {seconds(call['talk_ms'])};"
        f" {call['outcome'] or call['state']}, hung up by the {call['hung_up_by'] or '?'}"
    )


def _recording(recording: Record) -> str:
    whole = "its end is missing" if recording["truncated"] else "whole"
    return f"{seconds(recording['duration_ms'])} in stereo, {recording['bytes']} bytes, {whole}"


def seconds(milliseconds: int | None) -> str:
    """Milliseconds as seconds with one decimal; `-` for none."""
    return "-" if milliseconds is None else f"{milliseconds / 1000:.1f} s"
