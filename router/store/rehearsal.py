"""Past sessions as rules see them, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.domain.model import PoolId, SiteId, Touch
from router.domain.rules import Facts
from router.store.database import Queries

NEWEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class PastSession:
    """`pool_id`: the pool whose number it got first; None where that was a default number (`shown`)."""

    started_at: datetime
    facts: Facts
    shown: str
    pool_id: PoolId | None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Sessions of the site, newest first. `before`: where the next page goes on; None at the end.
    `reached`: when the newest of them began, whosever it is; those on further pages began before."""

    sessions: tuple[PastSession, ...]
    before: int | None
    reached: datetime | None


async def past(queries: Queries, site_id: SiteId, before: int, most: int) -> Page:
    """The next page; a statement of its own, so that nothing waits for the whole."""
    rows = await queries.fetch("rehearsal.past", site_id=site_id, before=before, most=most)
    found = [
        PastSession(
            started_at=row["started_at"],
            facts=Facts(
                touch=Touch(
                    source=row["source"],
                    medium=row["medium"],
                    campaign=row["campaign"],
                    term=row["term"],
                    content=row["content"],
                    click_ids=row["click_ids"],
                    channel=row["channel"],
                ),
                url=row["landing_url"],
                referrer=row["referrer"],
                device=row["device"],
                region=row["region"],
                city=row["city"],
                visit=row["ordinal"],
            ),
            shown=row["shown"],
            pool_id=row["pool_id"],
        )
        for row in rows
        if row["ours"]
    ]
    return Page(
        sessions=tuple(found),
        before=rows[-1]["id"] if len(rows) == most else None,
        reached=max((row["started_at"] for row in rows), default=None),
    )
