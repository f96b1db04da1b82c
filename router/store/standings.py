"""Where a number stands (in use, listening, quarantined, shared, resting), and the log of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.model import NumberId, OrganisationId, PoolId, Standing
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingRow:
    """`before` is where it stood when it was put aside last; `stands_on_pages`: as a default number."""

    id: NumberId
    e164: str
    standing: Standing
    withdrawn_at: datetime | None
    pool_id: PoolId | None
    grown_at: datetime | None
    held: bool
    stands_on_pages: bool
    before: Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A number that stands at `was` is to stand at `standing`, because of `why`."""

    number_id: NumberId
    was: Standing
    standing: Standing
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedChange:
    """`from_standing` and `to_standing` are standings, or ``withdrawn``."""

    id: int
    at: datetime
    e164: str
    from_standing: str
    to_standing: str
    pool: str | None
    site: str | None
    why: str
    actor: str


async def find(
    queries: Queries, organisation_id: OrganisationId, e164s: Sequence[str]
) -> dict[str, StandingRow]:
    """The organisation's numbers among these, withdrawn ones too."""
    rows = await queries.fetch("standings.find", organisation_id=organisation_id, e164s=list(e164s))
    return {row["e164"]: StandingRow(**row) for row in rows}


async def change(
    queries: Queries, changes: Sequence[Change], *, actor: str, at: datetime
) -> set[NumberId]:
    """Make the changes and write them down; returns those that could be made."""
    rows = await queries.fetch(
        "standings.change",
        number_ids=[one.number_id for one in changes],
        expected=[one.was for one in changes],
        standings=[one.standing for one in changes],
        whys=[one.why for one in changes],
        actor=actor,
        at=at,
    )
    return {row["number_id"] for row in rows}


async def tell(
    queries: Queries,
    organisation_id: OrganisationId,
    e164s: Sequence[str],
    *,
    was: str | None = None,
    standing: str | None = None,
    why: str,
    actor: str,
    at: datetime,
) -> None:
    """Write down what was done already; None is where the number stands now."""
    await queries.execute(
        "standings.tell",
        organisation_id=organisation_id,
        e164s=list(e164s),
        from_standing=was,
        to_standing=standing,
        why=why,
        actor=actor,
        at=at,
    )


async def log(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    e164: str | None = None,
    below: int | None = None,
    most: int = 100,
) -> list[LoggedChange]:
    """The newest changes first, of one number or of all."""
    rows = await queries.fetch(
        "standings.log", organisation_id=organisation_id, e164=e164, below=below, most=most
    )
    return [LoggedChange(**row) for row in rows]
