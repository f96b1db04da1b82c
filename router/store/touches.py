"""Touches: landings within sessions, and all of a visitor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from router.domain.model import SessionId, SiteId, Touch
from router.domain.touches import Landed
from router.store.database import Queries


async def add(
    queries: Queries,
    site_id: SiteId,
    session: UUID,
    *,
    at: datetime,
    touch: Touch,
    url: str,
    referrer: str,
) -> None:
    """A landing within `session`; nothing happens if it is there, or the session is not known."""
    await queries.execute(
        "touches.add",
        site_id=site_id,
        session=session,
        at=at,
        url=url,
        referrer=referrer,
        source=touch.source,
        medium=touch.medium,
        campaign=touch.campaign,
        term=touch.term,
        content=touch.content,
        click_ids=dict(touch.click_ids),
        channel=touch.channel,
    )


async def name(queries: Queries, site_id: SiteId, session: UUID, ids: Mapping[str, str]) -> None:
    """Ids that a session did not have; those it has stay."""
    await queries.execute("touches.name", site_id=site_id, session=session, ids=dict(ids))


async def of_visitor(
    queries: Queries, session_id: SessionId, *, until: datetime, most: int
) -> list[Landed]:
    """The touches of a session's visitor, oldest first: the first, and about the newest `most`."""
    rows = await queries.fetch("touches.of_visitor", session_id=session_id, until=until, most=most)
    return [
        Landed(
            at=row["at"],
            touch=Touch(
                source=row["source"],
                medium=row["medium"],
                campaign=row["campaign"],
                term=row["term"],
                content=row["content"],
                click_ids=row["click_ids"],
                channel=row["channel"],
            ),
            url=row["url"],
            referrer=row["referrer"],
            visit=row["visit"],
            begins=row["begins"],
        )
        for row in rows
    ]
