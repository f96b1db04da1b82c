"""CEL rows → CallEvent, the same whether they come from the CSV file or over AMI.

AMI gives the second of an event in local time and the moment of its sending; the file gives its exact
time. So a row is known again by what it says, not by when: within one call a channel says a thing once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.model import CallEvent

# of asterisk-conf/cel_custom.conf, in this order
FIELDS = (
    "EventTime",
    "EventType",
    "userdeftype",
    "UniqueID",
    "LinkedID",
    "ChanName",
    "Peer",
    "UserField",
    "EventExtra",
)
_AMI_FIELDS = frozenset(
    {"eventname", "userdeftype", "timestamp", "uniqueid", "linkedid", "channel", "peer", "extra"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 4_102_444_800  # 2100-01-01; a time beyond it is a broken row, not a call


class BrokenRow(ValueError):
    """A row that cannot be read."""


def from_csv(fields: Sequence[str]) -> CallEvent:
    """One row of the file. Raises BrokenRow."""
    if len(fields) != len(FIELDS):
        raise BrokenRow(f"{len(fields)} fields instead of {len(FIELDS)}")
    row = dict(zip(FIELDS, fields, strict=True))
    return _event(
        kind=row["userdeftype"] or row["EventType"],
        at=_time(row["EventTime"]),
        uniqueid=row["UniqueID"],
        linkedid=row["LinkedID"],
        channel=row["ChanName"],
        peer=row["Peer"],
        extra=row["EventExtra"],
    )


def fields(packet: str) -> dict[str, Any]:
    """The lines of one AMI event, keys in lower case; what stands twice is a list."""
    found: dict[str, Any] = {}
    for line in packet.split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon:
            name = name.lower()
            found[name] = [found[name], value] if name in found else value
    return found


def from_ami(message: Mapping[str, str]) -> CallEvent:
    """One AMI event `CEL`; keys in lower case. Raises BrokenRow, also for a field that stands twice: a line
    break in somebody's number makes a field of its own.
    """
    if not all(isinstance(message.get(field, ""), str) for field in _AMI_FIELDS):
        raise BrokenRow("a field stands twice")
    kind = message.get("eventname", "")
    if kind == "USER_DEFINED":
        kind = message.get("userdeftype", "")
    return _event(
        kind=kind,
        at=_time(message.get("timestamp", "")),
        uniqueid=message.get("uniqueid", ""),
        linkedid=message.get("linkedid", ""),
        channel=message.get("channel", ""),
        peer=message.get("peer", ""),
        extra=message.get("extra", ""),
    )


def _event(
    *, kind: str, at: datetime, uniqueid: str, linkedid: str, channel: str, peer: str, extra: str
) -> CallEvent:
    if not (kind and uniqueid and linkedid):
        raise BrokenRow("a row without type, unique id or linked id")
    if max(len(kind), len(uniqueid), len(linkedid)) > 150 or "\0" in kind + uniqueid + linkedid:
        raise BrokenRow("a row whose ids are no ids")
    said = _extra(extra)
    digest = _digest(linkedid, uniqueid, kind, *(f"{k}={said[k]}" for k in sorted(said)))
    data = {"channel": channel, "peer": peer, **said}
    return CallEvent(
        linkedid=linkedid,
        uniqueid=uniqueid,
        kind=kind,
        at=at,
        data={_storable(key): _storable(value) for key, value in data.items() if value},
        digest=digest,
    )


def _storable(text: str) -> str:
    """PostgreSQL's text holds every character but NUL, and no half of one."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _digest(*parts: str) -> bytes:
    text = "\x1f".join(parts).encode(errors="replace")
    return hashlib.blake2b(text, digest_size=16).digest()


def _time(text: str) -> datetime:
    seconds, _, fraction = text.partition(".")
    if not (text.isascii() and seconds.isdigit() and (fraction.isdigit() or not fraction)):
        raise BrokenRow("no time")
    if int(seconds) > _LATEST:
        raise BrokenRow("a time beyond the year 2100")
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return _EPOCH + timedelta(seconds=int(seconds), microseconds=micros)


def _extra(text: str) -> dict[str, str]:
    """``{"extra":"did=7495…&trunk=trunk1"}`` (our facts) and ``{"hangupcause":16,…}`` alike."""
    if not text:
        return {}
    try:
        decoded = json.loads(text)
    except ValueError as error:
        raise BrokenRow("its extra is not JSON: the row was cut") from error
    if not isinstance(decoded, dict):
        raise BrokenRow("its extra is no object")
    facts = decoded.pop("extra", None)
    said = {str(key): str(value) for key, value in decoded.items()}
    if isinstance(facts, str):
        pairs = (pair.partition("=") for pair in facts.split("&") if pair)
        said |= {key: value for key, _, value in pairs}
    return said
