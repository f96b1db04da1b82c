"""Sessions: what is known of a visitor, and what pages say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from router.domain.allocation import Holder
from router.domain.model import Device, NumberId, PoolKind, SessionId, SiteId, Touch
from router.domain.rules import Facts
from router.store import rings
from router.store.database import Queries
from router.store.numbers import Read, read


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A visitor's newest session. `shown_id` is the number its page shows, `own` the same unless it was
    withdrawn, in the pool it belongs to now."""

    id: SessionId
    key: UUID
    ordinal: int
    touch: Touch
    last_seen: datetime
    shown: str
    shown_id: NumberId | None
    overflow: bool
    bound_to: str | None
    holder: Holder
    own: Read | None
    landing_url: str
    referrer: str
    device: Device | None
    region: str | None
    city: str | None

    @property
    def facts(self) -> Facts:
        """What rules can ask of it."""
        return Facts(
            touch=self.touch,
            url=self.landing_url,
            referrer=self.referrer,
            device=self.device,
            region=self.region,
            city=self.city,
            visit=self.ordinal,
        )


class Beat(NamedTuple):
    """What a page says: a heartbeat, or with `gone_kind` that it is left. `input_at`: the last input of
    its visitor, as far as the page says when that was."""

    key: UUID
    site_id: SiteId
    input_at: datetime | None
    gone_kind: Literal["hide", "close"] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """A session after its page spoke. `shown` is what the visitor's pages have to show.

    `held`: it still holds its number, until `reserved_until` if nothing more is heard. `resumed`: its visitor
    came back, from another page or from doing nothing; or is there, and his number was withdrawn. `kind`: of
    the pool whose number it was shown; None where that was a default number.
    """

    visitor: UUID
    shown: str
    held: bool
    resumed: bool
    kind: PoolKind | None
    reserved_until: datetime | None


async def known(
    queries: Queries, visitors: Sequence[tuple[SiteId, UUID]]
) -> dict[tuple[SiteId, UUID], Known]:
    """The newest session of each visitor who has one."""
    rows = await queries.fetch(
        "sessions.known",
        site_ids=[site_id for site_id, _ in visitors],
        visitors=[visitor for _, visitor in visitors],
    )
    return {
        (row["site_id"], row["visitor"]): Known(
            id=row["id"],
            key=row["key"],
            ordinal=row["ordinal"],
            touch=Touch(
                source=row["source"],
                medium=row["medium"],
                campaign=row["campaign"],
                term=row["term"],
                content=row["content"],
                click_ids=row["click_ids"],
                channel=row["channel"],
            ),
            last_seen=max(row["seen_at"], row["gone_at"] or row["seen_at"]),
            shown=row["shown"],
            shown_id=row["shown_id"],
            overflow=row["overflow"],
            bound_to=row["bound_to"],
            holder=rings.holder(row),
            own=None if row["number_id"] is None else read(row, number_id=row["number_id"]),
            landing_url=row["landing_url"],
            referrer=row["referrer"],
            device=row["device"],
            region=row["region"],
            city=row["city"],
        )
        for row in rows
    }


async def hear(queries: Queries, beats: Sequence[Beat], now: datetime) -> dict[UUID, Heard]:
    """Write down what pages say, each session at most once; by key, without sessions nobody knows."""
    rows = await queries.fetch(
        "sessions.hear",
        keys=[beat.key for beat in beats],
        site_ids=[beat.site_id for beat in beats],
        input_ats=[beat.input_at for beat in beats],
        gone_kinds=[beat.gone_kind for beat in beats],
        now=now,
    )
    return {
        row["key"]: Heard(
            visitor=row["visitor"],
            shown=row["shown"],
            held=row["held"],
            resumed=row["resumed"],
            kind=row["kind"],
            reserved_until=row["reserved_until"],
        )
        for row in rows
    }


async def tap(
    queries: Queries,
    key: UUID,
    site_id: SiteId,
    *,
    number: str | None,
    tapped_at: datetime | None,
    copied_at: datetime | None,
) -> bool:
    """A tap, or a copy, of a number on the page (None: the one it shows). False if the session is not
    known, or was never shown that number: nothing is written then."""
    found = await queries.fetchval(
        "sessions.tap",
        key=key,
        site_id=site_id,
        number=number,
        tapped_at=tapped_at,
        copied_at=copied_at,
    )
    return found is not None
