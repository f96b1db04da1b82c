"""Finished calls as the staff's API tells them, and as the terminal shows them."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from router.domain import phone
from router.domain.model import confidence_in_words
from router.firstrun import http_client

_PATIENCE_SECONDS = 15.0
_METHODS = {
    "reservation": "who was shown the number",
    "static": "the number's own source",
    "default": "who was shown this default number",
    "without_session": "nobody was shown the number lately",
    "unknown_number": "not a number of ours",
}


class NotFinished(Exception):
    """The call has no finished record in time; the message says how far it came."""


Record = Mapping[str, Any]


def wait_for_record(
    staff_url: str, token: str, *, number: str, caller: str, since: float
) -> Record:
    """The record of the call from `caller` to `number` that arrived after `since` (seconds since
    1970), once it has ended, is attributed and its recording is found.

    Raises NotFinished, or RequestFailed.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found: Record | None = None
    while time.monotonic() < deadline:
        page = http_client.get(f"{staff_url}/v1/calls?limit=20", token=token)
        rows: list[Record] = page["calls"]
        found = next((row for row in rows if _is(row, number, caller, since)), None)
        if found is not None and _finished(found):
            return found
        time.sleep(0.1)
    if found is None:
        raise NotFinished(f"no call to {number} from {caller} is in the list of calls")
    lacks = [
        *(["its end"] if found["state"] != "ended" else []),
        *(["its attribution"] if _attribution(found) is None else []),
        *(["its recording"] if not found["recordings"] else []),
    ]
    raise NotFinished(f"the record of call {found['ref']} lacks {' and '.join(lacks)}")


def _is(row: Record, number: str, caller: str, since: float) -> bool:
    arrived = datetime.fromisoformat(row["arrived_at"]).timestamp()
    # The clock that says when a call arrived is Asterisk's.
    same = row["did"].lstrip("+") == number.lstrip("+") and row["caller"] == caller
    return same and arrived >= since - 1


def _attribution(row: Record) -> Record | None:
    found: Record | None = row.get("attribution")
    return found


def _finished(row: Record) -> bool:
    answered = row["answered_at"] is not None
    return bool(
        row["state"] == "ended"
        and _attribution(row) is not None
        and (row["recordings"] or not answered)
    )


def shortfall(row: Record) -> str:
    """Why the call does not count as attributed; empty if it does."""
    found = _attribution(row)
    if found is None:
        return "the record holds no attribution"
    if found["level"] == "none":
        return f"{_METHODS.get(found['method'], found['method'])}; no session, campaign or source"
    return ""


def describe(row: Record) -> list[str]:
    """The record in lines a person reads."""
    found = _attribution(row) or {}
    arrived = datetime.fromisoformat(row["arrived_at"]).astimezone()
    confidence = float(found.get("confidence") or 0)
    came = " / ".join(found.get(part) or "-" for part in ("source", "medium", "campaign"))
    session = found.get("session") or "none"
    method = found.get("method") or "none"
    lines = [
        ("call", f"{row['ref']}  {arrived:%Y-%m-%d %H:%M:%S}"),
        ("caller", f"{_shown(row['caller'])} dialled {_shown(row['did'])}"),
        ("session", str(session)),
        ("came from", came),
        ("method", f"{method} ({_METHODS.get(method, '')})"),
        (
            "confidence",
            f"{confidence:.2f}: {confidence_in_words(confidence)}, at level {found.get('level')}",
        ),
        ("target", f"{row['target'] or '-'} (chosen by {row['route_source'] or 'nobody'})"),
        (
            "times",
            f"rang {_seconds(row['ring_ms'])}, talked {_seconds(row['talk_ms'])},"
            f" hung up by the {row['hung_up_by'] or '?'}, {row['outcome']}",
        ),
    ]
    lines += [("recording", _recording(recording)) for recording in row["recordings"]]
    return [f"{name:<11} {text}" for name, text in lines]


def _recording(recording: Record) -> str:
    whole = "cut short" if recording["truncated"] else "whole"
    return f"{_seconds(recording['duration_ms'])} of stereo, {recording['bytes']} bytes, {whole}"


def _shown(number: str) -> str:
    e164 = number if number.startswith("+") else f"+{number}"
    return phone.international(e164) if phone.is_e164(e164) else number or "hidden"


def _seconds(milliseconds: int | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.1f} s"
