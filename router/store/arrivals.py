"""What decides a call when it arrives, and what it was credited to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from router.domain.matching import Shares, Shown
from router.domain.model import (
    Attribution,
    CallId,
    NumberId,
    OrganisationId,
    SiteId,
    Target,
    TargetId,
)
from router.domain.past import Past
from router.domain.posterior import CALLED_FROM, WINDOW, Candidate
from router.domain.visitstate import Outage
from router.store import candidates as rows
from router.store.database import Queries

# visits that were shown a default number: only so many of the newest are looked at
DEFAULT_CANDIDATES = 2000


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


async def dialled(
    queries: Queries, numbers: Sequence[str], caller: str, trunk: str, t: datetime
) -> Dialled:
    """What decides a call at `t`; `numbers` are the readings of what was dialled, the likeliest first."""
    window = {"numbers": list(numbers), "since": t - WINDOW, "until": t}
    row = await queries.fetchrow(
        "arrivals.dialled", **window, caller=caller, known_since=t - rows.MEMORY, trunk=trunk
    )
    assert row is not None  # one row, always, by its first table
    if row["pool_id"] is None and numbers:
        default = await queries.fetchrow(
            "arrivals.default_number", **window, most=DEFAULT_CANDIDATES
        )
        if default is not None:
            return _dialled({**row, **default}, "default")
    kind = "unknown" if row["number_id"] is None else "number"
    return _dialled(dict(row), kind)


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


def _decision(attribution: Attribution, shares: Shares | None, known: bool) -> dict[str, Any]:
    """Columns of an attribution, and the shares of it that visits are credited with.

    Known callers add nothing to what visits have called: they were counted at their first call.
    """
    touch = attribution.touch
    told = [one for one in shares.top if one.p > CALLED_FROM] if shares and not known else []
    return {
        "model": attribution.model,
        "method": attribution.method,
        "level": attribution.level,
        "confidence": attribution.confidence,
        "session_id": attribution.session_id,
        "pool_id": attribution.pool_id,
        "source": touch.source if touch else None,
        "medium": touch.medium if touch else None,
        "campaign": touch.campaign if touch else None,
        "evidence": [asdict(reason) for reason in attribution.evidence],
        "runners_up": list(attribution.runners_up),
        "inputs": dict(attribution.inputs),
        "called_ids": [one.session_id for one in told],
        "called_shares": [one.p for one in told],
    }


async def arrive(
    queries: Queries,
    *,
    ref: str,
    linkedid: str,
    found: Dialled,
    did: str,
    caller: str,
    trunk: str,
    arrived_at: datetime,
    target: Target | None,
    target_text: str | None,
    attribution: Attribution,
    shares: Shares | None,
    now: datetime,
) -> bool:
    """Write a call and its attribution, in one commit. False if the call is known already."""
    made = await queries.fetchval(
        "arrivals.arrive",
        ref=ref,
        linkedid=linkedid,
        organisation_id=found.organisation_id,
        site_id=found.site_id,
        number_id=found.number_id,
        did=did,
        caller=caller,
        trunk=trunk,
        arrived_at=arrived_at,
        target_id=target.id if target else None,
        target=target_text,
        now=now,
        **_decision(attribution, shares, found.known_caller),
    )
    return made is not None


async def attribute(
    queries: Queries,
    call_id: CallId,
    *,
    found: Dialled,
    did: str,
    attribution: Attribution,
    shares: Shares | None,
    now: datetime,
    again: bool = False,
) -> bool:
    """Credit a call that has no attribution; with `again`, anew, beside the old one. False if it was not."""
    done = await queries.fetchval(
        "arrivals.attribute",
        call_id=call_id,
        organisation_id=found.organisation_id,
        site_id=found.site_id,
        number_id=found.number_id,
        did=did,
        now=now,
        again=again,
        **_decision(attribution, shares, found.known_caller or again),
    )
    return done is not None


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
