"""What decides a call when it arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.domain.matching import Shown
from router.domain.model import NumberId, OrganisationId, SiteId, Target, TargetId
from router.domain.past import Past
from router.domain.posterior import WINDOW, Candidate
from router.domain.visitstate import Outage
from router.store import candidates as rows
from router.store.database import Queries

# visits that were shown a default number: only so many of the newest are looked at
DEFAULT_CANDIDATES = 2000
# the same for visits of a number before they are summed up: a call cannot wait for any number of them
CANDIDATES = 3000


@dataclass(frozen=True, kw_only=True)
class Dialled:
    """Everything that decides a call. `number_id` is None for a default number and for one not ours.

    `targets` are the number's, the pool's and the site's, in this order; `tracking` those among them
    that are our own numbers.
    """

    e164: str | None
    organisation_id: OrganisationId | None
    site_id: SiteId | None
    number_id: NumberId | None
    shown: Shown
    record: bool
    targets: tuple[Target, ...]
    tracking: frozenset[str]
    known_caller: bool
    candidates: Sequence[Candidate]
    past: Past | None
    outages: tuple[Outage, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A call at `t`; `numbers` are the readings of what was dialled, the likeliest first.

    With its `linkedid` the call's own row, if there is one, does not make its caller a known one.
    """

    numbers: Sequence[str]
    caller: str
    trunk: str
    t: datetime
    linkedid: str = ""


async def dialled(
    queries: Queries,
    numbers: Sequence[str],
    caller: str,
    trunk: str,
    t: datetime,
    *,
    most: int | None = CANDIDATES,
    linkedid: str = "",
) -> Dialled:
    """What decides a call at `t`; `numbers` are the readings of what was dialled, the likeliest first.

    Of visits that are not summed up only the newest `most` are looked at, all with None.
    """
    asked = Asked(numbers=numbers, caller=caller, trunk=trunk, t=t)
    row = await queries.fetchrow(
        "arrivals.dialled",
        numbers=list(numbers),
        since=t - WINDOW,
        until=t,
        caller=caller,
        known_since=t - rows.MEMORY,
        trunk=trunk,
        most=most,
        linkedid=linkedid,
    )
    assert row is not None  # one row, always, by its first table
    return await _read(queries, asked, row)


async def dialled_together(queries: Queries, asked: Sequence[Asked]) -> list[Dialled]:
    """`dialled` for several calls, in one trip."""
    found = await queries.fetch(
        "arrivals.dialled_together",
        numbers=[" ".join(one.numbers) for one in asked],
        sinces=[one.t - WINDOW for one in asked],
        untils=[one.t for one in asked],
        callers=[one.caller for one in asked],
        known_sinces=[one.t - rows.MEMORY for one in asked],
        trunks=[one.trunk for one in asked],
        most=CANDIDATES,
        linkedids=[one.linkedid for one in asked],
    )
    return [await _read(queries, one, row) for one, row in zip(asked, found, strict=True)]


async def _read(queries: Queries, asked: Asked, row: Any) -> Dialled:
    if row["pool_id"] is None and asked.numbers:
        default = await queries.fetchrow(
            "arrivals.default_number",
            numbers=list(asked.numbers),
            since=asked.t - WINDOW,
            until=asked.t,
            most=DEFAULT_CANDIDATES,
        )
        if default is not None:
            return _dialled({**row, **default}, "default")
    return _dialled(row, "unknown" if row["number_id"] is None else "number")


def _dialled(row: Mapping[str, Any], kind: str) -> Dialled:
    targets = row["targets"] or []
    return Dialled(
        e164=row["e164"],
        organisation_id=row["organisation_id"],
        site_id=row["site_id"],
        number_id=row["number_id"],
        shown=rows.shown(row, kind),
        record=row["record"],
        targets=tuple(target_from(target) for target in targets),
        tracking=frozenset(target["e164"] for target in targets if target["ours"]),
        known_caller=row["known_caller"],
        candidates=rows.candidates(row),
        past=rows.past(row),
        outages=rows.outages(row),
    )


def target_from(found: Mapping[str, Any]) -> Target:
    """A target from its JSON."""
    return Target(
        id=TargetId(found["id"]),
        name=found["name"],
        kind=found["kind"],
        endpoint=found["endpoint"],
        e164=found["e164"],
        trunk=found["trunk"],
        ring_seconds=found["ring_seconds"],
    )


async def begin_past(queries: Queries, number_id: NumberId, built_at: datetime) -> int:
    """Announce that the number's past visits are about to be summed up; a commit of its own. Returns the
    version that `keep_past` is for."""
    version: int = await queries.fetchval(
        "arrivals.begin_past", number_id=number_id, built_at=built_at
    )
    return version


async def keep_past(queries: Queries, number_id: NumberId, version: int, past: Past) -> bool:
    """Store what was summed up. False if one of the visits spoke again meanwhile."""
    packed, kinds = rows.pack(past)
    kept = await queries.fetchval(
        "arrivals.keep_past",
        number_id=number_id,
        version=version,
        packed=packed,
        kinds=kinds,
        unsettled=list(past.unsettled),
    )
    return kept is not None


async def lacking_past(queries: Queries, most: int) -> list[tuple[NumberId, str]]:
    """Numbers (id, E.164) whose past visits are to be summed up again."""
    found = await queries.fetch("arrivals.lacking_past", most=most)
    return [(NumberId(row["id"]), row["e164"]) for row in found]
