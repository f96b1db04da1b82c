"""Rows of the look-up at a call's arrival → values of the domain."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from sys import byteorder
from typing import Any

from router.domain import channels
from router.domain.matching import Shown
from router.domain.model import Origin, PoolId, SessionId, SessionTimes, Touch
from router.domain.past import Kind, Past
from router.domain.posterior import Candidate
from router.domain.visitstate import Outage

# a caller is known for this long after his last call: 13 months
MEMORY = timedelta(days=395)


def shown(row: Mapping[str, Any], kind: str) -> Shown:
    """What the dialled number is; `kind` is ``number``, ``default`` or ``unknown``."""
    if kind == "unknown":
        return Shown(kind="unknown")
    pool_id = PoolId(row["pool_id"]) if row["pool_id"] is not None else None
    touch = _own_touch(
        row["pool_source"] or "",
        row["pool_medium"] or "",
        row["pool_campaign"] or "",
        row["pool_channel"] or "",
    )
    if kind == "default":
        return Shown(kind="default", pool_id=pool_id, touch=touch)
    if row["pool_kind"] == "static":
        return Shown(kind="static", pool_id=pool_id, touch=touch)
    return Shown(kind="reservation", pool_id=pool_id)


@lru_cache(maxsize=4096)
def _own_touch(source: str, medium: str, campaign: str, channel: str) -> Touch | None:
    """What a pool or a default number says of its callers; a source alone belongs to a channel too."""
    if not source and not channel:
        return None
    touch = Touch(source=source, medium=medium, campaign=campaign, channel=channel)
    return touch if channel else channels.with_channel(touch)


_COLUMNS = (
    *(
        "ids",
        "channel",
        "source",
        "medium",
        "campaign",
        "started_at",
        "seen_at",
        "input_at",
        "gone_at",
    ),
    *("gone_kind", "tapped_at", "device", "handed_at", "changed_at", "called", "region"),
)


@lru_cache(maxsize=16384)
def _origin(channel: str, campaign: str, source: str, medium: str) -> Origin:
    """Many visits share one."""
    return Touch(source=source, medium=medium, campaign=campaign, channel=channel).origin


def candidates(row: Mapping[str, Any]) -> list[Candidate]:
    """The visits that were shown the number, from parallel arrays."""
    if not row["ids"]:
        return []
    return [
        Candidate(
            session_id=SessionId(session_id),
            origin=_origin(channel, campaign, source, medium),
            times=SessionTimes(
                started_at=started_at,
                seen_at=seen_at,
                input_at=input_at,
                gone_at=gone_at,
                gone_kind=gone_kind,
                tapped_at=tapped_at,
                device=device,
            ),
            handed_at=handed_at,
            changed_at=changed_at,
            called=called,
            region=region,
        )
        for (
            session_id,
            channel,
            source,
            medium,
            campaign,
            started_at,
            seen_at,
            input_at,
            gone_at,
            gone_kind,
            tapped_at,
            device,
            handed_at,
            changed_at,
            called,
            region,
        ) in zip(*(row[column] for column in _COLUMNS), strict=True)
    ]


def outages(row: Mapping[str, Any]) -> tuple[Outage, ...]:
    """Times in which no heartbeat could be written down."""
    times = zip(row["outages_from"] or (), row["outages_to"] or (), strict=True)
    return tuple(Outage(started_at=start, ended_at=end) for start, end in times)


def pack(past: Past) -> tuple[bytes, list[list[Any]]]:
    """Past visits as bytes (little-endian: count, ids, moments left, moments handed out, kinds)."""
    arrays = (past.session_ids, past.since, past.handed_at, past.kind_of)
    parts = [struct.pack("<I", len(past)), *(_little_endian(numbers) for numbers in arrays)]
    return b"".join(parts), [[k.engaged, k.changed, *k.origin, k.region] for k in past.kinds]


def past(row: Mapping[str, Any]) -> Past | None:
    """The reverse of `pack`."""
    if row.get("past_packed") is None:
        return None
    packed: bytes = row["past_packed"]
    (count,) = struct.unpack_from("<I", packed)
    position = 4
    arrays: list[array[Any]] = []
    for code in "qddI":
        numbers: array[Any] = array(code)
        end = position + count * numbers.itemsize
        numbers.frombytes(packed[position:end])
        arrays.append(numbers)
        position = end
    kinds = [
        # what was summed up before regions were known says nothing of them
        Kind(engaged, changed, Origin(*key[:4]), *key[4:])
        for engaged, changed, *key in row["past_kinds"]
    ]
    return Past(
        built_at=row["past_built_at"],
        session_ids=_swapped(arrays[0]),
        since=_swapped(arrays[1]),
        handed_at=_swapped(arrays[2]),
        kind_of=_swapped(arrays[3]),
        kinds=kinds,
    )


def _little_endian(numbers: array[Any]) -> bytes:
    return _swapped(numbers[:]).tobytes()


def _swapped(numbers: array[Any]) -> array[Any]:
    if byteorder == "big":
        numbers.byteswap()
    return numbers
