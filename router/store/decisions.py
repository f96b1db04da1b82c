"""Calls that arrive, and what they are credited to, written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.domain.matching import Shares
from router.domain.model import Attribution, CallId, Target
from router.domain.posterior import CALLED_FROM
from router.store.arrivals import Dialled
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """A call as it is written down before anybody knows whose it is. `arrived_at` is Asterisk's time."""

    ref: str
    linkedid: str
    did: str
    caller: str
    trunk: str
    arrived_at: datetime
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What a call was answered by: its attribution and where it was sent."""

    linkedid: str
    found: Dialled
    did: str
    target: Target | None
    target_text: str | None
    attribution: Attribution
    shares: Shares | None
    now: datetime


async def note(queries: Queries, calls: Sequence[Noted]) -> set[str]:
    """Write the rows of calls, in one commit. Returns the refs of those that were not known."""
    if len(calls) == 1:
        (call,) = calls
        rows = await queries.fetch(
            "arrivals.note",
            ref=call.ref,
            linkedid=call.linkedid,
            did=call.did,
            caller=call.caller,
            trunk=call.trunk,
            arrived_at=call.arrived_at,
            now=call.now,
        )
        return {row["ref"] for row in rows}
    # in one order everywhere: two writers of the same rows wait for each other, and never both
    ordered = sorted(calls, key=lambda call: call.linkedid)
    rows = await queries.fetch(
        "arrivals.note_together",
        refs=[call.ref for call in ordered],
        linkedids=[call.linkedid for call in ordered],
        dids=[call.did for call in ordered],
        callers=[call.caller for call in ordered],
        trunks=[call.trunk for call in ordered],
        arrived_ats=[call.arrived_at for call in ordered],
        nows=[call.now for call in ordered],
    )
    return {row["ref"] for row in rows}


async def warm(queries: Queries, now: datetime) -> None:
    """Have the statements of this module planned on a connection; nothing is written."""
    nothing = Noted(ref="", linkedid="", did="", caller="", trunk="", arrived_at=now, now=now)
    await note(queries, [nothing])
    await note(queries, [])
    await credit(queries, [])


async def credit(queries: Queries, calls: Sequence[Decided]) -> set[str]:
    """Write decisions about calls on record, in one commit. Returns the linkedids of those that had none;
    the others keep the one they have. Of several about one call the first counts."""
    calls = list({call.linkedid: call for call in reversed(calls)}.values())[::-1]
    shares = [
        (place, *share)
        for place, call in enumerate(calls)
        for share in _called(call.shares, call.found.known_caller)
    ]
    rows = await queries.fetch(
        "arrivals.credit",
        calls=[_row(place, call) for place, call in enumerate(calls)],
        called_places=[place for place, _, _ in shares],
        called_ids=[session_id for _, session_id, _ in shares],
        called_shares=[p for _, _, p in shares],
    )
    return {row["linkedid"] for row in rows}


def _row(place: int, call: Decided) -> dict[str, Any]:
    """Columns of a call and its attribution, as JSON has them."""
    found = call.found
    return {
        "place": place,
        "linkedid": call.linkedid,
        "organisation_id": found.organisation_id,
        "site_id": found.site_id,
        "number_id": found.number_id,
        "did": call.did,
        "target_id": call.target.id if call.target else None,
        "target": call.target_text,
        "now": call.now.isoformat(),
        **_decision(call.attribution),
    }


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
    told = _called(shares, found.known_caller or again)
    done = await queries.fetchval(
        "arrivals.attribute",
        call_id=call_id,
        organisation_id=found.organisation_id,
        site_id=found.site_id,
        number_id=found.number_id,
        did=did,
        now=now,
        again=again,
        called_ids=[session_id for session_id, _ in told],
        called_shares=[p for _, p in told],
        **_decision(attribution),
    )
    return done is not None


def _called(shares: Shares | None, known: bool) -> list[tuple[int, float]]:
    """The visits that are credited with a call, and with how much of it.

    Known callers add nothing to what visits have called: they were counted at their first call.
    """
    if shares is None or known:
        return []
    return [(one.session_id, one.p) for one in shares.top if one.p > CALLED_FROM]


def _decision(attribution: Attribution) -> dict[str, Any]:
    """Columns of an attribution."""
    touch = attribution.touch
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
        "channel": (touch.channel or None) if touch else None,
        "evidence": [
            {"words": reason.words, "figures": dict(reason.figures)}
            for reason in attribution.evidence
        ],
        "runners_up": list(attribution.runners_up),
        "inputs": dict(attribution.inputs),
    }
