"""Codes that are split or renumbered: while both forms are valid, a number dialled in either is the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NoReturn

import structlog

from router.domain import numbering
from router.domain.errors import StoreUnavailable
from router.domain.numbering import CodeChange
from router.store import administration
from router.store import codes as store
from router.store.database import Database, Queries, deadline

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
_PATIENCE = 30.0


class Codes:
    """What is known of codes, in memory: an arriving call asks nobody. `run` keeps it new."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes: tuple[CodeChange, ...] = ()

    def forms(self, e164s: Sequence[str], t: datetime) -> tuple[str, ...]:
        """Readings of what was dialled, each in every form that is valid at `t`."""
        if not self._changes:
            return tuple(e164s)
        found = (form for one in e164s for form in numbering.forms(one, self._changes, t))
        return tuple(dict.fromkeys(found))

    async def reread(self, queries: Queries, now: datetime) -> None:
        """For a number that seems to be nobody's: its code may have changed this moment."""
        self._changes = tuple(row.change for row in await store.changes(queries, now))

    async def run(self, clock: Callable[[], datetime]) -> NoReturn:
        """A round every few seconds, for ever; a database that is away is waited for."""
        while True:
            try:
                await deadline(self.round(clock()), _PATIENCE, what="changes of codes")
            except StoreUnavailable as error:
                log.warning("changes of codes have to wait", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def round(self, now: datetime) -> None:
        """Read what will change, and write our numbers in their new form where that has begun."""
        rows = await store.changes(self._database, now)
        if any(_due(row, now) for row in rows):
            async with self._database.transaction() as queries:
                await administration.lock(queries)
                await apply_due(queries, now)
            for row in filter(lambda row: _due(row, now), rows):
                log.info("code changed", old=row.change.old, new=row.change.new)
        self._changes = tuple(row.change for row in rows)


async def apply_due(queries: Queries, now: datetime) -> tuple[CodeChange, ...]:
    """Our numbers in their new form, where that has begun; returns the changes that are not over. To be called
    by an administrator's work before it looks at numbers."""
    rows = await store.changes(queries, now)
    for row in rows:
        if _due(row, now):
            await store.apply(queries, row, now)
    return tuple(row.change for row in rows)


async def newest(queries: Queries, e164s: Sequence[str], now: datetime) -> tuple[str, ...]:
    """Numbers as our rows write them now, whichever form they are given in."""
    changes = await apply_due(queries, now)
    return tuple(dict.fromkeys(numbering.newest_form(one, changes, now) for one in e164s))


def _due(row: store.CodeRow, now: datetime) -> bool:
    return row.applied_at is None and row.change.from_at <= now
